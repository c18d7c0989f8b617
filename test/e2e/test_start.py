# SPDX-License-Identifier: GPL-3.0-or-later
"""How a daemon starts without systemd: in the background, with a listener of
somebody else's, for a manager that wants to be told."""
import fcntl
import os
import re
import signal
import socket
import time

import pytest

from lab import Keep, chain, kernel
from lab.run import is_alive, wait_for

UID = 61234


@pytest.fixture(params=[True, False], ids=["user", "root"])
def keep(lab, proxy, request):
    """Its places; the daemon is the test's to start."""
    one = Keep(lab, {"work": chain(proxy, "autostart = true")},
               user=request.param)
    yield one
    end(one)


@pytest.fixture
def own(lab, proxy):
    """A user's places."""
    one = Keep(lab, {"work": chain(proxy)})
    yield one
    end(one)


def end(keep):
    keep("stop")
    if not keep.user:
        os.unlink(f"{keep.config}/nsproxy.conf")


def daemon_of(keep):
    """Its pid: who holds the lock."""
    inode = os.stat(os.path.dirname(keep.socket) + "/lock").st_ino
    with open("/proc/locks", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[1] == "FLOCK" and words[5].endswith(f":{inode}"):
                return int(words[4])
    return 0


# --- in the background

@pytest.mark.smoke
def test_background_returns_when_the_daemon_is_ready(keep):
    log = f"{keep.home}/log"
    ran = keep("daemon", "-v", "--background", "--log-file", log)
    assert ran.rc == 0 and ran.out == ran.err == "", ran
    assert keep("list").rc == 0, "it answers at once"
    assert keep.exec("work", "true").rc == 0, "autostart"
    daemon = daemon_of(keep)
    assert os.getsid(daemon) == daemon, "a session of its own"
    assert os.readlink(f"/proc/{daemon}/cwd") == "/"
    for fd in (0, 1):
        assert os.readlink(f"/proc/{daemon}/fd/{fd}") == "/dev/null"
    assert os.readlink(f"/proc/{daemon}/fd/2") == log
    st = os.stat(log)
    assert (st.st_mode & 0o777, st.st_uid) == (0o600, UID if keep.user else 0)
    with open(log, encoding="utf-8") as file:
        said = file.read()
    assert "listening at" in said and "sandbox 'work': is up" in said, said
    # The next one adds to it.
    assert keep("stop").rc == 0
    assert wait_for(lambda: not is_alive(daemon))
    assert keep("daemon", "-v", "--background", "--log-file", log).rc == 0
    with open(log, encoding="utf-8") as file:
        assert file.read().count("listening at") == 2


def test_background_holds_no_pipe_of_the_callers(keep, lab):
    """A shell's $(...) ends when the last one who holds its pipe does."""
    line = f'got=$({lab.nsproxy_path} daemon --background 2>&1) && echo "=$got"'
    ran = lab.run(["sh", "-c", line], user=keep.user, env=keep.env(),
                  timeout=10)
    assert ran.rc == 0 and ran.out == "=\n", ran
    assert keep.exec("work", "true").rc == 0
    # Nowhere is where the lines go, if no file is named.
    assert os.readlink(f"/proc/{daemon_of(keep)}/fd/2") == "/dev/null"


@pytest.mark.smoke
def test_background_says_why_it_did_not_start(own):
    os.makedirs(os.path.dirname(own.state))
    for path in (".local", ".local/state", ".local/state/nsproxy"):
        os.chown(f"{own.home}/{path}", UID, UID)
    with open(own.state, "w", encoding="ascii") as file:
        file.write("nonsense")
    os.chown(own.state, UID, UID)
    log = f"{own.home}/log"
    ran = own("daemon", "--background", "--log-file", log)
    assert ran.rc == 1 and own.state in ran.err, ran
    assert ran.err.count("no JSON") == 1, ran
    with open(log, encoding="utf-8") as file:
        assert file.read() == "", "it is told once, to who waits"
    assert daemon_of(own) == 0
    os.unlink(own.state)
    assert own("daemon", "--background").rc == 0
    ran = own("daemon", "--background")
    assert ran.rc == 1 and "a daemon runs already" in ran.err, ran


def test_background_refuses_wrong_words(own):
    for words, rc, text in (
            (["--log-file", f"{own.home}/log"], 2, "--background"),
            (["--background", "--log-file", ""], 2, "path"),
            (["--background", "--log-file", "/nowhere/log"], 1,
             "/nowhere/log"),
            (["--background", "--log-file", own.home], 1, "directory"),
            (["--background", "work"], 2, "no arguments")):
        ran = own("daemon", *words)
        assert ran.rc == rc and text in ran.err, (words, ran)
    assert not os.path.exists(f"{own.home}/log")


def test_background_opens_its_log_with_the_callers_rights(own, lab):
    path = f"{lab.scratch()}/log"
    with open(path, "w", encoding="ascii"):
        os.chmod(path, 0o600)            # root's
    ran = own("daemon", "--background", "--log-file", path)
    assert ran.rc == 1 and "Permission denied" in ran.err, ran
    # A path that is not absolute is the caller's, too.
    assert own("daemon", "--background", "--log-file", "here",
               cwd=own.home).rc == 0
    assert os.path.exists(f"{own.home}/here")


def test_background_whose_caller_is_killed_does_not_stay(own, lab):
    run = os.path.dirname(own.socket)
    os.mkdir(run, 0o700)
    os.chown(run, UID, UID)
    with open(f"{run}/lock", "w", encoding="ascii") as lock:
        os.chown(f"{run}/lock", UID, UID)
        fcntl.flock(lock, fcntl.LOCK_EX)    # so that it waits
        job = lab.start([lab.nsproxy_path, "daemon", "--background"],
                        env=own.env())
        assert wait_for(lambda: len(job.family()) == 2), job.ran(None)
        child = job.family()[1]
        os.kill(job.pid, signal.SIGKILL)
        job.popen.wait(5)
    assert wait_for(lambda: not is_alive(child)), "nobody waited for it"
    assert not os.path.exists(own.socket)


# --- what is there already

@pytest.mark.row("K19")
def test_a_stale_socket_file_is_replaced(own):
    run = os.path.dirname(own.socket)
    os.mkdir(run, 0o700)
    os.chown(run, UID, UID)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(own.socket)
    os.chown(own.socket, UID, UID)
    assert own("list").rc == 1, "nobody listens there"
    assert own("daemon", "--background").rc == 0
    assert own("list").rc == 0


# --- a manager that wants to be told

class Manager:
    """Listens for what a daemon says, in the host's place."""

    def __init__(self, lab, where):
        self.sock = kernel.call_in(lab.path("host"), lambda: self._bind(where))
        self.sock.settimeout(5)

    @staticmethod
    def _bind(where):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind("\0" + where[1:] if where[0] == "@" else where)
        if where[0] != "@":
            os.chmod(where, 0o666)
        return sock

    def hears(self):
        return self.sock.recv(4096).decode()

    def waits_for(self, text):
        """All that comes until it does."""
        heard = []
        end = time.monotonic() + 10
        while text not in heard:
            assert time.monotonic() < end, f"no {text!r} in {heard}"
            heard.append(self.hears())
        return heard


@pytest.mark.smoke
@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_manager_is_told_of_a_daemons_life(own, lab, kind):
    where = "@nsproxy-test" if kind == "abstract" else f"{own.home}/notify"
    manager = Manager(lab, where)
    job = lab.start([lab.nsproxy_path, "daemon", "-v"], env=own.env(
        {"NOTIFY_SOCKET": where, "WATCHDOG_USEC": "400000"}))
    assert manager.waits_for("READY=1") == ["STATUS=0 sandboxes up",
                                            "READY=1"]
    assert own("list").rc == 0, "what is ready answers"
    began = time.monotonic()
    for _ in range(4):
        assert manager.hears() == "WATCHDOG=1"
    assert 0.3 < time.monotonic() - began < 2.5, "each 200 ms"
    own.up("work")
    manager.waits_for("STATUS=1 sandbox up")
    os.kill(own.status("work")["worker"], signal.SIGKILL)
    manager.waits_for("STATUS=0 of 1 sandbox up")
    manager.waits_for("STATUS=1 sandbox up")
    own("down", "work")
    manager.waits_for("STATUS=0 sandboxes up")
    own.up("work")
    manager.waits_for("STATUS=1 sandbox up")
    box = own.status("work")
    for pid in (box["keeper"], box["worker"]):
        with open(f"/proc/{pid}/environ", "rb") as file:
            assert not re.search(b"NOTIFY|WATCHDOG", file.read())
    os.kill(job.pid, signal.SIGTERM)
    manager.waits_for("STOPPING=1")
    assert job.wait().rc == 0
    assert own("daemon", "--background").rc == 0     # to end the sandbox


def test_a_watchdog_for_another_is_not_answered(own, lab):
    manager = Manager(lab, "@nsproxy-test-2")
    job = lab.start([lab.nsproxy_path, "daemon"], env=own.env(
        {"NOTIFY_SOCKET": "@nsproxy-test-2", "WATCHDOG_USEC": "20000",
         "WATCHDOG_PID": "1"}))
    manager.waits_for("READY=1")
    manager.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        manager.hears()
    assert job.popen.poll() is None


def test_a_manager_that_is_gone_is_told_of_once(own, lab):
    job = lab.start([lab.nsproxy_path, "daemon"], env=own.env(
        {"NOTIFY_SOCKET": "@nobody-is-here", "WATCHDOG_USEC": "20000"}))
    assert wait_for(lambda: own("list").rc == 0)
    time.sleep(0.2)
    assert job.err.count("service manager cannot be told") == 1, job.err


# --- a listener of somebody else's

def start_with(keep, lab, fd, pid="$$", count="1"):
    """A daemon with @fd at the number 3."""
    line = (f"exec 3<&{fd}; LISTEN_PID={pid} LISTEN_FDS={count} "
            f"exec {lab.nsproxy_path} daemon -v")
    return lab.start(["bash", "-c", line], env=keep.env(), pass_fds=(fd,))


def listener(lab, place, path, kind=socket.SOCK_STREAM, listens=True):
    def make():
        sock = socket.socket(socket.AF_UNIX, kind)
        if os.path.exists(path):
            os.unlink(path)
        sock.bind(path)
        os.chown(path, UID, UID)
        if listens:
            sock.listen(8)
        return sock
    return kernel.call_in(lab.path(place), make)


@pytest.mark.smoke
def test_handed_in_listener_is_served_and_left(own, lab):
    run = os.path.dirname(own.socket)
    os.mkdir(run, 0o700)
    os.chown(run, UID, UID)
    with listener(lab, "host", own.socket) as sock:
        early = own.call()         # before there is anybody to answer
        place = os.stat(own.socket).st_ino
        job = start_with(own, lab, sock.fileno())
        assert own.ask(early, "org.varlink.service.GetInfo")["parameters"]
        own.up("work")
        said = own.inside("work", f"""
s = socket.socket(socket.AF_UNIX); s.settimeout(3)
s.connect('{own.socket}')
try:
    out(len(s.recv(1)))
except ConnectionResetError:
    out(0)""")
        assert said == 0, "a caller from inside is hung up on"
        os.kill(job.pid, signal.SIGTERM)
        assert job.wait().rc == 0
        assert os.stat(own.socket).st_ino == place, "it is not ours to remove"
        second = start_with(own, lab, sock.fileno())
        assert own.status("work")["state"] in ("up", "starting")
        assert own("stop").rc == 0
        assert second.wait().rc == 0


def test_unfit_listeners_are_refused(own, lab):
    path = f"{own.home}/sock"
    with listener(lab, "host", path) as good, \
            listener(lab, "host", path, socket.SOCK_SEQPACKET) as packets, \
            listener(lab, "host", path, listens=False) as deaf, \
            listener(lab, "inet", path) as afar, \
            socket.create_server(("127.0.0.1", 0)) as inet, \
            open("/dev/null", "rb") as file:
        for job, text in (
                (start_with(own, lab, packets.fileno()), "stream"),
                (start_with(own, lab, deaf.fileno()), "listening"),
                (start_with(own, lab, inet.fileno()), "unix"),
                (start_with(own, lab, file.fileno()), "listener"),
                (start_with(own, lab, afar.fileno()), "network namespace"),
                (start_with(own, lab, good.fileno(), pid="1"), "LISTEN_PID"),
                (start_with(own, lab, good.fileno(), count="2"),
                 "LISTEN_FDS"),
                (start_with(own, lab, good.fileno(), count="x"),
                 "LISTEN_FDS")):
            ran = job.wait()
            assert ran.rc == 1 and text in ran.err, (text, ran)
            assert len(ran.err.strip().splitlines()) <= 2, ran
    assert not os.path.exists(own.socket)
