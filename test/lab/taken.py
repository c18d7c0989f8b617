# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of ours as if somebody had taken it over: it calls what we say.

By ptrace(2), so that the kernel judges the call as that process's own, by the
filter that it really has. x86-64's registers and numbers.
"""
import ctypes
import errno
import os
import signal

from .run import state_of, wait_for

SYS_SENDTO, SYS_SENDMSG, SYS_CONNECT, SYS_BIND = 44, 46, 42, 49
SYS_SOCKET, SYS_READ, SYS_RECVMSG, SYS_SETSOCKOPT = 41, 0, 47, 54

_GETREGS, _SETREGS, _DETACH, _SYSCALL = 12, 13, 17, 24
_SEIZE, _INTERRUPT, _TRACESYSGOOD = 0x4206, 0x4207, 1
_WALL = 0x40000000
_NONE = (1 << 64) - 1
_REGS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax "
         "rip cs eflags rsp ss fs_base gs_base ds es fs gs").split()

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                         ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class _Regs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in _REGS]


def _ptrace(what, pid, data=None):
    if _libc.ptrace(what, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {what} of {pid}")


def _wait(pid):
    """Until it stops; or the name of the signal that has ended it."""
    status = os.waitpid(pid, _WALL)[1]
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    assert os.WIFSTOPPED(status), f"{pid}: {status:#x}"
    return None


def call(pid, number, *args):
    """What comes of that call in a process that waits in another one: "OK",
    the name of an error, or of the signal that has ended it. If it lives, it
    goes on as if a signal had interrupted it."""
    was, now = _Regs(), _Regs()
    wait_for(lambda: state_of(pid) == "S")
    _ptrace(_SEIZE, pid, _TRACESYSGOOD)
    _ptrace(_INTERRUPT, pid)
    assert _wait(pid) is None
    _ptrace(_GETREGS, pid, ctypes.byref(was))
    ctypes.pointer(now)[0] = was
    with open(f"/proc/{pid}/mem", "rb") as file:
        file.seek(was.rip - 2)
        assert file.read(2) == b"\x0f\x05", "it is in no system call"
    now.rip, now.rax, now.orig_rax = was.rip - 2, number, _NONE
    for name, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"),
                           args + (0,) * 6):
        setattr(now, name, value % (1 << 64))
    _ptrace(_SETREGS, pid, ctypes.byref(now))
    for _ in "into it", "out of it":
        _ptrace(_SYSCALL, pid)
        if ended := _wait(pid):
            return ended
    _ptrace(_GETREGS, pid, ctypes.byref(now))
    was.rax = -errno.EINTR % (1 << 64)
    _ptrace(_SETREGS, pid, ctypes.byref(was))
    # Who has to die of it does so now; else it comes to its next one.
    _ptrace(_SYSCALL, pid)
    if ended := _wait(pid):
        return ended
    _ptrace(_DETACH, pid)
    got = ctypes.c_longlong(now.rax).value
    return "OK" if got >= 0 else errno.errorcode[-got]
