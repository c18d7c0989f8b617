# SPDX-License-Identifier: GPL-3.0-or-later
"""The host is misled: decoys of its name services, a rogue router."""
import os
import subprocess
import time
from contextlib import contextmanager

import pytest

from lab import Decoy, kernel
from lab.host import replaced, text
from lab.run import PYTHON

# A module that does what the real ones do: it asks its daemon's socket.
MODULE = r"""
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static enum nss_status ask(int *errnop, int *herrnop)
{
	struct sockaddr_un at = { AF_UNIX, PIPE };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	connect(fd, (struct sockaddr *)&at, sizeof(at));
	close(fd);
	*errnop = ENOENT;
	*herrnop = HOST_NOT_FOUND;
	return NSS_STATUS_NOTFOUND;
}
enum nss_status FOUR(const char *n, void **p, char *b, size_t l, int *e,
		     int *h, int *t) { return ask(e, h); }
enum nss_status TWO(const char *n, int f, void *p, char *b, size_t l, int *e,
		    int *h) { return ask(e, h); }
"""
PIPES = {"sss": "/var/lib/sss/pipes/nss",
         "wins": "/run/samba/winbindd/pipe",
         "ldap": "/run/nslcd/socket"}


@contextmanager
def decoys(lab):
    """Modules and sockets of three directories; where the modules are, and
    the decoys."""
    kernel.mount("lab", "/var/lib", "tmpfs", data="mode=0755")
    modules = lab.scratch()
    found = {}
    try:
        for name, path in PIPES.items():
            subprocess.run(
                ["cc", "-shared", "-fPIC", "-w", "-x", "c", "-", "-o",
                 f"{modules}/libnss_{name}.so.2", f'-DPIPE="{path}"',
                 f"-DFOUR=_nss_{name}_gethostbyname4_r",
                 f"-DTWO=_nss_{name}_gethostbyname2_r"],
                input=MODULE.encode(), check=True)
            found[name] = Decoy(path)
        yield modules, found
    finally:
        for decoy in found.values():
            decoy.close()
        kernel.umount("/var/lib")


@pytest.mark.row("D05")
def test_directories_are_not_asked_for_hosts(lab, proxy):
    switch = text("passwd: files\nhosts: sss wins ldap\n")
    with decoys(lab) as (modules, doors), \
            replaced("/etc/nsswitch.conf", switch), lab.watch() as verdict:
        env = {"LD_LIBRARY_PATH": modules}
        control = lab.run(["getent", "ahosts", "c.example"], env=env)
        assert control.rc != 0, control
        time.sleep(.2)
        assert all(door.came for door in doors.values()), \
            {name: door.came for name, door in doors.items()}
        for door in doors.values():
            door.came.clear()
        got = lab.inside("""
out([connect_err('n.example', 7)[0], sh('getent ahosts m.example'),
     err(socket.gethostbyname, 'o.example')])""", proxy,
                         env=env)
        time.sleep(.2)
    assert verdict, verdict
    assert got[0] == got[2] == "OK" and "198.1" in str(got[1]), got
    assert not any(door.came for door in doors.values()), \
        {name: door.came for name, door in doors.items()}
    assert proxy.asked("n.example", 7)


MOVES = ["route replace default via 192.168.77.1",
         "route add 0.0.0.0/1 via 192.168.77.1",
         "route add 128.0.0.0/1 via 192.168.77.1",
         "-6 route replace default via fd00:77::1",
         "-6 route add ::/1 via fd00:77::1",
         "route add 198.18.0.0/15 via 192.168.77.1",
         "route add 10.66.0.2/32 via 192.168.77.1"]
BACK = ["route replace default via 198.51.100.1",
        "-6 route replace default via 2001:db8::1",
        *[move.replace("add", "del") for move in MOVES if "add" in move]]


@pytest.mark.row("N02")
@pytest.mark.loud        # the proxy's own packets go where the host's routes say
def test_rogue_router_gets_what_is_for_the_proxy_and_nothing_else(lab, proxy):
    wire = lab.wires["lan"]
    done = f"{lab.scratch()}/round"
    job = lab.sandbox_start([PYTHON, "/run/lab/burst.py", "3", done], proxy,
                            ["-q"])
    with lab.watch("inet", "prx") as verdict:
        wire.settle(.2)
        wire.forget()
        try:
            for move in MOVES:
                subprocess.run(["ip", "-n", "host", *move.split()],
                               check=True)
                time.sleep(.4)
            ran = job.wait(60)
        finally:
            wire.settle(.3)
            taken = list(wire.kept)
            # Control: what the host itself sends does come to the rogue.
            wire.forget()
            lab.run(["ping", "-c1", "-W1", "203.0.113.9"])
            wire.settle(.3)
            control = list(wire.kept)
            for move in BACK:
                subprocess.run(["ip", "-n", "host", *move.split()],
                               check=False)
            wire.forget()
    assert verdict, verdict
    assert ran.rc == 0 and os.path.exists(done), ran
    assert any(packet.dst == "203.0.113.9" for packet in control), control
    assert any(packet.dst == "10.66.0.2" for packet in taken), \
        "the proxy's packets were led astray"
    others = [packet for packet in taken if not lab._to_proxy(packet)]
    assert not others, others[:5]
    assert lab.inside("out(connect_err('n.example', 7)[0])", proxy) == "OK"
