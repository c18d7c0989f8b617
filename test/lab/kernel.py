# SPDX-License-Identifier: GPL-3.0-or-later
"""The system calls that Python's library lacks."""
import ctypes
import os
import socket
import threading

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)
# The C library's own would change every thread.
_SETRESUID, _SETRESGID = ((117, 119) if os.uname().machine == "x86_64"
                          else (147, 149))


def _check(ret, what):
    if ret < 0:
        err = ctypes.get_errno()
        raise OSError(err, f"{what}: {os.strerror(err)}")
    return ret


def unshare(flags):
    _check(_libc.unshare(flags), "unshare")


def setns(fd, kind):
    _check(_libc.setns(fd, kind), "setns")


def mount(source, target, fstype=None, flags=0, data=None):
    def c(text):
        return None if text is None else os.fsencode(text)
    _check(_libc.mount(c(source), os.fsencode(target), c(fstype),
                       ctypes.c_ulong(flags), c(data)), f"mount {target}")


def umount(target):
    _check(_libc.umount2(os.fsencode(target), 2), f"umount {target}")


def adopt_orphans(shall):
    """Whoever loses its parent below us becomes our child, or no more."""
    _check(_libc.prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(shall), 0, 0, 0),
           "become a subreaper")


def end(sock):
    """Close a server's socket, and wake the thread that waits in it: else it
    would go on to take what is meant for the next one of that address."""
    try:
        if sock.type == socket.SOCK_DGRAM:
            sock.connect(sock.getsockname())      # only so it can be shut
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def abort(sock):
    """Reset a TCP connection now, also while other threads sleep in it."""
    nowhere = ctypes.create_string_buffer(16)     # AF_UNSPEC
    try:
        _libc.connect(sock.fileno(), nowhere, 16)
    except OSError:
        pass


def become(uid):
    """This thread alone is another user from here on."""
    for call in (_SETRESGID, _SETRESUID):
        _check(_libc.syscall(call, uid, uid, uid), "become another user")


def thread_in(ns_path, work, name="lab"):
    """Run work() in a thread of its own inside a network namespace.

    A socket stays where it was born and a thread's children inherit its
    namespace, so a server started like this lives wholly in that place.
    """
    def begin():
        with open(ns_path, "rb") as ns:
            setns(ns.fileno(), CLONE_NEWNET)
        work()
    thread = threading.Thread(target=begin, name=name, daemon=True)
    thread.start()
    return thread


def call_in(ns_path, work):
    """Run work() inside a network namespace, wait, return what it returns."""
    box = {}

    def begin():
        try:
            box["value"] = work()
        except BaseException as err:      # handed to the caller below
            box["error"] = err
    thread_in(ns_path, begin).join()
    if not box:
        raise OSError(f"no way into {ns_path}")
    if "error" in box:
        raise box["error"]
    return box.get("value")
