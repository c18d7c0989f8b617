# SPDX-License-Identifier: GPL-3.0-or-later
"""The program is guarded: it cannot alter its sandbox nor reach out of it."""
import os
import socket
import subprocess

import pytest

from lab import kernel
from lab.run import PYTHON

SYSCALLS = """
import ctypes, fcntl
libc = ctypes.CDLL(None, use_errno=True)
def sys_(number, *args):
    ctypes.set_errno(0)
    args = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    ret = libc.syscall(ctypes.c_long(number), *args)
    return 'OK' if ret >= 0 else errno.errorcode[ctypes.get_errno()]
"""
SOCKET = """
def sock(*args):
    def make():
        socket.socket(*args).close()
    return err(make)
"""


@pytest.mark.row("U24")
@pytest.mark.smoke
def test_no_capabilities_no_new_privileges(lab, proxy):
    got = lab.inside("out(dict(l.split(':\\t', 1) for l in open("
                     "'/proc/self/status').read().splitlines() "
                     "if ':\\t' in l))", proxy)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(got[name], 16) == 0, (name, got[name])
    assert got["NoNewPrivs"] == "1" and got["Seccomp"] == "2", got


@pytest.mark.row("A01", "A04", "A07")
@pytest.mark.smoke
@pytest.mark.parametrize("user", [True, False])
@pytest.mark.parametrize("line", [
    "ip link set nsp0 down", "ip link del nsp0", "ip link add d0 type veth",
    "ip addr add 10.9.9.9/32 dev lo", "ip route add 1.2.3.4 dev lo",
    "ip route flush table 200", "ip rule del pref 10", "ip rule flush",
    "nft flush ruleset", "nft add table inet x",
    "sysctl -w net.ipv4.ip_forward=1",
    "sh -c 'echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter'",
    "nsenter -t 1 -n true", "nsenter -t 1 -m true",
    "mount -t tmpfs t /mnt", "umount /etc/resolv.conf",
    "ip netns exec host true", "tcpdump -c1 -i lo", "ip tuntap add t0 mode tun"
])
def test_no_power_over_the_network(lab, proxy, line, user):
    ran = lab.sandbox(["timeout", "5", "sh", "-c", f"exec {line}"], proxy,
                      user=user)
    assert ran.rc not in (0, 124, 125, 127), ran
    alive = lab.sandbox(["ip", "-o", "link", "show", "nsp0"], proxy,
                        user=user)
    assert alive.rc == 0, alive


@pytest.mark.row("A06", "A10", "A35")
@pytest.mark.parametrize("user", [True, False])
def test_sockets_that_are_not_allowed(lab, proxy, user):
    got = lab.inside(SOCKET + """
A = socket
out({'raw': sock(A.AF_INET, A.SOCK_RAW, 1), 'raw6': sock(A.AF_INET6,
     A.SOCK_RAW, 58), 'packet': sock(A.AF_PACKET, A.SOCK_RAW),
     'vsock': sock(40, 1), 'bluetooth': sock(31, 1, 3), 'can': sock(29, 3, 1),
     'xdp': sock(44, 3),
     'tcp': sock(A.AF_INET, 1), 'udp6': sock(A.AF_INET6, 2),
     'unix': sock(A.AF_UNIX, 1), 'netlink': sock(A.AF_NETLINK, 3, 0)})""",
                     proxy, user=user)
    for name in ("raw", "raw6", "packet"):
        assert got[name] in ("EPERM", "EACCES"), got
    for name in ("vsock", "bluetooth", "can", "xdp"):
        assert got[name] in ("EAFNOSUPPORT", "EPERM", "EACCES"), got
    for name in ("tcp", "udp6", "unix", "netlink"):
        assert got[name] == "OK", got


@pytest.mark.row("D04", "A06", "A37")
def test_calls_that_are_not_allowed(lab, proxy):
    got = lab.inside(SYSCALLS + """
out({'add_key': sys_(248, b'user', b'a', b'b', 1, -3),
     'request_key': sys_(249, b'dns_resolver', b'x.example', b'', -3),
     'keyctl': sys_(250, 0, -3, 1),
     'io_uring_setup': sys_(425, 8, ctypes.create_string_buffer(120)),
     'bpf': sys_(321, 5, ctypes.create_string_buffer(128), 128)})""", proxy)
    for name in ("add_key", "request_key", "keyctl", "bpf"):
        assert got[name] == "EPERM", got
    assert got["io_uring_setup"] in ("ENOSYS", "EPERM"), got


# The kernel looks at unknown flags before it looks at the family: whatever
# family gets another answer than EINVAL was refused by the filter.
FAMILIES = SYSCALLS + """
ask = lambda call, family: sys_(call, family, 0x100, 0, 0)
out([[ask(call, family | high) for family in range(64)]
     for call in (41, 53) for high in (0, 1 << 32)])
"""
MAY = (1, 2, 10, 16, 17, 38)


def refused(answers):
    """Families with which the filter answers; the others reach the kernel."""
    assert set(answers) <= {"EINVAL", "EAFNOSUPPORT", -22, -97}, answers
    return [n for n, said in enumerate(answers) if said in ("EAFNOSUPPORT",
                                                            -97)]


@pytest.mark.row("D04", "A06", "A35")
def test_no_family_but_those_of_a_network(lab, proxy):
    for answers in lab.inside(FAMILIES, proxy):
        assert len(answers) == 64
        assert refused(answers) == [n for n in range(64) if n not in MAY]


COMPAT = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static long int80(long n, long a, long b, long c, long d)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r)
		: "a"(n), "b"(a), "c"(b), "d"(c), "S"(d)
		: "memory", "r8", "r9", "r10", "r11");
	return r;
}
static long x32(long n, long a, long b, long c)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r)
		: "a"(n | 0x40000000), "D"(a), "S"(b), "d"(c)
		: "memory", "rcx", "r11");
	return r;
}
int main(int argc, char **argv)
{
	for (int family = 0; argc > 1 && family < 64; family++)
		printf("%c%ld", family ? ',' : '[',
		       int80(atoi(argv[1]), family, 0x100, 0, 0));
	if (argc > 1)
		return puts("]") < 0;
	printf("[%ld, %ld, %ld, %ld, %ld, %ld, %ld]\n",
	       int80(359, 40, 1, 0, 0), int80(288, 0, -3, 1, 0),
	       int80(287, 0, 0, 0, 0), int80(425, 8, 0, 0, 0),
	       int80(102, 1, 0, 0, 0), x32(41, 40, 1, 0), x32(250, 0, -3, 1));
	return 0;
}
"""


@pytest.fixture(scope="module")
def compat(world):
    """A program that enters the kernel by its 32-bit and x32 doors."""
    if os.uname().machine != "x86_64":
        pytest.skip("these doors are x86's")
    path = "/run/lab/bin/compat"
    subprocess.run(["gcc", "-x", "c", "-", "-o", path], input=COMPAT,
                   text=True, check=True)
    return path


@pytest.mark.row("D04", "A35")
def test_compatibility_doors_are_no_way_round(lab, proxy, compat):
    import json
    ran = lab.sandbox([compat], proxy)
    assert ran.rc == 0, ran
    vsock, keyctl, request_key, ring, call, vsock32, key32 = json.loads(
        ran.out)
    afnosupport, perm, nosys = -97, -1, -38
    assert vsock in (afnosupport, nosys) and vsock32 in (afnosupport, nosys)
    assert keyctl in (perm, nosys) and request_key in (perm, nosys)
    assert ring in (nosys, perm) and key32 in (perm, nosys)
    assert call in (afnosupport, nosys, perm), "socketcall cannot be seen into"
    for number in ("359", "360"):  # socket(2), socketpair(2) of i386
        ran = lab.sandbox([compat, number], proxy)
        assert refused(json.loads(ran.out)) == [n for n in range(64)
                                                if n not in MAY]


TIOCSTI = SYSCALLS + """
import pty, termios
master, slave = pty.openpty()
os.setsid(); fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
c = ctypes.create_string_buffer(b'x')
high = 1 << 32
out([sys_(16, slave, 0x5412, c), sys_(16, slave, 0x5412 | high, c),
     sys_(16, slave, 0x541C, c), sys_(16, slave, 0x541C | high, c)])
"""


@pytest.mark.row("A34")
def test_typing_into_a_terminal_is_denied(lab, proxy):
    code = f"if os.fork(): os.wait(); sys.exit()\n{TIOCSTI}"
    assert lab.inside(code, proxy) == ["EPERM"] * 4
    control = lab.outside(code)
    assert control[0] in ("OK", "EIO"), control


REACH = SYSCALLS + """
pid, fd = PID, FD
buffer = ctypes.create_string_buffer(64)
iov = (ctypes.c_ulong * 2)(ctypes.addressof(buffer), 8)
far = (ctypes.c_ulong * 2)(0x400000, 8)
def try_open(path, mode='rb'):
    def work():
        open(path % pid, mode, buffering=0).close()
    return err(work)
pidfd = libc.syscall(434, pid, 0)
out({'ptrace': sys_(101, 0x4206, pid, 0, 0),
     'pidfd_getfd': sys_(438, pidfd, fd, 0),
     'read': sys_(310, pid, iov, 1, far, 1, 0),
     'write': sys_(311, pid, iov, 1, far, 1, 0),
     'mem': try_open('/proc/%d/mem'), 'net': try_open('/proc/%d/ns/net'),
     'fd': err(os.readlink, '/proc/%d/fd/0' % pid),
     'fd open': try_open('/proc/%d/fd/0'),
     'root': err(os.listdir, '/proc/%d/root/' % pid),
     'environ': try_open('/proc/%d/environ'),
     'kcmp': sys_(312, pid, os.getpid(), 0, 0, 0)})
"""


def reach(pid, fd):
    return REACH.replace("PID", str(pid), 1).replace("FD", str(fd), 1)


@pytest.fixture
def victim(lab, request):
    """An innocent process of the same user in the host's place, which holds
    a host socket on fd 4."""
    user = getattr(request, "param", True)
    job = lab.start([PYTHON, "-c", "import os, socket, time\n"
                     "s = socket.socket(); os.dup2(s.fileno(), 4)\n"
                     "print('up', flush=True); time.sleep(60)"], user=user)
    assert job.says("up")
    yield job.pid, user
    job.kill_family()


@pytest.mark.row("A02")
@pytest.mark.smoke
@pytest.mark.parametrize("victim", [True, False], indirect=True)
def test_other_processes_of_the_user_are_out_of_reach(lab, proxy, victim):
    pid, user = victim
    code = reach(pid, 4)
    control = lab.outside(code, user=user)
    if control["pidfd_getfd"] != "OK":
        pytest.skip(f"this machine protects processes by itself: {control}")
    got = lab.inside(code, proxy, user=user)
    for name, said in got.items():
        assert said in ("EPERM", "EACCES"), (name, got)


@pytest.mark.row("A03")
@pytest.mark.parametrize("user", [True, False])
def test_our_own_processes_are_out_of_reach(lab, proxy, user):
    job = lab.sandbox_start(["sh", "-c", "echo up; sleep 60"], proxy,
                            user=user)
    assert job.says("up"), job.ran(None)
    ours = job.ours()
    assert len(ours) == 4, "caller, keeper, worker and its connector"
    for pid in ours.values():
        got = lab.inside(reach(pid, 3), proxy, user=user)
        for name, said in got.items():
            assert said in ("EPERM", "EACCES", "EBADF", "ESRCH"), (pid, name,
                                                                   got)


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file
                    if ":\t" in line)


@pytest.mark.row("U24")
@pytest.mark.parametrize("user", [True, False])
def test_worker_is_locked_down(lab, proxy, user):
    job = lab.sandbox_start(["sh", "-c", "echo up; sleep 60"], proxy,
                            user=user)
    assert job.says("up"), job.ran(None)
    assert len(job.worker_pids()) == 1, job.family()
    for who in ("worker", "connector"):
        pid = job.ours()[who]
        status = status_of(pid)
        for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
            assert int(status[name], 16) == 0, (name, status)
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0, "dumpable"
    keeper = job.ours()["keeper"]
    assert os.stat(f"/proc/{keeper}/environ").st_uid == 0, "dumpable"


@pytest.mark.row("A36")
@pytest.mark.parametrize("kind", ["tcp", "udp", "tcp6", "stdout"])
def test_inherited_inet_sockets_are_refused(lab, proxy, kind):
    family = socket.AF_INET6 if kind == "tcp6" else socket.AF_INET
    way = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
    mark = f"{lab.scratch()}/ran"
    with socket.socket(family, way) as sock:
        how = {"stdout": sock} if kind == "stdout" else {"stdin": sock}
        out = None
        if kind == "stdout":
            out = subprocess.Popen(
                [*lab.prefix(), lab.nsproxy_path, "run", "-x", proxy.url(),
                 "--", "touch", mark], stdout=sock, stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL, env=lab.environment())
            said = out.communicate(timeout=20)[1].decode()
            assert out.returncode == 125 and "socket" in said, said
        else:
            ran = lab.sandbox(["touch", mark], proxy, **how)
            assert ran.rc == 125 and "socket" in ran.err, ran
    assert not os.path.exists(mark)


def test_unix_socket_as_stdin_is_fine(lab, proxy):
    one, two = socket.socketpair()
    two.sendall(b"through a socket\n")
    two.close()
    ran = lab.sandbox(["cat"], proxy, stdin=one)
    assert ran.rc == 0 and ran.out == "through a socket\n", ran


@pytest.mark.row("A04", "A08")
@pytest.mark.smoke
def test_nested_namespaces_work_and_have_no_network(lab, proxy):
    got = lab.inside("""
out([sh('unshare -Urn sh -c "id -u; ip link set lo up && ping -c1 -W1 '
        '127.0.0.1 >/dev/null && echo pinged"'),
     sh('unshare -Urn curl -sS --max-time 3 http://203.0.113.5/'),
     sh('unshare -Urmpf --mount-proc true'),
     sh('unshare -Ur ip link set nsp0 down'),
     sh('unshare -Ur nft flush ruleset')])""", proxy)
    assert got[0][1].split() == ["0", "pinged"], got
    assert got[1][0] != 0, got
    assert got[2][0] == 0, got
    assert got[3][0] != 0 and got[4][0] != 0, got


@pytest.mark.parametrize("user", [True, False])
def test_inventory(lab, proxy, user):
    got = lab.inside("""
out([sorted(n for _, n in socket.if_nameindex()),
     open('/proc/net/dev').read().count(':'),
     os.stat('/proc/self/ns/net').st_ino, os.stat('/proc/self/ns/user').st_ino,
     os.stat('/proc/self/ns/mnt').st_ino])""", proxy, user=user)
    assert got[0] == ["lo", "nsp0"], got
    here = [os.stat(f"/proc/self/ns/{n}").st_ino for n in ("user", "mnt")]
    host = os.stat(lab.path("host")).st_ino
    assert got[2] != host and got[3] != here[0] and got[4] != here[1]


@pytest.mark.row("A26")
def test_abstract_sockets_of_the_host_are_out_of_reach(lab, proxy):
    def make():
        sock = socket.socket(socket.AF_UNIX)
        sock.bind("\0nsproxy-lab")
        sock.listen()
        return sock
    with kernel.call_in(lab.path("host"), make):
        code = ("s = socket.socket(socket.AF_UNIX);"
                "out(err(s.connect, '\\0nsproxy-lab'))")
        assert lab.outside(code) == "OK"
        assert lab.inside(code, proxy) == "ECONNREFUSED"


@pytest.mark.row("A38")
def test_setuid_programs_gain_nothing(lab, proxy):
    path = "/run/lab/bin/suid-id"
    subprocess.run(["cp", "/usr/bin/id", path], check=True)
    os.chmod(path, 0o4755)
    assert lab.run([path, "-u"]).out.strip() in ("0", "61234")
    assert "euid=0" in lab.run([path]).out, "the control does gain"
    ran = lab.sandbox([path], proxy)
    assert "euid" not in ran.out, ran


@pytest.mark.row("A09")
def test_tun_cannot_be_taken(lab, proxy):
    got = lab.inside("""
import fcntl
def take(name):
    f = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(f, 0x400454ca, struct.pack('16sH22x', name, 0x1001))
out([err(take, b'nsp0'), err(take, b'new0')])""", proxy)
    assert all(said in ("EPERM", "EBUSY", "EACCES", "EINVAL")
               for said in got), got


# --- called by root

@pytest.mark.smoke
def test_root_stays_root_over_files(lab, proxy):
    path = "/run/lab/root-file"
    ran = lab.sandbox(
        ["sh", "-c", f"id -u; touch {path}; chown 61234:61235 {path}; "
         f"chmod 4711 {path}; stat -c '%u %g %a' {path}; "
         "cat /etc/shadow | wc -l | sed 's/[0-9]*[1-9][0-9]*/read/'; "
         "setpriv --reuid=61234 --regid=61234 --clear-groups id -u; "
         "setpriv --reuid=42 --regid=65534 --clear-groups "
         "sh -c 'id -u; kill -0 $$'"],
        proxy, user=False)
    assert ran.rc == 0, ran
    assert ran.out.split("\n")[:5] == ["0", "61234 61235 4711", "read",
                                       "61234", "42"], ran
    assert os.stat(path).st_uid == 61234


@pytest.mark.row("U24")
def test_root_has_no_network_powers(lab, proxy):
    got = lab.inside("out(dict(l.split(':\\t', 1) for l in open("
                     "'/proc/self/status').read().splitlines() "
                     "if ':\\t' in l))", proxy, user=False)
    bad = {"NET_BIND_SERVICE": 10, "NET_BROADCAST": 11, "NET_ADMIN": 12,
           "NET_RAW": 13, "SYS_MODULE": 16, "SYS_RAWIO": 17, "SYS_PTRACE": 19,
           "SYS_ADMIN": 21, "BPF": 39}
    for name, bit in bad.items():
        for which in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
            assert not int(got[which], 16) >> bit & 1, (name, which)
    assert got["NoNewPrivs"] == "1"


def test_root_uses_the_proxy_too(lab, proxy):
    with lab.watch() as verdict:
        got = lab.inside("out([os.getuid(), connect_err('a.example', 7)[0]])",
                         proxy, user=False)
    assert got == [0, "OK"] and verdict, (got, verdict)


def test_root_without_sys_admin_falls_back(lab, proxy):
    """As in a container: uid 0, but few capabilities."""
    ran = lab.run(["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all",
                   lab.nsproxy_path, "run", "-x", proxy.url(), "--", "curl",
                   "-sS", "http://a.example/"], user=False)
    assert ran.rc == 0 and proxy.asked("a.example"), ran
