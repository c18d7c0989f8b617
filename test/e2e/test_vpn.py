# SPDX-License-Identifier: GPL-3.0-or-later
"""The way out is a VPN's interface on the host: direct://?dev=IFACE."""
import subprocess

import pytest

from lab import Keep, ToyDns, ToyProxy
from lab.far import FarServers
from lab.vpn import PAGE, OpenVpn, has_link, ip
from lab.run import PYTHON, wait_for

FAR, FAR6 = "203.0.113.5", "2001:db8:1::5"
BY_TUN = "direct://?dev=tun0"
DNS = ["-d", "udp://203.0.113.53"]
OFF = ["-d", "off"]

LOOP = PAGE + f"""
# Ask again and again, a line each.
for line in sys.stdin:
    print(page('{FAR}'), flush=True)
"""


@pytest.fixture
def vpn(lab):
    with OpenVpn(lab) as one:
        yield one


class Asker:
    """A program that lives in a sandbox and connects when it is told."""

    def __init__(self, lab, code=LOOP, proxy=BY_TUN, opts=DNS):
        self.job = lab.sandbox_start(
            [PYTHON, "-u", "-c", "from inside import *\n" + code], proxy,
            opts, stdin=subprocess.PIPE)
        self.said = 0

    def __call__(self):
        self.job.popen.stdin.write(b"\n")
        self.job.popen.stdin.flush()
        self.said += 1
        assert wait_for(lambda: self.job.out.count("\n") >= self.said, 20), \
            self.job.ran(None)
        return self.job.out.splitlines()[self.said - 1]


# --- what goes by the device

@pytest.mark.smoke
def test_tcp_udp_ping_and_names_go_by_the_vpn_alone(lab, vpn):
    with ToyDns(lab, table={("behind.example", "A"): [FAR]}) as dns, \
            lab.watch() as verdict:
        got = lab.inside(PAGE + f"""
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(4)
u.sendto(b'x', ('{FAR}', 7))
out([page('{FAR}'), page('behind.example'), u.recvfrom(9)[0].decode(),
     sh('ping -c1 -W4 {FAR}')[0]])""", BY_TUN, DNS)
    assert got == [vpn.ours, vpn.ours, "x", 0]
    assert dns.asked, "the VPN's resolver was asked"
    assert {peer for *_, peer in lab.far.seen[-2:]} <= {
        vpn.ours, f"::ffff:{vpn.ours}"}
    assert verdict, verdict


def test_ipv6_needs_a_route_by_the_device(lab, vpn):
    with lab.watch() as verdict:
        assert lab.inside(PAGE + f"out(page('{FAR6}'))", BY_TUN, OFF) \
            == "ENETUNREACH"
        # Nobody else takes this one: the host's own is better.
        ip("-6", "route", "add", "default", "dev", "tun0", "metric", "9999")
        assert lab.inside(PAGE + f"out(page('{FAR6}'))", BY_TUN, OFF) \
            == vpn.ours6
    assert verdict, verdict


def test_a_proxy_behind_the_vpn(lab, vpn):
    with ToyProxy(lab, listen=("inet", "203.0.113.201", 1081),
                  out="inet") as proxy, lab.watch() as verdict:
        ran = lab.sandbox(["curl", "-sS", "http://name.example/"],
                          [BY_TUN, proxy.url()])
    assert ran.rc == 0 and [a.host for a in proxy.log] == ["name.example"], ran
    assert verdict, verdict


@pytest.mark.loud
def test_the_wires_are_not_deaf(lab, vpn):
    """The same without the device is seen."""
    with lab.watch() as verdict:
        assert lab.inside(PAGE + f"out(page({FAR!r}))", "direct://", OFF) \
            == "198.51.100.2"
    assert "inet" in verdict.leaks


# --- the VPN dies

def test_killed_vpn_means_no_network_and_a_new_one_works(lab, vpn):
    with ToyDns(lab, table={}), lab.watch() as verdict:
        ask = Asker(lab)
        assert ask() == vpn.ours
        before = ip("-o", "link", "show", "tun0").split(":")[0]
        vpn.kill()
        assert wait_for(lambda: not has_link("tun0"))
        for _ in range(3):
            assert ask() == "EHOSTUNREACH"
        vpn.start()
        assert ip("-o", "link", "show", "tun0").split(":")[0] != before
        assert ask() == vpn.ours
    assert "no such interface" in ask.job.err
    assert verdict, verdict


def test_a_connection_of_the_killed_vpn_goes_nowhere_else(lab, vpn):
    with lab.watch() as verdict:
        job = lab.sandbox_start([PYTHON, "-u", "-c", f"""
import socket, sys, time
s = socket.create_connection(('{FAR}', 7), timeout=5)
s.sendall(b'x'); print('got', s.recv(1), flush=True)
sys.stdin.readline()
for _ in range(20):
    try:
        s.sendall(b'y' * 1000); time.sleep(0.1)
    except OSError:
        break
print('over', flush=True)"""], BY_TUN, OFF, stdin=subprocess.PIPE)
        assert job.says("got b'x'"), job.ran(None)
        vpn.kill()
        job.popen.stdin.write(b"\n")
        job.popen.stdin.flush()
        assert job.says("over"), job.ran(None)
    assert verdict, verdict


def test_one_udp_socket_outlives_the_vpn(lab, vpn):
    with lab.watch() as verdict:
        ask = Asker(lab, f"""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
for line in sys.stdin:
    try:
        s.sendto(b'x', ('{FAR}', 7)); print(s.recv(9), flush=True)
    except OSError as e:
        print('nothing', flush=True)""")
        assert ask() == "b'x'"
        vpn.kill()
        assert ask() == "nothing" and ask() == "nothing"
        vpn.start()
        assert wait_for(lambda: ask() == "b'x'", 5)
    assert verdict, verdict


def test_device_that_is_down_means_no_network(lab, vpn):
    with lab.watch() as verdict:
        ip("link", "set", "tun0", "down")
        got = lab.inside(PAGE + f"""
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(1)
def udp():
    try:
        u.sendto(b'x', ('{FAR}', 7)); return u.recv(9)
    except OSError:
        return None
out([page('{FAR}'), udp(), sh('ping -c1 -W1 {FAR}')[0] == 0])""", BY_TUN, OFF)
    assert got == ["ENETUNREACH", None, False]
    assert verdict, verdict


def test_device_that_was_never_there_means_no_network(lab):
    with lab.watch() as verdict:
        got = lab.inside(PAGE + f"out(page({FAR!r}))", "direct://?dev=no0", OFF)
    assert got == "EHOSTUNREACH" and verdict, (got, verdict)


# --- a resolver on the host's loopback, as Lokinet has it

@pytest.fixture
def lokinet(lab):
    """The shape of Lokinet: addresses out of 172.16/12 mean something in its
    network alone, and a resolver on 127.3.2.1 lends them."""
    far = "172.16.10.5"
    with OpenVpn(lab, "lokitun0", "172.16.0", "fd00:10:") as one, \
            ToyDns(lab, "host", "127.3.2.1",
                   {("something.loki", "A"): [far],
                    ("big.loki", "A"): [far]}) as one.dns:
        ip("addr", "add", f"{far}/32", "dev", "lo", place="prx")
        servers = FarServers(lab.path("prx"))
        yield one
        servers.close()
        ip("addr", "del", f"{far}/32", "dev", "lo", place="prx")


LOKI = "direct://?dev=lokitun0"


@pytest.mark.smoke
def test_names_by_a_resolver_on_the_hosts_loopback(lab, lokinet):
    with lab.watch() as verdict:
        got = lab.inside(PAGE + "out([page('something.loki'), "
                         "page('big.loki')])", LOKI, ["-d", "udp://127.3.2.1"])
    assert got == [lokinet.ours] * 2
    kinds = {kind for kind, *_ in lokinet.dns.asked}
    assert kinds == {"udp", "tcp"}, "a long answer is fetched by TCP"
    assert verdict, verdict


def test_the_same_in_a_named_sandbox(lab, lokinet):
    with Keep(lab, {"loki": 'chain = {"direct://?dev=lokitun0"}\n'
                            'dns = {"udp://127.3.2.1:53"}'}) as keep:
        keep.up("loki")
        with lab.watch() as verdict:
            assert keep.inside("loki", PAGE + "out(page('something.loki'))") \
                == lokinet.ours
        assert verdict, verdict


def test_dead_resolver_on_the_loopback_leads_nowhere_else(lab, lokinet):
    lokinet.dns.close()
    with lab.watch() as verdict:
        got = lab.inside(PAGE + "out(page('something.loki'))", LOKI,
                         ["-d", "udp://127.3.2.1"])
    assert got in ("EAI_AGAIN", "gaierror"), got
    assert verdict, verdict


def test_hosts_own_stub_resolver_is_refused(lab, vpn):
    """It would ask others, past the VPN."""
    with open("/etc/resolv.conf", encoding="ascii") as file:
        before = file.read()
    try:
        with open("/etc/resolv.conf", "w", encoding="ascii") as file:
            file.write("nameserver 127.0.0.53\n")
        ran = lab.sandbox(["true"], BY_TUN)
    finally:
        with open("/etc/resolv.conf", "w", encoding="ascii") as file:
            file.write(before)
    assert ran.rc == 125 and "past tun0" in ran.err, ran
    assert "-d udp://IP" in ran.err, ran
