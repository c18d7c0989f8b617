# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP through every kind of way out: truth, both ends, resets, bulk."""
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

from lab import Faults, ToyProxy
from lab.far import FarServers, Little, pattern, pattern_hash, read_line
from lab.run import PYTHON, wait_for

FAR, FAR6 = "203.0.113.5", "2001:db8:1::5"
CURL = ["curl", "-sS", "--max-time", "20"]


# --- kinds of proxies

@pytest.mark.smoke
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4a", "http"])
@pytest.mark.parametrize("host", [FAR, "name.example"])
def test_each_kind_reaches(lab, proxy, scheme, host):
    got = lab.inside(f"s = tcp('{host}', 7); s.sendall(b'hello');"
                     "out(s.recv(9).decode())", proxy.url(scheme))
    assert got == "hello"
    assert [(a.host, a.atyp) for a in proxy.log] == [
        (host, 1 if host == FAR else 3)]


@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_ipv6_literal_reaches(lab, proxy, scheme):
    got = lab.inside(f"s = tcp('{FAR6}', 7); s.sendall(b'six');"
                     "out([s.recv(9).decode(), s.getpeername()[0]])",
                     proxy.url(scheme))
    assert got == ["six", FAR6]
    assert proxy.log[0].host == FAR6


@pytest.mark.row("A18")
def test_ipv6_through_socks4a_fails_fast(lab, proxy):
    said, secs = lab.inside(f"out(connect_err('{FAR6}', 7))",
                            proxy.url("socks4a"))
    assert said in ("ENETUNREACH", "EHOSTUNREACH", "EAFNOSUPPORT",
                    "ECONNREFUSED") and secs < 1, (said, secs)
    assert not proxy.log


def test_proxy_on_ipv6(lab):
    with ToyProxy(lab, listen=("prx", "fd00:66::2", 1080)) as proxy:
        got = lab.inside(f"out(connect_err('{FAR}', 7)[0])", proxy)
    assert got == "OK"


@pytest.mark.row("P20")
def test_proxy_on_the_hosts_loopback(lab):
    with ToyProxy(lab, listen=("host", "127.0.0.1", 1080)) as proxy:
        got = lab.inside("out([connect_err('a.example', 7)[0],"
                         "connect_err('127.0.0.1', 1080)[0]])", proxy)
    assert got == ["OK", "ECONNREFUSED"], "its own loopback, not the host's"
    assert len(proxy.log) == 1


def test_unix_socket_proxy(lab):
    path = f"{lab.scratch()}/proxy.sock"
    with ToyProxy(lab, listen=("host", "127.0.0.1", 0), unix=path) as proxy:
        for url in (f"socks5+unix:{path}", f"socks5+unix://{path}"):
            assert lab.inside("out(connect_err('a.example', 7)[0])",
                              url) == "OK"
    assert proxy.log[0].host == "a.example"


@pytest.fixture(scope="module")
def certificate(world):
    """A CA the lab's host trusts, and a server certificate it signed."""
    import ssl
    base = "/run/lab/tls"
    subprocess.run(f"""set -e; mkdir -p {base}; cd {base}
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=LabCA \
  -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE
openssl req -newkey rsa:2048 -nodes -subj /CN=proxy.lan -keyout k.pem -out r.pem
printf 'subjectAltName=DNS:proxy.lan,IP:10.66.0.2' > ext
openssl x509 -req -in r.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
  -extfile ext -out c.pem
cat ca.pem >> /etc/ssl/certs/ca-certificates.crt
echo '10.66.0.2 proxy.lan wrong.lan' >> /etc/hosts
""", shell=True, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{base}/c.pem", f"{base}/k.pem")
    return context


@pytest.fixture
def tls_proxy(lab, certificate):
    with ToyProxy(lab, tls=certificate) as proxy:
        yield proxy


@pytest.mark.smoke
@pytest.mark.parametrize("host", ["proxy.lan", "10.66.0.2"])
def test_https_proxy_reaches(lab, tls_proxy, host):
    got = lab.inside("s = tcp('a.example', 9); s.sendall(b'x' * 3000000);"
                     "s.shutdown(1); out(read_all(s).decode())",
                     f"https://{host}:{tls_proxy.port}")
    assert got.split()[0] == "3000000"
    assert tls_proxy.log[0].host == "a.example"


def test_https_proxy_download(lab, tls_proxy):
    got = lab.inside("s = tcp('a.example', 19); s.sendall(b'5000000\\n');"
                     "out(sha(read_all(s)))",
                     f"https://proxy.lan:{tls_proxy.port}")
    assert got == pattern_hash(5000000)


def test_https_proxy_with_a_wrong_name_is_refused(lab, tls_proxy):
    ran = lab.sandbox([*CURL, f"http://{FAR}/"],
                      f"https://wrong.lan:{tls_proxy.port}")
    assert ran.rc == 7, ran
    assert "wrong.lan" in ran.err and not tls_proxy.log, ran


def test_https_proxy_insecure_when_written(lab, tls_proxy):
    ran = lab.sandbox([*CURL, f"http://{FAR}/"],
                      f"https://wrong.lan:{tls_proxy.port}?insecure")
    assert ran.rc == 0, ran


def test_https_proxy_without_openssl_is_a_clear_fault(lab):
    with open(f"{lab.scratch()}/libssl.so.3", "wb") as file:
        file.write(b"no library")
    there = os.path.dirname(file.name)
    os.chmod(file.name, 0o644)
    for url, said in (("https://10.66.0.2:3128?insecure",
                       "an https proxy needs OpenSSL"),
                      ("socks5://10.66.0.2:1080", "")):
        ran = lab.sandbox(["true"], url, env={"LD_LIBRARY_PATH": there})
        assert (ran.rc != 0) == bool(said) and said in ran.err, ran


@pytest.mark.loud
def test_direct(lab):
    with lab.watch("inet") as verdict:
        got = lab.inside(f"out([connect_err('{FAR}', 7)[0],"
                         f"connect_err('{FAR}', 79)[0],"
                         f"connect_err('{FAR6}', 7)[0]])", "direct://",
                         ["-d", "off"])
    assert got == ["OK", "ECONNREFUSED", "OK"]
    assert "inet" in verdict.leaks, "direct means the host's own wire"


@pytest.mark.loud
def test_direct_by_a_device(lab):
    got = lab.inside("out([connect_err('10.66.0.2', 1080)[0],"
                     f"connect_err('{FAR}', 7, 4)[0]])",
                     "direct://?dev=prx0", ["-d", "off"])
    assert got[0] == "ECONNREFUSED" and got[1] != "OK", got


def test_block_refuses_everything(lab):
    got = lab.inside(f"out([connect_err('{FAR}', 7), connect_err('{FAR6}', 7)"
                     ", connect_err('name.example', 7)])", "block://")
    for said, secs in got:
        assert said != "OK" and secs < 2, got


# --- chains

@pytest.mark.smoke
def test_chain_of_three(lab):
    with ToyProxy(lab) as one, \
            ToyProxy(lab, listen=("inet", "203.0.113.201", 1081), out="inet",
                     auth=("u", "p")) as two, \
            ToyProxy(lab, listen=("inet", "203.0.113.202", 1082),
                     out="inet") as three:
        ran = lab.sandbox(
            [*CURL, "http://last.example/"],
            [one.url(), two.url("http", ("u", "p")), three.url("socks4a")])
    assert ran.rc == 0, ran
    assert [(a.host, a.port) for a in one.log] == [("203.0.113.201", 1081)]
    assert [(a.host, a.port) for a in two.log] == [("203.0.113.202", 1082)]
    assert [(a.host, a.atyp) for a in three.log] == [("last.example", 3)]


def test_chain_written_with_commas_and_names(lab):
    with ToyProxy(lab, names={"hop.example": "203.0.113.201"}) as one, \
            ToyProxy(lab, listen=("inet", "203.0.113.201", 1081),
                     out="inet") as two:
        got = lab.inside("out(connect_err('last.example', 7)[0])",
                         f"{one.url()},socks5://hop.example:1081")
    assert got == "OK"
    assert (one.log[0].host, one.log[0].atyp) == ("hop.example", 3)
    assert two.log[0].host == "last.example"


def test_dead_second_hop_fails_fast_and_is_named(lab, proxy):
    ran = lab.sandbox([*CURL, "http://a.example/"],
                      [proxy.url(), "socks5://203.0.113.201:79"])
    assert ran.rc == 7 and ran.secs < 5, ran
    assert "203.0.113.201:79" in ran.err, ran


# --- truth about errors

SOCKS5_TRUTH = {1: "EHOSTUNREACH", 2: "EACCES", 3: "ENETUNREACH",
                4: "EHOSTUNREACH", 5: "ECONNREFUSED", 6: "ETIMEDOUT",
                8: "ENETUNREACH"}


@pytest.mark.smoke
@pytest.mark.parametrize("host, code", [
    (host, code) for host in (FAR, FAR6, "name.example")
    for code in SOCKS5_TRUTH if code != 6 or host == FAR])
def test_socks5_codes_become_errors(lab, code, host):
    with ToyProxy(lab, faults=Faults(reply=code)) as proxy:
        said, secs = lab.inside(f"out(connect_err('{host}', 7))", proxy,
                                timeout=60)
    wanted = {SOCKS5_TRUTH[code]}
    if code == 2:
        wanted.add("EHOSTUNREACH")
    assert said in wanted, said
    # Nothing that can be written to a TUN makes connect() say ETIMEDOUT: it
    # is the kernel that gives up, after tcp_syn_retries.
    assert secs < (45 if code == 6 else 2), secs


@pytest.mark.row("P08")
@pytest.mark.parametrize("status, wanted", [
    (502, {"ECONNREFUSED"}), (503, {"EHOSTUNREACH"}), (403, {"EACCES",
                                                             "EHOSTUNREACH"}),
    (302, {"EHOSTUNREACH"}), (500, {"EHOSTUNREACH"})])
def test_http_statuses_become_errors(lab, status, wanted):
    with ToyProxy(lab, faults=Faults(reply=status)) as proxy:
        said, secs = lab.inside(f"out(connect_err('{FAR}', 7))",
                                proxy.url("http"))
    assert said in wanted and secs < 2, (said, secs)


def test_real_refusals_and_lost_hosts(lab, proxy):
    got = lab.inside(f"out([connect_err('{FAR}', 79)[0],"
                     "connect_err('203.0.113.250', 7)[0],"
                     "connect_err('192.0.9.9', 7)[0],"
                     f"connect_err('{FAR6}', 79)[0],"
                     "connect_err('nx.example', 7)[0]])", proxy)
    assert got == ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH",
                   "ECONNREFUSED", "EHOSTUNREACH"]


@pytest.mark.row("P01")
def test_dead_proxy_fails_at_once_with_one_warning(lab):
    ran = lab.sandbox(["sh", "-c", f"for i in 1 2 3 4; do curl -sS http://{FAR}"
                       "/ 2>/dev/null; echo $?; done"],
                      "socks5://10.66.0.2:1080")
    assert ran.out.split() == ["7"] * 4 and ran.secs < 5, ran
    assert ran.err.count("10.66.0.2:1080") == 1, ran


@pytest.mark.row("P14")
@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_refused_credentials_fail_at_once(lab, scheme):
    with ToyProxy(lab, auth=("joe", "good")) as proxy:
        ran = lab.sandbox([*CURL, f"http://{FAR}/"],
                          proxy.url(scheme, ("joe", "hunter2")))
    assert ran.rc == 7 and ran.secs < 3, ran
    assert "10.66.0.2:1080" in ran.err and "hunter2" not in ran.err, ran
    assert len(proxy.log) == 0


@pytest.mark.row("P14")
def test_no_fall_back_to_no_credentials(lab, proxy):
    """A proxy that wants none gets none of our traffic, or takes them; the
    method offered is the password alone."""
    lab.inside(f"out(connect_err('{FAR}', 7)[0])",
               proxy.url(auth=("joe", "word")))
    assert not proxy.log


@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_good_credentials(lab, scheme):
    user, word = "j@e:o", "p/ä%" + "x" * 200
    import urllib.parse
    with ToyProxy(lab, auth=(user, word)) as proxy:
        if scheme == "http":
            user = "joe"
            proxy.auth = (user, word)
        quoted = (urllib.parse.quote(user, safe=""),
                  urllib.parse.quote(word, safe=""))
        got = lab.inside(f"out(connect_err('{FAR}', 7)[0])",
                         proxy.url(scheme, quoted))
    assert got == "OK"


BAD_BEHAVIOUR = {
    "hangs up at once": Faults(close_at="accept"),
    "hangs up after greeting": Faults(close_at="greet"),
    "hangs up after request": Faults(close_at="request"),
    "speaks garbage": Faults(raw_reply=b"\x17garbage" * 50),
    "speaks http to socks": Faults(raw_reply=b"HTTP/1.1 200 OK\r\n\r\n"),
    "bad address type": Faults(raw_reply=b"\x05\x00\x00\x09" + b"\0" * 300),
}


@pytest.mark.parametrize("how", BAD_BEHAVIOUR)
def test_misbehaving_socks5_proxy(lab, how):
    with ToyProxy(lab, faults=BAD_BEHAVIOUR[how]) as proxy:
        said, secs = lab.inside(f"out(connect_err('{FAR}', 7))", proxy)
        assert said not in ("OK", "timeout") and secs < 12, (said, secs)
        proxy.faults = Faults()
        got = lab.inside(f"out(connect_err('{FAR}', 7)[0])", proxy)
    assert got == "OK"


BAD_HEADS = {
    "no number": b"HTTP/1.1 banana\r\n\r\n",
    "socks": b"\x05\x00\x00\x01\0\0\0\0\0\0",
    "nul": b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    "empty lines": b"\n" * 9000,
    "long": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 3000,
}


@pytest.mark.row("P07")
@pytest.mark.parametrize("how", BAD_HEADS)
def test_misbehaving_http_proxy(lab, how):
    with ToyProxy(lab, faults=Faults(raw_reply=BAD_HEADS[how])) as proxy:
        said, secs = lab.inside(f"out(connect_err('{FAR}', 7))",
                                proxy.url("http"))
    assert said not in ("OK", "timeout") and secs < 12, (said, secs)


@pytest.mark.row("P07")
def test_endless_head_is_cut(lab):
    with ToyProxy(lab, faults=Faults(endless=True)) as proxy:
        said, secs = lab.inside(f"out(connect_err('{FAR}', 7))",
                                proxy.url("http"))
    assert said not in ("OK", "timeout") and secs < 12, (said, secs)


@pytest.mark.row("P04")
@pytest.mark.parametrize("where", ["accept", "greet"])
def test_silent_proxy_has_a_deadline(lab, where):
    with ToyProxy(lab, faults=Faults(silent_at=where)) as proxy:
        said, secs = lab.inside(f"out(connect_err('{FAR}', 7, 60))", proxy,
                                timeout=60)
    assert said not in ("OK", "timeout") and 5 < secs < 15, (said, secs)


@pytest.mark.row("P04")
def test_proxy_that_never_answers_a_request(lab):
    with ToyProxy(lab, faults=Faults(silent_at="request")) as proxy:
        said, secs = lab.inside(f"out(connect_err('{FAR}', 7, 90))", proxy,
                                timeout=90)
    assert said == "ETIMEDOUT" and secs < 40, (said, secs)


def test_timeout_of_the_url(lab):
    with ToyProxy(lab, faults=Faults(silent_at="request")) as proxy:
        said, secs = lab.inside(f"out(connect_err('{FAR}', 7, 90))",
                                proxy.url() + "?timeout=3", timeout=60)
    assert said == "ETIMEDOUT" and secs < 8, (said, secs)


@pytest.mark.row("P05")
def test_dribbling_within_the_deadline_works(lab):
    with ToyProxy(lab, faults=Faults(dribble_s=0.05)) as proxy:
        for scheme in ("socks5", "http", "socks4a"):
            got = lab.inside(f"s = tcp('{FAR}', 7); s.sendall(b'hi');"
                             "out(s.recv(9).decode())", proxy.url(scheme))
            assert got == "hi", scheme


@pytest.mark.row("P05")
def test_dribbling_does_not_stretch_the_deadline(lab):
    with ToyProxy(lab, faults=Faults(dribble_s=9)) as proxy:
        said, secs = lab.inside(f"out(connect_err('{FAR}', 7, 90))", proxy,
                                timeout=90)
    assert said not in ("OK", "timeout") and secs < 40, (said, secs)


def test_connect_waits_for_the_far_end(lab):
    """Connected means reached: a slow proxy makes connect() slow."""
    with ToyProxy(lab, faults=Faults(delay_s=1.5)) as proxy:
        said, secs = lab.inside(f"out(connect_err('{FAR}', 7))", proxy)
    assert said == "OK" and 1.4 < secs < 3.5, (said, secs)


def test_nonblocking_connect(lab):
    with ToyProxy(lab, faults=Faults(delay_s=0.5)) as proxy:
        got = lab.inside(f"""
s = socket.socket(); s.setblocking(False)
code = s.connect_ex(('{FAR}', 7))
early = select.select([], [s], [], 0.1)[1] != []
ready = select.select([], [s], [], 5)[1] != []
out([errno.errorcode[code], early, ready,
     s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), s.getpeername()[0]])
""", proxy)
    assert got == ["EINPROGRESS", False, True, 0, FAR]


@pytest.mark.row("A15")
def test_giving_up_while_the_proxy_thinks(lab):
    with ToyProxy(lab, faults=Faults(delay_s=1)) as proxy:
        got = lab.inside(f"""
for _ in range(20):
    s = socket.socket(); s.setblocking(False)
    s.connect_ex(('{FAR}', 7)); s.close()
time.sleep(2)
out(connect_err('{FAR}', 7)[0])
""", proxy)
    assert got == "OK"


# --- both ends

@pytest.mark.row("P09")
@pytest.mark.smoke
def test_half_close_upwards(lab, proxy):
    got = lab.inside(f"s = tcp('{FAR}', 9); s.sendall(b'a' * 100000);"
                     "s.shutdown(1); out(read_all(s).decode())", proxy)
    assert got.split()[0] == "100000"


@pytest.mark.row("P09", "P13")
def test_half_close_downwards(lab, proxy):
    FarServers.early_end_counts.clear()
    got = lab.inside(f"""
s = tcp('{FAR}', 11)
heard = read_all(s).decode()
for _ in range(50):
    s.sendall(b'b' * 2000); time.sleep(0.005)
s.shutdown(1); s.close(); out(heard)
""", proxy)
    assert got == "that is all from me\n"
    assert wait_for(lambda: FarServers.early_end_counts) == [100000]


@pytest.mark.row("P10")
@pytest.mark.smoke
def test_reset_from_the_far_end_is_a_reset(lab, proxy):
    got = lab.inside(f"s = tcp('{FAR}', 13); s.sendall(b'go\\n');"
                     "out(err(read_all, s))", proxy)
    assert got == "ECONNRESET"


def test_reset_of_the_program_is_a_reset(lab, proxy):
    got = lab.inside(f"""
s = tcp('{FAR}', 7); s.sendall(b'x'); s.recv(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
s.close(); time.sleep(0.5); out('done')
""", proxy)
    assert got == "done"
    assert wait_for(lambda: not proxy.clients), "the flow was not ended"


@pytest.mark.row("P10")
def test_death_of_the_proxy_is_a_reset(lab, proxy):
    job = lab.sandbox_start(
        ["/usr/bin/python3", "-c", f"""from inside import *
s = tcp('{FAR}', 19); s.sendall(b'100000000\\n')
s.recv(1000); print('reading', flush=True); time.sleep(1)
out(err(read_all, s))"""], proxy)
    assert job.says("reading"), job.ran(None)
    proxy.reset_clients()
    assert lab.spoken(job.wait(20)) == "ECONNRESET"


@pytest.mark.row("A15")
def test_urgent_data_is_tolerated(lab, proxy):
    got = lab.inside(f"""
s = tcp('{FAR}', 9)
s.sendall(b'a' * 1000); s.send(b'!', socket.MSG_OOB); s.sendall(b'b' * 1000)
time.sleep(0.1); s.send(b'?', socket.MSG_OOB)
s.shutdown(1); out(read_all(s).decode().split()[0])
""", proxy)
    assert got == "2002"


@pytest.mark.row("P08")
def test_banner_glued_to_the_reply(lab):
    with ToyProxy(lab, faults=Faults(glue=True)) as proxy:
        for scheme in ("socks5", "http", "socks4a"):
            got = lab.inside(f"s = tcp('{FAR}', 12); s.sendall(b'more');"
                             "b = b''\nwhile not b.endswith(b'more'):"
                             " b += s.recv(99)\nout(b.decode())",
                             proxy.url(scheme))
            assert got == "220 hello from the far end\r\nmore", scheme


@pytest.mark.row("A13", "A15")
def test_early_data_of_fast_open(lab, proxy):
    got = lab.inside(f"""
s = socket.socket()
s.sendto(b'early bird', 0x20000000, ('{FAR}', 7))
got = b''
while len(got) < 10: got += s.recv(99)
t = socket.socket()
t.setsockopt(socket.IPPROTO_TCP, 30, 1)
t.connect(('{FAR}', 7)); t.sendall(b'connect'); got += t.recv(99)
out(got.decode())
""", proxy)
    assert got == "early birdconnect"


@pytest.mark.row("A13")
def test_mptcp_falls_back(lab, proxy):
    got = lab.inside(f"""
try:
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
except OSError:
    out('hi')
else:
    s.settimeout(10); s.connect(('{FAR}', 7)); s.sendall(b'hi')
    out(s.recv(9).decode())
""", proxy)
    assert got == "hi"


def test_addresses_look_right(lab, proxy):
    got = lab.inside(f"""
s = tcp('{FAR}', 7); t = tcp('{FAR6}', 7)
out([s.getpeername()[0], s.getsockname()[0], t.getpeername()[0],
     t.getsockname()[0]])""", proxy)
    assert got == [FAR, "198.18.0.1", FAR6, "2001:2::1"]


def test_congestion_control_is_the_hosts(lab, proxy):
    code = "s = %s; out(s.getsockopt(socket.IPPROTO_TCP, 13, 16).decode())"
    inside = lab.inside(code % f"tcp('{FAR}', 7)", proxy)
    assert inside == lab.outside(code % "socket.socket()")


SILENT = """
import socket, sys, time
s = socket.create_server((sys.argv[1], 1077),
                         family=socket.AF_INET6 if ':' in sys.argv[1] else 2)
print('listening', flush=True); c = s.accept(); time.sleep(60)
"""


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.7", "[::1]",
                                     "10.66.0.1", "[fd00:66::1]"])
def test_to_a_proxy_on_this_machine_nothing_is_paced_or_piled_up(lab, address):
    silent = lab.start([PYTHON, "-c", SILENT, address.strip("[]")])
    assert silent.says("listening"), silent.ran(None)
    lab.start([lab.nsproxy_path, "run", "-q", "-x", f"socks5://{address}:1077",
               "--", *CURL, "http://far.example/"])
    def told():
        return lab.run(["ss", "-Htnim", "dport", "=", ":1077"],
                       user=False).out
    assert wait_for(lambda: " reno " in told()), told()
    may = int(Path("/proc/sys/net/core/rmem_max").read_text("ascii"))
    room = int(re.search(r"skmem:\(r\d+,rb(\d+)", told())[1])
    assert room == 2 * min(212992, may), told()


def test_to_a_proxy_elsewhere_the_host_decides_and_probes_it(lab, proxy):
    job = lab.sandbox_start(
        [PYTHON, "-c", "from inside import *\n"
         f"s = tcp('{FAR}', 7); print('up', flush=True); time.sleep(20)"],
        proxy)
    assert job.says("up"), job.ran(None)
    host = lab.outside("s = socket.socket();"
                       "out(s.getsockopt(socket.IPPROTO_TCP, 13, 16).decode())")
    ran = lab.run(["ss", "-Htnoi", "dst", "10.66.0.2"], user=False)
    assert f" {host.rstrip(chr(0))} " in ran.out and "keepalive" in ran.out, ran


# --- bulk

BULK = """
def up(n):
    s = tcp('%(far)s', 9); data = os.urandom(1 << 20); h = hashlib.sha256()
    for _ in range(n):
        s.sendall(data); h.update(data)
    s.shutdown(1)
    return read_all(s).decode().split() == [str(n << 20), h.hexdigest()]
def down(n):
    s = tcp('%(far)s', 19); s.sendall(b'%%d\\n' %% n); h = hashlib.sha256()
    while d := s.recv(1 << 18): h.update(d)
    return h.hexdigest()
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(16) as pool:
    ups = [pool.submit(up, 24) for _ in range(8)]
    downs = [pool.submit(down, 25000001) for _ in range(8)]
    out([[u.result() for u in ups], [d.result() for d in downs]])
"""


@pytest.mark.smoke
@pytest.mark.parametrize("far", [FAR, FAR6])
def test_eight_streams_each_way_arrive_whole(lab, proxy, far):
    ups, downs = lab.inside(BULK % {"far": far}, proxy, timeout=120)
    assert ups == [True] * 8
    assert downs == [pattern_hash(25000001)] * 8


def stays_open(sock):
    """After "down N" it says so many octets, after "up N" it hears as many and
    says so. Then it waits."""
    way, count = read_line(sock).split()
    if way == b"down":
        for chunk in pattern(int(count)):
            sock.sendall(chunk)
    else:
        for _ in range(int(count) // STAY_CHUNK):
            assert len(sock.recv(STAY_CHUNK, socket.MSG_WAITALL)) == STAY_CHUNK
        sock.sendall(b"all")
    sock.recv(1)


STAY_CHUNK = 98765
STAY_COUNT = 1000 * STAY_CHUNK


QUEUES = """
import re
def room(*ss):
    said = subprocess.run(['ss', '-Htnim', 'state', 'established', *ss],
                          capture_output=True, text=True).stdout
    return int(re.search(r'skmem:\\(r\\d+,rb(\\d+)', said)[1])
def port(sock):
    return ':%%d' %% sock.getsockname()[1]
up, down = tcp('%(far)s', 16), tcp('%(far)s', 16)
up.sendall(b'up %(count)d\\n')
for _ in range(%(count)d // %(chunk)d):
    up.sendall(bytes(%(chunk)d))
up.recv(3)
down.sendall(b'down %(count)d\\n')
for _ in range(%(count)d // %(chunk)d):
    down.recv(%(chunk)d, socket.MSG_WAITALL)
with open('/proc/sys/net/ipv4/tcp_rmem') as most:
    out([int(most.read().split()[2]), room('sport', '=', port(down)),
         room('dport', '=', port(up))])
"""
SHORT, WIDE = 262144, 4194304


@pytest.mark.parametrize("way", ["proxy", "tls_proxy"])
def test_little_waits_for_programs_and_more_for_the_worker(lab, request, way):
    proxy = request.getfixturevalue(way)
    url = (proxy.url() if way == "proxy" else f"https://proxy.lan:{proxy.port}")
    with Little(lab, "inet", FAR, 16, stays_open):
        most, program, worker = lab.inside(
            QUEUES % {"far": FAR, "count": STAY_COUNT, "chunk": STAY_CHUNK},
            url)
    host = int(lab.run(["cat", "/proc/sys/net/ipv4/tcp_rmem"]).out.split()[2])
    may = int(Path("/proc/sys/net/core/rmem_max").read_text("ascii"))
    if may < WIDE or host <= SHORT:
        assert most == host
        return
    assert most == SHORT and program <= SHORT
    # The worker's end gets more if it is fed fast (test/unit/relay_test.c).
    assert worker <= SHORT or (worker == 2 * WIDE and way == "proxy")


@pytest.mark.parametrize("piece", [STAY_CHUNK, 500])
def test_the_last_of_much_comes_though_the_flow_stays_open(lab, proxy, piece):
    with Little(lab, "inet", FAR, 16, stays_open):
        got = lab.inside(f"""
for _ in range(4):
    s = tcp('{FAR}', 16); s.setsockopt(socket.IPPROTO_TCP, 1, 1)
    s.sendall(b'up {STAY_COUNT}\\n'); data = bytes({piece})
    for _ in range({STAY_COUNT // piece}): s.sendall(data)
    assert s.recv(9) == b'all'
    s.close()
    s = tcp('{FAR}', 16); s.sendall(b'down {STAY_COUNT}\\n'); got = 0
    while got < {STAY_COUNT}: got += len(s.recv(1 << 20))
    s.close()
out('all')""", proxy, timeout=60)
    assert got == "all"


# At once (TCP_NODELAY), and faster than any network: the worker naps.
SMALL = """
def up(piece):
    s = tcp('%(far)s', 9); s.setsockopt(socket.IPPROTO_TCP, 1, 1)
    data = os.urandom(100000 * piece)
    for at in range(0, len(data), piece): s.sendall(data[at:at + piece])
    room = subprocess.run(['ss', '-Htnm', 'sport', '=', ':9'],
                          capture_output=True, text=True).stdout
    s.shutdown(1)
    want = [str(len(data)), hashlib.sha256(data).hexdigest()]
    return [read_all(s).decode().split() == want, 'rb262144' in room]
out([up(piece) for piece in (100, 512, 1400, 4000)])
"""


def test_much_in_small_writes_arrives_whole(lab, proxy):
    got = lab.inside(SMALL % {"far": FAR}, proxy, timeout=60)
    assert got == [[True, True]] * 4


def test_many_short_connections(lab, proxy):
    got = lab.inside(f"""
from concurrent.futures import ThreadPoolExecutor
def one(i):
    s = tcp('{FAR}', 7); s.sendall(b'%d' % i); a = s.recv(99); s.close()
    return a == b'%d' % i
with ThreadPoolExecutor(32) as pool:
    out(sum(pool.map(one, range(1500))))
""", proxy, timeout=90)
    assert got == 1500


OFTEN = """
for i in range(6):
    s = tcp('often.example', 7); s.sendall(b'%d' % i)
    assert s.recv(9) == b'%d' % i
    s.close(); time.sleep(0.1)
out(6)
"""


@pytest.mark.parametrize("scheme", ["socks5", "socks4a", "http", "https"])
def test_who_connects_often_finds_the_proxy_greeted(lab, request, scheme):
    proxy = request.getfixturevalue(
        "tls_proxy" if scheme == "https" else "proxy")
    url = f"{scheme}://{'proxy.lan' if proxy.tls else proxy.host}:{proxy.port}"
    assert lab.inside(OFTEN, url) == 6
    assert [a.host for a in proxy.log] == ["often.example"] * 6
    assert 6 < proxy.accepted <= 10
    was = proxy.accepted
    assert lab.inside(OFTEN, f"{url}?fresh") == 6
    assert proxy.accepted == was + 6


def memory_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("VmRSS"))


@pytest.mark.row("P11")
def test_slow_reader_bounds_our_memory(lab, proxy):
    job = lab.sandbox_start(
        ["/usr/bin/python3", "-c", f"""from inside import *
socks = []
for _ in range(20):
    s = tcp('{FAR}', 19); s.sendall(b'1000000000\\n'); socks.append(s)
print('stalled', flush=True)
time.sleep(3)
t0 = time.monotonic()
q = tcp('{FAR}', 7); q.sendall(b'x'); q.recv(1)
out(time.monotonic() - t0)
time.sleep(2)"""], proxy)
    assert job.says("stalled"), job.ran(None)
    time.sleep(2)
    workers = job.worker_pids()
    assert workers, "no worker found"
    assert memory_of(workers[0]) < 64 * 1024, memory_of(workers[0])
    ran = job.wait(30)
    assert lab.spoken(ran) < 1, ran


@pytest.mark.row("P11")
def test_slow_far_end_stops_the_program(lab, proxy):
    got = lab.inside(f"""
s = tcp('{FAR}', 14); s.settimeout(1.5); sent = 0
try:
    while sent < 1 << 28: sent += s.send(b'z' * 65536)
except TimeoutError: pass
out(sent)""", proxy, timeout=60)
    assert got < 64 << 20, f"{got} octets were swallowed"


@pytest.mark.row("R02")
def test_syn_flood_from_inside_is_survived(lab):
    with ToyProxy(lab, faults=Faults(silent_at="request")) as proxy:
        got = lab.inside(f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE,
                   (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
socks = []
for i in range(6000):
    try:
        s = socket.socket()
    except OSError:
        socks = socks[2000:]
        continue
    s.setblocking(False)
    s.connect_ex(('203.0.113.%d' % (i % 250), 1000 + i)); socks.append(s)
time.sleep(1)
for s in socks: s.close()
out(1)""", proxy, timeout=60)
        assert got == 1
    with ToyProxy(lab) as proxy:
        assert lab.inside(f"out(connect_err('{FAR}', 7)[0])", proxy) == "OK"


def test_own_listeners_still_work(lab, proxy):
    """Servers inside, on loopback and on the sandbox's own address."""
    got = lab.inside("""
said = []
for family, address in ((socket.AF_INET, '127.0.0.1'),
                        (socket.AF_INET6, '::1'),
                        (socket.AF_INET, '198.18.0.1'),
                        (socket.AF_INET6, '2001:2::1')):
    l = socket.socket(family); l.bind((address, 0)); l.listen()
    c = socket.socket(family); c.settimeout(5); c.connect(l.getsockname())
    a, _ = l.accept(); a.sendall(b'hi'); said.append(c.recv(9).decode())
out(said)""", proxy)
    assert got == ["hi"] * 4
    assert not proxy.log


def test_closed_local_ports_are_refused(lab, proxy):
    got = lab.inside("out([connect_err('127.0.0.1', 9)[0],"
                     "connect_err('::1', 9)[0], connect_err('198.18.0.1', 9)"
                     "[0], connect_err('localhost', 9)[0]])", proxy)
    assert got == ["ECONNREFUSED"] * 4
    assert not proxy.log


def test_packets_over_lo_may_be_wide(lab):
    release = [int(n) for n in os.uname().release.split(".")[:2]]
    if release < [6, 3]:
        pytest.skip("BIG TCP for IPv4 is of Linux 6.3")
    ran = lab.sandbox(["ip", "-d", "link", "show", "lo"],
                      "socks5://10.66.0.2:1080")
    assert "gso_max_size 262144" in ran.out, ran
