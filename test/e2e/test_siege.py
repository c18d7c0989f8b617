# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile program inside, a hostile proxy, a hostile caller's world."""
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

from lab import ToyProxy, kernel
from lab.run import PYTHON, Ticks, wait_for

GATEWAY = """
def dial():
    return socket.create_connection((os.environ['NSPROXY_GATEWAY'], 1080), 5)
def ask(name, port=22):
    s = dial()
    s.sendall(b'\\5\\1\\0'); s.recv(2)
    s.sendall(b'\\5\\1\\0\\3' + bytes([len(name)]) + name.encode()
              + struct.pack('!H', port))
    return s.recv(10)[1]
def connect(name, port=22):
    s = dial()
    s.sendall(f'CONNECT {name}:{port} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'.encode())
    return int(s.recv(100).split()[1])
"""


# --- the gateway's own proxy

@pytest.mark.row("D10")
@pytest.mark.smoke
def test_gateway_passes_on_no_name_of_the_proxys_own_host(lab, proxy):
    names = ("localhost", "LOCALHOST.", "a.localhost", "127.1", "2130706433",
             "0x7f.1", "127.0.0.1", "127.0.0.1.", "::1", "::ffff:127.0.0.1")
    got = lab.inside(GATEWAY + f"""
out([[ask(n), connect('[' + n + ']' if ':' in n else n)] for n in {names}]
    + [[ask('far.example', 7), connect('far.example', 7)]])""", proxy)
    for name, (socks, http) in zip(names, got):
        assert socks != 0 and http >= 400, (name, socks, http)
    assert got[-1] == [0, 200], "an honest name is no control if it fails"
    assert {asked.host for asked in proxy.asked()} == {"far.example"}


@pytest.mark.row("A21")
@pytest.mark.parametrize("port", [53, 80])
def test_gateway_of_a_direct_way_reaches_no_loopback(lab, port):
    def listen(host):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family)
        sock.bind((host, port))
        sock.listen()
        sock.setblocking(False)
        return sock
    servers = [kernel.call_in(lab.path("host"), lambda h=h: listen(h))
               for h in ("127.0.0.1", "::1")]
    got = lab.inside(GATEWAY + f"""
def raw(atyp, ip):
    s = dial()
    s.sendall(b'\\5\\1\\0'); s.recv(2)
    s.sendall(b'\\5\\1\\0' + bytes([atyp]) + ip + struct.pack('!H', {port}))
    return s.recv(10)[1]
ip6 = lambda text: socket.inet_pton(socket.AF_INET6, text)
out([raw(1, bytes([127, 0, 0, 1])), raw(1, bytes(4)),
     raw(1, bytes([127, 0, 0, 53])), raw(4, ip6('::1')), raw(4, ip6('::')),
     raw(4, ip6('::ffff:127.0.0.1')), raw(4, ip6('::127.0.0.1')),
     ask('localhost', {port})])""", "direct://", ["-d", "udp://203.0.113.53"])
    assert 0 not in got, got
    for server in servers:
        with pytest.raises(BlockingIOError):
            server.accept()
        server.close()


# --- what a proxy says about who sent a datagram

class Liar(ToyProxy):
    """Names a sender of its own choice for each datagram."""
    sender = ("203.0.113.9", 9)

    def _udp_head(self, peer):
        host, port = self.sender
        return (b"\0\0\0\x01" + socket.inet_aton(host)
                + struct.pack("!H", port))


@pytest.mark.parametrize("sender, is_heard", [
    (("203.0.113.9", 9), True), (("127.0.0.1", 7), False),
    (("127.0.0.1", 5000), False), (("127.0.0.53", 53), False),
    (("198.18.0.1", 7), False), (("198.18.0.2", 53), False),
    (("0.0.0.0", 7), False), (("224.0.0.251", 5353), False)])
def test_proxy_cannot_write_in_the_name_of_the_sandbox(lab, sender, is_heard):
    liar = type("Liar", (Liar,), {"sender": sender})
    with liar(lab) as proxy:
        got = lab.inside("""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(0.5)
s.sendto(b'hello', ('203.0.113.5', 7))
try:
    out(s.recvfrom(100)[1])
except TimeoutError:
    out(None)""", proxy, ["-e", "127.0.0.1:5000"])
    assert got == (list(sender) if is_heard else None)


# --- memory and descriptors

FLOODS = {
    "udp": ("socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "         for _ in range(500)]\n"
            "for i in range(16):\n"
            "    for s in socks:\n"
            "        s.sendto(bytes(60000), ('203.0.113.9', 9))\n"),
    "names": ("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              "label = b'\\x3f' + b'a' * 63\n"
              "for i in range(150000):\n"
              "    s.sendto(struct.pack('!HHHHHH', 1, 256, 1, 0, 0, 0)\n"
              "             + label * 2 + b'\\x06%06d' % i\n"
              "             + b'\\7example\\0\\0\\1\\0\\1', ('1.1.1.1', 53))\n"),
    "clients": ("held = []\n"
                "for i in range(400):\n"
                "    for to in (('8.8.8.8', 53), ('198.18.0.2', 1080)):\n"
                "        held.append(socket.create_connection(to, 5))\n"
                "        held[-1].sendall(b'\\5')\n"),
    "syns": ("held = []\n"
             "for i in range(900):\n"
             "    held.append(socket.socket()); held[-1].setblocking(False)\n"
             "    held[-1].connect_ex(('203.0.113.%d' % (i % 200 + 1), 7))\n"),
}


def start_flood(lab, proxy, before, flood, after):
    """The program holds still after the flood, until its stdin ends."""
    job = lab.sandbox_start(
        [PYTHON, "-c", f"from inside import *\n{before}"
         f"print('up', flush=True)\n{FLOODS[flood]}"
         f"print('flooded', flush=True)\nsys.stdin.read()\n{after}"],
        proxy, ["-q"], stdin=subprocess.PIPE)
    assert job.says("up"), job.ran(None)
    return job


def peak_kib(job):
    """The worker's, once the flood is over; lets the program go on."""
    worker = job.worker_pids()[0]
    assert job.says("flooded", 60), job.ran(None)
    with open(f"/proc/{worker}/status", encoding="ascii") as file:
        peak = re.search(r"^VmHWM:\s+(\d+)", file.read(), re.M).group(1)
    job.popen.stdin.close()
    return int(peak)


@pytest.mark.row("D13", "R02", "R03")
@pytest.mark.parametrize("flood", FLOODS)
def test_floods_meet_caps_and_others_go_on(lab, flood):
    """While the association is made, datagrams wait: not without end."""
    from lab import Faults
    faults = Faults(delay_s=1 if flood == "syns" else 0)
    with ToyProxy(lab, faults=faults) as proxy:
        job = start_flood(lab, proxy, "old = tcp('203.0.113.5', 7)\n", flood,
                          "old.sendall(b'still there')\n"
                          "said = old.recv(99).decode()\n"
                          "out([said, connect_err('o.example', 7)])")
        peak = peak_kib(job)
        said, new = lab.spoken(job.wait(60))
    assert said == "still there" and new[0] == "OK", (said, new)
    if "ASAN_OPTIONS" not in os.environ:
        assert peak < 100 * 1024, f"{peak} KiB"


def test_datagrams_for_a_silent_proxy_take_little_memory(lab):
    from lab import Faults
    with ToyProxy(lab, faults=Faults(silent_at="request")) as proxy:
        job = start_flood(lab, proxy, "", "udp", "time.sleep(1)\n")
        peak = peak_kib(job)
        job.wait(30)
    assert peak < 60 * 1024 or "ASAN_OPTIONS" in os.environ, f"{peak} KiB"


@pytest.mark.row("A40", "R04", "R05")
@pytest.mark.parametrize("who", ["worker", "connector"])
def test_worker_without_fds_or_memory_neither_dies_nor_spins(lab, proxy, who):
    """The program may set limits on the worker's process: it is the same
    user's."""
    job = lab.sandbox_start([PYTHON, "-c", """from inside import *
import resource
old = tcp('203.0.113.5', 7)
print('up', flush=True)
pid = int(sys.stdin.readline())
seen, held = [], []
def ask(to):
    held.append(socket.socket()); held[-1].setblocking(False)
    held[-1].connect_ex(to)
for kind, soft in ((resource.RLIMIT_NOFILE, 0), (resource.RLIMIT_AS, 1)):
    was = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (soft, was[1]))
    for i in range(40):
        ask(('203.0.113.5', 7))
        ask(('198.18.0.2', 1080))
        ask(('9.9.9.9', 53))
        ask(('127.0.0.1', 53))
        err(lambda: udp('203.0.113.9', 7, .01).send(bytes(30000)))
    time.sleep(.5)
    print('asked', flush=True); sys.stdin.readline()
    resource.prlimit(pid, kind, was)
    held.clear()
    seen.append(connect_err('203.0.113.5', 7, 5)[0])
old.sendall(b'x')
out([seen, old.recv(1).decode()])"""], proxy, ["-q"], stdin=subprocess.PIPE)
    assert job.says("up"), job.ran(None)
    job.popen.stdin.write(b"%d\n" % job.ours()[who])
    job.popen.stdin.flush()
    for turn in 1, 2:
        assert job.says("asked\n" * turn), job.ran(None)
        ticks = Ticks(job.ours().values())      # all is sent, much waits
        time.sleep(1)
        spent = ticks.spent_s()
        assert spent < .2, f"{spent} s, and nobody asked for anything"
        job.popen.stdin.write(b"\n")
        job.popen.stdin.flush()
    job.popen.stdin.close()
    assert lab.spoken(job.wait(40)) == [["OK", "OK"], "x"]


# --- out of the sandbox's file system, back to the host's name services

@pytest.mark.parametrize("user", [True, False])
def test_covers_hold_in_namespaces_of_the_programs_own(lab, proxy, user):
    # Other tests leave sockets there: a name of its own.
    with open("/run/nscd/seen", "w", encoding="ascii"):
        pass
    tries = [
        "true", "umount /run/nscd", "umount -l /run/nscd",
        "mount --bind / /mnt; ls /mnt/run/nscd",
        "mount --rbind / /mnt; umount -l /mnt/run/nscd; ls /mnt/run/nscd",
        "mount --bind /run /mnt; ls /mnt/nscd", "mount --move /run/nscd /mnt",
        "mount -t overlay o -o lowerdir=/run /mnt; ls /mnt/nscd",
        "mount --make-rprivate /; umount -R /run/nscd",
        "unshare -Urm umount /run/nscd", "ls /proc/1/root/run/nscd",
        "umount -l /run", "umount -l /etc/resolv.conf; cat /etc/resolv.conf"]
    code = "".join(
        f"echo '{line}'; unshare -Urm sh -c '{line}; ls /run/nscd' 2>/dev/null"
        "\n" for line in tries)
    ran = lab.sandbox(["sh", "-c", code], proxy, user=user)
    os.unlink("/run/nscd/seen")
    assert ran.rc in (0, 1, 2), ran
    said = ran.out.splitlines()
    assert "seen" not in said and "socket" not in said, ran
    assert "nameserver 198.51.100.53" not in said, ran
    assert "umount -l /run" in said, "all were tried"


@pytest.mark.row("A36")
@pytest.mark.parametrize("fd", [0, 1, 2])
def test_directory_as_a_standard_file_is_refused(lab, proxy, fd):
    """From it a path would lead to what the sandbox has covered."""
    mark = f"{lab.scratch()}/ran"
    ran = lab.run(["sh", "-c", f"exec {fd}</ ; exec \"$@\"", "sh",
                   lab.nsproxy_path, "run", "-x", proxy.url(), "--", "touch",
                   mark])
    assert ran.rc == 125 and not os.path.exists(mark), ran
    assert fd == 2 or "directory" in ran.err, ran


@pytest.mark.row("A36")
def test_tun_as_a_standard_file_is_refused(lab, proxy):
    mark = f"{lab.scratch()}/ran"
    ran = lab.run(["sh", "-c", "exec 0<>/dev/net/tun; exec \"$@\"", "sh",
                   lab.nsproxy_path, "run", "-x", proxy.url(), "--", "touch",
                   mark])
    assert ran.rc == 125 and "device" in ran.err, ran
    assert not os.path.exists(mark)


@pytest.mark.row("A07")
def test_root_may_turn_knobs_and_still_nothing_leaks(lab, proxy):
    """/proc/sys/net is root's by uid, not by capability."""
    with lab.watch() as verdict:
        got = lab.inside("""
turned = 0
for name in ('ipv4/ip_forward', 'ipv4/conf/all/route_localnet',
             'ipv4/conf/lo/route_localnet', 'ipv4/conf/all/accept_local',
             'ipv4/ip_nonlocal_bind', 'ipv4/tcp_fwmark_accept',
             'ipv4/tcp_l3mdev_accept', 'ipv4/fwmark_reflect',
             'ipv4/conf/nsp0/proxy_arp', 'ipv6/conf/all/forwarding',
             'ipv6/conf/all/accept_ra', 'ipv6/conf/nsp0/accept_ra'):
    try:
        open('/proc/sys/net/' + name, 'w').write('1'); turned += 1
    except OSError:
        pass
subprocess.run([sys.executable, '/run/lab/burst.py', '1'])
for _ in range(15):    # the proxy may be busy yet with what burst
    came = connect_err('203.0.113.5', 7)[0]
    if came == 'OK': break
    time.sleep(1)
print(); out([turned, came])""", proxy,
                         user=False, timeout=60)
    assert verdict, verdict
    assert got[1] == "OK", got


# --- addresses and sockets that are odd

@pytest.mark.row("A11")
def test_odd_sockets_go_by_the_proxy_or_nowhere(lab, proxy):
    with lab.watch() as verdict:
        got = lab.inside("""
def tune(s, *options):
    for level, name, value in options:
        try:
            s.setsockopt(level, name, value)
        except OSError:
            pass
    s.settimeout(1.5)
    return s
SOL, IP, IP6 = socket.SOL_SOCKET, socket.IPPROTO_IP, socket.IPPROTO_IPV6
odd = [(SOL, 25, b'nsp0\\0'), (SOL, 25, b'lo\\0'), (SOL, socket.SO_MARK, 1),
       (SOL, socket.SO_DONTROUTE, 1), (IP, 19, 1), (IP, 15, 1), (IP, 8, 1)]
seen = {}
for option in odd:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for to in ('203.0.113.5', '192.168.77.1', '198.51.100.1',
                   '10.66.0.2', '255.255.255.255'):
            s = tune(socket.socket(socket.AF_INET, kind), option)
            seen[str((option[1], to, kind))] = err(s.connect, (to, 7))
            err(s.send, b'odd')
            s.close()
for source in ('198.51.100.2', '10.66.0.1', '192.168.77.2', '127.0.0.1'):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        s = tune(socket.socket(socket.AF_INET, kind), (IP, 15, 1))
        err(s.bind, (source, 0))
        err(s.connect, ('203.0.113.5', 7)); err(s.send, b'spoof')
    s = tune(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    info = struct.pack('=I4s4s', 0, socket.inet_aton(source), bytes(4))
    err(s.sendmsg, [b'pktinfo'], [(IP, 8, info)], 0, ('203.0.113.5', 7))
out(seen)""", proxy, timeout=90)
    assert verdict, verdict
    assert "OK" in got.values(), got


@pytest.mark.row("A15")
def test_gates_own_listener_cannot_be_reached_by_its_number(lab, proxy):
    """Such a connection would be paired with nothing, or with itself."""
    got = lab.inside("""
ports = set()
for name in ('/proc/net/tcp', '/proc/net/tcp6'):
    for line in open(name).read().splitlines()[1:]:
        words = line.split()
        if words[3] == '0A':
            ports.add(int(words[1].split(':')[1], 16))
ports -= {53}
out([sorted(ports), [[a, p, connect_err(a, p, 3)[0]] for p in ports for a in
    ('127.0.0.1', '127.0.0.9', '198.18.0.1', '198.18.0.2', '::1', '2001:2::1',
     '2001:2::2', '0.0.0.0', '::ffff:198.18.0.1')]])""", proxy)
    assert got[0], "the listener is seen"
    assert {said for _, _, said in got[1]} == {"ECONNREFUSED"}, got


# --- 125 is a promise

SAW = """
#include <fcntl.h>
int main(int argc, char **argv)
{
	return argc == 2 && open(argv[1], O_CREAT | O_WRONLY, 0600) < 0;
}
"""


@pytest.fixture(scope="module")
def witness(world):
    """A program that leaves a file: it ran. Small, for the many starts."""
    path = "/run/lab/bin/witness"
    subprocess.run(["gcc", "-x", "c", "-", "-o", path], input=SAW, text=True,
                   check=True)
    return path


@pytest.mark.row("K09")
@pytest.mark.parametrize("what", ["error=EPERM", "signal=KILL"])
@pytest.mark.parametrize("call, last", [("sendmsg", 8), ("pidfd_open", 1),
                                        ("recvmsg", 45)])
def test_125_means_that_it_never_ran(lab, proxy, witness, need, call, last,
                                     what):
    """Whichever word between our processes is lost."""
    strace = need("strace")
    for when in range(1, last + 1):
        mark = f"{lab.scratch()}/ran"
        ran = lab.run(
            [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
             "-e", f"inject={call}:{what}:when={when}", lab.nsproxy_path,
             "run", "-x", proxy.url(), "--", witness, mark])
        assert not (ran.rc == 125 and os.path.exists(mark)), (when, ran)
        assert ran.rc != 0 or os.path.exists(mark), (when, ran)


# --- a hostile caller's world

def set_limit(kind, value):
    return lambda: resource.setrlimit(kind, (value, value))


def ignore_all():
    for number in range(1, 32):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_IGN)


WORLDS = {
    "files of no size": (set_limit(resource.RLIMIT_FSIZE, 0), (125,)),
    "64 fds": (set_limit(resource.RLIMIT_NOFILE, 64), (0,)),
    "12 fds": (set_limit(resource.RLIMIT_NOFILE, 12), (125,)),
    "5 fds": (set_limit(resource.RLIMIT_NOFILE, 5), (125,)),
    "60 MiB": (set_limit(resource.RLIMIT_AS, 60 << 20), (0,)),
    "a stack of 64 KiB": (set_limit(resource.RLIMIT_STACK, 65536), (0,)),
    "umask 0777": (lambda: os.umask(0o777), (0,)),
    "nothing on 0": (lambda: os.close(0), (0,)),
    "nothing on 0 to 2": (lambda: [os.close(n) for n in range(3)], (0,)),
    "all ignored": (ignore_all, (0,)),
    "all blocked": (lambda: signal.pthread_sigmask(
        signal.SIG_BLOCK, signal.valid_signals()), (0,)),
    "a timer": (lambda: [signal.signal(signal.SIGALRM, signal.SIG_IGN),
                         signal.setitimer(signal.ITIMER_REAL, .001, .001)],
                (0,)),
}


# A user of its own, since it is the user's that the kernel counts.
ON_THEIR_WAY = """
import os, resource, socket, sys
os.setgroups([]); os.setgid(61237); os.setuid(61237)
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
for _ in range(7):
    socket.send_fds(ours, [b'x'], [0] * 10)
theirs.set_inheritable(True); ours.set_inheritable(True)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_too_many_descriptors_on_their_way_are_told(lab, proxy):
    ran = lab.run([PYTHON, "-c", ON_THEIR_WAY, lab.nsproxy_path, "run", "-x",
                   proxy.url(), "--", "echo", "never"], user=False)
    assert ran.rc == 125 and ran.out == "", ran
    assert "ulimit -n" in ran.err and ran.err.count("\n") == 2, ran


@pytest.mark.row("U05", "U06")
@pytest.mark.parametrize("user", [True, False])
@pytest.mark.parametrize("kind", WORLDS)
def test_hostile_world(lab, proxy, kind, user):
    make, allowed = WORLDS[kind]
    if "ASAN_OPTIONS" in os.environ and kind in ("60 MiB", "12 fds"):
        pytest.skip("a sanitizer wants more")
    mark = f"{lab.scratch()}/ran"
    code = f"curl -sS -m 9 http://a.example/ >/dev/null && : > {mark}"
    for _ in range(5):
        ran = lab.sandbox(["sh", "-c", f"umask 022; {code}"], proxy, user=user,
                          preexec_fn=make)
        if ran.rc == 0 or "on their way" not in ran.err:
            break  # or others of this user have too many, just now
    assert ran.rc in allowed, ran
    assert os.path.exists(mark) == (ran.rc == 0), ran


@pytest.mark.row("U01")
def test_no_name_and_no_arguments(lab):
    code = ("#include <unistd.h>\nint main(int c, char **v) { char *none[] = "
            "{ 0 }; (void)c; return execve(v[1], none, none); }")
    path = "/run/lab/bin/argc0"
    subprocess.run(["gcc", "-x", "c", "-", "-o", path], input=code, text=True,
                   check=True)
    ran = lab.run([path, lab.nsproxy_path])
    assert ran.rc == 2 and "usage" in ran.err, ran


def test_setuid_copy_gives_nothing_away(lab, proxy):
    path = "/run/lab/bin/nsproxy-suid"
    shutil.copy(lab.nsproxy_path, path)
    os.chmod(path, 0o4755)
    ran = lab.run([path, "run", "-x", proxy.url(), "--", "sh", "-c",
                   "id -u; cat /etc/shadow; grep Cap /proc/self/status | "
                   "grep -v 0000000000000000; curl -sS http://a.example/"])
    assert ran.out.startswith("61234\n") and "Cap" not in ran.out, ran
    assert "shadow: Permission denied" in ran.err, ran
    assert proxy.asked("a.example"), ran
    ran = lab.run([path, "run", "--proxy-file", "/etc/shadow", "--", "true"])
    assert ran.rc == 125 and "Permission denied" in ran.err, ran
    assert lab.run([path, "@worker"]).rc == 2


@pytest.mark.row("U19")
@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_secrets_stay_secret(lab, scheme):
    with ToyProxy(lab, auth=("user", "sEcReT")) as proxy:
        job = lab.start([lab.nsproxy_path, "run", "-vvv", "--", "sh", "-c",
                         "env; tr '\\0' '\\n' < /proc/self/environ; "
                         "curl -sS http://a.example/; ps -ef; echo done; "
                         "sleep 5"],
                        env={"NSPROXY_PROXY": proxy.url(
                            scheme, ("user", "sEcReT"))})
        assert job.says("done"), job.ran(None)
        family = job.family()
        lines = b""
        for pid in family:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                lines += file.read()
        readable = []
        for pid in family[1:]:
            shown = lab.run(["cat", f"/proc/{pid}/environ"])
            readable.append(shown.out)
        said = job.out + job.err
        job.kill_family()
        assert proxy.asked("a.example"), said
    assert b"sEcReT" not in lines and "sEcReT" not in said, said
    assert "dXNlcjpzRWNSZVQ" not in said, "base64 hides nothing"
    assert "sEcReT" not in "".join(readable)


@pytest.mark.row("K06", "A09", "A40")
def test_keepers_death_brings_no_unguarded_moment(lab, proxy):
    """Killed by the program itself: the network is gone, and the TUN that
    nobody holds leads nowhere."""
    with lab.watch() as verdict:
        job = lab.sandbox_start([PYTHON, "-c", """from inside import *
import fcntl
print('up', flush=True)
for pid in map(int, sys.stdin.readline().split()):
    err(lambda: os.kill(pid, 9))     # the connector ends with the worker
time.sleep(.5)
def take():
    f = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(f, 0x400454ca, struct.pack('16sH22x', b'nsp0', 0x1001))
    os.write(f, bytes.fromhex('4500001c0001000040110000c6336402cb007109'
                              '0009000900080000'))
said = err(take)
out([said, connect_err('203.0.113.5', 7, 2)[0],
     connect_err('192.168.77.1', 7, 2)[0]])"""], proxy, ["-q"],
                                stdin=subprocess.PIPE)
        assert job.says("up"), job.ran(None)
        ours = job.ours()
        words = " ".join(str(pid) for pid in ours.values())
        job.popen.stdin.write(f"{words}\n".encode())
        job.popen.stdin.close()
        assert wait_for(lambda: job.out.count("\n") == 2, 15), job.ran(None)
    assert verdict, verdict
    assert "OK" not in lab.spoken(job.ran(0))[1:], job.ran(0)


# --- root's worker, and nobody's other processes

@pytest.mark.row("U24")
def test_roots_worker_has_nothing_and_never_lay_open(lab, proxy, need):
    """It becomes nobody; a dumpable nobody with a password in its memory
    would be any other nobody's."""
    trace = "/run/lab/worker.trace"
    job = lab.start([need("strace"), "-f", "-qq", "-o", trace, "-e",
                     "trace=prctl,setresuid", lab.nsproxy_path, "run", "-x",
                     proxy.url(), "--", "sh", "-c", "echo up; sleep 60"],
                    user=False)
    assert job.says("up"), job.ran(None)
    worker = job.worker_pids()[0]
    with open(f"/proc/{worker}/status", encoding="ascii") as file:
        ids = [line.split()[1:5] for line in file if line[:4] in ("Uid:",
                                                                  "Gid:")]
    if "ASAN_OPTIONS" not in os.environ:
        assert os.listdir(f"/proc/{worker}/root/") == []
    job.kill_family()
    assert ids == [["65534"] * 4] * 2, ids
    with open(trace, encoding="utf-8") as file:
        calls = [line.split(None, 1)[1] for line in file
                 if line.startswith(f"{worker} ")]
    became = [i for i, call in enumerate(calls)
              if call.startswith("setresuid(65534")]
    assert became, calls
    bare = [call for call in calls[became[0]:] if "SUID_DUMP_USER" in call]
    assert not bare, bare
