# SPDX-License-Identifier: GPL-3.0-or-later
"""tun2socks has the packets and dnsproxy the names, in one sandbox."""
import os
import shutil
import signal

import pytest

from lab import Keep, ToyDns, kernel
from lab.run import wait_for

FAR, UP = "203.0.113.5", "203.0.113.53"
PLACE = "/usr/local/sbin"
REACH = f"""
s = tcp('{FAR}', 7); s.sendall(b'ping'); out(s.recv(9).decode())"""


@pytest.fixture
def up(lab):
    with ToyDns(lab, host=UP, table={("a.example", "A"): [FAR]}) as server:
        yield server


@pytest.fixture(params=[True, False], ids=["user", "root"])
def keep(lab, proxy, up, request):
    kernel.mount("lab", PLACE, "tmpfs", data="mode=0755")
    for name in ("tun2socks", "dnsproxy"):
        shutil.copy(lab.neighbour(name), f"{PLACE}/{name}")
    with Keep(lab, {"work": f'chain = {{"{proxy.url()}"}}\n'
                    f'engine = "tun2socks"\ndns = {{"dnsproxy", "{UP}"}}\n'},
              user=request.param) as one:
        yield one
    kernel.umount(PLACE)


def who(keep):
    """Name -> what is told of it, of both programs."""
    box = keep.status("work")
    found = {one["name"]: one for one in box["helpers"]}
    return found | {box["engine"]["name"]: box["engine"]}


def dig(keep, *what):
    return keep.exec("work", "dig", "+tries=1", "+time=8", *what, "a.example",
                     cwd="/")


def comes_back(keep, name, pid):
    assert wait_for(lambda: who(keep)[name]["state"] == "running"
                    and who(keep)[name]["pid"] not in (0, pid), 12), who(keep)


@pytest.mark.parametrize("more", [[], ["+tcp"], ["@8.8.8.8"],
                                  ["@2001:db8::1"]])
def test_names_come_from_dnsproxy_by_the_engine(keep, up, more):
    keep.up("work")
    ran = dig(keep, "+short", *more)
    assert ran.out == f"{FAR}\n", ran
    assert ("udp", "a.example", "A") in up.asked, "by dnsproxy, one hop on"


def test_program_reaches_a_site_by_its_name(keep, proxy):
    keep.up("work")
    got = keep.inside("work", "s = socket.create_connection(('a.example', 7),"
                      " 8); s.sendall(b'ping'); out(s.recv(9).decode())")
    assert got == "ping"
    assert proxy.asked(FAR, 7), "dnsproxy's own answer, and no lease"


@pytest.mark.row("K10")
def test_nothing_leaks_while_either_is_killed(lab, keep):
    keep.up("work")
    with lab.watch() as silent:
        for name in ("tun2socks", "dnsproxy"):
            pid = who(keep)[name]["pid"]
            os.kill(pid, signal.SIGKILL)
            dig(keep, "+time=2")
            comes_back(keep, name, pid)
            assert dig(keep, "+short").out == f"{FAR}\n"
            assert keep.inside("work", REACH) == "ping"
    assert silent, silent
