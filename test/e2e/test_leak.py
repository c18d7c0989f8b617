# SPDX-License-Identifier: GPL-3.0-or-later
"""Wires stay silent whatever runs inside and whoever of us dies, when ever."""
import json
import os
import random
import re
import signal
import time
from contextlib import suppress

import pytest

from lab import Faults, ToyProxy
from lab.run import PYTHON, is_alive, name_of, wait_for

BURST = [PYTHON, "/run/lab/burst.py"]


def burst(lab, way, secs="1.5", opts=(), **how):
    return lab.sandbox([*BURST, secs], way, opts, timeout=60, **how)


@pytest.mark.row("A13", "A16", "A18", "A20")
@pytest.mark.smoke
@pytest.mark.parametrize("user", [True, False])
@pytest.mark.parametrize("opts", [[], ["-d", "off"], ["-4"], ["-6"]])
def test_burst_through_socks5(lab, proxy, opts, user):
    with lab.watch() as verdict:
        ran = burst(lab, proxy, opts=opts, user=user)
    assert ran.rc == 0, ran
    assert verdict, verdict
    assert proxy.log, "the probes did go through the proxy"


@pytest.mark.parametrize("way", ["http", "socks4a", "block://",
                                 "socks5://10.66.0.2:1082"])
def test_burst_through_other_ways(lab, proxy, way):
    lab.proxy_ports.add(1082)
    url = way if "://" in way else proxy.url(way)
    with lab.watch() as verdict:
        ran = burst(lab, url, "1", ["-q"])
    lab.proxy_ports.discard(1082)
    assert ran.rc == 0 and verdict, (ran, verdict)


@pytest.mark.row("P06")
@pytest.mark.parametrize("faults", [
    Faults(bnd="192.168.77.1"), Faults(bnd="198.51.100.1"),
    Faults(raw_reply=b"\x05\x00\x00\x01\xc0\xa8\x4d\x01\x00\x07"),
    Faults(close_at="greet"), Faults(reply=1), Faults(no_udp=True)])
def test_burst_through_a_hostile_proxy(lab, faults):
    with ToyProxy(lab, faults=faults) as proxy, lab.watch() as verdict:
        ran = burst(lab, proxy, "1", ["-q"])
    assert ran.rc == 0 and verdict, (ran, verdict)


@pytest.mark.row("K01", "K05")
@pytest.mark.smoke
@pytest.mark.parametrize("who", ["worker", "connector", "keeper", "caller"])
@pytest.mark.parametrize("after_s", [0, 0.4])
def test_killing_ours_leaks_nothing(lab, proxy, who, after_s):
    mark = f"{lab.scratch()}/began"
    with lab.watch() as verdict:
        job = lab.sandbox_start([*BURST, "3", mark], proxy)
        assert wait_for(lambda: os.path.exists(mark)), job.ran(None)
        time.sleep(after_s)
        victims = job.ours()
        assert who in victims, (victims, job.ran(job.popen.poll()))
        everyone = job.family()
        os.kill(victims[who], signal.SIGKILL)
        job.popen.wait(30)
        wait_for(lambda: not [p for p in everyone if is_alive(p)], 8)
    assert verdict, verdict


@pytest.mark.row("K04")
@pytest.mark.parametrize("user", [True, False])
def test_killing_all_of_ours_leaks_nothing(lab, proxy, user):
    mark = f"{lab.scratch()}/began"
    with lab.watch() as verdict:
        job = lab.sandbox_start([*BURST, "3", mark], proxy, user=user)
        assert wait_for(lambda: os.path.exists(mark)), job.ran(None)
        everyone = job.family()
        for pid in job.ours().values():
            with suppress(ProcessLookupError):  # a connector ends by itself
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not [p for p in everyone if is_alive(p)], 8)
    assert verdict, verdict


@pytest.mark.row("K01", "K05")
@pytest.mark.parametrize("who", ["worker", "connector"])
def test_killed_worker_comes_back(lab, proxy, who):
    job = lab.sandbox_start([PYTHON, "-c", """from inside import *
s = tcp('203.0.113.5', 7); print('up', flush=True)
first = err(read_all, s)
out([first, connect_err('203.0.113.5', 7), connect_err('n.example', 7)])"""],
                            proxy)
    assert job.says("up"), job.ran(None)
    os.kill(job.ours()[who], signal.SIGKILL)
    ran = job.wait(40)
    first, again, name = lab.spoken(ran)
    assert first in ("ECONNRESET", "OK"), first
    assert again[0] == "OK" and again[1] < 5, again
    assert name[0] == "OK", name
    assert len(ran.err.strip().splitlines()) >= 1, "one warning"


@pytest.mark.row("K02")
def test_worker_killed_again_and_again(lab, proxy):
    job = lab.sandbox_start([PYTHON, "-c", """from inside import *
print('up', flush=True)
time.sleep(3); out(connect_err('203.0.113.5', 7, 60))"""], proxy)
    assert job.says("up"), job.ran(None)
    with lab.watch() as verdict:
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            for pid in job.worker_pids():
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    assert verdict, verdict
    assert lab.spoken(job.wait(60))[0] == "OK"


@pytest.mark.row("K06")
def test_killed_keeper_ends_the_network_not_the_command(lab, proxy):
    job = lab.sandbox_start([PYTHON, "-c", """from inside import *
print('up', flush=True); time.sleep(1)
out([connect_err('203.0.113.5', 7, 5)[0], connect_err('n.example', 7, 5)[0]])
sys.exit(0)"""], proxy)
    assert job.says("up"), job.ran(None)
    os.kill(job.ours()["keeper"], signal.SIGKILL)
    ran = job.wait(40)
    assert ran.rc == 0 and ran.err, ran
    assert "OK" not in lab.spoken(ran), ran


def test_killed_caller_leaves_a_working_sandbox(lab, proxy):
    mark = f"{lab.scratch()}/said"
    job = lab.sandbox_start([PYTHON, "-c", f"""from inside import *
print('up', flush=True); time.sleep(1)
said = connect_err('203.0.113.5', 7, 5)[0]
open({mark!r}, 'w').write(said)"""], proxy)
    assert job.says("up"), job.ran(None)
    everyone = job.family()
    os.kill(job.pid, signal.SIGKILL)
    assert wait_for(lambda: os.path.exists(mark) and open(mark).read(), 10)
    assert open(mark, encoding="ascii").read() == "OK"
    assert wait_for(lambda: not [p for p in everyone if is_alive(p)], 5)


@pytest.mark.row("K12", "K05")
@pytest.mark.parametrize("who", ["worker", "connector"])
def test_stopped_worker_holds_everything(lab, proxy, who):
    mark = f"{lab.scratch()}/began"
    with lab.watch() as verdict:
        job = lab.sandbox_start([*BURST, "3", mark], proxy)
        assert wait_for(lambda: os.path.exists(mark)), job.ran(None)
        victim = job.ours()[who]
        os.kill(victim, signal.SIGSTOP)
        time.sleep(1.5)
        os.kill(victim, signal.SIGCONT)
        ran = job.wait(30)
    assert ran.rc == 0 and verdict, (ran, verdict)


# --- before the sandbox is ready

MARKER = """from inside import *
open(%r, 'a').write('%%d\\n' %% os.stat('/proc/self/ns/net').st_ino)
err(lambda: udp('203.0.113.9', 7).send(b'early'))
"""


@pytest.mark.row("K07", "K08")
@pytest.mark.parametrize("user", [True, False])
def test_killed_at_any_moment_of_the_start(lab, proxy, user):
    """Whoever is killed, whenever: the command never runs in the host's
    network, and nothing is left behind."""
    dice = random.Random(1)
    mark = f"{lab.scratch()}/inodes"
    host = os.stat(lab.path("host")).st_ino
    with lab.watch() as verdict:
        for number in range(60):
            job = lab.sandbox_start([PYTHON, "-c", MARKER % mark], proxy,
                                    ["-q"], user=user)
            time.sleep(0.004 + number * 0.0006)
            family = job.family()
            victim = dice.choice(family)
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
            job.popen.wait(20)
            left = wait_for(lambda: not [p for p in family if is_alive(p)],
                            10)
            assert left, [(p, name_of(p)) for p in family if is_alive(p)]
    assert verdict, verdict
    if os.path.exists(mark):
        inodes = set(open(mark, encoding="ascii").read().split())
        assert str(host) not in inodes


INJECTED = ["unshare", "mount", "capset", "seccomp", "execve", "socket",
            "ioctl", "setsockopt", "bind", "listen", "sendmsg", "recvmsg",
            "clone", "openat", "write", "prctl", "close_range", "socketpair",
            "open_tree", "move_mount", "mount_setattr", "umount2",
            "pivot_root", "chdir", "fcntl", "signalfd4", "execveat",
            "epoll_create1", "epoll_ctl"]
NAMES = {"clone": "clone,clone3,fork,vfork"}
LOOK = """from inside import *
import re
t = open('/proc/self/status').read()
open(%r, 'w').write(json.dumps([
    os.stat('/proc/self/ns/net').st_ino, re.findall('CapEff:\t(.*)', t)[0],
    re.findall('NoNewPrivs:\t(.*)', t)[0],
    re.findall('Seccomp:\t(.*)', t)[0]]))"""
SENTENCE = re.compile(r"nsproxy: run: [^\n]+\n(hint: [^\n]+\n)?")


@pytest.mark.row("K09", "R12")
@pytest.mark.parametrize("call", INJECTED)
def test_failing_calls_never_let_it_run_unguarded(lab, proxy, call, need):
    """The N-th call of its name fails: either a sentence, 125 and no command,
    or a command that is inside, guarded, with its proxy. Of a command that
    cannot be executed it is 126. Nothing is left: strace waits for all."""
    strace, name = need("strace"), NAMES.get(call, call)
    host = os.stat(lab.path("host")).st_ino
    struck = 0
    with lab.watch() as verdict:
        for when in (1, 2, 3, 5, 8, 13):
            place = lab.scratch()
            mark, trace = f"{place}/seen", f"{place}/trace"
            ran = lab.run(
                [strace, "-f", "-qq", "-o", trace, "-e", f"trace={name}",
                 "-e", f"inject={name}:error=EPERM:when={when}",
                 lab.nsproxy_path, "run", "-x", proxy.url(), "--", PYTHON,
                 "-c", LOOK % mark], timeout=30)
            with open(trace, encoding="utf-8", errors="replace") as file:
                hits = [line for line in file if "(INJECTED)" in line]
            struck += len(hits)
            what = call, when, ran, hits
            if os.path.exists(mark):
                with open(mark, encoding="ascii") as file:
                    ns, caps, privs, filt = json.load(file)
                assert ns != host, what
                assert (int(caps, 16), privs, filt) == (0, "1", "2"), what
                assert ran.rc == 0, what
            else:
                assert ran.rc == (126 if call == "execve" else 125), what
                # The sentence, too, may be what is not written.
                assert SENTENCE.fullmatch(ran.err) or any(
                    " write(2, " in line for line in hits), what
    assert verdict, verdict
    assert struck, f"nobody calls {call}"


# --- objects that could be re-aimed

def test_reconnecting_an_old_socket_goes_by_the_sandbox(lab, proxy):
    with lab.watch() as verdict:
        got = lab.inside("""
import ctypes
libc = ctypes.CDLL(None)
s = tcp('203.0.113.5', 7)
libc.connect(s.fileno(), bytes(16), 16)
said = err(s.connect, ('203.0.113.6', 7))
u = udp('203.0.113.5', 7); err(u.sendto, b'x', ('192.168.77.1', 7))
out(said)""", proxy)
    assert verdict, verdict
    assert got in ("OK", "EISCONN", "EINVAL"), got


@pytest.mark.row("A21")
def test_host_services_are_out_of_reach(lab, proxy):
    import socket
    from lab import kernel

    def make(host, port):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
        sock.setblocking(False)
        return sock
    socks = [kernel.call_in(lab.path("host"), lambda h=h: make(h, 8088))
             for h in ("0.0.0.0", "::1")]
    lab.inside("""
for a in ('127.0.0.1', '::1', '198.51.100.2', '10.66.0.1', '192.168.77.2',
          'localhost', '0.0.0.0', '::ffff:127.0.0.1', '127.0.0.53'):
    connect_err(a, 8088, 3)
out(1)""", proxy)
    for sock in socks:
        try:
            sock.accept()
            assert False, "somebody came"
        except BlockingIOError:
            sock.close()
