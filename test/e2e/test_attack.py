# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hostile user tries on the setuid way in, and from inside."""
import ctypes
import os
import signal
import socket
import time

import pytest

from lab import Keep, chain
from lab.run import PYTHON, is_alive, name_of, wait_for
from test_access import SUID, UID, as_user, inside, keep, suid  # noqa: F401

CLONE3, CLONE_NEWUSER = 435, 0x10000000


def fork_as(pid, live):
    """A child with this very number, as root alone may ask for it; others
    fork until the numbers have come round."""
    wanted = (ctypes.c_int * 1)(pid)
    args = (ctypes.c_uint64 * 11)(0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0,
                                  ctypes.addressof(wanted), 1, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    got = libc.syscall(CLONE3, args, ctypes.sizeof(args))
    if got == 0:
        try:
            os._exit(live(libc))
        finally:
            os._exit(99)
    assert got == pid, (got, ctypes.get_errno())


def take_all_ids(libc):
    """In a user's process: be root, once the front-end has given us the ids.
    """
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)
    if libc.unshare(CLONE_NEWUSER) != 0:
        return 98
    return 1 if wait_for(lambda: os.getuid() == UID and not libc.setuid(0),
                         6) else 0


@pytest.mark.row("U16")
def test_ids_are_not_given_to_who_got_the_number(lab, keep, need, tmp_path):
    """The helper that maps ids is held up, its parent killed, and the
    parent's number taken by a process with a user namespace of its own."""
    keep.up("ours")
    trace = tmp_path / "trace"
    job = lab.start([need("strace"), "-f", "-o", trace, "-u", "nsplab",
                     "-e", "trace=ioctl", "-e",
                     "inject=ioctl:delay_exit=2500000:when=1",
                     SUID, "exec", "ours", "--", "true"], user=False)
    here = os.readlink("/proc/self/ns/user")

    def victim():
        """Who has left for a user namespace, and waits for its ids."""
        for pid in job.family()[1:]:
            try:
                if os.readlink(f"/proc/{pid}/ns/user") != here:
                    return pid
            except OSError:
                pass
        return 0

    try:
        pid = wait_for(victim, 20)
        assert pid, job.ran(None)
        # Now it is asked who owns that namespace: the answer is held up.
        assert wait_for(lambda: len(job.family()) == 3)
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        assert wait_for(lambda: not os.path.exists(f"/proc/{pid}"), 2), \
            trace.read_text()
        fork_as(pid, take_all_ids)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, \
            "a user has become root"
    finally:
        job.kill_family()
    assert "NS_GET_OWNER_UID" in trace.read_text(), trace.read_text()
    assert not is_alive(pid)


def test_own_daemon_is_asked_by_a_process_that_shows_nothing(lab, keep, proxy):
    """It has given its power up; but its memory is laid out as its parent's,
    which has not."""
    with Keep(lab, {"mine": chain(proxy)}) as own:
        os.kill(own.job.pid, signal.SIGSTOP)
        try:
            job = lab.start([SUID, "exec", "mine", "--", "true"],
                            env=own.env())
            assert wait_for(lambda: len(job.family()) == 2), job.ran(None)
            child = job.family()[1]
            time.sleep(0.3)
            said = lab.spoken(as_user(lab, PYTHON, "-c", f"""
from inside import *
out([err(lambda: open(f'/proc/{child}/{{name}}', 'rb').read(1))
     for name in ('maps', 'mem', 'auxv', 'stack')])"""))
        finally:
            os.kill(own.job.pid, signal.SIGCONT)
        assert job.wait().rc == 125
        assert set(said) <= {"EACCES", "EPERM"}, said


# --- standard files that lead out

class Fd:
    """A number, as a file."""

    def __init__(self, fd):
        self.fd = fd

    def fileno(self):
        return self.fd

    def close(self):
        os.close(self.fd)


def unconnected():
    return socket.socket(socket.AF_UNIX)


def datagrams():
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0]


def name_of_a_socket():
    path = "/run/lab/a-socket"
    if os.path.exists(path):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
    return Fd(os.open(path, os.O_PATH))


def event():
    return Fd(os.eventfd(0))


@pytest.mark.row("A36")
@pytest.mark.parametrize("make", [unconnected, datagrams, name_of_a_socket,
                                  event])
def test_what_can_be_aimed_is_no_standard_file(lab, proxy, make):
    file = make()
    ran = lab.sandbox(["true"], proxy, stdin=file)
    file.close()
    assert ran.rc == 125 and "standard input is" in ran.err, ran


def test_listening_unix_socket_as_stdin_is_fine(lab, proxy):
    with socket.socket(socket.AF_UNIX) as sock, \
            socket.socket(socket.AF_UNIX) as other:
        sock.bind("\0nsproxy-lab-listens")
        sock.listen()
        other.bind("\0nsproxy-lab-other")
        other.listen()
        code = ("s = socket.socket(fileno=0)\n"
                "out([s.getsockname()[1:].decode(),"
                " err(s.connect, '\\0nsproxy-lab-other')])")
        assert lab.inside(code, proxy, stdin=sock) == \
            ["nsproxy-lab-listens", "EINVAL"]


# --- users of one sandbox among themselves

def test_runtime_directory_of_another_is_not_used(lab, proxy, suid):  # noqa
    """In a strict one, whoever comes first may have made it."""
    other = 61298
    profile = {"tight": chain(proxy, f'users = {{"nsplab", "{other}"}}\n'
                                     'guard = strict')}
    with Keep(lab, profile, user=False) as keep_:
        keep_.up("tight")
        ran = as_user(lab, SUID, "exec", "tight", "--", "sh", "-c",
                      f"mkdir -m 777 /run/user/{UID} /run/user/0", uid=other,
                      groups=(), cwd="/usr")
        assert ran.rc == 0, ran
        line = "echo ${XDG_RUNTIME_DIR-none}"
        for path in (f"/run/user/{UID}", f"/run/user/{UID}/deeper"):
            ran = as_user(lab, SUID, "exec", "tight", "--", "sh", "-c", line,
                          cwd="/usr", env={"XDG_RUNTIME_DIR": path})
            assert ran.rc == 0 and ran.out == "none\n", ran
            assert "another user's" in ran.err, ran
        ran = keep_.exec("tight", "sh", "-c", line, cwd="/usr",
                         env={"XDG_RUNTIME_DIR": "/run/user/0"})
        assert ran.out == "none\n", ran
        ran = as_user(lab, SUID, "exec", "tight", "--", "sh", "-c", line,
                      cwd="/usr", env={"XDG_RUNTIME_DIR": "/run/user/mine"})
        assert ran.out == "/run/user/mine\n" and ran.err == "", ran


@pytest.mark.row("U07")
@pytest.mark.parametrize("verb", ["down", "restart"])
def test_stopped_caller_keeps_no_strict_sandbox_alive(lab, keep, verb):
    """Its command is a process inside that nobody else can wait for."""
    box = keep.up("tight")
    job = lab.start([SUID, "exec", "tight", "--", "sleep", "60"], cwd="/usr")
    assert wait_for(lambda: [p for p in job.family()[1:]
                             if name_of(p) == "sleep"]), job.ran(None)
    inner = job.family()[1]
    os.kill(job.pid, signal.SIGSTOP)
    try:
        ran = keep(verb, "tight", timeout=15)
        assert ran.rc == 0, ran
        assert not is_alive(inner) and is_alive(box["keeper"]), "the control"
        if verb == "down":
            keep.up("tight")
        ran = as_user(lab, SUID, "exec", "tight", "--", "true", cwd="/usr")
        assert ran.rc == 0, ran
    finally:
        os.kill(job.pid, signal.SIGCONT)
    assert job.wait().rc == -9
    assert wait_for(lambda: not is_alive(box["keeper"]))


# --- what is locked

def test_rules_for_capabilities_are_locked(lab, keep):
    code = """
import ctypes
out(ctypes.CDLL(None).prctl(27, 0, 0, 0, 0))"""
    keep.up("ours")
    keep.up("bare")
    assert inside(lab, "ours", code) == 0xcb, "locked"
    assert inside(lab, "bare", code) == 0, "sudo works as ever"
