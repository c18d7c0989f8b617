# SPDX-License-Identifier: GPL-3.0-or-later
"""`nsproxy serve`: a small real proxy, asked by programs that know proxies."""
import os
import re
import signal

import pytest

from lab import ToyProxy
from lab.far import pattern_hash
from lab.run import PYTHON, is_alive, wait_for

FAR, FAR6 = "203.0.113.5", "2001:db8:1::5"
CURL = ["curl", "-sS", "--max-time", "15"]

CLIENT = """
def ask(to, cmd=1, port=%(port)d, auth=%(auth)r):
    s = tcp('%(host)s', port)
    s.sendall(b'\\5\\1' + (b'\\2' if auth else b'\\0'))
    if exact(s, 2) != (b'\\5\\2' if auth else b'\\5\\0'): return s, 'method'
    if auth:
        u, p = auth
        s.sendall(b'\\1' + bytes([len(u)]) + u.encode() + bytes([len(p)])
                  + p.encode())
        if exact(s, 2)[1]: return s, 'auth'
    host, number = to
    s.sendall(b'\\5' + bytes([cmd]) + b'\\0' + dest(host, number))
    head = exact(s, 4)
    size = {1: 4, 4: 16}[head[3]]
    where = exact(s, size); p = struct.unpack('!H', exact(s, 2))[0]
    return s, (head[1], p)
def dest(host, number):
    n = struct.pack('!H', number)
    try: return b'\\1' + socket.inet_aton(host) + n
    except OSError: pass
    try: return b'\\4' + socket.inet_pton(socket.AF_INET6, host) + n
    except OSError: return b'\\3' + bytes([len(host)]) + host.encode() + n
def exact(s, n):
    b = b''
    while len(b) < n:
        d = s.recv(n - len(b))
        if not d: raise EOFError(b)
        b += d
    return b
"""


@pytest.fixture
def serve(lab):
    """serve(WORDS...) -> (job, port): it runs in the proxy's own place."""
    def begin(*words, user=True, before=()):
        job = lab.start([*before, lab.nsproxy_path, "serve", *words],
                        place="prx", user=user)
        found = wait_for(lambda: re.search(r"listening on .*:(\d+)\n",
                                           job.out)
                         or job.popen.poll() is not None, 10)
        assert found and found is not True, job.ran(job.popen.poll())
        return job, int(found.group(1))
    return begin


def client(lab, code, port, host="127.0.0.1", auth=None, place="prx"):
    return lab.outside(CLIENT % {"port": port, "host": host, "auth": auth}
                       + code, place=place)


def open_hosts():
    with open("/etc/hosts", "a", encoding="ascii") as file:
        file.write(f"{FAR} far.example\n{FAR6} far6.example\n"
                   f"{FAR6} both.example\n{FAR} both.example\n")


@pytest.mark.smoke
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "http"])
def test_curl_through_it(lab, serve, scheme):
    open_hosts()
    _, port = serve("127.0.0.1:0")
    for host in (FAR, f"[{FAR6}]", "far.example", "far6.example",
                 "both.example"):
        ran = lab.run([*CURL, "-x", f"{scheme}://127.0.0.1:{port}",
                       f"http://{host}/"], place="prx")
        assert ran.rc == 0 and "GET / HTTP" in ran.out, ran
    ran = lab.run([*CURL, "-p", "-x", f"http://127.0.0.1:{port}",
                   "http://far.example/"], place="prx")
    assert ran.rc == 0, ran


def test_one_protocol_only(lab, serve):
    _, port = serve("socks5://127.0.0.1:0")
    good = lab.run([*CURL, "-x", f"socks5://127.0.0.1:{port}",
                    f"http://{FAR}/"], place="prx")
    bad = lab.run([*CURL, "-x", f"http://127.0.0.1:{port}",
                   f"http://{FAR}/"], place="prx")
    assert good.rc == 0 and bad.rc != 0, (good, bad)
    _, port = serve("http://127.0.0.1:0")
    bad = lab.run([*CURL, "-x", f"socks5://127.0.0.1:{port}",
                   f"http://{FAR}/"], place="prx")
    assert bad.rc != 0, bad


@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_credentials(lab, serve, scheme):
    _, port = serve("joe:s%40crt@127.0.0.1:0")
    for login, good in (("joe:s%40crt@", True), ("joe:wrong@", False),
                        ("", False), ("jo:s%40crt@", False)):
        ran = lab.run([*CURL, "-f", "-x",
                       f"{scheme}://{login}127.0.0.1:{port}",
                       f"http://{FAR}/"], place="prx")
        assert (ran.rc == 0) == good, ran


def test_open_to_others_only_with_credentials(lab):
    for where in ("0.0.0.0:0", "10.66.0.2:0", "[::]:0", "socks5://0.0.0.0:0"):
        ran = lab.run(["timeout", "5", lab.nsproxy_path, "serve", where],
                      place="prx")
        assert ran.rc not in (0, 124) and ran.err.startswith(
            "nsproxy: serve: "), ran


def test_open_to_others_when_told(lab, serve):
    _, port = serve("--open", "10.66.0.2:0")
    assert client(lab, f"s, r = ask(('{FAR}', 7)); out(r[0])", port,
                  "10.66.0.2") == 0
    _, port = serve("joe:word@10.66.0.2:0")
    assert client(lab, f"s, r = ask(('{FAR}', 7)); out(r[0])", port,
                  "10.66.0.2", ("joe", "word")) == 0


@pytest.mark.smoke
def test_replies_are_true(lab, serve):
    _, port = serve("127.0.0.1:0")
    got = client(lab, f"""
out([ask(('{FAR}', 79))[1][0], ask(('203.0.113.250', 7))[1][0],
     ask(('192.0.9.9', 7))[1][0], ask(('no.such.name', 7))[1][0],
     ask(('{FAR}', 7), cmd=2)[1][0]])""", port)
    assert got == [5, 4, 3, 4, 7]


def test_slow_clients_early_data_and_half_close(lab, serve):
    _, port = serve("127.0.0.1:0")
    got = client(lab, f"""
s = tcp('127.0.0.1', {port})
for b in b'\\5\\1\\0' + b'\\5\\1\\0' + dest('{FAR}', 9) + b'glued':
    s.sendall(bytes([b])); time.sleep(0.01)
exact(s, 2); exact(s, 10)
s.sendall(b' more'); s.shutdown(1)
out(read_all(s).decode().split()[0])""", port)
    assert got == "10"
    got = client(lab, f"""
s = tcp('127.0.0.1', {port})
s.sendall(b'\\5\\1\\0\\5\\1\\0' + dest('{FAR}', 9) + b'all in one')
s.shutdown(1); exact(s, 12); out(read_all(s).decode().split()[0])""", port)
    assert got == "10"


def test_bulk(lab, serve):
    _, port = serve("127.0.0.1:0")
    got = client(lab, f"""
s, r = ask(('{FAR}', 19)); s.sendall(b'60000000\\n'); a = sha(read_all(s))
s, r = ask(('{FAR}', 9)); s.sendall(bytes(60000000)); s.shutdown(1)
out([a, read_all(s).decode().split()[0]])""", port)
    assert got == [pattern_hash(60000000), "60000000"]


def test_to_a_client_on_this_machine_nothing_is_paced(lab, serve):
    _, port = serve("127.0.0.1:0")
    lab.start([PYTHON, "-c", "import socket, time\n"
               f"s = socket.create_connection(('127.0.0.1', {port}))\n"
               "time.sleep(20)"], place="prx")
    assert wait_for(lambda: " reno " in lab.run(
        ["ss", "-Htni", "sport", "=", f":{port}"], place="prx").out)


def test_resets_travel(lab, serve):
    _, port = serve("127.0.0.1:0")
    got = client(lab, f"""
s, r = ask(('{FAR}', 13)); s.sendall(b'go\\n'); out(err(read_all, s))""", port)
    assert got == "ECONNRESET"


@pytest.mark.smoke
@pytest.mark.parametrize("to", [FAR, FAR6, "far.example"])
def test_udp_associate(lab, serve, to):
    open_hosts()
    _, port = serve("127.0.0.1:0")
    got = client(lab, f"""
s, r = ask(('0.0.0.0', 0), cmd=3)
u = udp('127.0.0.1', r[1])
u.send(b'\\0\\0\\0' + dest('{to}', 7) + b'hello')
d = u.recv(999); said = [r[0], d[-5:].decode(), d[3]]
u.send(b'\\0\\0\\1' + dest('{FAR}', 7) + b'fragment')
u.send(b'\\0\\0\\0'); u.send(b'')
u.send(b'\\0\\0\\0' + dest('{FAR}', 8) + b'203.0.113.77 5555 cone')
d = u.recv(999); said += [socket.inet_ntoa(d[4:8]), d[-4:].decode()]
s.close(); time.sleep(0.3); u.settimeout(1)
u.send(b'\\0\\0\\0' + dest('{FAR}', 7) + b'late')
said.append(err(u.recv, 99)); out(said)""", port)
    assert got[:2] == [0, "hello"] and got[2] == (4 if ":" in to else 1), got
    assert got[3:5] == ["203.0.113.77", "cone"], got
    assert got[5] in ("ECONNREFUSED", "timeout"), got


def test_garbage_is_survived(lab, serve):
    job, port = serve("127.0.0.1:0")
    client(lab, f"""
import random
r = random.Random(3)
for i in range(300):
    s = tcp('127.0.0.1', {port})
    start = r.choice([b'', b'\\5', b'\\5\\1\\0\\5\\1\\0', b'\\4\\1',
                      b'CONNECT ', b'GET http://'])
    err(s.sendall, start + r.randbytes(r.randrange(300)))
    if i % 3: err(s.shutdown, 1)
    s.close()
s = tcp('127.0.0.1', {port}); err(s.sendall, b'CONNECT ' + b'a' * 20000)
out(1)""", port)
    assert is_alive(job.pid)
    assert client(lab, f"s, r = ask(('{FAR}', 7)); out(r[0])", port) == 0


def test_silent_client_is_sent_away(lab, serve):
    _, port = serve("127.0.0.1:0")
    got = client(lab, f"""
s = tcp('127.0.0.1', {port}, 20); t = time.monotonic()
e = err(lambda: s.recv(1)); out(time.monotonic() - t)""", port)
    assert 8 < got < 13, got


def test_a_full_server_says_so_and_lets_others_wait(lab, serve):
    few = ["prlimit", "--nofile=64:64"]         # a fourth of them are clients
    job, port = serve(before=few)
    greeted = client(lab, """
def greet():
    s = tcp('127.0.0.1', %(port)d); s.sendall(b'\\5\\1\\0'); return s
def heard(s, secs):
    s.settimeout(secs)
    try: return s.recv(2) == b'\\5\\0'
    except TimeoutError: return False
all = [greet() for _ in range(18)]
first = [heard(s, 5) for s in all[:16]]
others = [heard(s, .5) for s in all[16:]]
all[0].close(); all[1].close()
out([first, others, [heard(s, 5) for s in all[16:]]])
""" % {"port": port}, port)
    assert greeted == [[True] * 16, [False] * 2, [True] * 2]
    assert "16 clients and no room for more" in job.err, job.err


def test_through_another_proxy(lab, serve):
    with ToyProxy(lab, listen=("inet", "203.0.113.201", 1081),
                  out="inet") as toy:
        _, port = serve("-x", toy.url(), "127.0.0.1:0")
        ran = lab.run([*CURL, "-x", f"socks5h://127.0.0.1:{port}",
                       "http://chained.example/"], place="prx")
    assert ran.rc == 0 and toy.log[0].host == "chained.example", ran


def test_sandbox_through_it(lab, serve):
    open_hosts()
    _, port = serve("--open", "10.66.0.2:1080")
    with lab.watch("inet", "lan") as verdict:
        got = lab.inside(f"""
s = udp('{FAR}', 7); s.send(b'u'); d = s.recv(9).decode()
out([connect_err('far.example', 7)[0], connect_err('{FAR6}', 7)[0],
     connect_err('{FAR}', 79)[0], d])""", f"socks5://10.66.0.2:{port}")
    assert got == ["OK", "OK", "ECONNREFUSED", "u"] and verdict


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_ends_by_signal_and_leaves_nothing(lab, serve, sig):
    job, port = serve("127.0.0.1:0")
    family = job.family()
    os.kill(job.pid, sig)
    ran = job.wait(5)
    assert ran.rc in (0, 128 + sig, -sig), ran
    assert wait_for(lambda: not [p for p in family if is_alive(p)], 3)


def test_says_when_its_worker_died(lab, serve):
    job, _ = serve("127.0.0.1:0")
    os.kill(job.worker_pids()[0], signal.SIGKILL)
    ran = job.wait(5)
    assert ran.rc == 1 and ran.err, ran


def test_port_in_use_is_told(lab, serve):
    _, port = serve("127.0.0.1:0")
    ran = lab.run([lab.nsproxy_path, "serve", f"127.0.0.1:{port}"],
                  place="prx")
    assert ran.rc == 1 and str(port) in ran.err, ran


def test_worker_of_serve_is_locked_down(lab, serve):
    job, _ = serve("127.0.0.1:0", user=False)
    with open(f"/proc/{job.worker_pids()[0]}/status",
              encoding="ascii") as file:
        status = dict(l.rstrip("\n").split(":\t", 1) for l in file
                      if ":\t" in l)
    assert int(status["CapEff"], 16) == 0, status
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
