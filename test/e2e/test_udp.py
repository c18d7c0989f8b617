# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams: SOCKS5 associations, direct, and truth where there are none."""
import socket
import time

import pytest

from lab import Faults, ToyProxy
from lab.run import wait_for

FAR, FAR6 = "203.0.113.5", "2001:db8:1::5"


@pytest.mark.smoke
@pytest.mark.parametrize("host", [FAR, FAR6])
def test_echo_through_socks5(lab, proxy, host):
    got = lab.inside(f"s = udp('{host}', 7); s.send(b'ping');"
                     "out(s.recv(99).decode())", proxy)
    assert got == "ping"
    assert proxy.udp_log[0].host == host


def test_name_travels_as_a_name_and_answers_from_its_lease(lab, proxy):
    got = lab.inside("""
a = socket.getaddrinfo('udp.example', 7, socket.AF_INET,
                       socket.SOCK_DGRAM)[0][4]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b'x', a)
data, peer = s.recvfrom(99)
out([data.decode(), list(peer) == list(a), a[0]])""", proxy)
    assert got[:2] == ["x", True] and got[2].startswith("198.1"), got
    assert (proxy.udp_log[0].host, proxy.udp_log[0].atyp) == ("udp.example", 3)


def test_name_over_ipv6_lease(lab, proxy):
    got = lab.inside("""
a = socket.getaddrinfo('v6.example', 7, socket.AF_INET6,
                       socket.SOCK_DGRAM)[0][4]
s = udp(a[0], 7); s.send(b'x'); out(s.recv(9).decode())""", proxy)
    assert got == "x" and proxy.udp_log[0].atyp == 3


@pytest.mark.smoke
@pytest.mark.parametrize("size", [0, 1, 1472, 9000, 40000, 65000])
def test_sizes(lab, proxy, size):
    got = lab.inside(f"s = udp('{FAR}', 7); d = os.urandom({size});"
                     "s.send(d); out(s.recv(65536) == d)", proxy)
    assert got is True


def test_largest_datagram(lab, proxy):
    """65507 octets arrive inside; with the SOCKS5 header of 10 they are over
    what UDP over IPv4 can carry, so 65497 is the most that passes a proxy
    and more is an error, not silence for ever."""
    got = lab.inside(f"""
s = udp('{FAR}', 7); d = os.urandom(65497); s.send(d)
whole = s.recv(65536) == d
s.settimeout(2)
def too_much():
    s.send(os.urandom(65507)); s.recv(65536)
out([whole, err(too_much)])""", proxy)
    assert got[0] is True
    assert got[1] in ("EMSGSIZE", "ECONNREFUSED", "EHOSTUNREACH", "timeout")


def test_full_cone(lab, proxy):
    """Any peer may answer: from another address and port."""
    got = lab.inside(f"""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b'203.0.113.77 5555 cone', ('{FAR}', 8))
data, peer = s.recvfrom(99)
out([data.decode(), peer[0], peer[1]])""", proxy)
    assert got == ["cone", "203.0.113.77", 5555]


def test_one_association_per_endpoint(lab, proxy):
    got = lab.inside("""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
got = []
for i in range(40):
    s.sendto(b'%d' % i, ('203.0.113.%d' % (i + 1), 7))
    data, peer = s.recvfrom(99); got.append(peer[0])
t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); t.settimeout(5)
t.sendto(b'z', ('203.0.113.1', 7)); t.recv(9)
out(got)""", proxy)
    assert got == [f"203.0.113.{i + 1}" for i in range(40)]
    assert len([a for a in proxy.log if a.cmd == "associate"]) == 2


@pytest.mark.row("P06")
@pytest.mark.parametrize("bnd", ["0.0.0.0", "203.0.113.99", "192.168.77.1",
                                 "127.0.0.1", "224.0.0.1"])
def test_bound_address_is_never_trusted(lab, bnd):
    with ToyProxy(lab, faults=Faults(bnd=bnd)) as proxy, \
            lab.watch() as verdict:
        got = lab.inside(f"s = udp('{FAR}', 7); s.send(b'ping');"
                         "out(s.recv(99).decode())", proxy)
    assert got == "ping"
    assert verdict, verdict


def test_answers_with_names_in_the_header(lab):
    with ToyProxy(lab, faults=Faults(udp_as_name="odd.example")) as proxy:
        got = lab.inside("""
a = socket.getaddrinfo('odd.example', 7, socket.AF_INET,
                       socket.SOCK_DGRAM)[0][4]
s = udp(a[0], 7); s.send(b'n'); out(s.recv(9).decode())""", proxy)
    assert got == "n"


def test_association_is_made_again(lab, proxy):
    job = lab.sandbox_start(["/usr/bin/python3", "-c", f"""from inside import *
s = udp('{FAR}', 7, 0.3); s.send(b'one'); s.recv(9)
print('first', flush=True)
sys.stdin.readline()
end = time.monotonic() + 8
while time.monotonic() < end:
    try:
        s.send(b'two'); s.recv(9); out('again'); break
    except OSError: pass
else: out('never')"""], proxy, stdin=(pipe := _pipe())[0])
    assert job.says("first"), job.ran(None)
    for control in list(proxy.controls):
        control.shutdown(socket.SHUT_RDWR)
    assert wait_for(lambda: not proxy.controls)
    import os
    os.write(pipe[1], b"go\n")
    os.close(pipe[1])
    assert lab.spoken(job.wait(20)) == "again"
    assert len([a for a in proxy.log if a.cmd == "associate"]) >= 2


def _pipe():
    import os
    return os.pipe()


REFUSED = ("s = udp('%s', 443); t = time.monotonic(); s.send(b'quic');"
           "e = err(s.recv, 9); out([e, time.monotonic() - t])")


@pytest.mark.row("P19")
@pytest.mark.smoke
@pytest.mark.parametrize("scheme", ["http", "socks4a"])
@pytest.mark.parametrize("host", [FAR, FAR6])
def test_no_udp_is_told_at_once(lab, proxy, scheme, host):
    said, secs = lab.inside(REFUSED % host, proxy.url(scheme))
    assert said == "ECONNREFUSED" and secs < 0.5, (said, secs)


@pytest.mark.row("P19")
def test_no_udp_through_a_chain(lab, proxy):
    with ToyProxy(lab, listen=("inet", "203.0.113.201", 1081),
                  out="inet") as two:
        said, secs = lab.inside(REFUSED % FAR, [proxy, two])
    assert said == "ECONNREFUSED" and secs < 0.5, (said, secs)


def test_proxy_that_refuses_udp(lab):
    with ToyProxy(lab, faults=Faults(no_udp=True)) as proxy:
        said, secs = lab.inside(REFUSED % FAR, proxy)
    assert said == "ECONNREFUSED" and secs < 3, (said, secs)


@pytest.mark.row("P01")
def test_dead_proxy_refuses_udp(lab):
    said, secs = lab.inside(REFUSED % FAR, "socks5://10.66.0.2:1080")
    assert said == "ECONNREFUSED" and secs < 3, (said, secs)


def test_block_refuses_udp(lab):
    said, secs = lab.inside(REFUSED % FAR, "block://")
    assert said in ("ECONNREFUSED", "EACCES", "EHOSTUNREACH"), said
    assert secs < 0.5


def test_unleased_addresses_are_refused(lab, proxy):
    said, secs = lab.inside(REFUSED % "198.18.77.77", proxy)
    assert said in ("ECONNREFUSED", "EHOSTUNREACH") and secs < 2, said
    assert not proxy.udp_log


@pytest.mark.loud
@pytest.mark.parametrize("host, size", [(FAR, 65507), (FAR6, 65487)])
def test_direct(lab, host, size):
    got = lab.inside(f"""
s = udp('{host}', 7); s.send(b'd' * {size}); n = len(s.recv(65536))
t = udp('{host}', 79); t.send(b'x')
out([n, err(t.recv, 9)])""", "direct://", ["-d", "off"])
    assert got == [size, "ECONNREFUSED"]


@pytest.mark.loud
def test_direct_full_cone(lab):
    got = lab.inside(f"""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b'203.0.113.77 5555 cone', ('{FAR}', 8))
data, peer = s.recvfrom(99); out([data.decode(), peer[0], peer[1]])""",
                     "direct://", ["-d", "off"])
    assert got == ["cone", "203.0.113.77", 5555]


@pytest.mark.row("A17")
@pytest.mark.parametrize("to", ["224.0.0.251", "255.255.255.255",
                                "239.255.255.250", "ff02::fb", "0.0.0.0"])
def test_multicast_and_broadcast_are_never_relayed(lab, proxy, to):
    family = "AF_INET6" if ":" in to else "AF_INET"
    lab.inside(f"""
s = socket.socket(socket.{family}, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
for _ in range(5):
    err(s.sendto, b'm', ('{to}', 1900))
time.sleep(0.3); out(1)""", proxy)
    assert not proxy.udp_log, proxy.udp_log


# --- ICMP

@pytest.mark.row("A12")
@pytest.mark.parametrize("host", [FAR, FAR6])
def test_ping_is_told_that_it_may_not(lab, proxy, host):
    ran = lab.sandbox(["ping", "-n", "-c1", "-W3", host], proxy)
    assert ran.rc == 1 and ran.secs < 2, ran
    assert "filtered" in ran.out.lower() or "prohibited" in ran.out.lower(), \
        ran


@pytest.mark.row("A12")
@pytest.mark.loud
@pytest.mark.parametrize("host", [FAR, FAR6])
def test_direct_ping_is_real(lab, host):
    good = lab.sandbox(["ping", "-n", "-c1", "-W3", host], "direct://",
                       ["-d", "off"], user=False)
    assert good.rc == 0, good
    bad = lab.sandbox(["ping", "-n", "-c1", "-W2", "192.0.9.9"], "direct://",
                      ["-d", "off"], user=False)
    assert bad.rc == 1, bad


def test_ping_of_the_own_loopback_works(lab, proxy):
    assert lab.sandbox(["ping", "-n", "-c1", "-W2", "127.0.0.1"],
                       proxy).rc == 0


# --- floods

@pytest.mark.row("R03")
def test_many_ports_are_bounded_and_survived(lab, proxy):
    job = lab.sandbox_start(["/usr/bin/python3", "-c", f"""from inside import *
import resource
for i in range(6):
    socks = []
    for _ in range(900):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setblocking(False)
        err(s.sendto, b'f', ('{FAR}', 7)); socks.append(s)
    time.sleep(0.2)
    for s in socks: s.close()
time.sleep(1)
def once():
    s = udp('{FAR}', 7, 3); s.send(b'alive')
    # Its port may have been a flooder's, whose answer is still on its way.
    while (got := s.recv(9)) == b'f': pass
    return got.decode()
for _ in range(15):
    try: out(once()); break
    except OSError: time.sleep(1)
else: out('dead')"""], proxy)
    ran = job.wait(90)
    assert lab.spoken(ran) == "alive", ran


@pytest.mark.smoke
def test_rate_of_datagrams(lab, proxy):
    """Bursts in both directions: most of it arrives."""
    got = lab.inside(f"""
s = udp('{FAR}', 7, 0.5); n = 0
for i in range(100):
    for _ in range(20): s.send(b'.' * 1000)
    try:
        for _ in range(20): n += s.recv(2000) == b'.' * 1000
    except OSError: pass
out(n)""", proxy, timeout=90)
    assert got > 1800, got


def sleeps_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("voluntary_ctxt"))


@pytest.mark.loud
def test_worker_sleeps_between_datagrams_that_nobody_answers(lab):
    """It stays awake for answers alone: what streams one way, as quickly,
    would have it run all the time. Port 8 is silent to such."""
    job = lab.sandbox_start(["/usr/bin/python3", "-c", f"""from inside import *
s = udp('{FAR}', 8); sent = 0; end = time.monotonic() + 3
print('begins', flush=True)
while (now := time.monotonic()) < end:
    s.send(b'.' * 1000); sent += 1
    while time.monotonic() < now + 120e-6: pass
out(sent)"""], "direct://", ["-d", "off"])
    assert job.says("begins"), job.ran(None)
    worker = job.worker_pids()[0]
    time.sleep(0.5)
    before = sleeps_of(worker)
    time.sleep(2)
    slept = sleeps_of(worker) - before
    sent = lab.spoken(job.wait(30)) * 2 / 3
    assert slept > sent / 4, (slept, sent)
