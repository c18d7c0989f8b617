# SPDX-License-Identifier: GPL-3.0-or-later
"""A link between a sandbox of root's daemon and its host, and its wall."""
import json
import os
import signal
import subprocess
import time

import pytest

from lab import Keep
from lab.run import wait_for

PORTS = 'veth = true\nveth-ports = {"tcp:5001", "udp:5002"}'
FAR = "203.0.113.5"
BOUND = 10           # seconds that the wall waits for the daemon

# Answers with who is asking, on all addresses of the host.
SERVE = """
def tcp_at(port):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('0.0.0.0', port)); s.listen()
    def serve():
        while True:
            c, who = s.accept(); c.sendall(who[0].encode()); c.close()
    threading.Thread(target=serve, daemon=True).start()
def udp_at(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('0.0.0.0', port))
    def serve():
        while True:
            data, who = s.recvfrom(100); s.sendto(who[0].encode(), who)
    threading.Thread(target=serve, daemon=True).start()
import threading
tcp_at(5001); tcp_at(5003); udp_at(5002); udp_at(5004)
print('up', flush=True); time.sleep(300)
"""

ASK = """
def ask_tcp(ip, port):
    try:
        s = socket.create_connection((ip, port), timeout=1)
        s.settimeout(1)
        return s.recv(100).decode()
    except OSError as e:
        return errno.errorcode.get(e.errno, 'ETIMEDOUT')
def ask_udp(ip, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
    try:
        s.sendto(b'x', (ip, port)); return s.recv(100).decode()
    except OSError as e:
        return errno.errorcode.get(e.errno, 'ETIMEDOUT')
import errno
"""


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True,
                          text=True).stdout


def links():
    return [link for link in json.loads(ip("-n", "host", "-j", "-d", "link"))
            if link["ifname"].startswith("nsp")]


def rules():
    return subprocess.run(["ip", "netns", "exec", "host", "nft", "list",
                           "ruleset"], check=True, capture_output=True,
                          text=True).stdout


def residue():
    return [link["ifname"] for link in links()], rules()


@pytest.fixture
def keep(lab, proxy):
    chain = f'chain = {{"{proxy.url()}"}}'
    with Keep(lab, {"work": f"{chain}\n{PORTS}", "other": f"{chain}\n{PORTS}",
                    "shut": f"{chain}\nveth = true", "plain": chain},
              user=False) as one:
        yield one
    assert residue() == ([], ""), "nothing is left"


@pytest.fixture
def server(lab):
    job = lab.start(["/usr/bin/python3", "-c", "from inside import *\n" +
                     SERVE], user=False)
    assert job.says("up"), job.ran(None)
    return job


def ask(keep, name, kind, address, port):
    return keep.inside(name, ASK + f"out(ask_{kind}('{address}', {port}))")


def comes_back(keep, box, *victims):
    """Wait until it is up and has others for those who were killed."""
    def look():
        now = keep.status("work")
        return now["state"] == "up" and all(
            now[who] not in (0, box[who]) for who in victims) and now
    now = wait_for(look, 15)
    assert now, keep.status("work")
    return now


# --- what passes

def test_listed_ports_of_the_host_are_reached(keep, server):
    veth = keep.up("work")["veth"]
    assert veth["ports"] == ["tcp:5001", "udp:5002"]
    assert ask(keep, "work", "tcp", veth["host"], 5001) == veth["inside"]
    assert ask(keep, "work", "udp", veth["host"], 5002) == veth["inside"]


def test_no_other_port_is_reached(keep, server):
    veth = keep.up("work")["veth"]
    for kind, port in (("tcp", 5003), ("udp", 5004), ("tcp", 5002),
                       ("udp", 5001)):
        assert ask(keep, "work", kind, veth["host"], port) == "ETIMEDOUT"
    said = keep.inside("work", f"out(sh('ping -c1 -W1 {veth['host']}')[0])")
    assert said != 0, "nor does the host answer pings"


def test_without_a_list_no_port_is_reached(keep, server):
    veth = keep.up("shut")["veth"]
    assert ask(keep, "shut", "tcp", veth["host"], 5001) == "ETIMEDOUT"
    assert "ports      none" in keep("status", "shut").out


def test_host_reaches_what_listens_inside(keep, lab):
    veth = keep.up("shut")["veth"]
    job = keep.inside_start("shut", """
s = socket.socket(); s.bind(('0.0.0.0', 7000)); s.listen()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('0.0.0.0', 7000))
print('up', flush=True)
c, who = s.accept(); c.sendall(who[0].encode()); c.close()
data, who = u.recvfrom(9); u.sendto(who[0].encode(), who)
time.sleep(20)""")
    assert job.says("up"), job.ran(None)
    for kind in ("tcp", "udp"):
        assert lab.outside(ASK + f"out(ask_{kind}('{veth['inside']}', 7000))") \
            == veth["host"]


def test_all_else_goes_by_the_proxy(keep, proxy):
    keep.up("work")
    said = keep.inside("work", f"""
out([connect_err('{FAR}', 7)[0], connect_err('name.example', 7)[0]])""")
    assert said == ["OK", "OK"]
    assert proxy.asked("name.example", 7) and proxy.asked(FAR, 7)
    said = keep.inside("work", "out(connect_err('10.66.0.2', 1080)[0])")
    assert said != "OK" or proxy.asked("10.66.0.2", 1080), \
        "its neighbours in 10.0.0.0/8 too"


# --- what does not

def as_root_inside(keep, words, code):
    """By a root that entered the network alone, past the gate's rules."""
    path = keep.lab.home_file("attack.py", "from inside import *\n" + ASK +
                              code, 0o644)
    return keep.lab.spoken(keep.lab.run(
        ["ip", "netns", "exec", "work", "sh", "-ec",
         f"{words}\nexec /usr/bin/python3 {path}"], user=False))


def without_a_wall(keep, attack):
    """What the attack would be told if nobody guarded the link."""
    os.kill(keep.job.pid, signal.SIGSTOP)
    try:
        ip("netns", "exec", "host", "nft", "flush", "ruleset")
        return attack()
    finally:
        os.kill(keep.job.pid, signal.SIGCONT)


@pytest.mark.parametrize("address", ["198.51.100.2", "192.168.77.2",
                                     "10.66.0.1"])
def test_other_addresses_of_the_host_are_not_reached_over_it(keep, server,
                                                             address):
    veth = keep.up("work")["veth"]

    def attack():
        return as_root_inside(keep, f"""
ip rule add pref 4 to {address} lookup 77
ip route replace {address} via {veth['host']} dev nsp1 table 77""", f"""
out([ask_tcp('{address}', 5001), ask_udp('{address}', 5002)])""")
    assert attack() == ["ETIMEDOUT", "ETIMEDOUT"]
    ip("-n", "work", "rule", "del", "pref", "4")
    assert without_a_wall(keep, attack) == [veth["inside"]] * 2


def test_nothing_is_forwarded(keep, lab):
    """ip_forward is 1 in the lab's host; silent_wires watches too."""
    host = keep.up("work")["veth"]["host"]
    with lab.watch("inet", "lan") as verdict:
        said = as_root_inside(keep, f"""
ip rule add pref 4 to 192.168.77.1 lookup 77
ip rule add pref 4 to {FAR} lookup 77
ip route add default via {host} dev nsp1 table 77""", f"""
out([ask_udp('192.168.77.1', 7), ask_udp('{FAR}', 7),
     ask_tcp('192.168.77.1', 7), ask_tcp('{FAR}', 7)])""")
    assert said == ["ETIMEDOUT"] * 4
    assert verdict, verdict


def test_spoofed_sources_are_dropped(keep, server):
    veth = keep.up("work")["veth"]

    def attack():
        return as_root_inside(keep, "ip addr replace 10.66.0.2/32 dev lo", f"""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
s.bind(('10.66.0.2', 0))
for _ in range(3): s.sendto(b'x', ('{veth["host"]}', 5002))
out(1)""")
    with keep.lab.watch("prx") as verdict:
        attack()
    assert verdict, f"the host answered: {verdict}"


@pytest.mark.row("N01")
@pytest.mark.loud               # the lan sends on its wire
def test_the_lan_does_not_reach_inside(keep, lab):
    veth = keep.up("work")["veth"]
    job = keep.inside_start("work", """
s = socket.socket(); s.bind(('0.0.0.0', 7000)); s.listen(); s.settimeout(4)
print('up', flush=True)
out(err(s.accept))""")
    assert job.says("up"), job.ran(None)
    ip("-n", "lan", "route", "add", "10.0.0.0/8", "via", "192.168.77.2")
    try:
        said = lab.outside(ASK + f"""out([ask_tcp('{veth['inside']}', 7000),
ask_tcp('{veth['host']}', 7000), ask_udp('{veth['inside']}', 7000)])""",
                           place="lan", user=False)
    finally:
        ip("-n", "lan", "route", "del", "10.0.0.0/8")
    assert "OK" not in said and said[0] == "ETIMEDOUT", said
    assert lab.spoken(job.wait()) != "OK"


@pytest.mark.row("A22")
def test_two_sandboxes_do_not_reach_each_other(keep):
    keep.up("work")
    inside = keep.up("other")["veth"]["inside"]
    job = keep.inside_start("other", """
s = socket.socket(); s.bind(('0.0.0.0', 7000)); s.listen(); s.settimeout(4)
print('up', flush=True)
out(err(s.accept))""")
    assert job.says("up"), job.ran(None)
    ask(keep, "work", "tcp", inside, 7000)         # the way out's to answer
    assert keep.lab.spoken(job.wait()) == "timeout"


def test_no_ip6_and_no_forwarding_on_either_end(keep):
    veth = keep.up("work")["veth"]
    for place, link in (("host", veth["link"]), ("work", "nsp1")):
        said = ip("netns", "exec", place, "sh", "-c",
                  f"cd /proc/sys/net; cat ipv6/conf/{link}/disable_ipv6 "
                  f"ipv4/conf/{link}/forwarding ipv4/conf/{link}/rp_filter")
        assert said.split() == ["1", "0", "1"], (place, said)
        assert "inet6" not in ip("-n", place, "addr", "show", link)
    one = [link for link in links() if link["ifname"] == veth["link"]][0]
    assert one["ifalias"] == "nsproxy sandbox work"
    assert "NOARP" in one["flags"] and "MULTICAST" not in one["flags"]
    assert len(veth["link"]) <= 15


def test_inside_has_no_default_route_by_it(keep):
    keep.up("work")
    out = ip("-n", "work", "route", "show", "table", "all", "dev", "nsp1")
    assert "default" not in out and out.count("/30") == 1, out


# --- addresses

def test_addresses_are_kept_by_a_rebuilt_one(keep):
    first = keep.up("work")
    os.kill(first["keeper"], signal.SIGKILL)
    assert comes_back(keep, first, "keeper")["veth"] == first["veth"]
    assert keep("down", "work").rc == 0
    assert keep.up("work")["veth"] == first["veth"]


def test_addresses_keep_out_of_the_hosts_routes(keep):
    first = keep.up("work")["veth"]["host"]
    keep("down", "work")
    upper = int(first.split(".")[1]) >= 128
    net = "10.128.0.0/9" if upper else "10.0.0.0/9"
    ip("-n", "host", "route", "add", "unreachable", net, "table", "5")
    try:
        second = keep.up("work")["veth"]["host"]
        assert (int(second.split(".")[1]) >= 128) != upper, (first, second)
    finally:
        ip("-n", "host", "route", "del", "unreachable", net, "table", "5")


def test_no_address_left_is_told(keep):
    ip("-n", "host", "route", "add", "10.0.0.0/8", "via", "192.168.77.1")
    try:
        ran = keep("up", "work")
        assert ran.rc == 1 and "10.0.0.0/8" in ran.err, ran
    finally:
        ip("-n", "host", "route", "del", "10.0.0.0/8")
    assert residue() == ([], "")


# --- lives and deaths

SHUT = ASK + """
assert ask_tcp('{host}', 5001).startswith('10.'); print('open', flush=True)
while ask_tcp('{host}', 5001).startswith('10.'): time.sleep(0.2)
print('shut', flush=True); time.sleep(60)"""


def passes(keep, host):
    return ask(keep, "work", "tcp", host, 5001).startswith("10.")


def test_killed_daemon_shuts_the_link_within_the_bound(keep, server):
    veth = keep.up("work")["veth"]
    job = keep.inside_start("work", SHUT.format(**veth))
    assert job.says("open")
    began = time.monotonic()
    keep.kill()
    assert job.says("shut", BOUND + 3), "it stays open"
    assert time.monotonic() - began < BOUND + 2
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    assert passes(keep, veth["host"]), "the next daemon opens it again"


def test_stopped_daemon_shuts_the_link_too(keep, server):
    veth = keep.up("work")["veth"]
    job = keep.inside_start("work", SHUT.format(**veth))
    assert job.says("open")
    os.kill(keep.job.pid, signal.SIGSTOP)
    try:
        assert job.says("shut", BOUND + 3), "it stays open"
    finally:
        os.kill(keep.job.pid, signal.SIGCONT)
    assert wait_for(lambda: passes(keep, veth["host"]), 5)


def test_daemon_that_ends_shuts_it_at_once(keep, server):
    veth = keep.up("work")["veth"]
    job = keep.inside_start("work", ASK + f"""
print('up', flush=True); sys.stdin.read()
out(ask_tcp('{veth['host']}', 5001))""", stdin=subprocess.PIPE)
    assert job.says("up")
    keep("stop", "--keep")
    keep.job.popen.wait(5)
    job.popen.stdin.close()
    assert keep.lab.spoken(job.wait()) == "ETIMEDOUT"
    keep.start()


def test_rules_that_somebody_flushed_come_back(keep, server):
    veth = keep.up("work")["veth"]
    subprocess.run(["ip", "netns", "exec", "host", "nft", "flush", "ruleset"],
                   check=True)
    assert wait_for(lambda: "awake" in rules(), 1)
    assert ask(keep, "work", "tcp", veth["host"], 5003) == "ETIMEDOUT"
    assert passes(keep, veth["host"])
    assert "removed the packet rules" in keep.job.err


def test_rules_flushed_while_no_daemon_lives_come_with_the_next(keep, server,
                                                                proxy):
    """Until then the host's end is open, as the manual says, and no more."""
    host = keep.up("work")["veth"]["host"]
    job = keep.inside_start("work", ASK + f"""
print('up', flush=True); sys.stdin.read()
out([ask_tcp('{host}', 5003)[:3], ask_tcp('198.51.100.2', 5003),
     ask_udp('192.168.77.2', 5004), ask_udp('{FAR}', 7)])""",
                            stdin=subprocess.PIPE)
    assert job.says("up"), job.ran(None)
    keep.kill()
    ip("netns", "exec", "host", "nft", "flush", "ruleset")
    job.popen.stdin.close()
    said = keep.lab.spoken(job.wait())
    assert said[0] == "10." and not said[1].startswith("10.") and \
        not said[2].startswith("10."), said
    assert proxy.asked("198.51.100.2", 5003), "the others by the way out"
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    assert ask(keep, "work", "tcp", host, 5003) == "ETIMEDOUT"


@pytest.mark.row("A42")
def test_down_cuts_programs_that_stay_inside(keep, server):
    veth = keep.up("work")["veth"]
    job = keep.inside_start("work", ASK + f"""
print(ask_tcp('{veth['host']}', 5001), flush=True)
sys.stdin.read()
out(ask_tcp('{veth['host']}', 5001))""", stdin=subprocess.PIPE)
    assert job.says("10.")
    assert keep("down", "work").rc == 0
    assert residue() == ([], "")
    job.popen.stdin.close()
    assert not keep.lab.spoken(job.wait()).startswith("10.")


def test_killed_keeper_cuts_programs_that_stay_inside(keep, server):
    box = keep.up("work")
    host = box["veth"]["host"]
    job = keep.inside_start("work", ASK + f"""
print(ask_tcp('{host}', 5001), flush=True)
sys.stdin.read()
out(ask_tcp('{host}', 5001))""", stdin=subprocess.PIPE)
    assert job.says("10.")
    os.kill(box["keeper"], signal.SIGKILL)
    comes_back(keep, box, "keeper")
    job.popen.stdin.close()
    assert not keep.lab.spoken(job.wait()).startswith("10.")
    assert len(links()) == 1 and passes(keep, host)


@pytest.mark.parametrize("victims", [
    ["worker"], ["keeper"], ["keeper", "worker"], ["daemon"],
    ["daemon", "keeper"], ["daemon", "keeper", "worker"]],
    ids=lambda v: "+".join(v))
def test_whoever_is_killed_it_comes_back_and_leaves_nothing(keep, server,
                                                            victims):
    box = keep.up("work")
    if "daemon" in victims:
        keep.kill()
    for who in victims:
        if who != "daemon":
            os.kill(box[who], signal.SIGKILL)
    if "daemon" in victims:
        keep.start()
    now = comes_back(keep, box, *set(victims) - {"daemon"})
    assert now["veth"] == box["veth"]
    assert passes(keep, box["veth"]["host"])
    assert len(links()) == 1
    assert keep("down", "work").rc == 0
    assert residue() == ([], "")


def test_daemon_killed_while_it_builds_leaves_nothing(keep):
    for pause in range(8):
        with keep.call() as sock:
            sock.sendall(b'{"method":"org.nsproxy.Up","parameters":'
                         b'{"name":"work"}}\0')
            time.sleep(pause * 0.004)
            keep.kill()
        keep.start()
        keep("down", "work")
        assert wait_for(lambda: residue() == ([], ""), 5), residue()


def test_gc_removes_links_of_the_dead(keep, lab):
    ip("-n", "host", "link", "add", "nspv00ffff", "type", "veth", "peer",
       "nspq")
    ip("-n", "host", "link", "set", "nspv00ffff", "alias",
       "nsproxy sandbox dead")
    ip("-n", "host", "link", "add", "nspv00fffe", "type", "veth", "peer",
       "nspr")
    try:
        keep.up("work")
        assert keep("gc", "--dry-run").out == "would remove dead\n"
        assert keep("gc").out == "removed dead\n"
        names = {link["ifname"] for link in links()}
        assert names == {"nspv00fffe", "nspr", keep.status("work")["veth"]["link"]}
    finally:
        ip("-n", "host", "link", "del", "nspv00fffe")


# --- words

def test_status_tells_what_a_firewall_must_allow(keep):
    link = keep.up("work")["veth"]["link"]
    out = keep("status", "work").out
    for text in (f"iifname {link} accept", f"ufw allow in on {link}",
                 f"--add-interface={link}", "tcp:5001 udp:5002"):
        assert text in out, out
    assert "veth" not in keep.up("plain")


def test_a_users_daemon_refuses_it(lab, proxy):
    text = f'chain = {{"{proxy.url()}"}}\nveth = true'
    with Keep(lab, {"work": text}) as keep:
        ran = keep("up", "work")
        assert ran.rc == 1 and "root's daemon alone" in ran.err, ran
        assert ran.err.count("\n") == 1


@pytest.mark.parametrize("port", ["5001", "tcp:", "tcp:0", "tcp:65536",
                                  "sctp:1", "tcp:http"])
def test_odd_ports_are_refused(lab, proxy, port):
    keep = Keep(lab, {"work": f'chain = {{"{proxy.url()}"}}\nveth = true\n'
                              f'veth-ports = {{"{port}"}}'})
    ran = keep("config", "check")
    assert ran.rc == 1 and f"'{port}'" in ran.err + ran.out, ran
