# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: a planted leak must be caught, silence must be silence."""
import time

import pytest

from lab import Faults, ToyDns, ToyProxy

CURL = ["curl", "-sS", "--max-time", "5"]


def test_idle_wires_are_silent(world):
    with world.watch() as verdict:
        time.sleep(1)
    assert verdict, verdict


@pytest.mark.loud
@pytest.mark.parametrize("code, wire", [
    ("tcp('203.0.113.9', 80)", "inet"),
    ("udp('203.0.113.9', 7).send(b'x')", "inet"),
    ("tcp('2001:db8:1::9', 80)", "inet"),
    ("udp('198.51.100.53', 53).send(b'x')", "inet"),
    ("tcp('192.168.77.1', 80)", "lan"),
    ("tcp('fd00:77::1', 80)", "lan"),
    ("udp('224.0.0.251', 5353).send(b'x')", "inet"),
    ("udp('10.66.0.2', 53).send(b'x')", "prx"),
    ("tcp('10.66.0.2', 81)", "prx"),
])
def test_planted_leak_is_caught(world, code, wire):
    with world.watch() as verdict:
        world.outside(f"err(lambda: {code}); out(1)")
    assert wire in verdict.leaks, verdict


@pytest.mark.loud
def test_burst_without_sandbox_is_caught_everywhere(world):
    with world.watch() as verdict:
        ran = world.run(["/usr/bin/python3", "/run/lab/burst.py", "1"])
    assert ran.rc == 0, ran
    assert set(verdict.leaks) == {"inet", "lan", "prx"}, verdict


def test_proxied_traffic_is_no_leak(world):
    with ToyProxy(world) as proxy, world.watch() as verdict:
        ran = world.run([*CURL, "-x", proxy.url("socks5h"),
                         "http://a.example/"])
    assert ran.rc == 0 and '"host": "a.example"' in ran.out, ran
    assert verdict, verdict
    assert proxy.log[0].host == "a.example" and proxy.log[0].atyp == 3


@pytest.mark.parametrize("scheme", ["socks5h", "socks5", "socks4a", "http"])
def test_toy_proxy_speaks(world, scheme):
    with ToyProxy(world) as proxy:
        ran = world.run([*CURL, "-p", "-x", proxy.url(scheme),
                         "http://203.0.113.5/"])
    assert ran.rc == 0 and '"at": "203.0.113.5"' in ran.out.replace(
        "::ffff:", ""), ran


def test_toy_proxy_checks_credentials(world):
    with ToyProxy(world, auth=("joe", "secret")) as proxy:
        good = world.run([*CURL, "-x", proxy.url(auth=("joe", "secret")),
                          "http://203.0.113.5/"])
        bad = world.run([*CURL, "-x", proxy.url(auth=("joe", "wrong")),
                         "http://203.0.113.5/"])
    assert good.rc == 0 and bad.rc != 0, (good, bad)


def test_toy_proxy_misbehaves_on_demand(world):
    with ToyProxy(world, faults=Faults(reply=5)) as proxy:
        ran = world.run([*CURL, "-x", proxy.url(), "http://203.0.113.5/"])
    assert ran.rc == 97 or ran.rc == 7, ran


def test_toy_proxy_tells_true_errors(world):
    with ToyProxy(world) as proxy:
        closed = world.run([*CURL, "-v", "-x", proxy.url(),
                            "http://203.0.113.5:79/"])
        lost = world.run([*CURL, "-v", "-x", proxy.url(),
                          "http://203.0.113.250/"])
    assert "(5)" in closed.err, closed
    assert "(4)" in lost.err, lost


@pytest.mark.parametrize("server", ["203.0.113.53"])
def test_toy_dns_answers(world, server):
    with ToyDns(world, table={("a.example", "A"): ["203.0.113.7"]}):
        ran = world.run(["dig", "+short", f"@{server}", "a.example"],
                        place="prx", user=False)
        tcp = world.run(["dig", "+short", "+tcp", f"@{server}", "a.example"],
                        place="prx", user=False)
    assert ran.out.strip() == tcp.out.strip() == "203.0.113.7", (ran, tcp)


@pytest.mark.parametrize("address", ["203.0.113.9", "2001:db8:1::9"])
def test_far_udp_answers_from_the_address_asked(world, address):
    got = world.outside(
        f"s = udp('{address}', 7); s.send(b'hi'); out(s.recv(9).decode())",
        place="prx", user=False)
    assert got == "hi"


def test_ordinary_user_is_ordinary(world):
    ran = world.run(["id"])
    assert "uid=61234(nsplab) gid=61234(nsplab)" in ran.out, ran
    assert "nspextra" in ran.out, ran
    caps = world.run(["grep", "Cap", "/proc/self/status"])
    assert "CapEff:\t0000000000000000" in caps.out, caps
