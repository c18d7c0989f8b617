# SPDX-License-Identifier: GPL-3.0-or-later
"""Doors that were asked for: -e, -p, and the gateway's own proxy."""
import os
import signal
import socket
import subprocess

import pytest

from lab import Faults, Little, LittleUdp, ToyProxy, kernel
from lab.run import PYTHON, state_of, wait_for

SAY = "s = tcp('%s', %d); s.sendall(b'hi'); out(s.recv(9).decode())"
GATE = "198.18.0.2:1080"


@pytest.mark.row("A21")
@pytest.mark.smoke
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.0.0.5"])
def test_exposed_loopback_and_nothing_else(lab, proxy, host):
    where = f"[{host}]:4444" if ":" in host else f"{host}:4444"
    with Little(lab, "host", host, 4444) as asked, \
            Little(lab, "host", host, 4445) as other:
        got = lab.inside(SAY % (host, 4444) +
                         f"; out([connect_err('{host}', 4445)[0], 'hi'])",
                         proxy, ["-e", where])
        assert got == ["ECONNREFUSED", "hi"]
        assert (asked.came, other.came) == (1, 0)
        got = lab.inside(f"out(connect_err('{host}', 4444)[0])", proxy)
        assert got == "ECONNREFUSED", "without -e"
    assert not proxy.log


def test_exposed_while_the_proxy_is_dead(lab):
    with Little(lab, "host", "127.0.0.1", 4444):
        got = lab.inside(SAY % ("127.0.0.1", 4444),
                         "socks5://10.66.0.2:1080", ["-e", "127.0.0.1:4444"])
    assert got == "hi"


def test_exposed_but_nobody_there_is_refused(lab, proxy):
    got = lab.inside("out(connect_err('127.0.0.1', 4444))", proxy,
                     ["-e", "127.0.0.1:4444"])
    assert got[0] == "ECONNREFUSED" and got[1] < 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_exposed_udp(lab, proxy, host):
    where = f"[{host}]:4444" if ":" in host else f"{host}:4444"
    with LittleUdp(lab, "host", host, 4444):
        got = lab.inside(f"s = udp('{host}', 4444); s.send(b'hi');"
                         "out(s.recv(9).decode())", proxy, ["-e", where])
    assert got == "hi"


@pytest.mark.loud
def test_exposed_lan_device_by_name(lab, proxy):
    with open("/etc/hosts", "a", encoding="ascii") as file:
        file.write("192.168.77.1 printer.example\n")
    with Little(lab, "lan", "192.168.77.1", 9100), \
            Little(lab, "lan", "192.168.77.1", 9101) as other:
        got = lab.inside(
            SAY % ("printer.example", 9100) +
            "; out([socket.gethostbyname('printer.example'),"
            "connect_err('printer.example', 9101)[0]])",
            proxy, ["-e", "printer.example:9100"])
        assert got[0] == "192.168.77.1" and got[1] != "OK", got
        assert other.came == 0


def test_exposed_bulk(lab, proxy):
    from lab import FarServers
    with Little(lab, "host", "127.0.0.1", 4444, FarServers.sink):
        got = lab.inside("s = tcp('127.0.0.1', 4444);"
                         "s.sendall(bytes(20000000)); s.shutdown(1);"
                         "out(read_all(s).decode().split()[0])", proxy,
                         ["-e", "127.0.0.1:4444"])
    assert got == "20000000"


# --- publish

SERVE = """from inside import *
l = socket.socket(socket.%s)
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(('%s', 8000)); l.listen()
print('up', flush=True)
c, _ = l.accept(); d = c.recv(99); c.sendall(b'inside says ' + d); c.shutdown(1)
c.recv(1)
"""


@pytest.mark.smoke
@pytest.mark.parametrize("bind, option, ask", [
    ("127.0.0.1", "8080:8000", "127.0.0.1"),
    ("0.0.0.0", "8080:8000", "127.0.0.1"),
    ("0.0.0.0", "127.0.0.9:8080:8000", "127.0.0.9"),
    ("::", "8080:8000", "127.0.0.1"),
    ("::1", "[::1]:8080:8000", "::1"),
])
def test_publish(lab, proxy, bind, option, ask):
    family = "AF_INET6" if ":" in bind else "AF_INET"
    job = lab.sandbox_start([PYTHON, "-c", SERVE % (family, bind)], proxy,
                            ["-p", option])
    assert job.says("up"), job.ran(None)
    got = lab.outside(f"s = tcp('{ask}', 8080); s.sendall(b'hello');"
                      "out(read_all(s).decode())")
    assert got == "inside says hello"
    assert job.wait(10).rc == 0


QUEUE = """from inside import *
l = socket.create_server(('127.0.0.1', 8000)); print('up', flush=True)
c, _ = l.accept()
c.sendall(subprocess.check_output(['ss', '-Htnm', 'dport', '=', ':8000']))
"""


def test_published_ports_have_no_short_queues(lab, proxy):
    """What a program answers waits for the worker, whatever the sandbox's own
    limit (test_tcp.py -k little_waits)."""
    job = lab.sandbox_start([PYTHON, "-c", QUEUE], proxy, ["-p", "8080:8000"])
    assert job.says("up"), job.ran(None)
    said = lab.outside("s = tcp('127.0.0.1', 8080);"
                       "out(read_all(s).decode())")
    with open("/proc/sys/net/core/rmem_max", encoding="ascii") as file:
        is_wide = int(file.read()) >= 4194304
    assert "skmem:" in said and (",rb8388608," in said) == is_wide, said


def test_published_but_nobody_inside(lab, proxy):
    job = lab.sandbox_start(["sh", "-c", "echo up; sleep 5"], proxy,
                            ["-p", "8080:8000"])
    assert job.says("up"), job.ran(None)
    got = lab.outside("""
def work():
    s = tcp('127.0.0.1', 8080, 5); s.sendall(b'x')
    if not s.recv(1): raise ConnectionResetError(errno.ECONNRESET, 'end')
out(timed(work))""")
    assert got[0] in ("ECONNRESET", "ECONNREFUSED") and got[1] < 2, got


def test_published_port_in_use_is_125(lab, proxy):
    with Little(lab, "host", "127.0.0.1", 8080):
        ran = lab.sandbox(["true"], proxy, ["-p", "8080:8000"])
    assert ran.rc == 125 and "8080" in ran.err, ran


def test_published_port_is_on_loopback_only(lab, proxy):
    job = lab.sandbox_start(["sh", "-c", "echo up; sleep 5"], proxy,
                            ["-p", "8080:8000"])
    assert job.says("up"), job.ran(None)
    ran = lab.run(["ss", "-Hltn", "sport", "8080"], user=False)
    assert "127.0.0.1:8080" in ran.out and len(
        ran.out.strip().splitlines()) == 1, ran


def test_published_while_the_worker_changes(lab, proxy):
    job = lab.sandbox_start([PYTHON, "-c", SERVE % ("AF_INET", "0.0.0.0")],
                            proxy, ["-p", "8080:8000"])
    assert job.says("up"), job.ran(None)
    old = job.worker_pids()[0]
    os.kill(old, signal.SIGKILL)
    assert wait_for(lambda: [p for p in job.worker_pids() if p != old], 5)
    got = lab.outside("s = tcp('127.0.0.1', 8080); s.sendall(b'hello');"
                      "out(read_all(s).decode())")
    assert got == "inside says hello"


TWO = """from inside import *
import selectors
def listen(port):
    l = socket.create_server(('127.0.0.1', port), backlog=4096)
    l.setblocking(False); return l
doors = {listen(8000): b'a', listen(8001): b'b'}
look = selectors.DefaultSelector()
for l in doors:
    look.register(l, selectors.EVENT_READ)
print('up', flush=True)
held = []
while True:
    for key, _ in look.select():
        c, _ = key.fileobj.accept(); c.sendall(doors[key.fileobj])
        held.append(c)
"""

VISIT = """
def visit(port):
    s = socket.socket(); s.settimeout(10); s.connect(('127.0.0.1', port))
    return s
lost = [visit(8080) for _ in range(50)]
print('asked', flush=True); sys.stdin.readline()
crowd = [visit(8080 + i % 2) for i in range(50)]
print('again', flush=True)
out([s.recv(1).decode() for s in crowd])
"""


def test_published_ports_are_not_mixed_up_when_a_worker_dies(lab, proxy):
    """The keeper still answers what the one before has asked for."""
    job = lab.sandbox_start([PYTHON, "-c", TWO], proxy,
                            ["-p", "8080:8000", "-p", "8081:8001"])
    assert job.says("up"), job.ran(None)
    ours = job.ours()
    os.kill(ours["keeper"], signal.SIGSTOP)
    crowd = lab.start([PYTHON, "-c", "from inside import *\n" + VISIT],
                      stdin=subprocess.PIPE)
    assert crowd.says("asked"), crowd.ran(None)
    assert wait_for(lambda: lab.run(
        ["ss", "-Hltn", "sport", "8080"], user=False).out.split()[1] == "0")
    os.kill(ours["worker"], signal.SIGKILL)
    assert wait_for(lambda: [p for p in job.worker_pids()
                             if p != ours["worker"]])
    crowd.popen.stdin.write(b"\n")
    crowd.popen.stdin.close()
    assert crowd.says("again"), crowd.ran(None)
    os.kill(ours["keeper"], signal.SIGCONT)
    assert lab.spoken(crowd.wait(60)) == ["a", "b"] * 25


# --- the gateway speaks proxy itself

@pytest.mark.smoke
@pytest.mark.parametrize("scheme", ["socks5h", "socks5", "http"])
@pytest.mark.parametrize("gate", [GATE, "[2001:2::2]:1080"])
def test_gateway_is_a_proxy(lab, proxy, scheme, gate):
    ran = lab.sandbox(["curl", "-sS", "--max-time", "10", "-x",
                       f"{scheme}://{gate}", "http://gate.example/"], proxy)
    assert ran.rc == 0 and '"host": "gate.example"' in ran.out, ran
    assert (proxy.log[-1].host, proxy.log[-1].atyp) == ("gate.example", 3)


def test_gateway_connect_method(lab, proxy):
    ran = lab.sandbox(["curl", "-sS", "-p", "--max-time", "10", "-x",
                       f"http://{GATE}", "http://gate.example/"], proxy)
    assert ran.rc == 0 and proxy.log[-1].host == "gate.example", ran


def test_gateway_tells_the_truth(lab, proxy):
    ran = lab.sandbox(["curl", "-sSv", "--max-time", "10", "-x",
                       f"socks5h://{GATE}", "http://203.0.113.5:79/"], proxy)
    assert "(5)" in ran.err, ran
    ran = lab.sandbox(["curl", "-sSv", "-p", "--max-time", "10", "-x",
                       f"http://{GATE}", "http://203.0.113.5:79/"], proxy)
    assert "502" in ran.err, ran


@pytest.mark.row("A23")
def test_gateway_refuses_unknown_leases(lab, proxy):
    ran = lab.sandbox(["curl", "-sS", "--max-time", "10", "-x",
                       f"socks5h://{GATE}", "http://198.18.44.44/"], proxy)
    assert ran.rc == 97 and not proxy.log, ran


def test_gateway_with_dns_off(lab, proxy):
    ran = lab.sandbox(["sh", "-c", "curl -sS --max-time 10 -x "
                       "socks5h://$NSPROXY_GATEWAY:1080 http://abc.i2p/"],
                      proxy, ["-d", "off"])
    assert ran.rc == 0 and proxy.log[-1].host == "abc.i2p", ran


def test_gateway_of_a_dead_proxy(lab):
    ran = lab.sandbox(["curl", "-sS", "--max-time", "10", "-x",
                       f"socks5h://{GATE}", "http://gate.example/"],
                      "socks5://10.66.0.2:1080")
    assert ran.rc == 97 and ran.secs < 5, ran


def test_gateway_has_no_other_ports(lab, proxy):
    got = lab.inside("out([connect_err('198.18.0.2', p)[0] for p in "
                     "(22, 80, 1081)])", proxy)
    assert "OK" not in got and not proxy.log, (got, proxy.log)


def test_gateway_is_slow_when_the_proxy_is(lab):
    with ToyProxy(lab, faults=Faults(delay_s=1)) as proxy:
        ran = lab.sandbox(["curl", "-sS", "--max-time", "10", "-x",
                           f"socks5h://{GATE}", "http://gate.example/"],
                          proxy)
    assert ran.rc == 0 and ran.secs >= 1, ran


@pytest.mark.loud        # the last probe goes where the host's route goes
def test_nothing_listens_on_the_host(lab, proxy):
    """A sandbox opens no port on the host that was not asked for."""
    before = lab.run(["ss", "-Hltun"], user=False).out.count("\n")
    job = lab.sandbox_start(["sh", "-c", "echo up; sleep 5"], proxy)
    assert job.says("up"), job.ran(None)
    after = lab.run(["ss", "-Hltun"], user=False).out.count("\n")
    assert after == before
    with kernel.call_in(lab.path("host"), socket.socket) as sock:
        sock.settimeout(2)
        with pytest.raises(OSError):
            sock.connect(("198.18.0.1", 1080))
