# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways in and out that a namespace alone would leave open."""
import os
import socket
import struct
import subprocess

import pytest

from lab import Keep, chain, kernel
from lab.host import replaced, text
from lab.run import PYTHON, wait_for

RESOLV = "/etc/resolv.conf"


# --- the host's resolver files

@pytest.mark.row("D06")
@pytest.mark.parametrize("make", [
    text("nameserver 127.0.0.53\n"), text("nameserver 192.168.77.1\n"),
    text("nameserver ::1\nnameserver fd00:77::1\n"), text(""),
    lambda path: None, lambda path: os.symlink("/run/gone/resolv.conf", path),
    lambda path: os.symlink("../run/lab/etc/resolv.conf.aside", path),
], ids=["stub", "lan", "ip6", "empty", "missing", "dangling", "link"])
def test_whatever_resolv_conf_is_no_query_leaves(lab, proxy, make):
    with replaced(RESOLV, make), lab.watch() as verdict:
        ran = lab.sandbox([PYTHON, "-c", """from inside import *
said = [connect_err('any.example', 7)[0]]
for server in ('127.0.0.53', '192.168.77.1', '::1', 'fd00:77::1'):
    s = udp(server, 53)
    s.send(b'\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\4raw1\\7example\\0\\0\\1\\0\\1')
    said.append(err(s.recv, 99))
out(said)"""], proxy)
    assert verdict, verdict
    assert lab.spoken(ran) == ["OK"] * 5, ran
    assert proxy.asked("any.example", 7)


@pytest.mark.row("D08", "D02", "D03")
def test_edited_hosts_and_nsswitch_lead_nowhere_else(lab, proxy):
    """A name in hosts is an address like another; no module is asked."""
    hosts = text("127.0.0.1 localhost\n192.168.77.1 pinned.example\n")
    switch = text("hosts: resolve [!UNAVAIL=return] mdns4_minimal dns\n")
    with replaced("/etc/hosts", hosts), \
            replaced("/etc/nsswitch.conf", switch), lab.watch() as verdict:
        got = lab.inside("""
out([connect_err(n, 7)[0] for n in ('pinned.example', 'free.example')]
    + [l for l in open('/etc/nsswitch.conf') if l.startswith('hosts')])""",
                         proxy)
    assert verdict, verdict
    assert got[1] == "OK" and got[2].split()[1:] == ["files", "dns"], got
    assert {a.host for a in proxy.asked()} == {"192.168.77.1",
                                               "free.example"}


# --- links from other namespaces

@pytest.mark.row("A05")
@pytest.mark.parametrize("user", [True, False])
def test_new_namespaces_get_no_link_to_the_others(lab, proxy, user):
    outside = lab.start(["sleep", "60"], user=user)
    add = "ip link add v0 type veth peer name v1"
    got = lab.inside(f"""
me = os.getpid()
def nested(line):
    return sh('unshare -Urn sh -c "' + line + '"')
out([nested('{add}')[0], nested(f'{add} netns {{me}}'),
     nested('{add} netns {outside.pid}'),
     nested(f'ip link add m0 link nsp0 type macvlan'),
     sorted(n for _, n in socket.if_nameindex())])""", proxy, user=user)
    assert got[0] == 0, "the control: among its own it may"
    for rc, _, said in got[1:4]:
        assert rc != 0 and said, got
    assert got[4] == ["lo", "nsp0"], got


# --- sandboxes among themselves

@pytest.fixture
def keep(lab, proxy):
    with Keep(lab, {"work": chain(proxy), "other": chain(proxy),
                    "tight": chain(proxy, "guard = strict")}) as one:
        yield one


@pytest.mark.row("A24")
def test_lease_of_another_sandbox_is_refused(keep, proxy):
    keep.up("work")
    keep.up("other")
    lease = keep.inside("work", "out(socket.gethostbyname('mine.example'))")
    said = f"out(connect_err('{lease}', 7, 5)[0])"
    assert keep.inside("work", said) == "OK"
    before = len(proxy.asked())
    assert keep.inside("other", said) not in ("OK", "timeout")
    assert len(proxy.asked()) == before, proxy.asked()[before:]


@pytest.mark.row("A03")
def test_programs_of_another_sandbox_are_out_of_reach(keep):
    keep.up("work")
    keep.up("other")
    job = keep.inside_start("other", "print(os.getpid(), flush=True)\n"
                            "time.sleep(30)")
    assert wait_for(lambda: job.out.strip())
    said = keep.inside("work", f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
pid = {job.out.strip()}
def call(*args):
    return errno.errorcode[ctypes.get_errno()] if libc.syscall(*args) < 0 \\
        else 'OK'
out([call(101, 0x4206, pid, 0, 0), call(438, os.pidfd_open(pid), 0, 0),
     err(lambda: open(f'/proc/{{pid}}/mem', 'r+b')),
     err(lambda: os.open(f'/proc/{{pid}}/ns/net', os.O_RDONLY))])""")
    assert set(said) <= {"EPERM", "EACCES"}, said


@pytest.mark.row("A41")
@pytest.mark.parametrize("user, why", [(True, "EACCES"),
                                       (False, "EADDRINUSE")])
def test_port_53_is_nobodys_but_ours(lab, proxy, user, why):
    """An ordinary user has no port below 1024; in root's sandboxes all have,
    and this one is taken, by whatever address or device."""
    got = lab.inside("""
held = []
def bind(family, at, kind, device, port):
    s = socket.socket(family, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.setsockopt(socket.IPPROTO_IP, 15, 1)                   # IP_FREEBIND
    if device:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    said = err(s.bind, (at, port))
    if kind == socket.SOCK_STREAM:
        err(s.listen)
    held.append(s)
    return said
places = [(family, at, kind, device) for family, at in (
              (2, '0.0.0.0'), (2, '198.18.0.2'), (2, '198.18.0.1'),
              (2, '127.0.0.1'), (10, '::'), (2, '8.8.8.8'))
          for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
          for device in (b'', b'lo', b'nsp0')]
bound = sorted({bind(*place, 53) for place in places})
control = sorted({bind(*place, 54 + n) for n, place in enumerate(places)})
said = [connect_err('sibling.example', 7)[0]]
for how in ('', '+tcp'):
    for server in ('8.8.8.8', '198.18.0.2', '203.0.113.53'):
        said.append(sh(f'dig +tries=1 +time=3 +short {how} @{server} '
                       'a.example')[1].startswith('198.1'))
out([bound, control, said])""", proxy, user=user, timeout=60)
    bound, control, said = got
    assert bound == [why], got
    assert control == [why if user else "OK"], got
    assert said == ["OK"] + [True] * 6, got


# --- fds that come by other ways

@pytest.mark.row("A01")
@pytest.mark.parametrize("user", [True, False])
def test_namespace_that_is_handed_in_cannot_be_entered(lab, proxy, user):
    """A friend outside gives the host's namespaces by a socket."""
    path = f"{lab.scratch()}/door"

    def listen():
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        os.chmod(path, 0o666)
        sock.listen()
        return sock
    with kernel.call_in(lab.path("host"), listen) as door:
        job = lab.sandbox_start([PYTHON, "-c", f"""from inside import *
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
s = socket.socket(socket.AF_UNIX); s.connect({path!r})
fds = socket.recv_fds(s, 1, 3)[1]
def enter(fd, kind):
    return errno.errorcode[ctypes.get_errno()] if libc.setns(fd, kind) \\
        else 'OK'
out([len(fds)] + [enter(fd, 0) for fd in fds])"""], proxy, user=user)
        friend, _ = door.accept()
        fds = [os.open(f"/run/netns/{place}", os.O_RDONLY)
               for place in ("host", "lan")]
        fds.append(os.open("/proc/self/ns/mnt", os.O_RDONLY))
        socket.send_fds(friend, [b"x"], fds)
        said = lab.spoken(job.wait())
        friend.close()
    for fd in fds:
        os.close(fd)
    assert said == [3, "EPERM", "EPERM", "EPERM"], said


# --- from the wires

ADVERT = bytes([134, 0, 0, 0, 64, 0, 7, 8]) + bytes(8)


def advertisement():
    """A router that offers itself, from fe80::bad to all."""
    source = socket.inet_pton(socket.AF_INET6, "fe80::bad")
    to = socket.inet_pton(socket.AF_INET6, "ff02::1")
    pseudo = source + to + struct.pack("!II", len(ADVERT), 58)
    total = sum(struct.unpack(f"!{(len(pseudo) + len(ADVERT)) // 2}H",
                              pseudo + ADVERT))
    total = (total & 0xffff) + (total >> 16)
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    body = ADVERT[:2] + struct.pack("!H", total) + ADVERT[4:]
    return struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source + to \
        + body


def tun_of(pid):
    """A copy of the worker's TUN; root may."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    for fd in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{fd}") in ("/dev/net/tun",
                                                   "/run/lab/dev/tun"):
            return libc.syscall(438, os.pidfd_open(pid), int(fd), 0)
    raise AssertionError("no TUN")


@pytest.mark.row("A19")
def test_router_advertisements_change_no_route(lab, proxy):
    """Written to the TUN by a worker that was taken over."""
    job = lab.sandbox_start(["sh", "-c", "echo up; sleep 60"], proxy,
                            user=False)
    assert job.says("up"), job.ran(None)
    worker = job.worker_pids()[0]
    inner = job.family()[-1]

    def routes():
        return subprocess.run(
            ["nsenter", f"--net=/proc/{inner}/ns/net", "ip", "-6", "route",
             "show", "table", "all"], capture_output=True, check=True,
            text=True).stdout
    tun = tun_of(worker)
    before = routes()
    assert "nsp0" in before, before
    os.write(tun, advertisement())
    assert not wait_for(lambda: routes() != before, 0.5), routes()
    # The control: the same advertisement, where it is listened to.
    subprocess.run(["nsenter", f"--net=/proc/{inner}/ns/net", "sh", "-c",
                    "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding; "
                    "echo 0 >/proc/sys/net/ipv6/conf/nsp0/forwarding; "
                    "echo 2 >/proc/sys/net/ipv6/conf/nsp0/accept_ra; "
                    "echo 1 >/proc/sys/net/ipv6/conf/nsp0/accept_ra_defrtr"],
                   check=True)
    before = routes()
    os.write(tun, advertisement())
    assert wait_for(lambda: routes() != before, 2), "a dud proves nothing"
    os.close(tun)


@pytest.mark.loud                # the host forwards what the LAN sends it
@pytest.mark.row("N01")
def test_the_lan_does_not_reach_addresses_inside(lab, proxy):
    """By a host that forwards packets, too; nor does the host."""
    job = lab.sandbox_start([PYTHON, "-c", """from inside import *
s = socket.socket(); s.bind(('0.0.0.0', 4321)); s.listen(); s.settimeout(1)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('0.0.0.0', 4321)); u.settimeout(1)
control = connect_err('127.0.0.1', 4321)[0]; s.accept()
print('up', flush=True); sys.stdin.readline()
out([control, err(s.accept), err(u.recv, 9)])"""], proxy,
                            stdin=subprocess.PIPE)
    assert job.says("up"), job.ran(None)
    route = ["198.18.0.0/15", "via", "192.168.77.2"]
    subprocess.run(["ip", "-n", "lan", "route", "add", *route], check=True)
    try:
        for place in ("lan", "host"):
            lab.outside("""
for a in ('198.18.0.1', '198.18.0.2', '192.168.77.2', '10.66.0.1'):
    connect_err(a, 4321, .5); err(lambda: udp(a, 4321).send(b'x'))
out(1)""", place=place)
    finally:
        subprocess.run(["ip", "-n", "lan", "route", "del", *route],
                       check=True)
    job.popen.stdin.write(b"\n")
    job.popen.stdin.close()
    assert lab.spoken(job.wait()) == ["OK", "timeout", "timeout"]


def udp_ports():
    """Those of all UDP sockets of this namespace."""
    with open("/proc/thread-self/net/udp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return {int(row[1].split(":")[1], 16) for row in rows}


@pytest.mark.loud                # the LAN sends, and is told
@pytest.mark.row("N03")
def test_datagrams_to_the_relay_socket_from_elsewhere_are_dropped(lab, proxy):
    job = lab.sandbox_start([PYTHON, "-c", """from inside import *
s = udp('203.0.113.5', 7, 2); s.send(b'first')
first = s.recv(99).decode()
print('up', flush=True); sys.stdin.readline()
s.send(b'second')
got = []
err(lambda: [got.append(s.recv(99).decode()) for _ in range(9)])
out([first, got])"""], proxy, stdin=subprocess.PIPE)
    assert job.says("up"), job.ran(None)
    ports = kernel.call_in(lab.path("host"), udp_ports)
    assert ports, "the worker has a socket there"
    forged = (b"\0\0\0\x01" + socket.inet_aton("203.0.113.5")
              + struct.pack("!H", 7) + b"forged")
    for place, to in (("prx", "10.66.0.1"), ("lan", "192.168.77.2"),
                      ("host", "127.0.0.1")):
        def send(to=to):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                for port in ports:
                    sock.sendto(forged, (to, port))
        kernel.call_in(lab.path(place), send)
    job.popen.stdin.write(b"\n")
    job.popen.stdin.close()
    assert lab.spoken(job.wait()) == ["first", ["second"]]


# --- strict, and what lives on the host

@pytest.mark.row("A30", "A31", "A27")
def test_strict_hides_tmux_and_docker(lab, keep, need):
    """A tmux server of the user's, and a socket in docker's place."""
    path = "/tmp/lab-tmux"
    server = lab.start([need("tmux"), "-S", path, "-D"])
    docker = lab.start(["socat", "UNIX-LISTEN:/run/docker.sock,fork,mode=666",
                        "PIPE"], user=False)
    try:
        assert wait_for(lambda: os.path.exists(path)
                        and os.path.exists("/run/docker.sock"))
        line = (f"tmux -S {path} set-buffer typed 2>&1; "
                f"tmux -S {path} show-buffer 2>&1; echo; "
                "echo hi | socat - UNIX-CONNECT:/run/docker.sock 2>&1")
        keep.up("work")
        keep.up("tight")
        ran = keep.exec("work", "sh", "-c", line, cwd="/usr")
        assert ran.out == "typed\nhi\n", f"the control: {ran}"
        ran = keep.exec("tight", "sh", "-c", line, cwd="/usr")
        assert "typed" not in ran.out and "hi" not in ran.out.split(), ran
        assert ran.out.count("No such file") == 3, ran
    finally:
        server.kill_family()
        docker.kill_family()
        for left in (path, "/run/docker.sock"):
            if os.path.exists(left):
                os.unlink(left)
