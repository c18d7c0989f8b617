# SPDX-License-Identifier: GPL-3.0-or-later
"""Words for code that tests run inside a sandbox: from inside import *"""
import errno
import hashlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

__all__ = ["errno", "hashlib", "json", "os", "select", "signal", "socket",
           "struct", "subprocess", "sys", "threading", "time", "err", "out",
           "tcp", "udp", "timed", "read_all", "sha", "connect_err", "sh"]


def out(value):
    """The answer of this program; the last line of its output."""
    print(json.dumps(value), flush=True)


def err(work, *args):
    """"OK", or the name of the error that work(*args) ended with."""
    try:
        work(*args)
        return "OK"
    except TimeoutError as problem:
        return errno.errorcode.get(problem.errno, "timeout")
    except OSError as problem:
        if isinstance(problem, socket.gaierror):
            return "gaierror"
        return errno.errorcode.get(problem.errno, str(problem))


def timed(work, *args):
    """[what err() says, seconds]"""
    began = time.monotonic()
    said = err(work, *args)
    return [said, round(time.monotonic() - began, 3)]


def tcp(host, port, timeout=40):
    """A connected socket; names are resolved as any program does."""
    last = OSError("no address")
    for family, kind, proto, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, proto)
        sock.settimeout(timeout)
        try:
            sock.connect(address)
            return sock
        except OSError as problem:
            sock.close()
            last = problem
    raise last


def connect_err(host, port, timeout=40):
    return timed(lambda: tcp(host, port, timeout).close())


def udp(host, port, timeout=5, family=None):
    """A connected UDP socket."""
    family = family or (socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(timeout)
    sock.connect((host, port))
    return sock


def read_all(sock):
    data = b""
    while got := sock.recv(1 << 18):
        data += got
    return data


def sha(data):
    return hashlib.sha256(data).hexdigest()


def sh(line, timeout=20):
    """[status, stdout, stderr] of a shell line."""
    ran = subprocess.run(["sh", "-c", line], capture_output=True, text=True,
                         timeout=timeout, check=False)
    return [ran.returncode, ran.stdout, ran.stderr]
