# SPDX-License-Identifier: GPL-3.0-or-later
"""Long, many, starved and out of time.

NSPROXY_SOAK says how many seconds the long ones take, and how much is tried
by those that count; 3 when it is not set, and `make lab` has 60.
"""
import json
import mmap
import os
import random
import resource
import signal
import struct
import subprocess
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from lab import Flow, Keep, chain
from lab.far import pattern_hash
from lab.run import PYTHON, Ticks, connector_of, is_alive, wait_for

SOAK = int(os.environ.get("NSPROXY_SOAK", "3"))
SANE = pytest.mark.skipif("ASAN_OPTIONS" in os.environ,
                          reason="a sanitizer must be loaded first")
MOST_FILES = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65536)
YEAR = 365 * 86400


class Shim:
    """A preloaded library of the lab's, and the two numbers it shares."""

    def __init__(self, lab, name):
        here = os.path.join(os.path.dirname(__file__), "..", "lab")
        place = lab.scratch()
        self.path = f"{place}/{name}.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE",
                        f"{here}/{name}.c", "-o", self.path], check=True)
        with open(f"{place}/{name}", "wb") as file:
            file.write(bytes(16))
        os.chown(f"{place}/{name}", 61234, 61234)
        with open(f"{place}/{name}", "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 16)
        self.env = {"LD_PRELOAD": self.path,
                    f"LAB_{name.upper()}": f"{place}/{name}"}

    def set(self, first, second):
        self.map[:] = struct.pack("qq", first, second)

    def get(self):
        return struct.unpack("qq", self.map[:])

    def is_in(self, pid):
        with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
            return self.path in file.read()


@contextmanager
def started(lab, profiles, env):
    """A daemon with more in its environment."""
    keep = Keep(lab, profiles)
    keep.start(env=env)
    try:
        yield keep
    finally:
        keep.__exit__()


def rss_kib(pid):
    return Keep.memory_kib(pid)


def fds_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


# --- many

# Says yes to each, and echoes: a far end as well, so that it is cheap.
YES = """
import asyncio, resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
async def one(r, w):
    try:
        await r.readexactly(3); w.write(b'\\5\\0')
        head = await r.readexactly(4)
        await r.readexactly({1: 6, 4: 18}.get(head[3]) or
                            (await r.readexactly(1))[0] + 2)
        w.write(b'\\5\\0\\0\\1\\0\\0\\0\\0\\0\\0')
        while got := await r.read(4096):
            w.write(got); await w.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    w.close()
async def main():
    server = await asyncio.start_server(one, '10.66.0.2', 1083, backlog=4096)
    print('listening', flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
MANY = """
import resource, select, collections
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
old = tcp('203.0.113.5', 7)
many, poll, waiting = [], select.epoll(), {}
said = collections.Counter()
for i in range(%d):
    s = socket.socket(); s.setblocking(False)
    s.connect_ex(('203.0.113.%%d' %% (i %% 250 + 1), 1000 + i))
    poll.register(s, select.EPOLLOUT); waiting[s.fileno()] = s
    many.append(s)
end = time.monotonic() + 60
while waiting and time.monotonic() < end:
    for fd, _ in poll.poll(1):
        s = waiting.pop(fd); poll.unregister(fd)
        code = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        said[errno.errorcode.get(code, 'OK')] += 1
print('many', flush=True); sys.stdin.readline()
old.settimeout(20); old.sendall(b'still'); echo = old.recv(9).decode()
for s in many: s.close()
def again():
    return connect_err('203.0.113.6', 7, 10)[0]
new = again()
for _ in range(20):
    if new == 'OK': break
    time.sleep(.5); new = again()
out([said, len(waiting), echo, new])
"""


@pytest.mark.row("R01")
@pytest.mark.parametrize("count,files", [
    pytest.param(10000, MOST_FILES, marks=pytest.mark.long, id="most"),
    pytest.param(3000, 4096, id="few")])
def test_thousands_of_flows_at_once_meet_a_cap_and_nothing_else(
        lab, count, files):
    lab.proxy_ports.add(1083)
    yes = lab.start([PYTHON, "-c", YES], user=False, place="prx")
    assert yes.says("listening"), yes.ran(None)
    limit = ["prlimit", f"--nofile={files}:{files}"]
    with lab.watch() as verdict:
        job = lab.start([*limit, lab.nsproxy_path, "run", "-q", "-x",
                         "socks5://10.66.0.2:1083", "--", PYTHON, "-c",
                         "from inside import *\n" + MANY % count],
                        stdin=subprocess.PIPE)
        assert job.says("many", 90), job.ran(None)
        worker = job.worker_pids()[0]
        fds, memory = fds_of(worker), rss_kib(worker)
        job.popen.stdin.close()
        said, waiting, echo, new = lab.spoken(job.wait(90))
    lab.proxy_ports.discard(1083)
    assert verdict, verdict
    assert waiting == 0 and sum(said.values()) == count, (said, waiting)
    assert echo == "still" and new == "OK", (echo, new)
    assert memory < 200 * 1024 or "ASAN_OPTIONS" in os.environ, memory
    if files > 2 * count + 1000:
        assert said == {"OK": count} and fds > count, (said, fds)
    else:       # two fds a flow: some got none, and were told
        assert files / 4 < said["OK"] < files / 2 and fds < files, (said, fds)


@pytest.mark.row("P12")
def test_who_reads_nothing_costs_one_slot_and_loses_nothing(lab, proxy):
    size = 300_000_000
    job = lab.sandbox_start([PYTHON, "-c", f"""from inside import *
s = tcp('203.0.113.5', 19); s.sendall(b'{size}\\n')
time.sleep(1); print('stalled', flush=True); sys.stdin.readline()
quick = connect_err('203.0.113.5', 7)
digest = hashlib.sha256()
while got := s.recv(1 << 18): digest.update(got)
out([quick, digest.hexdigest()])"""], proxy, ["-q"], stdin=subprocess.PIPE)
    assert job.says("stalled"), job.ran(None)
    worker = job.worker_pids()[0]
    before = fds_of(worker), rss_kib(worker), Ticks([worker])
    time.sleep(SOAK)
    spent = before[2].spent_s()
    assert fds_of(worker) == before[0] and len(job.worker_pids()) == 1
    assert rss_kib(worker) <= before[1] + 1024
    assert spent < .2, f"it worked {spent} s for nobody"
    job.popen.stdin.close()
    quick, digest = lab.spoken(job.wait(60))
    assert quick[0] == "OK" and quick[1] < 2, quick
    assert digest == pattern_hash(size)


# --- clocks

@SANE
@pytest.mark.row("R17")
def test_jumps_of_the_time_of_day_disturb_nobody(lab, proxy):
    clock = Shim(lab, "clock")
    with started(lab, {"work": chain(proxy)}, clock.env) as keep:
        box = keep.up("work")
        assert clock.is_in(box["worker"]) and clock.is_in(box["keeper"])
        flow = Flow(keep, "work")
        for jump in (10 * YEAR, -10 * YEAR, -40 * YEAR, 3600, 0):
            clock.set(jump, 0)
            assert flow.goes_on()
            assert keep.inside("work", """
u = udp('203.0.113.5', 7); u.send(b'x')
out([connect_err(f'n{time.time()}.example', 7)[0], u.recv(9).decode()])
""") == ["OK", "x"]
            began = time.monotonic()
            now = keep.status("work")
            assert now["state"] == "up" and time.monotonic() - began < 5
            assert (now["worker"], now["restarts"]) == (box["worker"], 0)
        # Control: it was heard of. What is said now has its date from it.
        clock.set(10 * YEAR, 0)
        os.kill(box["worker"], signal.SIGKILL)
        assert wait_for(lambda: keep.status("work")["restarts"] == 1)
        lines = [json.loads(line) for line in
                 keep("logs", "--json", "work").out.splitlines()]
        assert int(lines[-1]["time"][:4]) >= time.gmtime().tm_year + 9, lines
        clock.set(0, 0)
        assert keep.inside("work", "out(connect_err('z.example', 7)[0])") \
            == "OK"
        flow.job.kill_family()


@SANE
@pytest.mark.row("R18")
def test_after_a_long_sleep_what_is_stale_ends_and_the_rest_works(lab, proxy):
    """All of ours stand still while the clocks go on by an hour."""
    clock = Shim(lab, "clock")
    with started(lab, {"work": chain(proxy)}, clock.env) as keep:
        box = keep.up("work")
        flow = Flow(keep, "work")
        waiting = keep.inside_start("work", """
u = udp('203.0.113.5', 7); u.send(b'x'); u.recv(9)
print('asked', flush=True)
sys.stdin.readline()
u.send(b'y'); again = u.recv(9).decode()
out([again, connect_err('203.0.113.5', 7)[0]])""", stdin=subprocess.PIPE)
        assert waiting.says("asked"), waiting.ran(None)
        ours = [keep.job.pid, box["keeper"], box["worker"],
                connector_of(box["worker"])]
        assert 0 not in ours, ours
        for pid in ours:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(2)
        clock.set(3600, 3600)
        for pid in ours:
            os.kill(pid, signal.SIGCONT)
        # Whoever waited for the daemon an hour may ask again.
        assert wait_for(lambda: keep("status", "work").rc == 0, 20)
        now = keep.status("work")
        assert now["state"] == "up" and now["worker"] == box["worker"], now
        assert flow.goes_on(), "a connection does not get stale by itself"
        waiting.popen.stdin.close()
        assert lab.spoken(waiting.wait(30)) == ["y", "OK"]
        # Idle for longer than anybody waits: that association was ended.
        assert sum("associate" in str(asked) for asked in proxy.log) >= 2, \
            proxy.log
        flow.close()


# --- starved

@contextmanager
def squeezed(pids, run_s=.004, rest_s=.096):
    """These have a few hundredths of a processor."""
    is_over = threading.Event()

    def say(sig):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, sig)

    def squeeze():
        while not is_over.is_set():
            say(signal.SIGSTOP)
            time.sleep(rest_s)
            say(signal.SIGCONT)
            time.sleep(run_s)
    thread = threading.Thread(target=squeeze)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        say(signal.SIGCONT)


@pytest.mark.row("R19")
def test_without_processor_time_it_is_slow_and_nothing_leaks(lab, proxy):
    job = lab.sandbox_start([PYTHON, "-c", f"""from inside import *
s = tcp('203.0.113.5', 7)
print('up', flush=True); sys.stdin.readline()
def trip():
    began = time.monotonic(); s.sendall(b'x'); s.recv(1)
    return time.monotonic() - began
slow = sum(trip() for _ in range(300))
import subprocess
burst = subprocess.run([sys.executable, '/run/lab/burst.py', '1.5'],
                       capture_output=True).returncode
said = [connect_err('203.0.113.5', 7)[0], connect_err('n.example', 7)[0]]
print('squeezed', flush=True); sys.stdin.readline()
out([slow, sum(trip() for _ in range(300)), burst, said])"""], proxy, ["-q"],
                            stdin=subprocess.PIPE)
    assert job.says("up"), job.ran(None)
    ours = job.ours()
    with lab.watch() as verdict:
        with squeezed([ours["worker"], ours["keeper"]]):
            job.popen.stdin.write(b"\n")
            job.popen.stdin.flush()
            assert job.says("squeezed", 90), job.ran(None)
    job.popen.stdin.close()
    slow, quick, burst, said = lab.spoken(job.wait(60))
    assert verdict, verdict
    assert slow > .15 and slow > 2 * quick, (slow, quick)   # the control
    assert burst == 0 and said == ["OK", "OK"], (burst, said)


@SANE
@pytest.mark.long
@pytest.mark.row("R08")
def test_failing_allocations_of_the_daemon_leave_its_state_whole(lab, proxy):
    alloc = Shim(lab, "alloc")
    dice = random.Random(8)
    profiles = {"work": chain(proxy), "other": chain(proxy)}

    def life(keep):
        """What a daemon does; what callers were told."""
        return [keep(*words, timeout=20) for words in (
            ["up", "work"], ["status", "--json"], ["up", "other"],
            ["logs"], ["down", "other"])]

    with started(lab, profiles, alloc.env) as keep:
        assert [ran.rc for ran in life(keep)] == [0] * 5
        assert alloc.get()[1] > 100, "the control: none was counted"
        total = alloc.get()[1]
        keep("down", "--all")
        keep.kill(signal.SIGTERM)
        hit = died = 0
        for turn in [total - 1, *(dice.randrange(1, total)
                                  for _ in range(SOAK))]:
            alloc.set(turn, 0)
            with suppress(AssertionError):   # it may end at once, and say so
                keep.start(env=alloc.env)
            told = life(keep)
            for ran in told:
                assert ran.rc in range(8), (turn, ran)
                assert ran.rc == 0 or "nsproxy: " in ran.err, (turn, ran)
            hit += alloc.get()[1] >= turn
            died += keep.job.popen.poll() is not None
            alloc.set(0, 0)
            if keep.job.popen.poll() is None:
                keep.kill()
            keep.start()                     # finds its state, or has none
            up = told[0].rc == 0
            if up:
                assert wait_for(
                    lambda: keep("status", "work").rc == 0, 10), (turn, told)
            ran = keep("up", "work")
            assert ran.rc == 0, (turn, ran)
            assert keep.inside("work", "out(connect_err('n.example', 7)[0])"
                               ) == "OK"
            assert keep("down", "--all").rc == 0
            keep.kill(signal.SIGTERM)
        assert hit > SOAK / 2, f"only {hit} of the faults came to pass"
        print(f"{total} allocations, {hit} failed, {died} ended the daemon")


# --- all of it, for a while

@pytest.mark.long
@pytest.mark.row("R16")
def test_random_faults_for_a_while_leak_nothing_and_heal(lab, proxy):
    dice = random.Random(int(os.environ.get("NSPROXY_SEED", "16")))
    names = ["a", "b", "c"]
    done = []
    with Keep(lab, {name: chain(proxy) for name in names}) as keep, \
            lab.watch() as verdict:
        def box():
            return keep.status(dice.choice(names))

        def strike(role, sig):
            pid = box().get(role, 0)
            if pid and is_alive(pid):
                os.kill(pid, sig)
                if sig == signal.SIGSTOP:
                    time.sleep(dice.random())
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)

        def daemon(sig):
            keep.kill(sig)
            keep.start()

        faults = {
            "worker killed": lambda: strike("worker", signal.SIGKILL),
            "keeper killed": lambda: strike("keeper", signal.SIGKILL),
            "worker stopped": lambda: strike("worker", signal.SIGSTOP),
            "keeper stopped": lambda: strike("keeper", signal.SIGSTOP),
            "daemon killed": lambda: daemon(signal.SIGKILL),
            "daemon ended": lambda: daemon(signal.SIGTERM),
            "switched": lambda: keep("switch", *dice.sample(names, 2),
                                     timeout=60),
            "restarted": lambda: keep("restart", dice.choice(names),
                                      timeout=60),
            "down": lambda: keep("down", dice.choice(names), timeout=60),
            "proxy": proxy.reset_clients,
        }
        jobs = []
        end = time.monotonic() + SOAK
        while time.monotonic() < end:
            for name in names:
                keep("up", name, timeout=60)
            jobs = [job for job in jobs if job.popen.poll() is None]
            if len(jobs) < 3:
                jobs.append(keep.exec_start(
                    dice.choice(names), PYTHON, "/run/lab/burst.py", "3"))
            what = dice.choice(list(faults))
            done.append(what)
            faults[what]()
        for job in jobs:
            job.kill_family()
        # The toy proxy may have more behind it than it can do in time.
        direct = ["curl", "-sS", "-m", "2", "-x", proxy.url("socks5h"),
                  "http://n.example/"]
        assert wait_for(lambda: lab.run(direct).rc == 0, 60)
        for name in names:
            assert wait_for(lambda: keep("up", name, timeout=60).rc == 0, 20)
            assert keep.inside(name, "out(connect_err('n.example', 7)[0])"
                               ) == "OK", \
                f"{name}, after {done}:\n{keep('logs', name).out}"
    assert verdict, (verdict, done)
    assert len(done) > SOAK / 4, done
    assert wait_for(lambda: not keep.left(), 10), (keep.left(), done)
