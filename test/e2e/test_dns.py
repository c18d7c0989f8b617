# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: leases, special names, real upstreams, and no way around them."""
import ipaddress

import pytest

from lab import Decoy, ToyDns, ToyProxy
from lab.run import PYTHON, wait_for

LEASE4 = ipaddress.ip_network("198.18.0.0/15")
LEASE6 = ipaddress.ip_network("2001:2::/48")
UP = "203.0.113.53"
FAR = "203.0.113.5"
TABLE = {("a.example", "A"): ["203.0.113.7"],
         ("a.example", "AAAA"): ["2001:db8:1::7"],
         ("a.example", "TXT"): ['"some text"'],
         ("big.example", "TXT"): ['"%d%s"' % (i, "b" * 200) for i in range(10)],
         ("big.example", "A"): ["203.0.113.8"],
         ("evil.example", "A"): ["198.18.5.5"],
         ("h.example", "HTTPS"): ["1 . alpn=h2 ipv4hint=203.0.113.9 "
                                  "ipv6hint=2001:db8:1::9"]}
TABLE.update({(f"slow.n{i}.example", "A"): [f"203.0.113.{i % 200 + 1}"]
              for i in range(100)})


def dig(lab, proxy, *words, opts=(), **how):
    """Lines of dig's answer section, and its header line with the status."""
    ran = lab.sandbox(["dig", "+tries=1", "+time=12", *words], proxy, opts,
                      **how)
    assert ran.rc == 0, ran
    status = ran.out.partition("status: ")[2].partition(",")[0]
    answers = ran.out.partition(";; ANSWER SECTION:\n")[2].partition(
        "\n\n")[0].splitlines()
    return status, [line.split() for line in answers], ran


def is_lease(text):
    address = ipaddress.ip_address(text)
    return address in (LEASE4 if address.version == 4 else LEASE6)


# --- leases

@pytest.mark.row("A25")
@pytest.mark.smoke
@pytest.mark.parametrize("server", ["8.8.8.8", "127.0.0.53", "::1",
                                    "198.18.0.2", "2001:4860:4860::8888",
                                    "192.168.77.53", "127.0.0.1"])
@pytest.mark.parametrize("how", ["+notcp", "+tcp"])
def test_any_server_answers_with_a_lease(lab, proxy, server, how):
    with lab.watch() as verdict:
        status, lines, ran = dig(lab, proxy, how, f"@{server}", "n.example")
    assert status == "NOERROR" and len(lines) == 1, ran
    assert is_lease(lines[0][4]) and lines[0][1] == "60", ran
    assert verdict, verdict
    assert not proxy.log, "asking is not connecting"


def test_aaaa_gets_a_lease(lab, proxy):
    status, lines, ran = dig(lab, proxy, "@9.9.9.9", "n.example", "AAAA")
    assert status == "NOERROR" and is_lease(lines[0][4]), ran


def test_lease_is_the_names_own(lab, proxy):
    got = lab.inside("""
def ask(n): return socket.gethostbyname(n)
a = [ask(n) for n in ('one.example', 'two.example', 'ONE.Example',
                      'one.example.', 'one.example')]
s = tcp('oNe.example', 7)
out(a)""", proxy)
    one, two, *rest = got
    assert one != two and rest == [one] * 3
    assert proxy.log[0].host == "one.example"


def test_connect_to_a_lease_reaches_the_name(lab, proxy):
    got = lab.inside("""
a = socket.gethostbyname('by-number.example')
s = tcp(a, 80); s.sendall(b'GET / HTTP/1.0\\r\\nHost: h\\r\\n\\r\\n')
read_all(s); out(a)""", proxy)
    assert is_lease(got)
    assert (proxy.log[0].host, proxy.log[0].atyp) == ("by-number.example", 3)


@pytest.mark.row("D12", "A23")
def test_unknown_lease_is_refused_and_never_sent(lab, proxy):
    got = lab.inside("out([connect_err('198.18.99.99', 80),"
                     "connect_err('198.19.1.1', 80),"
                     "connect_err('2001:2::1234:5678', 80)])", proxy)
    for said, secs in got:
        assert said in ("ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"), got
        assert secs < 1, got
    assert not proxy.log, proxy.log


def test_reverse_of_a_lease(lab, proxy):
    got = lab.inside("""
a = socket.gethostbyname('back.example')
out([sh('dig +short -x ' + a)[1].strip(),
     sh('dig -x 198.18.200.200')[1], sh('dig -x 192.168.1.1')[1],
     socket.getnameinfo((a, 80), 0)[0]])""", proxy)
    assert got[0] == "back.example." and got[3] == "back.example", got
    assert "NXDOMAIN" in got[1] and "NXDOMAIN" in got[2], got


@pytest.mark.row("D09")
def test_other_types_are_empty(lab, proxy):
    for kind in ("HTTPS", "SVCB", "MX", "TXT"):
        status, lines, ran = dig(lab, proxy, "@1.1.1.1", "n.example", kind)
        assert status == "NOERROR" and not lines and "SOA" in ran.out, ran


@pytest.mark.row("D10")
@pytest.mark.parametrize("name, kind, wanted", [
    ("localhost", "A", "127.0.0.1"), ("x.localhost", "A", "127.0.0.1"),
    ("localhost", "AAAA", "::1")])
def test_localhost_is_here(lab, proxy, name, kind, wanted):
    status, lines, ran = dig(lab, proxy, "@1.1.1.1", name, kind)
    assert status == "NOERROR" and lines[0][4] == wanted, ran


@pytest.mark.row("D10")
@pytest.mark.parametrize("name", ["single", "wpad", "printer.local",
                                  "x.invalid", "1.2.3.4", "127.1",
                                  "2130706433", "0x7f.1",
                                  "use-application-dns.net", "a..b"])
def test_names_that_are_none(lab, proxy, name):
    got = lab.inside(f"""
import dns.message, dns.query, dns.name, dns.rcode
try:
    q = dns.message.make_query({name!r} + '.', 'A')
    out(dns.rcode.to_text(dns.query.udp(q, '8.8.8.8', 5).rcode()))
except dns.exception.DNSException: out('NXDOMAIN')
""", proxy)
    assert got == "NXDOMAIN"


@pytest.mark.row("D09")
@pytest.mark.parametrize("label", [b"a b", b"a\0b", b"a/b", b"a:b", b"a@b",
                                   b"\xff\xfe", b"a\nb", b"1.1"])
def test_odd_octets_in_names_never_reach_the_proxy(lab, proxy, label):
    got = lab.inside(f"""
import dns.message, dns.query, dns.name, dns.rcode
q = dns.message.make_query(dns.name.Name([{label!r}, b'example', b'']), 'A')
a = dns.query.udp(q, '8.8.8.8', 5)
out([dns.rcode.to_text(a.rcode()), len(a.answer)])""", proxy)
    assert got == ["NXDOMAIN", 0]


@pytest.mark.parametrize("name", ["abcdefgh234567.onion", "www.stats.i2p",
                                  "demo.test", "x.internal", "a_b.example",
                                  "xn--mnchen-3ya.example", "l" * 63 + ".ex"])
def test_names_only_the_proxy_knows(lab, proxy, name):
    got = lab.inside(f"out(connect_err('{name}', 7)[0])", proxy)
    assert got == "OK"
    assert (proxy.log[0].host, proxy.log[0].atyp) == (name, 3)


@pytest.mark.row("D09")
def test_longest_name(lab, proxy):
    name = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    got = lab.inside(f"out(connect_err('{name}', 7)[0])", proxy)
    assert got == "OK" and proxy.log[0].host == name


@pytest.mark.parametrize("opt, kind", [("-4", "AAAA"), ("-6", "A")])
def test_one_family_only(lab, proxy, opt, kind):
    status, lines, ran = dig(lab, proxy, "@1.1.1.1", "n.example", kind,
                             opts=[opt])
    assert status == "NOERROR" and not lines, ran
    got = lab.inside("out(connect_err('n.example', 7)[0])", proxy, [opt])
    assert got == "OK"


@pytest.mark.row("D09")
def test_headers_and_edns(lab, proxy):
    got = lab.inside("""
import dns.message, dns.query, dns.flags, dns.rcode, dns.opcode
def ask(q, **k): return dns.query.udp(q, '8.8.8.8', 5, **k)
q = dns.message.make_query('MiXeD.Example.', 'A', use_edns=0, payload=4096)
a = ask(q)
said = [a.question[0].name.to_text(), a.edns, bool(a.flags & dns.flags.AA),
        bool(a.flags & dns.flags.RA)]
q = dns.message.make_query('n.example.', 'A'); said.append(ask(q).edns)
said.append('BADVERS' in sh('dig +edns=1 +noednsneg @8.8.8.8 n.example')[1])
q = bytearray(dns.message.make_query('n.example.', 'A').to_wire())
q[2] |= 2 << 3
s = udp('8.8.8.8', 53); s.send(q); said.append(s.recv(999)[3] & 15)
out(said)""", proxy)
    assert got == ["MiXeD.Example.", 0, False, True, -1, True, 4]


def test_garbage_queries_are_survived(lab, proxy):
    got = lab.inside("""
import random
r = random.Random(7)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
good = b'\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\1a\\7example\\0\\0\\1\\0\\1'
for i in range(3000):
    q = bytearray(good)
    for _ in range(r.randrange(1, 6)):
        q[r.randrange(len(q))] = r.randrange(256)
    q = q[:r.randrange(len(q) + 1)] + (b'\\xc0\\x0c' * r.randrange(4))
    err(s.sendto, bytes(q), ('9.9.9.9', 53))
t = tcp('9.9.9.9', 53); err(t.sendall, os.urandom(70000)); t.close()
out(connect_err('after.example', 7)[0])""", proxy)
    assert got == "OK"


PIPELINE = """
import dns.message
s = tcp('8.8.8.8', 53); names = %(names)s
t = time.monotonic()
for i, n in enumerate(names):
    q = dns.message.make_query(n, 'A'); q.id = i
    w = q.to_wire(); s.sendall(struct.pack('!H', len(w)) + w)
def exactly(n):
    b = b''
    while len(b) < n:
        d = s.recv(n - len(b)); assert d; b += d
    return b
ids = {}
for _ in names:
    a = dns.message.from_wire(exactly(struct.unpack('!H', exactly(2))[0]))
    ids[a.id] = a.answer[0][0].to_text() if a.answer else None
out([sorted(ids) == list(range(len(names))), len(set(ids.values())),
     time.monotonic() - t])"""


@pytest.mark.row("D09")
def test_pipelined_tcp(lab, proxy):
    whole, distinct, _ = lab.inside(
        PIPELINE % {"names": "['p%d.example' % i for i in range(100)]"},
        proxy)
    assert whole and distinct == 100


def test_many_names(lab, proxy):
    got = lab.inside("""
import dns.message, dns.query
def one(n):
    q = dns.message.make_query('n%d.many.example' % n, 'A')
    s.send(q.to_wire()); return dns.message.from_wire(s.recv(999))
s = udp('8.8.8.8', 53)
seen = [one(i).answer[0][0].to_text() for i in range(3000)]
again = [one(i).answer[0][0].to_text() for i in range(0, 3000, 50)]
out([len(set(seen)), again == seen[::50],
     len([a for a in seen if a.endswith(('.0', '.255'))])])""", proxy,
                     timeout=60)
    assert got == [3000, True, 0]


# --- the sandbox's resolver files

def test_resolver_files(lab, proxy):
    got = lab.inside("out([open('/etc/resolv.conf').read(),"
                     "open('/etc/nsswitch.conf').read()])", proxy)
    lines = [l for l in got[0].splitlines() if l and l[0] not in "#;"]
    assert lines[0] == "nameserver 198.18.0.2", got
    assert not [l for l in lines if l.startswith("search")], got
    hosts = [l for l in got[1].splitlines() if l.startswith("hosts:")]
    assert len(hosts) == 1 and hosts[0].split()[1:] == ["files", "dns"], got
    assert "passwd: files" in got[1] and "networks: files" in got[1]


# --- real answers from upstreams, through the way out

@pytest.fixture
def upstream(lab):
    with ToyDns(lab, table=TABLE) as server:
        yield server


@pytest.mark.smoke
@pytest.mark.parametrize("url", [f"udp://{UP}", f"tcp://{UP}", UP,
                                 f"udp://{UP}:53", f"tcp://{UP}:53"])
def test_forward(lab, proxy, upstream, url):
    status, lines, ran = dig(lab, proxy, "@8.8.8.8", "a.example",
                             opts=["-d", url])
    assert status == "NOERROR" and lines[0][4] == "203.0.113.7", ran
    assert upstream.asked[0][0] == ("tcp" if "tcp" in url else "udp")
    status, lines, ran = dig(lab, proxy, "@8.8.8.8", "none.example",
                             opts=["-d", url])
    assert status == "NXDOMAIN", ran


def test_forward_then_connect_by_address(lab, proxy, upstream):
    got = lab.inside("out(connect_err('a.example', 7)[0])", proxy,
                     ["-d", f"udp://{UP}"])
    assert got == "OK"
    assert proxy.asked(port=7)[0].host in ("203.0.113.7", "2001:db8:1::7")


def test_forward_truncated_goes_to_tcp(lab, proxy, upstream):
    status, lines, ran = dig(lab, proxy, "+bufsize=4096", "@8.8.8.8",
                             "big.example", "TXT", opts=["-d", f"udp://{UP}"])
    assert status == "NOERROR" and len(lines) == 10, ran
    assert [a[0] for a in upstream.asked] == ["udp", "tcp"]


def test_forward_udp_upstream_over_a_way_without_udp(lab, proxy, upstream):
    status, lines, ran = dig(lab, proxy.url("http"), "@8.8.8.8", "a.example",
                             opts=["-d", f"udp://{UP}"])
    assert status == "NOERROR" and lines, ran
    assert upstream.asked[0][0] == "tcp"


def test_forward_over_a_proxy_that_refuses_udp(lab, upstream):
    from lab import Faults
    with ToyProxy(lab, faults=Faults(no_udp=True)) as proxy:
        status, lines, ran = dig(lab, proxy, "@8.8.8.8", "a.example",
                                 opts=["-d", f"udp://{UP}"])
    assert status == "NOERROR" and lines, ran


def test_forward_pipelines_on_few_connections(lab, proxy, upstream):
    whole, _, secs = lab.inside(
        PIPELINE % {"names": "['slow.n%d.example' % i for i in range(100)]"},
        proxy, ["-d", f"tcp://{UP}"])
    assert whole and secs < 1.5, secs
    assert upstream.connections <= 2


def test_forward_truncates_for_small_clients(lab, proxy, upstream):
    ran = lab.sandbox(["dig", "+noedns", "+ignore", "@8.8.8.8", "big.example",
                       "TXT"], proxy, ["-d", f"tcp://{UP}"])
    assert " tc" in ran.out.partition("flags:")[2].partition(";")[0], ran


def test_forward_mute_upstream_is_servfail(lab, proxy, upstream):
    status, _, ran = dig(lab, proxy, "@8.8.8.8", "mute.example",
                         opts=["-d", f"udp://{UP}"])
    assert status == "SERVFAIL" and ran.secs < 11, ran


def test_forward_takes_the_next_upstream(lab, proxy, upstream):
    status, lines, ran = dig(
        lab, proxy, "@8.8.8.8", "a.example",
        opts=["-d", f"tcp://203.0.113.54,tcp://{UP}"])
    assert status == "NOERROR" and lines, ran


def test_forward_dead_proxy_is_servfail(lab, upstream):
    with lab.watch() as verdict:
        status, _, ran = dig(lab, "socks5://10.66.0.2:1080", "@8.8.8.8",
                             "a.example", opts=["-d", f"udp://{UP}"])
    assert status == "SERVFAIL", ran
    assert not upstream.asked and verdict, verdict


def test_forward_refuses_answers_that_look_like_leases(lab, proxy, upstream):
    status, lines, ran = dig(lab, proxy, "@8.8.8.8", "evil.example",
                             opts=["-d", f"udp://{UP}"])
    assert status == "SERVFAIL" and not lines, ran


@pytest.mark.row("D09")
def test_forward_strips_address_hints(lab, proxy, upstream):
    _, lines, ran = dig(lab, proxy, "@8.8.8.8", "h.example", "HTTPS",
                        opts=["-d", f"udp://{UP}"])
    assert lines and "hint" not in ran.out and "h2" in ran.out, ran


def test_forward_keeps_onions_from_upstreams(lab, proxy, upstream):
    got = lab.inside("out(connect_err('abc.onion', 7)[0])", proxy,
                     ["-d", f"udp://{UP}"])
    assert got == "OK" and proxy.asked("abc.onion")
    assert not [a for a in upstream.asked if "onion" in a[1]]


def test_forward_caches(lab, proxy, upstream):
    got = lab.inside("""
for _ in range(5): a = socket.gethostbyname('a.example')
out(a)""", proxy, ["-d", f"udp://{UP}"])
    assert got == "203.0.113.7"
    assert len([a for a in upstream.asked if a[2] == "A"]) == 1


# --- socks-resolve, which test_tor.py tries with the real thing

def test_resolve_with_a_proxy_that_cannot_is_told_once(lab, need):
    lab.start([need("microsocks"), "-i", "10.66.0.2", "-p", "1080"],
              place="prx")
    assert wait_for(lambda: ":1080 " in lab.run(
        ["ss", "-Hltn"], place="prx", user=False).out, 10)
    ran = lab.sandbox(["sh", "-c", "for n in a b c; do "
                       "dig +tries=1 $n.example A; done"],
                      "socks5://10.66.0.2:1080", ["-d", "socks-resolve"])
    assert ran.rc == 0 and ran.out.count("status: SERVFAIL") == 3, ran
    warned = [line for line in ran.err.splitlines() if "RESOLVE" in line]
    assert len(warned) == 1 and "-d fake" in warned[0], ran
    assert len(ran.err.splitlines()) == 1, ran


@pytest.mark.parametrize("way", ["http://10.66.0.2:1080",
                                 "socks4a://10.66.0.2:1080", "direct://",
                                 ["socks5://10.66.0.2:1080",
                                  "http://203.0.113.5:80"]])
def test_resolve_needs_a_last_proxy_that_is_socks5(lab, way):
    ran = lab.sandbox(["true"], way, ["-d", "socks-resolve"])
    assert ran.rc == 125 and len(ran.err.splitlines()) == 2, ran
    assert "socks5" in ran.err and ran.err.splitlines()[1].strip() \
        .startswith("hint:"), ran


def test_resolve_with_a_dead_proxy_fails_soon(lab):
    ran = lab.sandbox(["dig", "+tries=1", "a.example", "A"],
                      "socks5://10.66.0.2:1099", ["-d", "socks-resolve"])
    assert "SERVFAIL" in ran.out and ran.secs < 3, ran


# --- off

def test_off_is_ordinary_traffic(lab, proxy, upstream):
    for how in ("+tcp", "+notcp"):
        status, lines, ran = dig(lab, proxy, how, f"@{UP}", "a.example",
                                 opts=["-d", "off"])
        assert status == "NOERROR" and lines[0][4] == "203.0.113.7", ran
    assert proxy.asked(UP, 53) and proxy.udp_log[0].port == 53


def test_off_leaves_resolv_conf_alone(lab, proxy):
    got = lab.inside("out(open('/etc/resolv.conf').read())", proxy,
                     ["-d", "off"])
    assert "198.51.100.53" in got


# --- side doors of the host's resolver

@pytest.mark.row("D01", "D02", "D03")
@pytest.mark.loud        # the control asks the host's own name server
def test_side_doors_are_closed(lab, proxy):
    doors = {path: Decoy(path, ("setpriv", "nsenter", "")) for path in
             ("/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve",
              "/run/avahi-daemon/socket")}
    control = lab.run(["getent", "hosts", "control.example"], timeout=60)
    assert control.rc != 0 and doors["/run/nscd/socket"].came, \
        "outside, glibc does ask nscd"
    for door in doors.values():
        door.came.clear()
    got = lab.inside("""
said = [err(socket.getaddrinfo, 'side.example', 80)]
for p in ('/run/nscd', '/run/systemd/resolve', '/run/avahi-daemon'):
    said.append([f for f in os.listdir(p) if 'resolv.conf' not in f])
    said.append(err(open, p + '/new', 'w'))
out(said)""", proxy)
    assert got[0] == "OK"
    assert got[1::2] == [[], [], []], got
    assert all(said in ("EROFS", "EACCES") for said in got[2::2]), got
    assert not any(door.came for door in doors.values()), [
        door.came for door in doors.values()]
    for door in doors.values():
        door.close()


@pytest.mark.row("D07")
@pytest.mark.parametrize("name", ["resolv.conf", "nsswitch.conf"])
def test_resolver_files_survive_a_rename_outside(lab, proxy, name):
    import os
    job = lab.sandbox_start([PYTHON, "-c", f"""from inside import *
first = open('/etc/{name}').read()
print('up', flush=True)
end = time.monotonic() + 2.5
while time.monotonic() < end:
    time.sleep(0.05)
    last = open('/etc/{name}').read()
while last != first and time.monotonic() < end + 5:
    time.sleep(0.05)            # just renamed: it is covered again at once
    last = open('/etc/{name}').read()
out([last, connect_err('n.example', 7)[0]])"""], proxy)
    assert job.says("up"), job.ran(None)
    before = open(f"/etc/{name}", encoding="ascii").read()
    for text in ("nameserver 192.168.77.53\n# LEAK\n", before):
        with open("/etc/.new", "w", encoding="ascii") as file:
            file.write(text)
        os.rename("/etc/.new", f"/etc/{name}")
        if "LEAK" in text:
            import time
            time.sleep(1)
            with open("/etc/.leak", "w", encoding="ascii") as file:
                file.write(text)
            os.rename("/etc/.leak", f"/etc/{name}")
    last, said = lab.spoken(job.wait(20))
    assert "LEAK" not in last and said == "OK", last
    if name == "resolv.conf":
        assert "198.18.0.2" in last, last
