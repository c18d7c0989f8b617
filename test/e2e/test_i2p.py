# SPDX-License-Identifier: GPL-3.0-or-later
"""I2P: a proxy that takes plain requests only, and names that are its own.

Against a stand-in (lab/forward.py), careless on purpose: all up to "the real
i2pd". Against the real i2pd, one router without a network: all test_i2pd_*
at the end: its console and its proxies, exposed; what it answers for names
that nobody has; its outproxy, behind which is the stand-in. Sites of I2P,
served and fetched by real routers, are in test_i2pnet.py.
"""
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess

import pytest

from lab import ForwardProxy, Keep, Little, ToyProxy, i2p as i2p_lab, kernel
from lab.far import pattern_hash
from lab.forward import ODD
from lab.i2p import I2pNet
from lab.run import PYTHON, wait_for

SITE = "site.i2p"
ONLY = ("--only", "*.i2p")
FAR = "203.0.113.5"
EVIL = "GET http://evil.i2p/ HTTP/1.1\r\nHost: evil.i2p\r\n\r\n"
PAGE = "HTTP/1.1 200 OK"
TORN = 4


@pytest.fixture
def i2p(lab):
    with ForwardProxy(lab) as proxy:
        yield proxy
        # Whatever a test did: nothing but absolute form, to that name.
        for line in proxy.requests:
            assert re.match(r"[A-Z]+ http://[a-z0-9.-]+\.i2p/", line), line
        assert not proxy.refused


def say(lab, proxy, *pieces, host=SITE, opts=ONLY, port=80, pause=0.0):
    """Send octets on one connection; what came back ("RESET" at the end when
    it was reset)."""
    code = f"""
s = tcp({host!r}, {port}, timeout=20)
got = b""
end = ""
try:
    for piece in {[p if isinstance(p, bytes) else p.encode()
                   for p in pieces]!r}:
        s.sendall(piece)
        time.sleep({pause})
    while data := s.recv(65536):
        got += data
except ConnectionError as problem:
    end = "RESET"
out([got.decode("latin-1"), end])
"""
    return lab.inside(code, proxy.url(), opts)


def report(answer):
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith(PAGE), answer
    return json.loads(body)


# --- what programs do

@pytest.mark.smoke
def test_a_name_travels_as_a_name_in_absolute_form(lab, i2p):
    with lab.watch() as silence:
        ran = lab.sandbox(["curl", "-sS", "-i", f"http://{SITE}/a/b?c=d"],
                          i2p.url(), ONLY)
    assert ran.rc == 0, ran
    assert i2p.requests == [f"GET http://{SITE}/a/b?c=d HTTP/1.1"], ran
    assert "X-Site: yes" in ran.out and silence, (ran, silence)
    assert re.findall(r"(?mi)^connection: *(\w+)", ran.out) == ["close"], ran


def test_without_the_option_the_proxy_is_asked_to_connect(lab):
    with ForwardProxy(lab) as plain:
        ran = lab.sandbox(["curl", "-sS", f"http://{SITE}/"], plain.url(""))
    assert ran.rc == 7, ran
    assert set(plain.refused) == {f"CONNECT {SITE}:80 HTTP/1.1"}


def test_wget(lab, i2p, need):
    need("wget")
    ran = lab.sandbox(["wget", "-q", "-O", "-", f"http://{SITE}/w"],
                      i2p.url(), ONLY)
    assert ran.rc == 0 and json.loads(ran.out)["path"] == "w", ran


def test_curl_with_two_addresses_asks_twice(lab, i2p):
    ran = lab.sandbox(["curl", "-sS", f"http://{SITE}/1", f"http://{SITE}/2"],
                      i2p.url(), ONLY)
    assert ran.rc == 0 and len(ran.out.splitlines()) == 2, ran
    assert [r.split()[1][-1] for r in i2p.requests] == ["1", "2"]


@pytest.mark.smoke
def test_a_client_that_keeps_its_connection_asks_twice(lab, i2p):
    got = lab.inside(f"""
import http.client
c = http.client.HTTPConnection({SITE!r})
pages = []
for path in ("/1", "/2"):
    c.request("GET", path)
    pages.append(json.loads(c.getresponse().read())["path"])
out(pages)
""", i2p.url(), ONLY)
    assert got == ["1", "2"]


def test_bodies_arrive_whole(lab, i2p):
    got = lab.inside(f"""
import http.client
def ask(method, body, **fields):
    c = http.client.HTTPConnection({SITE!r})
    c.request(method, "/up", body, fields, encode_chunked=callable(
        getattr(body, "__next__", None)))
    r = json.loads(c.getresponse().read())
    return [r["method"], r["length"], r["sha"]]
big = bytes(range(256)) * 12288
def pieces():
    for i in range(0, len(big), 70001):
        yield big[i:i + 70001]
out([ask("POST", b"a=b"), ask("PUT", big), ask("POST", b""),
     ask("POST", pieces(), **{{"Transfer-Encoding": "chunked"}}),
     ["", 0, sha(big)]])
""", i2p.url(), ONLY)
    whole = got[-1][2]
    assert got[0][:2] == ["POST", 3] and got[2][1] == 0
    assert got[1] == ["PUT", 256 * 12288, whole]
    assert got[3] == ["POST", 256 * 12288, whole]


def test_curl_waits_for_its_continue(lab, i2p):
    path = lab.home_file("body", "x" * 3000000, 0o644)
    ran = lab.sandbox(["curl", "-sS", "-H", "Expect: 100-continue",
                       "--expect100-timeout", "20", "-T", path,
                       f"http://{SITE}/up"], i2p.url(), ONLY)
    assert ran.rc == 0 and json.loads(ran.out)["length"] == 3000000, ran
    assert ran.secs < 15, ran


def test_curl_chunked_upload(lab, i2p):
    ran = lab.sandbox(["sh", "-c", "head -c 5000000 /dev/zero | curl -sS -T - "
                       f"http://{SITE}/up"], i2p.url(), ONLY)
    assert ran.rc == 0 and json.loads(ran.out)["length"] == 5000000, ran


@pytest.mark.smoke
def test_a_big_download_arrives_whole(lab, i2p):
    size = 30000000
    ran = lab.sandbox(["sh", "-c",
                       f"curl -sS 'http://{SITE}/big?{size}' | sha256sum"],
                      i2p.url(), ONLY, timeout=60)
    assert ran.out.split()[0] == pattern_hash(size), ran


def test_chunks_of_an_answer_come_as_they_are_sent(lab, i2p):
    ran = lab.sandbox(["curl", "-sS", f"http://{SITE}/drip"], i2p.url(), ONLY)
    assert ran.out == "one two three", ran


def test_head_has_no_body(lab, i2p):
    ran = lab.sandbox(["curl", "-sS", "-I", "-m", "10", f"http://{SITE}/h"],
                      i2p.url(), ONLY)
    assert ran.rc == 0 and PAGE in ran.out, ran
    assert i2p.requests == [f"HEAD http://{SITE}/h HTTP/1.1"]


def test_an_answer_before_the_body_is_heard(lab, i2p):
    path = lab.home_file("body", "x" * 3000000, 0o644)
    ran = lab.sandbox(["curl", "-sS", "-i", "-H", "Expect:", "-T", path,
                       f"http://{SITE}/early"], i2p.url(), ONLY)
    assert "413" in ran.out, ran


@pytest.mark.parametrize("path", ["early", "torn"])
def test_who_is_still_asking_can_read_an_early_answer(lab, i2p, path):
    """A reset while it sends would be all that a program hears. One that
    came from the proxy is passed on in the end: more may have been said."""
    got, end = say(lab, i2p, f"PUT /{path} HTTP/1.1\r\nHost: {SITE}\r\n"
                   "Content-Length: 3000000\r\n\r\n", *["x" * 1000] * 3,
                   pause=0.3)
    assert got.startswith("HTTP/1.1 413 "), (got, end)
    assert end == "RESET" or path == "early"


def test_a_proxy_that_hangs_up_is_told(lab, i2p):
    got, end = say(lab, i2p, f"GET /none HTTP/1.1\r\nHost: {SITE}\r\n\r\n")
    assert got.startswith("HTTP/1.1 502 ") and not end, got


@pytest.mark.parametrize("which", range(len(ODD)))
def test_odd_answers_arrive_and_hold_nobody_up(lab, i2p, which):
    got = lab.inside(f"""
s = tcp({SITE!r}, 80, timeout=20)
s.sendall(b"GET /odd?{which} HTTP/1.1\\r\\n\\r\\n")
odd = b""
try:
    while data := s.recv(65536):
        odd += data
except ConnectionError:
    pass
c = tcp({SITE!r}, 80)
c.sendall(b"GET /calm HTTP/1.1\\r\\n\\r\\n")
out([sha(odd.replace(b"Connection: close\\r\\n", b"")), len(odd),
     read_all(c).decode()])
""", i2p.url(), ONLY)
    whole = ODD[which]
    assert report(got[2])["path"] == "calm"
    if which == TORN:
        assert got[1] == 0               # no half of a head
    else:
        assert got[0] == hashlib.sha256(whole).hexdigest(), got[1]


def test_a_proxy_that_never_hangs_up_keeps_nothing(lab, i2p):
    """The program is gone, and the proxy silent: the flow ends."""
    def hasten():
        """The kernel inside forgets a connection after a second, not 60."""
        with open("/proc/sys/net/ipv4/tcp_fin_timeout", "w",
                  encoding="ascii") as file:
            file.write("1")
    with Keep(lab, {"p": f'chain = {{"{i2p.url()}"}}\n'}) as keep:
        keep.up("p")
        job = keep.exec_start("p", "sh", "-c", "echo in; exec sleep 60")
        assert wait_for(lambda: job.out, 5)
        kernel.call_in(f"/proc/{job.pid}/ns/net", hasten)
        ran = keep.exec("p", "curl", "-sS", f"http://{SITE}/stay")
        assert ran.rc == 0 and json.loads(ran.out)["path"] == "stay", ran
        assert wait_for(lambda: i2p.left, 25)
        assert job.popen.poll() is None      # no drain has done it


def test_a_head_may_come_octet_by_octet(lab, i2p):
    head = f"GET /slow HTTP/1.1\r\nHost: {SITE}\r\n\r\n"
    got, _ = say(lab, i2p, *head, pause=0.02)
    assert report(got)["path"] == "slow"


def test_half_closed_programs_get_their_answer(lab, i2p):
    got = lab.inside(f"""
s = tcp({SITE!r}, 80)
s.sendall(b"GET /drip HTTP/1.0\\r\\n\\r\\n")
s.shutdown(socket.SHUT_WR)
out(read_all(s).decode())
""", i2p.url(), ONLY)
    assert "three" in got


def test_the_proxys_password_is_given_and_the_programs_is_not(lab):
    with ForwardProxy(lab, login="me:secret") as proxy:
        ran = lab.sandbox(["curl", "-sS", "-H", "Proxy-Authorization: Basic eA",
                           f"http://{SITE}/"], proxy.url(), ONLY)
    assert json.loads(ran.out)["fields"]["proxy-authorization"] == \
        "Basic bWU6c2VjcmV0", ran
    assert sum("proxy-auth" in l.lower() for l in proxy.heads[0]) == 1


def test_fields_of_one_connection_go_no_further(lab, i2p):
    got, _ = say(lab, i2p, f"GET / HTTP/1.1\r\nHost: {SITE}\r\n"
                 "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\n"
                 "Keep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\n"
                 "Proxy-Connection: x\r\nHTTP2-Settings: x\r\n\r\n")
    fields = report(got)["fields"]
    assert fields == {"host": SITE, "x-end": "2", "connection": "close"}


def test_the_gateways_own_server_forwards_as_well(lab, i2p):
    for args in (["-x", "http://198.18.0.2:1080"],
                 ["-p", "-x", "http://198.18.0.2:1080"],
                 ["-x", "socks5h://198.18.0.2:1080"]):
        ran = lab.sandbox(["curl", "-sS", *args, f"http://{SITE}/g"],
                          i2p.url(), ONLY)
        assert json.loads(ran.out)["path"] == "g", ran


def test_a_chain_may_end_in_it(lab, proxy):
    with ForwardProxy(lab, "inet", "203.0.113.44") as last:
        ran = lab.sandbox(["curl", "-sS", f"http://{SITE}/c"],
                          [proxy.url(), last.url()], ONLY)
        assert json.loads(ran.out)["path"] == "c", ran
        assert [(a.host, a.port) for a in proxy.log] == [
            ("203.0.113.44", 4444)]
        gone = lab.inside(f"out(connect_err({SITE!r}, 80)[0])",
                          [proxy.url(), "http://203.0.113.44:79?forward"],
                          ONLY)
    assert gone == "EHOSTUNREACH"


def test_a_dead_proxy_fails_connect(lab):
    got = lab.inside(f"out(connect_err({SITE!r}, 80)[0])",
                     "http://10.66.0.2:4444?forward", ONLY)
    assert got == "ECONNREFUSED"


@pytest.fixture(scope="module")
def certificate(world):
    subprocess.run("""cd /run/lab && openssl req -x509 -newkey rsa:2048 -nodes \
-days 2 -subj /CN=any -keyout fwd.key -out fwd.pem""", shell=True, check=True,
                   capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/run/lab/fwd.pem", "/run/lab/fwd.key")
    return context


@pytest.mark.smoke
def test_a_proxy_inside_tls_forwards(lab, certificate):
    size = 5000000
    with ForwardProxy(lab, tls=certificate) as proxy:
        ran = lab.sandbox(
            ["sh", "-c", f"curl -sS 'http://{SITE}/big?{size}' | sha256sum; "
             f"head -c {size} /dev/zero | curl -sS -T - http://{SITE}/t"],
            proxy.url("?insecure&forward"), ONLY)
    one, two = ran.out.splitlines()
    assert one.split()[0] == pattern_hash(size), ran
    assert json.loads(two)["length"] == size and not proxy.refused, ran


def test_serve_forwards(lab, i2p):
    job = lab.start([lab.nsproxy_path, "serve", "-x", i2p.url(),
                     "127.0.0.1:18080"])
    assert wait_for(lambda: lab.outside(
        "out(connect_err('127.0.0.1', 18080)[0])") == "OK", 10), job.ran(None)
    for scheme in ("http", "socks5h"):
        ran = lab.run(["curl", "-sS", "-x", f"{scheme}://127.0.0.1:18080",
                       f"http://{SITE}/v"])
        assert json.loads(ran.out)["path"] == "v", (ran, job.err)


def test_a_slow_reader_loses_nothing_to_a_second_request(lab, i2p):
    got = lab.inside(f"""
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(socket.getaddrinfo({SITE!r}, 80, socket.AF_INET)[0][4])
s.settimeout(20)
s.sendall(b"GET /big?3000000 HTTP/1.1\\r\\n\\r\\n" + {EVIL!r}.encode())
time.sleep(1.5)
s.sendall(b"more of the same")
got = 0
while data := s.recv(16384):
    got += len(data)
    got < 300000 and time.sleep(0.01)
out(got)
""", i2p.url(), ONLY)
    assert 3000000 < got < 3000200 and len(i2p.requests) == 1


def test_what_was_said_last_still_goes_out(lab, i2p):
    ran = lab.sandbox([PYTHON, "-c", f"""
import os, socket
s = socket.create_connection(({SITE!r}, 80))
s.sendall(b"POST /last HTTP/1.1\\r\\nContent-Length: 3\\r\\n\\r\\nend")
os._exit(0)
"""], i2p.url(), ONLY)
    assert ran.rc == 0, ran
    assert wait_for(lambda: i2p.requests, 5), ran
    assert wait_for(lambda: i2p.raw[0].endswith(b"end"), 5), i2p.raw


@pytest.mark.smoke
def test_a_switch_to_only_holds_for_names_that_were_lent(lab, proxy):
    ways = f'chain = {{"{proxy.url()}"}}\n'
    with Keep(lab, {"all": ways, "few": ways + 'only = {"*.i2p"}\n'}) as keep:
        keep.up("all")
        code = ("out([connect_err('a.example', 7)[0], "
                "connect_err('b.i2p', 7)[0]])")
        assert keep.inside("all", code) == ["OK", "OK"]
        lent = keep.inside("all", "out(socket.gethostbyname('a.example'))")
        said = keep("switch", "all", "few")
        assert said.rc == 0, said
        got = keep.inside("all", f"""
out([connect_err({lent!r}, 7)[0], err(tcp, 'a.example', 7),
     connect_err('b.i2p', 7)[0]])""")
    assert got[0] in ("EHOSTUNREACH", "EACCES") and got[1:] == [
        "gaierror", "OK"], got


# --- what is no business of it

@pytest.mark.smoke
@pytest.mark.parametrize("octets", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 500,
    b"\x05\x01\x00", b"\x00" * 8], ids=["tls", "socks5", "zeroes"])
def test_what_is_no_text_is_reset(lab, i2p, octets):
    assert say(lab, i2p, octets) == ["", "RESET"]
    assert not any(i2p.raw)


@pytest.mark.parametrize("text", [
    f"CONNECT {SITE}:443 HTTP/1.1\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "GET /\r\n",
    "OPTIONS * HTTP/1.1\r\n\r\n",
    "hello, is anybody there?\r\n\r\n"])
def test_text_that_is_no_request_is_told_so(lab, i2p, text):
    got, _ = say(lab, i2p, text)
    head, _, body = got.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 "), got
    assert body.count("\n") == 1 and body.endswith(".\n"), got
    assert not any(i2p.raw)


def test_a_flood_behind_a_refusal_holds_nobody_up(lab, i2p):
    got = lab.inside(f"""
def flood():
    s = tcp({SITE!r}, 80)
    end = time.monotonic() + 3
    try:
        while time.monotonic() < end:
            s.sendall(b"no request at all\\r\\n" * 50000)
    except OSError:
        pass
for _ in range(3):
    threading.Thread(target=flood, daemon=True).start()
time.sleep(0.3)
began = time.monotonic()
s = tcp({SITE!r}, 80)
s.sendall(b"GET /calm HTTP/1.1\\r\\n\\r\\n")
page = read_all(s).decode()
out([page, time.monotonic() - began])
""", i2p.url(), ONLY)
    assert report(got[0])["path"] == "calm" and got[1] < 2, got


def test_refusals_are_told_once_a_minute(lab, i2p):
    ran = lab.sandbox(["sh", "-c", f"for i in 1 2 3; do curl -sS -m 5 "
                       f"https://{SITE}:80/; done"], i2p.url(), ONLY)
    told = [l for l in ran.err.splitlines() if "cannot be forwarded" in l]
    assert len(told) == 1 and SITE in told[0], ran


def test_a_head_of_64_kib_is_refused(lab, i2p):
    got, _ = say(lab, i2p, "GET / HTTP/1.1\r\n" + "X: " + "y" * 65536
                 + "\r\n\r\n")
    assert got.startswith("HTTP/1.1 431 "), got
    assert not any(i2p.raw)


@pytest.mark.smoke
@pytest.mark.parametrize("head", [
    "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
    "\r\n0\r\n\r\n" + EVIL,
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n"
    "\r\n0\r\n\r\n" + EVIL,
    "POST / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 90\r\n\r\n" + EVIL,
    "POST / HTTP/1.1\r\nContent-Length: +4\r\n\r\n" + EVIL,
    "POST / HTTP/1.1\r\nContent-Length: 4, 4\r\n\r\n" + EVIL,
    "POST / HTTP/1.1\r\nContent-Length : 4\r\n\r\n" + EVIL,
    "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n" + EVIL,
    "POST / HTTP/1.1\r\nTransfer-Encoding: identity, chunked\r\n\r\n" + EVIL,
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + EVIL,
    "GET / HTTP/1.1\nHost: a\n\n" + EVIL,
    "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n" + EVIL,
    "GET / HTTP/1.1\r\nA: b\r\n\n" + EVIL,
    "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n" + EVIL,
    "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n" + EVIL,
    "GET / HTTP/1.1\r\n folded: x\r\n\r\n" + EVIL,
    "GET / HTTP/1.1\r\nA\0: b\r\n\r\n" + EVIL,
    EVIL,
    f"GET http://x@{SITE}/ HTTP/1.1\r\n\r\n",
    f"GET http://{SITE}:81/ HTTP/1.1\r\n\r\n",
    f"GET http://{SITE}@evil.i2p/ HTTP/1.1\r\n\r\n",
    "GET @evil.i2p/ HTTP/1.1\r\n\r\n",
    "GET .evil.i2p/ HTTP/1.1\r\n\r\n",
    "GET /\thttp://evil.i2p/ HTTP/1.1\r\n\r\n"])
def test_smugglers_are_refused_before_a_word_is_sent(lab, i2p, head):
    got, end = say(lab, i2p, head)
    assert got.startswith("HTTP/1.1 400 ") or end == "RESET", got
    assert not any(i2p.raw), i2p.raw


@pytest.mark.parametrize("body", [
    "5;x=\n\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "5\r\nhello!\r\n",
    "+5\r\nhello\r\n", "0x5\r\nhello\r\n", "\r\n", "5\r\nhello\r\n0\r\nA: b"
    "\r\n\r\n", "ffffffffffffffff\r\n"])
def test_malformed_chunks_end_the_connection(lab, i2p, body):
    got, end = say(lab, i2p, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked"
                   "\r\n\r\n" + body + EVIL)
    assert got == "" and end == "RESET", got
    assert all(b"evil" not in raw for raw in i2p.raw)


@pytest.mark.smoke
@pytest.mark.parametrize("first, body", [
    ("", ""), ("Content-Length: 3\r\n", "abc"),
    ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    ("Connection: Content-Length\r\nContent-Length: 3\r\n", "abc")],
    ids=["no body", "counted", "chunked", "nominated"])
def test_a_second_request_is_never_sent(lab, i2p, first, body):
    got, _ = say(lab, i2p, f"POST /one HTTP/1.1\r\nHost: {SITE}\r\n{first}\r\n"
                 + body + EVIL)
    page = report(got)
    assert page["path"] == "one" and page["length"] == len(body and "abc")
    assert len(i2p.requests) == 1
    assert all(b"evil" not in raw for raw in i2p.raw)


def test_the_host_field_chooses_nothing(lab, i2p):
    got, _ = say(lab, i2p, "GET /h HTTP/1.1\r\nHost: evil.i2p\r\n"
                 "Host: other.i2p\r\n\r\n")
    page = report(got)
    assert page["host"] == SITE and page["fields"]["host"] == SITE
    assert all(b"evil" not in raw and b"other" not in raw for raw in i2p.raw)


# --- only these names leave

@pytest.mark.smoke
def test_other_names_do_not_exist(lab, i2p):
    got = lab.inside("""
def known(name):
    try:
        return bool(socket.getaddrinfo(name, 80))
    except socket.gaierror as problem:
        return problem.errno == socket.EAI_NONAME and "no such name"
out([known(n) for n in ("site.i2p", "SITE.I2P", "a.b.i2p", "example.org",
                        "evil-i2p", "i2p", "site.i2p.example.org", "x.onion")])
""", i2p.url(), ONLY)
    assert got == [True] * 3 + ["no such name"] * 5
    assert not i2p.raw


def test_addresses_are_refused(lab, proxy):
    got = lab.inside(f"""
def udp_err(host):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.connect((host, 7))
    s.send(b"x")
    return err(s.recv, 1)
out([connect_err({FAR!r}, 7)[0], connect_err("2001:db8:1::5", 7)[0],
     connect_err({FAR!r}, 53 + 1)[0], udp_err({FAR!r})])
""", proxy, ("--only", "i2p"))
    assert got[0] in ("EHOSTUNREACH", "EACCES") and got[1] == "EACCES", got
    assert got[2] == got[0] and got[3] == "ECONNREFUSED", got
    assert not proxy.log


def test_the_gateways_server_is_no_way_around(lab, proxy):
    got = lab.inside(f"""
def socks(host):
    s = tcp("198.18.0.2", 1080)
    s.sendall(b"\\5\\1\\0")
    s.recv(2)
    s.sendall(b"\\5\\1\\0\\3" + bytes([len(host)]) + host + b"\\0\\7")
    return s.recv(10)[1]
def http(line):
    s = tcp("198.18.0.2", 1080)
    s.sendall(line + b" HTTP/1.1\\r\\n\\r\\n")
    return s.recv(100).split()[1].decode()
out([socks(b"{FAR}"), socks(b"example.org"), socks(b"echo.ok.example"),
     http(b"CONNECT {FAR}:7"), http(b"CONNECT example.org:7"),
     http(b"GET http://example.org/"), http(b"CONNECT echo.ok.example:7")])
""", proxy, ("--only", "*.ok.example"))
    assert got == [2, 2, 0, "403", "403", "403", "200"], got
    assert {a.host for a in proxy.log} == {"echo.ok.example"}


def test_what_is_exposed_can_be_reached(lab, proxy):
    with Little(lab, "host", "127.0.0.1", 0) as little:
        got = lab.inside(f"out(connect_err('127.0.0.1', {little.port})[0])",
                         proxy, ("--only", "i2p", "-e",
                                 f"127.0.0.1:{little.port}"))
    assert got == "OK"


@pytest.mark.parametrize("args, words", [
    (("--only", "*"), "no domain"), (("--only", "a..b"), "no domain"),
    (("--only", "*.192.0.2.1"), "address"), (("--only", ""), "no domain"),
    (("-d", "udp://192.0.2.1", "--only", "i2p"), "names that leave as names"),
])
def test_bad_patterns_are_told(lab, proxy, args, words):
    ran = lab.sandbox(["true"], proxy, args)
    assert ran.rc == 125 and words in ran.err, ran


@pytest.mark.parametrize("lines, words", [
    ("only = {}", "'only' is empty"), ("only = {'*'}", "no domain"),
    ("only = i2p\ndns = {'udp://192.0.2.1'}", "leave as names")])
def test_a_configuration_that_would_not_hold_is_refused(lab, lines, words):
    way = 'chain = {"http://127.0.0.1:4444?forward"}\n'
    path = lab.home_file("only.conf", f'profile "p" {{\n{way}{lines}\n}}\n')
    ran = lab.nsproxy("config", "check", path)
    assert ran.rc != 0 and words in ran.out + ran.err, ran


@pytest.mark.parametrize("url, words", [
    ("socks5://10.66.0.2?forward", "http:// and https:// only"),
    ("http://10.66.0.2?forward=1", "takes no value"),
    ("http://10.66.0.2?forward,socks5://10.66.0.3", "last proxy")])
def test_bad_ways_are_told(lab, url, words):
    ran = lab.sandbox(["true"], url)
    assert ran.rc == 125 and words in ran.err, ran


def test_a_profile_says_it_all(lab, i2p):
    home = lab.scratch()
    os.makedirs(f"{home}/.config/nsproxy")
    path = f"{home}/.config/nsproxy/nsproxy.conf"
    with open(path, "w", encoding="ascii") as file:
        file.write('profile "i2p" {\n\tchain = {"%s"}\n\tonly = {"*.i2p"}\n}\n'
                   % i2p.url())
    lab.run(["chown", "-R", "61234:61234", home], user=False)
    ran = lab.run([lab.nsproxy_path, "run", "-P", "i2p", "--", "curl", "-sS",
                   f"http://{SITE}/p"], env={"HOME": home})
    assert json.loads(ran.out)["path"] == "p", ran
    ran = lab.run([lab.nsproxy_path, "run", "-P", "i2p", "--", "curl", "-sS",
                   "http://example.org/"], env={"HOME": home})
    assert ran.rc == 6, ran


# --- the real i2pd, alone: it has no tunnels

REAL = f"http://{i2p_lab.HOST}:{i2p_lab.HTTP}?forward"
REAL_SOCKS = f"socks5://{i2p_lab.HOST}:{i2p_lab.SOCKS}"
NOBODY = "nobody-has-this.i2p"


@pytest.fixture(scope="module")
def router(world):
    program = shutil.which("i2pd", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        pytest.fail("i2pd is not installed: tools/install-deps test")
    with I2pNet(world, program, 1) as alone:
        assert wait_for(alone.listens, 30)
        yield alone


@pytest.mark.smoke
def test_i2pd_answers_for_a_name_that_nobody_has(lab, router):
    with lab.watch() as silence:
        ran = lab.sandbox(["curl", "-sS", "-i", "-m", "60",
                           f"http://{NOBODY}/"], REAL, ONLY, timeout=70)
    assert re.match(r"HTTP/1.1 [45]\d\d ", ran.out), ran
    assert "i2pd" in ran.out.lower() and NOBODY in ran.out, ran
    assert silence, silence


def test_i2pd_is_asked_for_no_other_names(lab, router):
    with ForwardProxy(lab, port=i2p_lab.OUTPROXY) as out:
        ran = lab.sandbox(["curl", "-sS", "http://example.org/"], REAL, ONLY)
    assert ran.rc == 6 and not out.raw, ran      # could not resolve


@pytest.mark.smoke
def test_i2pd_with_an_outproxy_takes_all_names(lab, router):
    with ToyProxy(lab, listen=("prx", i2p_lab.HOST, i2p_lab.OUTPROXY)) as out:
        ran = lab.sandbox(["curl", "-sS", "-m", "30",
                           "http://example.org/o?p"], REAL)
    assert json.loads(ran.out)["request"] == "GET /o?p HTTP/1.1", ran
    assert [(a.host, a.port) for a in out.log] == [("example.org", 80)]


@pytest.mark.smoke
def test_i2pd_socks_proxy_gets_names_and_refuses_truly(lab, router):
    with lab.watch() as silence:
        got = lab.inside(f"out(connect_err({NOBODY!r}, 80)[0])", REAL_SOCKS,
                         ONLY)
    assert got in ("ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH",
                   "EACCES"), got
    assert silence, silence


@pytest.mark.smoke
def test_i2pd_exposed(lab, router):
    """Programs that know I2P's ports use them; nothing else leaves."""
    at = i2p_lab.HOST
    doors = [word for port in (i2p_lab.HTTP, i2p_lab.SOCKS, i2p_lab.CONSOLE)
             for word in ("-e", f"{at}:{port}")]
    ran = lab.sandbox(["sh", "-c", f"""
curl -sS -m 30 http://{at}:{i2p_lab.CONSOLE}/ | grep -o 'Routers:' | head -1
curl -sS -m 30 -x http://{at}:{i2p_lab.HTTP} http://{NOBODY}/ |
	grep -o {NOBODY} | head -1
curl -sS -m 30 -x socks5h://{at}:{i2p_lab.SOCKS} http://{NOBODY}/; echo $?
curl -sS -m 30 http://{at}:{i2p_lab.OUTPROXY}/; echo $?"""],
                      "block://", doors, timeout=120)
    assert ran.out.split() == ["Routers:", NOBODY, "97", "7"], ran
