# SPDX-License-Identifier: GPL-3.0-or-later
"""Who takes a running process of ours over can make of it what is listed, and
nothing else: the lists are those of the processes that really run."""
import os
import socket

import pytest

from lab import taken
from lab.run import wait_for

pytestmark = [
    pytest.mark.skipif(os.uname().machine != "x86_64",
                       reason="the registers are x86-64's"),
    pytest.mark.skipif("ASAN_OPTIONS" in os.environ,
                       reason="a sanitizer's build has no lists")]

# Each of them fails, or does no harm, where it is allowed.
CALLS = {
    "make a socket": (taken.SYS_SOCKET, socket.AF_INET, socket.SOCK_STREAM),
    "make an IPv6 one": (taken.SYS_SOCKET, socket.AF_INET6,
                         socket.SOCK_DGRAM),
    "make a unix one": (taken.SYS_SOCKET, socket.AF_UNIX, socket.SOCK_STREAM),
    "connect": (taken.SYS_CONNECT, -1),
    "bind": (taken.SYS_BIND, -1),
    "send to an address": (taken.SYS_SENDTO, -1, 0, 0, 0, 1, 16),
    "send a message": (taken.SYS_SENDMSG, -1),
    "choose a route": (taken.SYS_SETSOCKOPT, -1, socket.IPPROTO_IP,
                       socket.IP_OPTIONS),
    "choose a device": (taken.SYS_SETSOCKOPT, -1, socket.SOL_SOCKET,
                        socket.SO_BINDTODEVICE),
    "send": (taken.SYS_SENDTO, -1),
    "read": (taken.SYS_READ, -1),
    "hear a message": (taken.SYS_RECVMSG, -1),
}
MAKING = {"make a socket", "make an IPv6 one", "choose a device", "connect"}
TALKING = {"send", "read", "hear a message"}


def start(lab, way, user):
    job = lab.sandbox_start(["sh", "-c", "echo up; sleep 60"], way, user=user)
    assert job.says("up"), job.ran(None)
    return job


def allowed(begin, who):
    """Which of them the kernel lets it call; for each one a new process."""
    good = set()
    for name, call in CALLS.items():
        job = begin()
        said = taken.call(job.ours()[who], *call)
        assert said in ("OK", "EBADF", "SIGSYS"), (name, said)
        if said != "SIGSYS":
            good.add(name)
        job.kill_family()
    return good


@pytest.mark.row("U25")
@pytest.mark.parametrize("user", [True, False])
def test_worker_makes_no_socket_and_turns_none(lab, proxy, user):
    assert allowed(lambda: start(lab, proxy, user), "worker") == TALKING


@pytest.mark.row("U25")
def test_worker_that_goes_direct_may_send_and_no_more(lab):
    assert allowed(lambda: start(lab, "direct://", True), "worker") == \
        TALKING | {"send to an address"}


@pytest.mark.row("U25")
@pytest.mark.parametrize("user", [True, False])
def test_connector_makes_sockets_and_hears_little(lab, proxy, user):
    assert allowed(lambda: start(lab, proxy, user), "connector") == \
        MAKING | {"send", "send to an address", "send a message"}


def test_server_makes_its_sockets_itself(lab):
    """Which is the control, too: where they are allowed these calls pass."""
    def begin():
        job = lab.start([lab.nsproxy_path, "serve", "127.0.0.1:0"],
                        place="prx")
        assert wait_for(lambda: "listening on" in job.out), job.ran(None)
        return job
    assert allowed(begin, "worker") == \
        set(CALLS) - {"make a unix one", "choose a route"}
