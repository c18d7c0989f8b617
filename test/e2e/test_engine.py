# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines: another program has the TUN, and reaches nothing but the worker."""
import json
import os
import shutil
import signal
import time

import pytest

from lab import Keep, Little, LittleUdp, ToyDns, ToyProxy, kernel
from lab.run import (PYTHON, is_alive, is_of_this_lab, name_of, parent_of,
                     pids, wait_for, words_of)

FAR, FAR6 = "203.0.113.5", "2001:db8:1::5"
PLACE = "/usr/local/sbin"
ENGINE = ["--engine", "tun2socks"]


@pytest.fixture(autouse=True)
def place(lab):
    """Where programs are looked for, with the real tun2socks in it alone."""
    kernel.mount("lab", PLACE, "tmpfs", data="mode=0755")
    shutil.copy(lab.neighbour("tun2socks"), f"{PLACE}/tun2socks")
    yield PLACE
    lab.sweep()
    kernel.umount(PLACE)


def program(name, code, words=PYTHON):
    """A program of ours in that place."""
    path = f"{PLACE}/{name}"
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(f"#!{words}\n{code}")
    os.chmod(f"{path}.new", 0o755)
    os.rename(f"{path}.new", path)
    return path


def section(name, *words):
    command = ", ".join(f'"{word}"' for word in words)
    return f'engine "{name}" {{\n    command = {{{command}}}\n}}\n'


@pytest.fixture
def home(lab):
    """home(section, ...): a user's home with this configuration."""
    def make(*sections):
        place = lab.scratch()
        config = f"{place}/.config/nsproxy"
        os.makedirs(config)
        with open(f"{config}/nsproxy.conf", "w", encoding="utf-8") as file:
            file.write("".join(sections))
        for path in (f"{place}/.config", config, f"{config}/nsproxy.conf"):
            os.chown(path, 61234, 61234)
        return {"HOME": place}
    return make


@pytest.fixture(params=[True, False], ids=["user", "root"])
def user(request):
    return request.param


@pytest.fixture
def make(lab, proxy):
    """make("engine", section, user=True, more): a daemon with 'work'."""
    keeps = []

    def begin(engine, sections="", user=True, more="", way=None):
        text = f'chain = {{"{(way or proxy).url()}"}}\n'
        keep = Keep(lab, {"work": f'{text}engine = "{engine}"\n{more}',
                          "plain": text + more}, user=user)
        with open(f"{keep.config}/nsproxy.conf", "a",
                  encoding="utf-8") as file:
            file.write(sections)
        keeps.append(keep)
        keep.__enter__()
        return keep
    yield begin
    for keep in keeps:
        keep.__exit__(None, None, None)


def engines(mark="tun2socks"):
    """Pids of what runs as an engine: with the mounts of this lab's host,
    since others may run beside it."""
    return [pid for pid in pids() if name_of(parent_of(pid)) ==
            "nsproxy-nurse" and is_of_this_lab(pid) and
            any(mark in word for word in words_of(pid))]


def engine_pid(mark="tun2socks", other_than=0):
    got = wait_for(lambda: [p for p in engines(mark) if p != other_than])
    assert got, "no engine runs"
    return got[0]


def ready(keep, name="work", limit_s=8):
    got = wait_for(lambda: keep.status(name)["engine"]["state"] == "running"
                   and keep.status(name), limit_s)
    assert got, keep.status(name)
    return got


REACH = f"s = tcp('{FAR}', 7); s.sendall(b'ping'); out(s.recv(9).decode())"


# --- what programs notice: nothing

@pytest.mark.smoke
@pytest.mark.parametrize("host", [FAR, FAR6])
def test_tcp(lab, proxy, user, host):
    got = lab.inside(f"s = tcp('{host}', 7); s.sendall(b'ping');"
                     "out(s.recv(9).decode())", proxy, ENGINE, user=user)
    assert got == "ping"
    assert [a.host for a in proxy.log] == [host]


@pytest.mark.smoke
@pytest.mark.parametrize("host", [FAR, FAR6])
def test_udp(lab, proxy, host):
    got = lab.inside(f"s = udp('{host}', 7); s.send(b'ping');"
                     "out(s.recv(99).decode())", proxy, ENGINE)
    assert got == "ping"
    assert proxy.udp_log[0].host == host


@pytest.mark.parametrize("size", [0, 1, 1472, 9000, 40000, 65000])
def test_datagram_sizes(lab, proxy, size):
    got = lab.inside(f"s = udp('{FAR}', 7); d = os.urandom({size});"
                     "s.send(d); out(s.recv(65536) == d)", proxy, ENGINE)
    assert got is True


def test_udp_to_a_name_answers_from_its_lease(lab, proxy):
    got = lab.inside("""
a = socket.getaddrinfo('udp.example', 7, socket.AF_INET,
                       socket.SOCK_DGRAM)[0][4]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b'x', a)
data, peer = s.recvfrom(99)
out([data.decode(), list(peer) == list(a), a[0]])""", proxy, ENGINE)
    assert got[:2] == ["x", True] and got[2].startswith("198.1"), got
    assert (proxy.udp_log[0].host, proxy.udp_log[0].atyp) == ("udp.example", 3)


@pytest.mark.smoke
@pytest.mark.parametrize("name", ["some.example", "v6.example"])
def test_proxy_gets_the_name(lab, proxy, name):
    got = lab.inside(f"s = tcp('{name}', 7); s.sendall(b'x');"
                     "out(s.recv(9).decode())", proxy, ENGINE)
    assert got == "x"
    assert (proxy.log[-1].host, proxy.log[-1].atyp) == (name, 3)


@pytest.mark.row("A25")
@pytest.mark.parametrize("server", ["198.18.0.2", "9.9.9.9", "127.0.0.53",
                                    "2620:fe::fe"])
@pytest.mark.parametrize("how", ["udp", "tcp"])
def test_any_server_answers_with_a_lease(lab, proxy, server, how):
    got = lab.inside(f"""
import dns.message, dns.query
q = dns.message.make_query('x.example', 'A')
a = dns.query.{how}(q, '{server}', timeout=5)
out(a.answer[0][0].address)""", proxy, ENGINE)
    assert got.startswith(("198.18.", "198.19.")), got
    assert not proxy.log, "no server was asked"


@pytest.mark.row("A23")
def test_unknown_lease_is_refused_and_never_sent(lab, proxy):
    got = lab.inside("""
s = socket.create_connection(('198.19.9.9', 80), 5); s.settimeout(5)
def look():
    s.sendall(b'x'); return s.recv(9).decode()
try: got = look()
except OSError: got = ''
out(got)""", proxy, ENGINE)
    assert got == "" and not proxy.log


def test_forward_dns(lab, proxy):
    with ToyDns(lab, table={("real.example", "A"): ["203.0.113.7"]}) as dns:
        got = lab.inside("out(socket.gethostbyname('real.example'))", proxy,
                         [*ENGINE, "-d", "udp://203.0.113.53"])
    assert got == "203.0.113.7"
    assert dns.asked[0][:2] == ("udp", "real.example."[:-1]) or dns.asked


def test_dns_off_is_ordinary_traffic(lab, proxy):
    with ToyDns(lab, table={("real.example", "A"): ["203.0.113.7"]}):
        got = lab.inside("""
import dns.message, dns.query
q = dns.message.make_query('real.example', 'A')
out([dns.query.udp(q, '203.0.113.53', timeout=5).answer[0][0].address,
     dns.query.tcp(q, '203.0.113.53', timeout=5).answer[0][0].address])""",
                         proxy, [*ENGINE, "-d", "off"])
    assert got == ["203.0.113.7"] * 2
    assert proxy.udp_log[0].port == 53 and proxy.log[-1].port == 53


def test_8_mb_both_ways_arrive_whole(lab, proxy):
    """`sink` hashes what it gets, `source` sends what it was asked for."""
    got = lab.inside(f"""
import hashlib, threading
size = 8 << 20; data = os.urandom(size)
s = tcp('{FAR}', 7)
t = threading.Thread(target=lambda: s.sendall(data)); t.start()
got = b''
while len(got) < size:
    more = s.recv(1 << 16)
    if not more: break
    got += more
t.join()
out([hashlib.sha256(got).hexdigest(), hashlib.sha256(data).hexdigest()])
""", proxy, ENGINE, timeout=60)
    assert got[0] == got[1]


def test_chain_with_credentials_which_nobody_can_read(lab):
    """Neither the engine nor anybody's words or environment have them."""
    with ToyProxy(lab, ("prx", "10.66.0.2", 1090),
                  auth=("ann", "s3cr3t-word")) as last:
        lab.proxy_ports.add(1090)
        file = lab.home_file("way", last.url(auth=last.auth) + "\n")
        job = lab.sandbox_start(
            [PYTHON, "-uc", f"from inside import *\n{REACH}\n"
             "time.sleep(60)"], None, [*ENGINE, "--proxy-file", file])
        assert job.says("ping"), job.ran(None)
        seen = 0
        for pid in pids():
            for what in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{pid}/{what}", "rb") as proc:
                        text = proc.read()
                except OSError:
                    continue
                if pid in job.family():
                    seen += 1
                assert b"s3cr3t" not in text, (pid, what, words_of(pid))
        assert seen >= 6 and last.log[-1].user == "ann"
        lab.proxy_ports.discard(1090)


# --- doors

@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.0.0.5"])
def test_exposed_loopback_and_nothing_else(lab, proxy, host):
    where = f"[{host}]:4444" if ":" in host else f"{host}:4444"
    with Little(lab, "host", host, 4444) as asked, \
            Little(lab, "host", host, 4445) as other, \
            LittleUdp(lab, "host", host, 4444):
        got = lab.inside(f"""
s = tcp('{host}', 4444); s.sendall(b'hi'); one = s.recv(9).decode()
u = udp('{host}', 4444); u.send(b'ho')
out([one, u.recv(9).decode(), connect_err('{host}', 4445)[0]])""",
                         proxy, [*ENGINE, "-e", where])
        assert got == ["hi", "ho", "ECONNREFUSED"]
        assert (asked.came, other.came) == (1, 0)


@pytest.mark.loud
def test_exposed_lan_device(lab, proxy):
    with Little(lab, "lan", "192.168.77.1", 9100), \
            LittleUdp(lab, "lan", "192.168.77.1", 9100):
        got = lab.inside("""
s = tcp('192.168.77.1', 9100); s.sendall(b'hi'); one = s.recv(9).decode()
u = udp('192.168.77.1', 9100); u.send(b'ho')
out([one, u.recv(9).decode()])""",
                         proxy, [*ENGINE, "-e", "192.168.77.1:9100"])
    assert got == ["hi", "ho"] and not proxy.log


def test_published_port(lab, proxy):
    job = lab.sandbox_start(
        [PYTHON, "-uc", "from inside import *\n"
         "l = socket.create_server(('127.0.0.1', 8000)); print('go')\n"
         "c = l.accept()[0]; c.sendall(c.recv(9)); c.close()"],
        proxy, [*ENGINE, "-p", "127.0.0.1:8001:8000"])
    assert job.says("go"), job.ran(None)
    got = lab.outside("s = tcp('127.0.0.1', 8001); s.sendall(b'hi');"
                      "out(s.recv(9).decode())")
    assert got == "hi" and job.wait().rc == 0


def test_gateway_proxy(lab, proxy):
    ran = lab.sandbox(["curl", "-sS", "-m9", "-x", "socks5h://198.18.0.2:1080",
                       "http://page.example/"], proxy, ENGINE)
    assert ran.rc == 0 and ran.out, ran
    assert proxy.log[-1].host == "page.example"


# --- its place

def test_where_an_engine_is_the_hosts_queues_are_kept(lab, make):
    keep = make("tun2socks")
    keep.up("work")
    path = "/proc/sys/net/ipv4/tcp_rmem"
    assert keep.inside("work", f"out(open('{path}').read())") == lab.run(
        ["cat", path]).out


@pytest.mark.smoke
def test_engine_has_lo_and_nothing_else(make, user):
    keep = make("tun2socks", user=user)
    box = keep.up("work")
    pid = box["engine"]["pid"]
    place = os.stat(f"/proc/{pid}/ns/net").st_ino
    with open("/run/netns/host", encoding="ascii") as host:
        assert place not in (box["netns"], os.fstat(host.fileno()).st_ino)

    def look():
        with open("/proc/thread-self/net/dev", encoding="ascii") as file:
            links = [line.split(":")[0].strip() for line in file][2:]
        with open("/proc/thread-self/net/route", encoding="ascii") as file:
            routes = file.read().splitlines()[1:]
        return links, routes
    assert kernel.call_in(f"/proc/{pid}/ns/net", look) == (["lo"], [])
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.split(":\t", 1) for line in file)
    for caps in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[caps], 16) == 0, caps
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Uid"].split()[0] == ("61234" if user else "65534")
    assert keep.inside("work", REACH) == "ping"
    assert keep("down", "work").rc == 0
    assert not is_alive(pid)


HOSTILE = r"""
import ctypes, errno, json, os, socket, sys
def word(work):
    try:
        work()
    except OSError as err:
        return errno.errorcode[err.errno]
    return "fine"
def tcp(host, port):
    with socket.socket(socket.AF_INET6 if ":" in host
                       else socket.AF_INET) as s:
        s.settimeout(2); s.connect((host, port))
def unix():
    socket.socket(socket.AF_UNIX).connect(sys.argv[2])
def trace(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, pid, 0, 0) != 0:
        err = ctypes.get_errno()
        raise OSError(err, "")
def ns():
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open("/proc/1/ns/net", os.O_RDONLY)
    if libc.setns(fd, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "")
got = {
    "far": word(lambda: tcp("203.0.113.5", 80)),
    "far6": word(lambda: tcp("2001:db8:1::5", 80)),
    "lan": word(lambda: tcp("192.168.77.1", 80)),
    "proxy": word(lambda: tcp("10.66.0.2", 1080)),
    "host": word(lambda: tcp("127.0.0.1", 4444)),
    "unix": word(unix),
    "packet": word(lambda: socket.socket(socket.AF_PACKET,
                                         socket.SOCK_RAW)),
    "raw": word(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
    "ns": word(ns),
    "trace": word(lambda: trace(int(open(sys.argv[3]).read()))),
    "front": word(lambda: tcp("127.0.0.1", 1080)),
}
print("\n" + ",".join(got[k] for k in sorted(got)), flush=True)
os.execv(sys.argv[4], [sys.argv[4], "-device", "fd://" + sys.argv[1],
                       "-proxy", "socks5://127.0.0.1:1080",
                       "-loglevel", "silent"])
"""


def test_hostile_engine_gets_nowhere(lab, make):
    """It is let through to the front alone; the daemon has not heard it."""
    path = program("hostile", HOSTILE)
    mark = f"{lab.scratch()}/victim"
    victim = lab.start(["sleep", "600"])
    with open(mark, "w", encoding="ascii") as file:
        file.write(str(victim.pid))
    os.chmod(os.path.dirname(mark), 0o755)
    keep = make("bad", section("bad", path, "{tun_fd}",
                               "/run/lab/home/nobody", mark,
                               f"{PLACE}/tun2socks"))
    with open(f"{keep.config}/nsproxy.conf", encoding="utf-8") as file:
        text = file.read().replace("/run/lab/home/nobody", keep.socket)
    with open(f"{keep.config}/nsproxy.conf", "w", encoding="utf-8") as file:
        file.write(text)
    with Little(lab, "host", "127.0.0.1", 4444) as host:
        box = keep.up("work")
        assert host.came == 0
    names = ["far", "far6", "front", "host", "lan", "ns", "packet", "proxy",
             "raw", "trace", "unix"]
    got = dict(zip(names, box["engine"]["last_words"].split(",")))
    assert len(got) == len(names), box["engine"]
    assert got.pop("front") == "fine"
    assert got.pop("host") == "ECONNREFUSED"
    assert got.pop("unix") == got.pop("packet") == "EAFNOSUPPORT"
    assert got.pop("raw") == "EPERM"
    assert got.pop("trace") == "ESRCH", "it has process numbers of its own"
    assert got.pop("ns") in ("EPERM", "EACCES")
    assert set(got.values()) == {"ENETUNREACH"}, got
    assert keep.inside("work", REACH) == "ping", "and it serves all the same"


# --- it fails

@pytest.mark.row("K10")
def test_killed_engine_comes_back_and_nothing_leaks(lab, proxy, make, user):
    keep = make("tun2socks", user=user)
    first = keep.up("work")["engine"]["pid"]
    with lab.watch() as silent:
        os.kill(first, signal.SIGSTOP)
        proxy.log.clear()
        job = keep.inside_start("work", f"out(connect_err('{FAR}', 80, 2))")
        time.sleep(1)
        os.kill(first, signal.SIGKILL)
        job.wait()
    assert silent, silent
    box = ready(keep)
    assert box["engine"]["pid"] != first and box["engine"]["restarts"] == 1
    assert box["engine"]["status"] == 128 + signal.SIGKILL
    assert keep.inside("work", REACH) == "ping"


@pytest.mark.row("K10")
def test_run_goes_on_after_its_engine_was_killed(lab, proxy):
    job = lab.sandbox_start(
        [PYTHON, "-uc", f"from inside import *\n{REACH}\ninput()\n{REACH}"],
        proxy, ENGINE, stdin=(pipe := os.pipe())[0])
    assert job.says("ping"), job.ran(None)
    os.kill(first := engine_pid(), signal.SIGKILL)
    engine_pid(other_than=first)
    os.write(pipe[1], b"\n")
    ran = job.wait()
    assert ran.rc == 0 and ran.out.count("ping") == 2, ran
    assert "engine 'tun2socks' ended with status 137" in ran.err, ran
    assert wait_for(lambda: not engines())
    os.close(pipe[0]), os.close(pipe[1])


def test_killed_worker_is_replaced_behind_the_engine(make, user):
    keep = make("tun2socks", user=user)
    box = keep.up("work")
    os.kill(box["worker"], signal.SIGKILL)
    assert wait_for(lambda: keep.status("work")["worker"] not in
                    (0, box["worker"]) and
                    keep.status("work")["state"] == "up")
    assert keep.inside("work", REACH) == "ping"
    assert keep.status("work")["engine"] == box["engine"], "it went on"


def test_killed_keeper_takes_the_engine_with_it(lab, make):
    keep = make("tun2socks")
    box = keep.up("work")
    job = keep.inside_start(
        "work", f"print('go', flush=True); time.sleep(1.5)\n"
        f"out(connect_err('{FAR}', 80, 3)[0])")
    assert job.says("go")
    with lab.watch() as silent:
        os.kill(box["keeper"], signal.SIGKILL)
        assert wait_for(lambda: not is_alive(box["engine"]["pid"]), 8)
        ran = job.wait()
    assert silent, silent
    assert "go" in ran.out and "null" not in ran.out, ran
    ready(keep)
    assert keep.inside("work", REACH) == "ping", "built anew"


def test_killed_minder_is_replaced(make, lab, proxy):
    keep = make("tun2socks")
    pid = keep.up("work")["engine"]["pid"]
    os.kill(parent_of(parent_of(pid)), signal.SIGKILL)
    assert wait_for(lambda: keep.status("work")["engine"]["pid"] not in
                    (0, pid))
    ready(keep)
    assert keep.inside("work", REACH) == "ping"


def test_killed_minder_of_a_run_is_replaced(lab, proxy):
    pipe = os.pipe()
    job = lab.sandbox_start(
        [PYTHON, "-uc", f"from inside import *\n{REACH}\ninput()\n{REACH}"],
        proxy, ENGINE, stdin=pipe[0])
    assert job.says("ping"), job.ran(None)
    first = engine_pid()
    os.kill(parent_of(parent_of(first)), signal.SIGKILL)
    assert not wait_for(lambda: not is_alive(first)) or engine_pid(
        other_than=first)
    os.write(pipe[1], b"\n")
    ran = job.wait()
    assert ran.rc == 0 and ran.out.count("ping") == 2, ran
    os.close(pipe[0]), os.close(pipe[1])


def test_daemon_that_dies_leaves_the_engine_alone(make):
    keep = make("tun2socks")
    before = keep.up("work")["engine"]
    keep.kill()
    assert is_alive(before["pid"])
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    assert keep.status("work")["engine"] == before
    assert keep.inside("work", REACH) == "ping"


def test_run_killed_leaves_no_way_out(lab, proxy):
    """Without the caller the sandbox goes on until its last process ends."""
    job = lab.sandbox_start(["sleep", "300"], proxy, ENGINE)
    pid = engine_pid()
    sleeper = wait_for(lambda: [p for p in job.family()
                                if words_of(p) == ["sleep", "300"]])[0]
    os.kill(job.pid, signal.SIGKILL)
    job.popen.wait()
    assert is_alive(pid)
    os.kill(sleeper, signal.SIGKILL)
    assert wait_for(lambda: not is_alive(pid), 8)


# --- bad programs

def refused(ran, *parts):
    assert ran.rc == 125, ran
    for part in parts:
        assert part in ran.err, ran
    assert wait_for(lambda: not engines(""))


def test_missing_program_says_how_to_get_it(lab, proxy):
    os.unlink(f"{PLACE}/tun2socks")
    ran = lab.sandbox(["true"], proxy, ENGINE)
    refused(ran, "engine 'tun2socks': there is no program 'tun2socks'",
            "go install github.com/xjasonlyu/tun2socks/v2@latest")


def test_unknown_engine(lab, proxy):
    ran = lab.sandbox(["true"], proxy, ["--engine", "tun2sock"])
    refused(ran, "there is no engine 'tun2sock'", "did you mean 'tun2socks'?")


@pytest.mark.row("K11")
@pytest.mark.parametrize("code, words", [
    ("echo no such option >&2; exit 3",
     ["ended with status 3", "no such option"]),
    ("exit 0", ["ended with status 0"]),
    ("exec sleep 600", ["did not begin to serve in 10 s"]),
    ("trap '' TERM; while :; do sleep 1; done",
     ["did not begin to serve in 10 s"]),
], ids=["exits", "exits well", "hangs", "hangs and will not end"])
def test_bad_program_ends_run_with_its_last_words(lab, proxy, code, words):
    program("tun2socks", code, "/bin/sh")
    with lab.watch() as silent:
        ran = lab.sandbox(["echo", "began"], proxy, ENGINE)
    assert silent, silent
    assert "began" not in ran.out and ran.secs < 14, ran
    assert ran.rc == 125 and "engine 'tun2socks'" in ran.err, ran
    for word in words:
        assert word in ran.err, ran
    assert wait_for(lambda: not engines(""), 5)


@pytest.mark.row("K11")
def test_bad_program_ends_up(make, user):
    program("tun2socks", "echo flag provided but not defined >&2; exit 2",
            "/bin/sh")
    keep = make("tun2socks", user=user)
    ran = keep("up", "work")
    assert ran.rc == 1 and "engine 'tun2socks' ended with status 2" in ran.err
    assert "flag provided but not defined" in ran.err, ran
    assert keep.status("work")["state"] != "up"


@pytest.mark.row("K11")
def test_program_that_begins_late_is_waited_for(lab, proxy):
    shutil.move(f"{PLACE}/tun2socks", f"{PLACE}/real")
    program("tun2socks", f"sleep 2; exec {PLACE}/real \"$@\"", "/bin/sh")
    began = time.monotonic()
    assert lab.inside(REACH, proxy, ENGINE) == "ping"
    assert time.monotonic() - began > 2


@pytest.mark.row("K10")
def test_program_replaced_on_disk(make):
    """What runs goes on; what comes after it is held in the same place."""
    keep = make("tun2socks")
    pid = keep.up("work")["engine"]["pid"]
    program("tun2socks", "echo replaced >&2; exit 9", "/bin/sh")
    assert keep.inside("work", REACH) == "ping"
    os.kill(pid, signal.SIGKILL)
    got = wait_for(lambda: keep.status("work")["engine"]["status"] == 9 and
                   keep.status("work")["engine"])
    assert got and got["last_words"] == "replaced", keep.status("work")
    ran = keep("status", "work")
    assert "engine     tun2socks: " in ran.out and "replaced" in ran.out, ran
    got = keep.inside("work", f"out(connect_err('{FAR}', 80, 2)[0])")
    assert got, "blocked"
    shutil.copy(keep.lab.neighbour("tun2socks"), f"{PLACE}/new")
    os.rename(f"{PLACE}/new", f"{PLACE}/tun2socks")
    ready(keep, limit_s=15)
    assert keep.inside("work", REACH) == "ping"


def test_program_that_hangs_later_is_started_again(make):
    keep = make("tun2socks")
    pid = keep.up("work")["engine"]["pid"]
    shutil.move(f"{PLACE}/tun2socks", f"{PLACE}/real")
    program("tun2socks", f"[ -e {PLACE}/well ] && exec {PLACE}/real \"$@\"\n"
            "exec sleep 600", "/bin/sh")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: keep.status("work")["engine"]["pid"] not in (0, pid))
    open(f"{PLACE}/well", "w", encoding="ascii").close()
    assert keep.status("work")["engine"]["state"] == "starting"
    assert ready(keep, limit_s=15)["engine"]["restarts"] == 2
    assert keep.inside("work", REACH) == "ping"


def test_program_that_floods_its_log(make):
    shutil.move(f"{PLACE}/tun2socks", f"{PLACE}/real")
    program("tun2socks", f"(while :; do echo flood flood flood; done) &\n"
            f"exec {PLACE}/real \"$@\"", "/bin/sh")
    keep = make("tun2socks")
    box = keep.up("work")
    assert keep.inside("work", REACH) == "ping"
    assert len(keep.status("work")["engine"]["last_words"]) <= 200
    minder = parent_of(parent_of(box["engine"]["pid"]))
    assert keep.memory_kib(minder) < 20000
    assert keep("down", "work").rc == 0


# --- named

def test_two_sandboxes_at_once(lab, make, proxy):
    with ToyProxy(lab, ("prx", "10.66.0.2", 1090)) as second:
        lab.proxy_ports.add(1090)
        one = make("tun2socks")
        two = make("tun2socks", user=False, way=second)
        a, b = one.up("work"), two.up("work")
        assert a["engine"]["pid"] != b["engine"]["pid"]
        assert one.inside("work", REACH) == two.inside("work", REACH) == "ping"
        assert len(proxy.log) == len(second.log) == 1
        lab.proxy_ports.discard(1090)


def test_switch_moves_the_way_out_behind_the_engine(lab, make, proxy):
    with ToyProxy(lab, ("prx", "10.66.0.2", 1090)) as second:
        lab.proxy_ports.add(1090)
        keep = make("tun2socks")
        with open(f"{keep.config}/nsproxy.conf", "a",
                  encoding="utf-8") as file:
            file.write(f'profile "two" {{ chain = {{"{second.url()}"}}\n'
                       'engine = "tun2socks" }\n')
        pid = keep.up("work")["engine"]["pid"]
        assert keep.inside("work", REACH) == "ping"
        ran = keep("switch", "work", "two")
        assert ran.rc == 0, ran
        assert keep.inside("work", REACH) == "ping"
        got = keep.inside("work", f"s = udp('{FAR}', 7); s.send(b'u');"
                          "out(s.recv(9).decode())")
        assert got == "u" and len(proxy.log) == 1 and second.udp_log
        assert keep.status("work")["engine"]["pid"] == pid
        lab.proxy_ports.discard(1090)


def test_switch_to_another_engine_is_refused(make):
    keep = make("tun2socks")
    keep.up("work")
    ran = keep("switch", "work", "plain")
    assert ran.rc != 0 and "'engine' of the profile differs" in ran.err, ran
    assert "nsproxy restart work" in ran.err


def test_strict_sandbox(make):
    keep = make("tun2socks", user=False, more="guard = strict\n")
    keep.up("work")
    ran = keep.exec("work", PYTHON, "-c", "import socket; "
                    f"s = socket.create_connection(('{FAR}', 7), 9);"
                    "s.sendall(b'ping'); print(s.recv(9))", cwd="/")
    assert "ping" in ran.out, ran


# --- other programs

BY_NAME = r"""
import fcntl, os, struct, sys
name, real = sys.argv[1], sys.argv[4]
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", name.encode(), 0x1001))
os.set_inheritable(fd, True)
os.execv(real, [real, "-device", f"fd://{fd}", "-proxy", sys.argv[2],
                "-mtu", sys.argv[3], "-loglevel", "warn"])
"""


@pytest.mark.smoke
def test_program_that_takes_the_tun_by_name(make, user):
    path = program("by-name", BY_NAME)
    keep = make("named", section("named", path, "{tun}", "{proxy}", "{mtu}",
                                 f"{PLACE}/tun2socks"),
                user=user)
    box = keep.up("work")
    assert keep.inside("work", REACH) == "ping"
    got = keep.inside("work", f"s = udp('{FAR6}', 7); s.send(b'u');"
                      "out(s.recv(9).decode())")
    assert got == "u"
    os.kill(box["engine"]["pid"], signal.SIGKILL)
    assert wait_for(lambda: keep.status("work")["engine"]["restarts"] == 1)
    ready(keep)
    assert keep.inside("work", REACH.replace(FAR, FAR6)) == "ping"


# --- the rest of the house

@pytest.mark.parametrize("opt, host", [("-4", FAR6), ("-6", FAR)])
def test_one_family_only(lab, proxy, opt, host):
    """tun2socks says yes to all, and hangs up."""
    got = lab.inside(f"""
def look():
    s = socket.create_connection(('{host}', 7), 5)
    s.settimeout(5); s.sendall(b'x'); return s.recv(9).decode()
try: got = look()
except OSError: got = ''
out(got)""", proxy, [*ENGINE, opt])
    assert got == "" and not proxy.log


def test_profile_with_an_engine_runs(lab, proxy, home):
    env = home(f'profile "p" {{ chain = "{proxy.url()}" '
               'engine = tun2socks }\n')
    ran = lab.nsproxy("run", "-P", "p", "--", PYTHON, "-c",
                      "from inside import *\n" + REACH, env=env)
    assert ran.rc == 0 and "ping" in ran.out, ran
    assert "198" not in ran.err
    ran = lab.nsproxy("config", "show", "p", env=env)
    assert "engine         tun2socks" in ran.out, ran


def test_config_shows_an_engine(lab, home):
    env = home(section("mine", "/opt/mine", "{tun_fd}"))
    ran = lab.nsproxy("config", "show", "mine", env=env)
    assert ran.rc == 0 and "/opt/mine, {tun_fd}" in ran.out, ran


def test_list_and_status_tell_the_engine(make):
    keep = make("tun2socks")
    keep.up("work")
    keep.up("plain")
    boxes = {box["name"]: box for box in json.loads(
        keep("list", "--json").out)["sandboxes"]}
    assert boxes["work"]["engine"]["name"] == "tun2socks"
    assert "engine" not in boxes["plain"] and not boxes["work"]["helpers"]
    assert "engine     tun2socks: running, pid " in keep("status", "work").out


def test_attached_namespace_gets_none(make):
    keep = make("tun2socks")
    job = keep.lab.start(["unshare", "-rn", "sleep", "60"])
    assert wait_for(lambda: words_of(job.pid) == ["sleep", "60"])
    ran = keep("attach", "work", "--pid", str(job.pid))
    assert ran.rc != 0 and "has an engine" in ran.err, ran


def test_helper_lives_beside_an_engine(make):
    keep = make("tun2socks", more='helper "h" { command = {"sleep", "99"} }\n')
    box = keep.up("work")
    assert [h["name"] for h in box["helpers"]] == ["h"]
    assert box["engine"]["state"] == box["helpers"][0]["state"] == "running"
    assert keep.inside("work", REACH) == "ping"


def test_many_datagram_flows_come_and_go(lab, proxy):
    """Each socket is an association of the engine's, with a seat of its own."""
    got = lab.inside(f"""
good = 0
for turn in range(4):
    socks = [udp('{FAR}', 7) for _ in range(40)]
    for i, s in enumerate(socks): s.send(b'%d' % i)
    good += sum(s.recv(99) == b'%d' % i for i, s in enumerate(socks))
    for s in socks: s.close()
out(good)""", proxy, ENGINE)
    assert got == 160


def test_way_out_without_udp_has_names_all_the_same(lab, proxy):
    got = lab.inside(f"""
s = tcp('some.example', 7); s.sendall(b'x'); one = s.recv(9).decode()
u = udp('{FAR}', 7, timeout=1); u.send(b'x')
out([one, err(u.recv, 9)])""", proxy.url("http"), ENGINE)
    assert got == ["x", "timeout"], got
    assert (proxy.log[0].proto, proxy.log[0].host) == ("http", "some.example")
    assert not proxy.udp_log


def test_end_of_the_sandbox_is_no_trouble_of_the_engine(lab, proxy):
    ran = lab.sandbox(["true"], proxy, [*ENGINE, "-v"])
    assert ran.rc == 0 and "engine" not in ran.err, ran
    assert wait_for(lambda: not engines(), 3)


def test_interrupted_while_the_engine_hangs(lab, proxy):
    program("tun2socks", "exec sleep 600", "/bin/sh")
    job = lab.sandbox_start(["echo", "began"], proxy, ENGINE)
    assert wait_for(lambda: engines("sleep"))
    os.kill(job.pid, signal.SIGINT)
    assert job.wait(5).rc == -signal.SIGINT
    assert wait_for(lambda: not engines("sleep"), 3) and "began" not in job.out
