# SPDX-License-Identifier: GPL-3.0-or-later
"""An interface of the host is moved into a sandbox, and given back."""
import json
import os
import signal
import time

import pytest

from lab import Keep, Machine, ToyDns
from lab.run import parent_of, pids, role_of, wait_for
from lab.vpn import PAGE, OpenVpn, has_link, ip

FAR, FAR6 = "203.0.113.5", "2001:db8:1::5"
ATTACH = 'attach = "tun0"\ndns = {"udp://203.0.113.53"}'


@pytest.fixture
def vpn(lab):
    with OpenVpn(lab) as one:
        ip("route", "add", "203.0.113.0/24", "via", one.theirs, "dev", "tun0",
           "metric", "50")
        ip("route", "add", "default", "dev", "tun0", "table", "77")
        ip("-6", "route", "add", "2001:db8:1::/64", "dev", "tun0")
        ip("link", "set", "tun0", "mtu", "1400", "alias", "my tunnel")
        yield one


@pytest.fixture
def keep(lab):
    with Keep(lab, {"vpn": ATTACH}, user=False) as one:
        yield one
    assert ip("link").count("nspv") == 0


def state(dev="tun0", place="host"):
    """All that one can see of it, but for its number and counters."""
    link = json.loads(ip("-j", "link", "show", dev, place=place))[0]
    addresses = json.loads(ip("-j", "addr", "show", dev,
                              place=place))[0]["addr_info"]
    routes = [ip(family, "route", "show", "table", "all", "dev", dev,
                 place=place).splitlines() for family in ("-4", "-6")]
    return ([link[key] for key in ("flags", "mtu", "ifalias", "qdisc")],
            sorted(json.dumps(a, sort_keys=True) for a in addresses),
            [sorted(r for r in one if not r.startswith("multicast"))
             for one in routes])


def seen(keep, *hosts):
    return keep.inside("vpn", PAGE + f"out([page(h) for h in {hosts!r}])")


# --- what it is like

@pytest.mark.smoke
def test_the_interface_is_the_network_and_comes_back_as_it_was(lab, vpn, keep):
    before = state()
    with ToyDns(lab, table={("behind.example", "A"): [FAR]}), \
            lab.watch() as verdict:
        box = keep.up("vpn")
        assert not has_link("tun0"), "it has left the host"
        assert box["way"] == "attached tun0"
        assert seen(keep, FAR, FAR6, "behind.example") == [
            vpn.ours, vpn.ours6, vpn.ours]
        links = keep.inside("vpn", "out(sorted(os.listdir('/sys/class/net'))"
                            " if 0 else [n for _, n in socket.if_nameindex()])")
        assert sorted(links) == ["lo", "tun0"], "and no other"
        assert keep("down", "vpn").rc == 0
    assert state() == before
    assert verdict, verdict
    vpn.wait_up()


def test_resolv_conf_names_the_servers_of_the_profile(lab, vpn, keep):
    keep.write({"vpn": 'attach = "tun0"\n'
                       'dns = {"udp://10.8.0.1", "fd00:8::1"}'})
    keep.up("vpn")
    code = "out([l for l in open('/etc/resolv.conf') if 'nameserver' in l])"
    assert keep.inside("vpn", code) == ["nameserver 10.8.0.1\n",
                                        "nameserver fd00:8::1\n"]


def test_without_any_route_all_goes_by_the_interface(lab, vpn, keep):
    ip("route", "del", "203.0.113.0/24", "dev", "tun0")
    ip("route", "del", "default", "dev", "tun0", "table", "77")
    ip("-6", "route", "del", "2001:db8:1::/64", "dev", "tun0")
    before = state()
    keep.up("vpn")
    assert seen(keep, FAR, FAR6) == [vpn.ours, vpn.ours6]
    assert keep("down", "vpn").rc == 0
    assert state() == before, "the sandbox's default route stays behind"


def test_routes_of_other_tables_lead_inside(lab, vpn, keep):
    ip("route", "del", "203.0.113.0/24", "dev", "tun0")
    keep.up("vpn")
    said = keep.inside("vpn", "out(sh('ip route get 203.0.113.5')[1])")
    assert "tun0 table 77" in said, said


def test_published_port_leads_inside(lab, vpn, keep):
    keep.write({"vpn": ATTACH + '\npublish = {"127.0.0.1:8088:80"}'})
    keep.up("vpn")
    job = keep.inside_start("vpn", """
s = socket.socket(); s.bind(('127.0.0.1', 80)); s.listen()
print('up', flush=True)
c, _ = s.accept(); c.sendall(b'inside'); c.close()""")
    assert job.says("up"), job.ran(None)
    assert lab.outside("out(socket.create_connection(('127.0.0.1', 8088))"
                       ".recv(9).decode())") == "inside"


@pytest.mark.parametrize("guard", ["plain", "strict"])
def test_other_guards_have_it_too(lab, vpn, keep, guard):
    keep.write({"vpn": f"{ATTACH}\nguard = {guard}"})
    keep.up("vpn")
    ran = keep.exec("vpn", "curl", "-sS", "-m5", f"http://{FAR}/",
                    cwd="/")
    assert ran.rc == 0 and f'"from": "::ffff:{vpn.ours}"' in ran.out, ran
    ran = keep.exec("vpn", "cat", "/etc/resolv.conf", cwd="/")
    assert ran.out.startswith("nameserver 203.0.113.53\n"), ran
    if guard == "plain":
        ran = lab.run(["ip", "netns", "exec", "vpn", "cat",
                       "/etc/resolv.conf"], user=False)
        assert ran.out.startswith("nameserver 203.0.113.53\n"), ran


def test_a_helper_inside_has_it_from_the_start(lab, vpn, keep):
    keep.write({"vpn": ATTACH + f"""
helper "first" {{
    command = {{"sh", "-c", "curl -sS -m5 http://{FAR}/ >&2; sleep 60"}}
    restart = never
}}"""})
    keep.up("vpn")
    assert wait_for(lambda: any(
        what[0] == "tcp" and what[2] == 80 and vpn.ours in what[3]
        for what in lab.far.seen)), lab.far.seen[-3:]


# --- the kill switch

def test_killed_vpn_means_no_network(lab, vpn, keep):
    with lab.watch() as verdict:
        keep.up("vpn")
        assert seen(keep, FAR) == [vpn.ours]
        vpn.kill()
        assert seen(keep, FAR, FAR6) == ["ENETUNREACH"] * 2
        got = keep.inside("vpn", f"""
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    u.sendto(b'x', ('{FAR}', 7)); out('sent')
except OSError as e:
    out(e.errno)""")
        assert got == 101
    assert verdict, verdict


def test_vpn_that_is_started_again_is_taken_by_a_restart(lab, vpn, keep):
    keep.up("vpn")
    vpn.kill()
    vpn.start()
    assert seen(keep, FAR) == ["ENETUNREACH"], "nobody moves it by himself"
    assert keep("restart", "vpn").rc == 0
    assert seen(keep, FAR) == [vpn.ours]


def test_missing_interface_is_told(lab, vpn, keep):
    vpn.kill()
    ran = keep("up", "vpn")
    assert ran.rc != 0 and "no interface 'tun0' on the host" in ran.err, ran
    vpn.start()
    assert keep.up("vpn")["state"] == "up"
    assert seen(keep, FAR, FAR6) == [vpn.ours, vpn.ours6]


# --- who is killed takes nothing with him

def is_back_inside(keep, vpn, box):
    def look():
        now = keep.status("vpn")
        return now["state"] == "up" and now["keeper"] != box["keeper"]
    assert wait_for(look, 20), keep.status("vpn")
    assert seen(keep, FAR) == [vpn.ours]


def test_killed_keeper_gives_it_to_the_next(lab, vpn, keep):
    before = state()
    with lab.watch() as verdict:
        box = keep.up("vpn")
        os.kill(box["keeper"], signal.SIGKILL)
        is_back_inside(keep, vpn, box)
    assert verdict, verdict
    assert keep("down", "vpn").rc == 0
    assert state() == before


def test_killed_daemon_changes_nothing_and_the_next_gives_back(lab, vpn, keep):
    before = state()
    keep.up("vpn")
    keep.kill()
    keep.start()
    assert seen(keep, FAR) == [vpn.ours]
    assert keep("down", "vpn").rc == 0
    assert state() == before


def test_daemon_and_keeper_killed_at_once(lab, vpn, keep):
    before = state()
    box = keep.up("vpn")
    keep.kill()
    os.kill(box["keeper"], signal.SIGKILL)
    assert not has_link("tun0"), "its namespace has a name that holds it"
    keep.start()
    is_back_inside(keep, vpn, box)
    assert keep("down", "vpn").rc == 0
    assert state() == before


def test_builders_that_are_killed_lose_nothing(lab, vpn, keep):
    before = state()
    for i in range(12):
        job = lab.start([lab.nsproxy_path, "up", "vpn"], user=False,
                        env=keep.env())
        time.sleep(0.004 * i)
        # Looked for beforehand: what a dead one leaves, the daemon inherits.
        for pid in [pid for pid in pids() if role_of(pid) == "@builder"
                    and parent_of(pid) == keep.job.pid]:
            os.kill(pid, signal.SIGKILL)
        job.wait(20)
        keep("down", "vpn")
        assert wait_for(lambda: has_link("tun0")), (i, keep("status").out)
        assert wait_for(lambda: state() == before), (i, state(), before)
    assert keep.up("vpn")["state"] == "up"
    assert seen(keep, FAR) == [vpn.ours]


@pytest.mark.parametrize("has_box", [True, False], ids=["box", "pin"])
def test_collecting_gives_back_what_nobody_knows(lab, vpn, keep,
                                                has_box):
    """Killed in the middle of 'down': no wish, maybe no socket, and a pin."""
    before = state()
    box = keep.up("vpn")
    keep.kill()
    os.kill(box["keeper"], signal.SIGKILL)
    assert not wait_for(lambda: has_link("tun0"), 0.5)
    os.unlink(keep.state)
    if not has_box:
        os.unlink(f"{keep.boxes}/vpn")
    keep.start()
    if not has_box:
        assert keep("gc", "--dry-run").out == "would remove vpn\n"
        assert keep("gc").out == "removed vpn\n"
    assert wait_for(lambda: has_link("tun0"))
    assert wait_for(lambda: state() == before), state()
    assert not os.path.exists("/run/netns/vpn")


def test_a_program_that_stays_inside_loses_it(lab, vpn, keep):
    before = state()
    keep.up("vpn")
    job = keep.inside_start("vpn", PAGE + f"""
print('here', flush=True)
while page('{FAR}') != 'ENETUNREACH':
    time.sleep(0.05)
print('lost', flush=True); time.sleep(30)""")
    assert job.says("here"), job.ran(None)
    with lab.watch() as verdict:
        assert keep("down", "vpn").rc == 0
        assert state() == before
        assert job.says("lost"), job.ran(None)
    assert verdict, verdict


def test_failing_sandbox_gives_it_back(lab, vpn, keep):
    """A route whose source address is another link's cannot be kept."""
    ip("addr", "add", "192.168.99.1/32", "dev", "lo")
    try:
        ip("route", "add", "203.0.114.0/24", "dev", "tun0", "src",
           "192.168.99.1")
        before = state()
        ran = keep("up", "vpn")
        assert ran.rc != 0 and "set a route" in ran.err, ran
        assert state() == before
    finally:
        ip("addr", "del", "192.168.99.1/32", "dev", "lo")


# --- what is refused

def test_run_and_a_users_daemon_cannot_move_it(lab, vpn):
    with Keep(lab, {"vpn": ATTACH}) as keep:
        ran = keep("run", "-P", "vpn", "--", "true")
        assert ran.rc == 125 and "only root's daemon can move" in ran.err, ran
        assert "direct://?dev=tun0" in ran.err, ran
        ran = keep("up", "vpn")
        assert ran.rc != 0 and "root's daemon alone" in ran.err, ran
    assert has_link("tun0")


@pytest.mark.parametrize("more, word", [
    ('chain = {"direct://"}', "'chain' and 'attach' exclude each other"),
    ('expose = {"127.0.0.1:1"}', "'expose' and 'attach' exclude"),
    ("veth = true", "'veth' and 'attach' exclude"),
    ("dns = fake", "no proxy that takes names"),
    ('dns = {"tcp://10.8.0.1"}', "port 53 and no other way"),
    ('dns = {"127.3.2.1"}', "loopback is not reached"),
])
def test_what_needs_a_gate_is_refused_beside_it(lab, more, word):
    with Keep(lab, {"vpn": f'attach = "tun0"\n{more}'}) as keep:
        ran = keep("config", "check")
        assert ran.rc != 0 and word in ran.out + ran.err, ran


def test_defaults_for_chains_are_not_for_it(lab):
    with Keep(lab, {"vpn": 'attach = "tun0"\ndns = off'}) as keep:
        with open(f"{keep.config}/nsproxy.conf", "a",
                  encoding="ascii") as file:
            file.write('defaults { chain = "direct://"  veth = true }\n'
                       'profile "other" { veth = false }\n')
        ran = keep("config", "check")
        assert ran.rc == 0, ran
        ran = keep("config", "show", "vpn")
        assert ran.rc == 0 and "attached tun0" in ran.out, ran


@pytest.mark.parametrize("name", ["lo", "", "a/b", "0123456789abcdef"])
def test_names_that_no_interface_has_are_refused(lab, name):
    with Keep(lab, {"vpn": f'attach = "{name}"'}) as keep:
        ran = keep("config", "check")
        assert ran.rc != 0 and "attach" in ran.out + ran.err, ran


def test_switch_to_and_from_it_needs_a_restart(lab, vpn, keep):
    keep.write({"vpn": ATTACH, "other": 'chain = {"block://"}'})
    keep.up("vpn")
    ran = keep("switch", "vpn", "other")
    assert ran.rc != 0 and "'attach' of the profile differs" in ran.err, ran
    assert seen(keep, FAR) == [vpn.ours]


def test_the_service_has_the_power_for_it(lab):
    """A persistent TUN of a machine that systemd runs."""
    with Machine(lab, 'profile "vpn" { attach = "tun0"  dns = off }\n') as box:
        box.good("ip", "tuntap", "add", "tun0", "mode", "tun")
        box.good("ip", "addr", "add", "10.8.0.2/24", "dev", "tun0")
        box.good("ip", "link", "set", "tun0", "up")
        box.good("ip", "route", "add", "10.20.0.0/16", "via", "10.8.0.1")
        before = box.good("ip", "route", "show", "dev", "tun0")
        box.good("nsproxy", "up", "vpn")
        assert box("ip", "link", "show", "tun0").rc != 0
        inside = box.good("nsproxy", "exec", "vpn", "--", "ip", "route")
        assert "10.20.0.0/16 via 10.8.0.1 dev tun0" in inside
        box.good("nsproxy", "down", "vpn")
        assert box.good("ip", "route", "show", "dev", "tun0") == before
