# SPDX-License-Identifier: GPL-3.0-or-later
"""The real tor: names, onions, isolation, and what happens when it dies."""
import json
import re
import subprocess

import pytest

from lab import Keep, ToyDns
from lab.run import wait_for
from lab.world import PRESETS

pytestmark = [pytest.mark.net, pytest.mark.alone]

SITE, SITE_IP = "site.tor.example", "203.0.113.81"
CURL = ["curl", "-sS", "--max-time", "40"]
UP = "203.0.113.53"
WAY = 'chain = {"socks5://127.0.0.1:9050"}\n'


def page(ran):
    assert ran.rc == 0, ran
    return json.loads(ran.out)


def test_network_is_up(lab, tornet):
    """The tests' own ground: its parts live, and it carries without nsproxy."""
    assert all(tor.is_alive() for tor in tornet.tors.values())
    ran = lab.run(["curl", "-sS", "--max-time", "30", "-x",
                   tornet.url().replace("socks5:", "socks5h:"),
                   "http://site.tor.example/"])
    assert ran.rc == 0 and ran.out, ran


# --- names and onions

def test_far_site_by_name_and_no_dns_packet(lab, tornet):
    tornet.forget()
    with lab.watch() as verdict:
        seen = page(lab.sandbox([*CURL, "http://first.tor.example/"],
                                tornet.url()))
    assert verdict, verdict
    assert "203.0.113.83" in seen["at"], seen
    # Tor was given the name, and its exit is who looked it up.
    assert tornet.asked_for("first.tor.example:80")
    assert ("udp", "first.tor.example", "A") in tornet.dns.asked


def test_onion_by_name_and_nobody_asks_for_it(lab, tornet):
    tornet.forget()
    with lab.watch() as verdict:
        seen = page(lab.sandbox([*CURL, f"http://{tornet.onion}/"],
                                tornet.url()))
    assert verdict, verdict
    assert seen["host"] == tornet.onion
    assert tornet.asked_for(f"{tornet.onion}:80")
    assert not tornet.dns.asked


@pytest.mark.parametrize("dns", ["fake", f"udp://{UP}", "socks-resolve"])
def test_onion_is_no_upstreams_business(lab, tornet, dns):
    tornet.forget()
    name = f"{dns[:3]}.up.example"
    with ToyDns(lab, host=UP, table={(name, "A"): ["203.0.113.84"]}) as up:
        seen = page(lab.sandbox([*CURL, f"http://{tornet.onion}/"],
                                tornet.url(), ["-d", dns]))
        assert seen["host"] == tornet.onion
        assert not up.asked and not tornet.dns.asked
        # Of another name they hear.
        lab.sandbox([*CURL, f"http://{name}/"], tornet.url(), ["-d", dns])
        assert (up if dns.startswith("udp") else tornet.dns).asked


def test_named_sandbox_reaches_site_and_onion(lab, tornet):
    with Keep(lab, {"web": WAY}) as keep:
        keep.up("web")
        for name in (SITE, tornet.onion):
            assert page(keep.exec("web", *CURL,
                                  f"http://{name}/"))["host"] == name


def test_preset_needs_no_configuration(lab, tornet):
    for name in (SITE, tornet.onion):
        seen = page(lab.nsproxy("run", "-P", "tor", "--", *CURL,
                                f"http://{name}/",
                                env={"NSPROXY_PRESETS": PRESETS}))
        assert seen["host"] == name


def test_onion_that_is_none_fails_with_a_true_errno(lab, tornet):
    got = lab.inside(f"out(connect_err('{'a' * 56}.onion', 80)[0])",
                     tornet.url())
    assert got == "EHOSTUNREACH"


# --- isolation

HOLD = f"""
socks = [tcp('{SITE}', 7), tcp('{SITE}', 12)]
print('ready', flush=True)
sys.stdin.read()"""


@pytest.mark.row("P18")
def test_each_sandbox_has_circuits_of_its_own(lab, tornet):
    profiles = {name: WAY + "isolate = sandbox" for name in ("one", "two")}
    with Keep(lab, profiles) as keep:
        tornet.forget()
        jobs = []
        for name in profiles:
            keep.up(name)
            jobs.append(keep.inside_start(name, "import sys\n" + HOLD,
                                          stdin=subprocess.PIPE))
        for job in jobs:
            assert job.says("ready", 40), job.ran(None)
        used = tornet.circuits_of_streams(SITE_IP)
    assert len(used) == 4, used
    users = {user for _, user in used}
    circuits = {circuit for circuit, _ in used}
    # Two users, two circuits, and each user has one of them.
    assert len(users) == 2 and None not in users, used
    assert len(circuits) == 2 and len(set(used)) == 2, used


def test_without_isolation_there_is_no_user(lab, tornet):
    job = lab.sandbox_start(["/usr/bin/python3", "-c",
                             "import sys\nfrom inside import *\n" + HOLD],
                            tornet.url(), stdin=subprocess.PIPE)
    assert job.says("ready", 40), job.ran(None)
    used = tornet.circuits_of_streams(SITE_IP)
    assert len(used) == 2 and {user for _, user in used} == {None}, used


# --- what Tor does not carry

def test_udp_is_refused_at_once(lab, tornet):
    got = lab.inside("""
s = udp('203.0.113.5', 443)
def ask():
    s.send(b'initial'); s.recv(100)
ask_first = timed(ask)
out([ask_first, timed(ask)])""", tornet.url())
    for said, seconds in got:
        assert said == "ECONNREFUSED" and seconds < 0.2, got


@pytest.mark.row("P03")
def test_tor_killed_and_back_again(lab, tornet):
    job = lab.sandbox_start(["/usr/bin/python3", "-c", f"""
from inside import *
for line in sys.stdin: print(json.dumps(timed(lambda: tcp('{SITE}', 7))),
                             flush=True)"""], tornet.url(),
                            stdin=subprocess.PIPE)

    def ask():
        seen = len(job.out.splitlines())
        job.popen.stdin.write(b"again\n")
        job.popen.stdin.flush()
        assert wait_for(lambda: len(job.out.splitlines()) > seen, 60), job
        return json.loads(job.out.splitlines()[-1])
    assert ask()[0] == "OK"
    tornet.stop_client()
    try:
        said, seconds = ask()
        assert said == "ECONNREFUSED" and seconds < 1, (said, seconds)
    finally:
        tornet.start_client()
    assert ask()[0] == "OK"


# --- -d socks-resolve

RESOLVE = ["-d", "socks-resolve"]


def dig(lab, way, *words):
    ran = lab.sandbox(["dig", "+tries=1", "+time=25", "+noidnout", *words], way,
                      RESOLVE)
    assert ran.rc == 0, ran
    status = re.search(r"status: (\w+)", ran.out).group(1)
    found = re.search(r";; ANSWER SECTION:\n(.*?)\n\n", ran.out, re.S)
    lines = [line.split() for line in found.group(1).splitlines()] \
        if found else []
    return status, [(int(ttl), kind, data)
                    for _, ttl, _, kind, data in lines], ran


@pytest.mark.smoke
@pytest.mark.parametrize("words, kind, data", [
    ([SITE, "A"], "A", "203.0.113.81"),
    (["six.tor.example", "AAAA"], "AAAA", "2001:db8:1::81"),
    (["-x", "8.8.8.8"], "PTR", "eight.tor.example."),
])
def test_real_answers(lab, tornet, words, kind, data):
    with lab.watch() as verdict:
        status, lines, ran = dig(lab, tornet.url(), *words)
    assert verdict, verdict
    assert status == "NOERROR" and len(lines) == 1, ran
    ttl, got_kind, got = lines[0]
    assert (got_kind, got) == (kind, data) and 50 <= ttl <= 60, ran


@pytest.mark.parametrize("words, status", [
    (["nope.tor.example", "A"], "NXDOMAIN"),
    (["-x", "8.8.8.9"], "NXDOMAIN"),
    ([SITE, "AAAA"], "NOERROR"),
    ([SITE, "MX"], "NOERROR"),
    (["-x", "192.168.1.1"], "NXDOMAIN"),
    (["fake.tor.example", "A"], "SERVFAIL"),    # an address of leases
])
def test_answers_without_records(lab, tornet, words, status):
    got, lines, ran = dig(lab, tornet.url(), *words)
    assert got == status and not lines, ran


def test_real_address_is_what_the_program_connects_to(lab, tornet):
    tornet.forget()
    got = lab.inside(f"""
a = socket.gethostbyname('{SITE}')
out([a, connect_err(a, 7)[0]])""", tornet.url(), RESOLVE)
    assert got == ["203.0.113.81", "OK"]
    assert tornet.asked_for("203.0.113.81:7")


def test_both_families_agree_on_one_look_up(lab, tornet):
    """A and AAAA of a name that has both: one of them, never none."""
    got = lab.inside("""
out(sorted({i[4][0] for i in socket.getaddrinfo('both.tor.example', 7)}))""",
                     tornet.url(), RESOLVE)
    assert len(got) == 1 and got[0] in ("203.0.113.82", "2001:db8:1::82"), got


def test_answers_are_cached(lab, tornet):
    got = lab.inside(f"""
import time
socket.gethostbyname('{SITE}')
began = time.monotonic()
for _ in range(20): socket.getaddrinfo('{SITE}', 7)
out(time.monotonic() - began)""", tornet.url(), RESOLVE)
    assert got < 1
    tornet.forget()
    lab.inside(f"""
for _ in range(5): a = socket.gethostbyname('{SITE}')
out(a)""", tornet.url(), RESOLVE)
    assert tornet.asked_for(f"{SITE}:0")
    assert tornet.asked_count(f"{SITE}:0") == 1


def test_many_names_at_once(lab, tornet):
    got = lab.inside("""
import concurrent.futures as f
def one(i):
    try: return socket.gethostbyname(f'n{i}.many.tor.example')
    except OSError as e: return str(e)
with f.ThreadPoolExecutor(100) as pool: got = list(pool.map(one, range(200)))
out([g for i, g in enumerate(got) if g != f'203.0.113.{i}'])""",
                     tornet.url(), RESOLVE, timeout=120)
    assert got == [], got


def test_tor_behind_another_proxy(lab, tornet):
    """Tor as the last hop of a chain."""
    lab.start(["nsenter", "--net=/run/netns/host", "--", "microsocks", "-i",
               "127.0.0.1", "-p", "1081"], user=False)
    assert wait_for(lambda: ":1081 " in lab.run(["ss", "-Hltn"]).out, 10)
    got = lab.inside(f"""
out([socket.gethostbyname('{SITE}'), connect_err('{tornet.onion}', 80)[0]])""",
                     ["socks5://127.0.0.1:1081", tornet.url()], RESOLVE)
    assert got == [SITE_IP, "OK"]


def test_look_ups_are_isolated_like_connections(lab, tornet):
    way = WAY + "isolate = sandbox\ndns = socks-resolve"
    with Keep(lab, {"real": way}) as keep:
        keep.up("real")
        tornet.forget()
        assert keep.inside("real", f"out(connect_err('{SITE}', 7)[0])") == "OK"
        users = {re.search(r'SOCKS_USERNAME="(\w{32})"', wish).group(1)
                 for target in (f"{SITE}:0", f"{SITE_IP}:7")
                 for wish in tornet.wishes(target)}
    assert tornet.asked_for(f"{SITE}:0") and len(users) == 1, tornet.events


def test_words_in_a_profile(lab, tornet):
    with Keep(lab, {"real": WAY + "dns = socks-resolve"}) as keep:
        keep.up("real")
        got = keep.inside("real", f"out(socket.gethostbyname('{SITE}'))")
        assert got == "203.0.113.81"
        ran = keep("config", "check")
        assert ran.rc == 0, ran
