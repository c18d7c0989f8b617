# SPDX-License-Identifier: GPL-3.0-or-later
"""Every process of ours is killed at every step of what it does.

strace(1) counts the calls that change something, and strikes at the n-th of
each process that makes it: the daemon, a builder, keeper, worker or minder.
"""
import json
import os
import time
from contextlib import contextmanager, suppress
from signal import SIGCONT

import pytest

from lab import Keep, ToyProxy, kernel
from lab.run import family_of, is_alive, role_of, state_of, wait_for

# The calls that leave traces, and how many of them one process makes at most
# while a sandbox goes up, is switched, or goes down.
UP = {"mount": 7, "move_mount": 5, "sendto": 10, "sendmsg": 6, "clone": 3,
      "setns": 2, "unshare": 1, "symlink": 1, "listen": 4, "memfd_create": 4,
      "rename": 2, "fsync": 2}
SWITCH = {"sendmsg": 4, "clone": 2, "recvmsg": 8, "memfd_create": 3,
          "rename": 1}
DOWN = {"pidfd_send_signal": 3, "umount2": 1, "unlink": 4, "sendto": 3,
        "rename": 1}

PROBE = """
print('up', flush=True)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(b'leak?', ('203.0.113.5', 9))
        s.sendto(b'leak?' * 4, ('203.0.113.53', 53))
    except OSError:
        pass
    t = socket.socket(); t.setblocking(False)
    t.connect_ex(('203.0.113.5', 80))
    time.sleep(0.02)
    t.close()
"""


def things():
    """What ours leave in the world: files, names, links, rules, processes."""
    files = {f"{at}/{name}" for at in ("/run/nsproxy/box", "/run/nsproxy/pins",
                                       "/run/nsproxy/etc", "/etc/netns",
                                       "/run/netns") if os.path.isdir(at)
             for name in os.listdir(at)}
    links = {name for name in os.listdir("/sys/class/net")
             if name.startswith("nsp")}
    roles = {(pid, role_of(pid)) for pid in family_of(os.getpid())
             if role_of(pid) and is_alive(pid)}
    return files | links | roles


@pytest.fixture
def other(lab):
    with ToyProxy(lab, listen=("prx", "10.66.0.2", 1081)) as toy:
        yield toy


@pytest.fixture
def keep(lab, proxy, other):
    kernel.adopt_orphans(True)
    rich = ('veth = true\nveth-ports = {"tcp:5001"}\n'
            'publish = {"127.0.0.1:8081:80"}\n'
            'helper "it" { command = {"sleep", "1000"} }\n')
    with Keep(lab, {"work": f'chain = {{"{proxy.url()}"}}\n{rich}',
                    "way": f'chain = {{"{other.url()}"}}\n{rich}'},
              user=False) as one:
        one.bare = things()
        yield one
    kernel.adopt_orphans(False)


def go_on():
    """Whoever was stopped; whether all run now. A signal may be late."""
    still = [pid for pid in family_of(os.getpid()) if state_of(pid) in ("t", "T")]
    for pid in still:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGCONT)
    return not still


@contextmanager
def strike(keep, need, signal, call, when):
    """Until the end of the block, whose n-th such call it is gets a signal;
    yields what tells whether it did."""
    trace = f"{keep.lab.scratch()}/trace"
    job = keep.lab.start([need("strace"), "-f", "-o", trace, "-e",
                          f"trace={call}", "-e",
                          f"inject={call}:signal={signal}:when={when}", "-p",
                          keep.job.pid], user=False)

    def has_struck():
        with open(trace, encoding="latin-1") as file:
            text = file.read()
        return "killed by SIGKILL" in text or "stopped by SIGSTOP" in text

    assert wait_for(lambda: "attached" in job.err), job.ran(None)
    try:
        yield has_struck
    finally:
        job.popen.kill()             # it may wait for who stands still
        job.popen.wait(10)
        wait_for(go_on)


def recovers(keep):
    """What was struck stands up again, by itself or when asked to."""
    if keep.job.popen.poll() is not None:
        keep.start()
    assert wait_for(lambda: go_on() and keep("up", "work").rc == 0, 15), \
        keep.job.err
    assert wait_for(lambda: keep.exec("work", "true").rc == 0, 15), \
        keep.job.err


def goes(keep):
    """Nothing is left when it is down."""
    if keep.job.popen.poll() is not None:
        keep.start()
    assert wait_for(lambda: keep("down", "work").rc in (0, 3), 15)
    assert wait_for(lambda: things() == keep.bare, 10), things() ^ keep.bare


def ask(keep, words):
    """Begin a request; a socket that becomes readable when it is answered."""
    method, parameters = words
    sock = keep.call()
    sock.sendall(json.dumps({"method": f"org.nsproxy.{method}",
                             "parameters": parameters}).encode() + b"\0")
    sock.setblocking(False)
    return sock


def is_answered(sock):
    try:
        sock.recv(1)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        pass
    return True


def under_strikes(keep, need, signal, words, call, last, before):
    """Strike at each of these calls, and see to it that all is well again."""
    struck = 0
    for when in range(1, last + 1):
        before(keep)
        with strike(keep, need, signal, call, when) as has_struck:
            with ask(keep, words) as sock:
                wait_for(lambda s=sock: is_answered(s) or has_struck(), 10)
                time.sleep(0.05)
                struck += has_struck()
                if signal == "STOP":
                    keep.kill()
        recovers(keep)
        goes(keep)
    assert struck > 0, f"nobody calls {call}"


def nothing(keep):
    assert things() == keep.bare


def is_up_with_probes(keep):
    keep.up("work")
    job = keep.exec_start("work", "/usr/bin/python3", "-c",
                          "from inside import *\n" + PROBE)
    assert job.says("up"), job.ran(None)


# KILL: whoever makes the call dies of it. STOP: who makes it stands still, and
# the daemon is killed.
WAYS = [("KILL", "up"), ("STOP", "up"), ("KILL", "switch"), ("STOP", "switch"),
        ("KILL", "down"), ("STOP", "down")]
VERBS = {"up": (UP, ("Up", {"name": "work"}), nothing),
         "switch": (SWITCH, ("Switch", {"name": "work", "profile": "way",
                                        "close": False}), is_up_with_probes),
         "down": (DOWN, ("Down", {"name": "work"}), is_up_with_probes)}


@pytest.mark.row("K07", "S02")
@pytest.mark.parametrize("signal, verb, call", [
    (signal, verb, call) for signal, verb in WAYS for call in VERBS[verb][0]])
def test_killed_at_any_step_all_is_well_again(keep, need, signal, verb, call):
    calls, words, before = VERBS[verb]
    under_strikes(keep, need, signal, words, call, calls[call], before)
