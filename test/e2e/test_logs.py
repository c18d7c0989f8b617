# SPDX-License-Identifier: GPL-3.0-or-later
"""What the daemon and the workers of its sandboxes have said."""
import ctypes
import json
import os
import re
import signal
import socket
import time

import pytest

from lab import Keep
from lab.run import is_alive, wait_for

DEAD = "socks5://10.66.0.2:9"               # nobody listens there
REFUSED = f"hop 1 {DEAD.replace('://', ' ')}: "
# A sanitizer holds back what was freed.
ROOM_KIB = 65536 if "ASAN_OPTIONS" in os.environ else 2048
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438


def chain(url):
    return f'chain = {{"{url}"}}'


@pytest.fixture
def keep(lab, proxy):
    with Keep(lab, {"work": chain(DEAD), "other": chain(proxy.url())}) as one:
        yield one


@pytest.fixture(params=[True, False], ids=["user", "root"])
def anyone(lab, proxy, request):
    with Keep(lab, {"work": chain(DEAD), "other": chain(proxy.url())},
              user=request.param) as one:
        yield one


def fail(keep, name="work"):
    """A program inside has something to complain of."""
    keep.inside(name, "out(connect_err('203.0.113.5', 7))")


def lines(keep, *words):
    ran = keep("logs", "--json", *words)
    assert ran.rc == 0 and ran.err == "", ran
    return [json.loads(line) for line in ran.out.splitlines()]


def texts(keep, *words):
    return [line["text"] for line in lines(keep, *words)]


def has(keep, name, text):
    return any(text in one for one in texts(keep, name))


def follow(keep, *words):
    return keep.lab.start([keep.lab.nsproxy_path, "logs", "-f", *words],
                          user=keep.user, env=keep.env())


class Voice:
    """The standard error of a worker: what one gone bad could write."""

    def __init__(self, pid, fd=2):
        libc = ctypes.CDLL(None, use_errno=True)
        pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
        fd = libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
        assert pidfd >= 0 and fd >= 0, os.strerror(ctypes.get_errno())
        os.close(pidfd)
        self.sock = socket.socket(fileno=fd)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()

    def say(self, *texts):
        """How many of them were taken."""
        for count, text in enumerate(texts):
            try:
                self.sock.send(text)
            except BlockingIOError:
                return count
        return len(texts)


# --- what is there

@pytest.mark.smoke
def test_warning_of_a_dead_proxy_shows_up(anyone):
    anyone.up("work")
    anyone.up("other")
    fail(anyone)
    assert wait_for(lambda: has(anyone, "work", REFUSED))
    (line,) = [line for line in lines(anyone, "work")
               if REFUSED in line["text"]]
    assert line["level"] == "warning" and line["sandbox"] == "work", line
    assert not has(anyone, "other", REFUSED)
    assert has(anyone, "other", "is up")
    ran = anyone("logs", "work")
    assert re.search(r"(?m)^\d\d:\d\d:\d\d work: is up$", ran.out), ran
    assert re.search(r"(?m)^\d\d:\d\d:\d\d work: warning: hop 1 socks5 ",
                     ran.out), ran
    shown = f"nsproxy: sandbox 'work': warning: {REFUSED}"
    assert shown in anyone.job.err, "as it did before"


def test_shape_of_json(keep):
    keep.up("work")
    fail(keep)
    assert wait_for(lambda: has(keep, "work", REFUSED))
    for line in lines(keep, "work"):
        assert set(line) == {"schema", "time", "sandbox", "level", "text"}
        assert line["schema"] == "nsproxy.log/1"
        assert line["level"] in ("error", "warning", "info", "debug", "trace")
        said = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{3}Z",
                            line["time"])
        assert said, line
        then = time.strptime(said[1], "%Y-%m-%dT%H:%M:%S")
        here = time.gmtime(time.time() - 60)
        assert here <= then <= time.gmtime(), line


def test_all_are_told_once_and_in_order(keep):
    keep.up("work")
    keep.up("other")
    fail(keep)
    assert wait_for(lambda: has(keep, "work", REFUSED))
    told = lines(keep)
    assert {line["sandbox"] for line in told} == {"", "work", "other"}
    assert [line["text"] for line in told].count("is up") == 2
    assert told == sorted(told, key=lambda line: line["time"])
    assert re.search(r"(?m) \(daemon\): listening at ", keep("logs").out)


def test_only_the_last_lines(keep):
    box = keep.up("work")
    with Voice(box["worker"]) as voice:
        voice.say(*[b"nsproxy: n%d\n" % n for n in range(20)])
    assert wait_for(lambda: has(keep, "work", "n19"))
    assert texts(keep, "work", "-n", "3") == ["n17", "n18", "n19"]
    assert texts(keep, "work", "-n", "0") == []
    assert texts(keep, "-n3") == ["n17", "n18", "n19"]
    assert texts(keep, "work", "-n", "99")[-1] == "n19"


def test_life_and_death_are_told(keep):
    box = keep.up("work")
    os.kill(box["worker"], signal.SIGKILL)
    assert wait_for(lambda: texts(keep, "work").count("is up") == 2)
    assert has(keep, "work", "its worker died")
    os.kill(keep.status("work")["keeper"], signal.SIGKILL)
    assert wait_for(lambda: texts(keep, "work").count("is up") == 3)
    assert has(keep, "work", "its keeper died")
    assert keep("down", "work").rc == 0
    assert keep("logs", "work").rc == 4
    assert has(keep, "-n9", "is down"), "the daemon still knows"
    keep.up("work")
    assert texts(keep, "work") == ["is up"], "another one begins anew"


def test_lines_said_while_there_was_no_daemon(anyone):
    box = anyone.up("work")
    anyone.kill()
    with Voice(box["worker"]) as voice:
        voice.say(b"nsproxy: warning: all alone\n")
    said = time.time()
    time.sleep(1.5)
    anyone.start()
    assert wait_for(lambda: anyone.status("work")["state"] == "up")
    assert wait_for(lambda: has(anyone, "work", "all alone"))
    (line,) = [line for line in lines(anyone, "work")
               if line["text"] == "all alone"]
    assert line["time"][:19] in [
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(said + d))
        for d in (-1, 0)], "and when they were said"
    fail(anyone)
    assert wait_for(lambda: has(anyone, "work", REFUSED))


def test_a_worker_without_a_daemon_is_never_held_up(keep):
    """Its lines beyond what the socket holds are lost, and counted."""
    box = keep.up("other")
    keep.kill()
    with Voice(box["worker"]) as voice:
        taken = voice.say(*[b"nsproxy: %d\n" % n for n in range(5000)])
        assert 50 < taken < 2000, taken
    ask = "out(connect_err('203.0.113.5', 7)[0])"
    keep.start()
    assert wait_for(lambda: has(keep, "other", str(taken - 1)), 10)
    assert keep.inside("other", ask) == "OK"


# --- following

def test_a_follower_sees_what_comes_later(anyone):
    box = anyone.up("work")
    with Voice(box["worker"]) as voice:
        voice.say(b"nsproxy: before\n")
        assert wait_for(lambda: has(anyone, "work", "before"))
        one, two = follow(anyone, "work"), follow(anyone, "-n", "0", "work")
        every = follow(anyone)
        assert one.says("before") and every.says("before")
        time.sleep(0.3)
        voice.say(b"nsproxy: warning: after\n")
        for job in (one, two, every):
            assert job.says(" work: warning: after\n"), job.ran(None)
    assert "before" not in two.out
    os.kill(one.pid, signal.SIGINT)
    assert one.wait(5).rc == -signal.SIGINT
    assert anyone("down", "work").rc == 0
    ran = two.wait(5)
    assert ran.rc == 0 and ran.err == "", ran
    assert ran.out.endswith(" work: is down\n"), ran
    anyone.up("work")
    assert wait_for(lambda: every.out.count(" work: is up") == 2)


def test_last_words_reach_a_follower(keep):
    """Also those that had to wait for their share of the daemon's time."""
    box = keep.up("work")
    job = follow(keep, "work")
    assert job.says("is up")
    with Voice(box["worker"]) as voice:
        assert voice.say(*[b"nsproxy: word %d\n" % n for n in range(150)]
                         ) == 150
        assert keep("down", "work").rc == 0
    ran = job.wait(5)
    assert ran.rc == 0, ran
    said = re.findall(r"(?m)word (\d+)$", ran.out)
    assert said == [str(n) for n in range(150)], ran


def test_a_follower_ends_with_the_daemon(keep):
    keep.up("work")
    job = follow(keep, "work")
    assert job.says("is up")
    keep.kill()
    ran = job.wait(5)
    assert ran.rc == 1 and "the daemon has ended" in ran.err, ran


def test_a_follower_ends_with_its_reader(keep):
    keep.up("work")
    ends = os.pipe()
    job = keep.lab.start([keep.lab.nsproxy_path, "logs", "-f"],
                         env=keep.env(), stdout=ends[1])
    os.close(ends[1])
    assert b"listening" in os.read(ends[0], 65536)
    time.sleep(0.2)
    os.close(ends[0])
    assert job.popen.wait(5) == 0, "though no line came"


def test_sandbox_that_cannot_be_built_tells_its_followers(keep):
    box = keep.up("work")
    job = follow(keep, "work")
    assert job.says("is up")
    keep.write({"other": 'chain = {"block://"}'})
    os.kill(box["keeper"], signal.SIGKILL)
    assert job.says("no profile"), job.ran(None)
    assert keep("down", "work").rc == 0
    assert job.wait(5).rc == 0


# --- hostile ones

def test_hostile_text_comes_out_quoted(keep):
    box = keep.up("work")
    bad = b"nsproxy: warning: \x1b]0;x\x07 \x9b31m \xe2\x80\xae \r\n" \
          b"nsproxy: error: sandbox 'other': faked\n"
    with Voice(box["worker"]) as voice:
        voice.say(bad, b"y" * 100000, b"", b"\n", b"\0", b"not ours\n",
                  b"nsproxy: error: \n", b"nsproxy: last\n")
    assert wait_for(lambda: has(keep, "work", "last"))
    told = lines(keep, "work")[1:]
    assert [(one["level"], one["text"][:40]) for one in told] == [
        ("warning", r"\x1b]0;x\x07 \x9b31m \xe2\x80\xae \x0d\x0ansproxy: e"
         [:40]), ("warning", "y" * 40), ("warning", "not ours"),
        ("info", "last")]
    assert told[0]["text"].endswith("sandbox 'other': faked")
    assert all(len(one["text"]) < 1024 for one in told)
    assert lines(keep, "other", "-n0") == [] if keep.up("other") else False
    assert not has(keep, "other", "faked")
    for text in (keep("logs", "work").out, keep("logs").out, keep.job.err):
        assert text.isascii() and not re.search(r"[\x00-\x09\x0b-\x1f]", text)


def test_hostile_names_from_inside_come_out_quoted(keep):
    keep.kill()
    keep.start("-vv")
    keep.up("other")
    keep.inside("other", r"""
def ask(name):
    s = tcp(os.environ['NSPROXY_GATEWAY'], 1080)
    s.sendall(b'\5\1\0'); s.recv(2)
    s.sendall(b'\5\1\0\3' + bytes([len(name)]) + name + b'\0\x50')
    s.settimeout(5)
    return s.recv(100).hex()
out([ask(b'a\x1b[31mb\nnsproxy: error: faked'), ask(b'good.example')])""")
    assert wait_for(lambda: has(keep, "other", "good.example"))
    for line in lines(keep, "other"):
        assert line["text"].isprintable() and line["level"] != "error", line
    assert "\x1b" not in keep.job.err


def test_fds_sent_along_are_not_kept(keep):
    box = keep.up("work")
    with Voice(box["worker"]) as voice:
        before = keep.fds()
        for _ in range(20):
            keep.send_fds(voice.sock, 3, b"nsproxy: take these\n")
        assert wait_for(lambda: texts(keep, "work").count("take these") == 20)
        assert wait_for(lambda: keep.fds() <= before)


def test_a_flood_costs_neither_memory_nor_time(keep):
    box = keep.up("work")
    keep.up("other")
    fail(keep)
    memory = keep.memory_kib(keep.job.pid)
    job = keep.inside_start("work", """
end = time.monotonic() + 4; n = 0
while time.monotonic() < end:
    connect_err('203.0.113.5', 7); n += 1
out(n)""")
    with Voice(box["worker"]) as voice:
        slowest, taken, end = 0, 0, time.monotonic() + 4
        while time.monotonic() < end:
            taken += voice.say(*[b"nsproxy: warning: " + b"x" * 900] * 500)
            began = time.monotonic()
            assert keep("list").rc == 0
            slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1, slowest
    assert taken < 4000, "no more than its share was heard"
    assert keep.lab.spoken(job.wait()) > 100
    assert keep.memory_kib(keep.job.pid) < memory + ROOM_KIB
    assert len(lines(keep, "work")) <= 256
    assert has(keep, "other", "is up"), "others' lines were not pushed out"


def test_a_slow_follower_is_dropped_and_nobody_suffers(keep):
    box = keep.up("work")
    slow, quick = follow(keep, "work"), follow(keep, "work")
    assert slow.says("is up") and quick.says("is up")
    os.kill(slow.pid, signal.SIGSTOP)
    fds = keep.fds()
    memory = keep.memory_kib(keep.job.pid)
    with Voice(box["worker"]) as voice:
        def is_dropped():
            voice.say(*[b"nsproxy: " + b"x" * 900] * 100)
            assert keep("list").rc == 0
            return keep.fds() < fds
        assert wait_for(is_dropped, 20, 0.1)
        assert keep.memory_kib(keep.job.pid) < memory + ROOM_KIB
        time.sleep(0.5)
        voice.say(b"nsproxy: the end\n")
        assert quick.says("the end"), "the other one went on"
    os.kill(slow.pid, signal.SIGCONT)
    ran = slow.wait(5)
    assert ran.rc == 1 and "not taken in time" in ran.err, ran


def test_standard_error_that_nobody_reads_holds_nobody_up(keep):
    keep.kill()
    ends = os.pipe()
    keep.start(stderr=os.fdopen(ends[1], "wb"))
    box = keep.up("work")
    with Voice(box["worker"]) as voice:
        for _ in range(30):
            voice.say(*[b"nsproxy: " + b"x" * 900] * 32)
            time.sleep(0.1)
        assert keep.exec("work", "echo", "in").out == "in\n"
        written = b""
        while b" lines were not written here\n" not in written:
            voice.say(b"nsproxy: more\n")
            written += os.read(ends[0], 65536)
    assert written.count(b"x" * 900) < 100
    os.close(ends[0])


def test_systemd_is_told_priorities(keep):
    keep.kill()
    with open(f"{keep.home}/journal", "w+", encoding="ascii") as err:
        st = os.fstat(err.fileno())
        keep.start(stderr=err,
                   env={"JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"})
        keep.up("work")
        fail(keep)
        assert wait_for(lambda: has(keep, "work", REFUSED))
        err.seek(0)
        said = err.read()
        assert re.search("(?m)^<6>nsproxy: sandbox 'work': is up$", said), said
        assert f"\n<4>nsproxy: sandbox 'work': warning: {REFUSED}" in said
        keep.kill()
        keep.start(stderr=err, env={"JOURNAL_STREAM": f"{st.st_dev}:1"})
        keep.up("other")
        err.seek(len(said))
        assert "\nnsproxy: sandbox 'other': is up\n" in err.read()


def test_keeper_tells_of_a_worker_gone_bad(keep):
    """One that asks for sockets in words of its own is cut off."""
    box = keep.up("work")
    with Voice(box["worker"], mint_of(box["worker"])) as voice:
        voice.say(b"?!")
    assert wait_for(lambda: has(keep, "work", "asked for sockets"))
    assert wait_for(lambda: keep.status("work")["restarts"] == 1)


def mint_of(pid):
    """The fd by which a worker asks its keeper for sockets: of its unix
    sockets, the one that is neither standard error nor the log's, nor the
    channel to whoever made it. Those to its connector were made later."""
    links = {fd: os.readlink(f"/proc/{pid}/fd/{fd}")
             for fd in os.listdir(f"/proc/{pid}/fd")}
    found = []
    for fd, link in links.items():
        if not link.startswith("socket:") or link == links["2"] or fd == "3":
            continue
        with Voice(pid, int(fd)) as voice:
            if (voice.sock.family, voice.sock.type) == (
                    socket.AF_UNIX, socket.SOCK_SEQPACKET):
                found.append(int(fd))
    assert len(found) == 3, (found, links)
    return min(found)


# --- rights and words

@pytest.mark.row("U18")
def test_strangers_read_nothing_of_roots(lab, proxy):
    with Keep(lab, {"work": chain(proxy.url())}, user=False) as keep:
        keep.up("work")
        for words in (["work"], [], ["-f", "work"], ["nothing"]):
            said = lab.run([lab.nsproxy_path, "logs", *words],
                           env={"XDG_RUNTIME_DIR": "/run/nsproxy/none"})
            assert said.rc == 5 and said.out == "", said
        said = lab.outside(f"""import json, socket
s = socket.socket(socket.AF_UNIX); s.connect({keep.socket!r})
def ask(**p):
    s.sendall(json.dumps({{'method': 'org.nsproxy.Logs', 'parameters': p,
                           'more': True}}).encode() + b'\\0')
    return json.loads(s.recv(65536)[:-1]).get('error')
out([ask(name='work'), ask(), ask(name='nothing'), ask(name='work',
                                                       follow=True)])""")
        assert said == ["org.nsproxy.Denied"] * 4


@pytest.mark.row("U18")
def test_who_may_enter_may_not_read(lab, proxy):
    text = chain(proxy.url()) + '\nusers = {"61234"}'
    with Keep(lab, {"work": text}, user=False) as keep:
        keep.up("work")
        said = lab.outside(f"""import json, socket
s = socket.socket(socket.AF_UNIX); s.connect({keep.socket!r})
def ask(method):
    s.sendall(json.dumps({{'method': 'org.nsproxy.' + method,
        'parameters': {{'name': 'work'}}}}).encode() + b'\\0')
    return json.loads(s.recv(65536)[:-1]).get('error')
out([ask('Status'), ask('Logs')])""")
        assert said == [None, "org.nsproxy.Denied"]


def test_the_owner_may_read_its_own(lab, proxy):
    with Keep(lab, {"work": chain(proxy.url()), "other": chain(proxy.url())},
              user=False) as keep:
        keep.up("work")
        os.chown(keep.state, 0, 0)
        with open(keep.state, encoding="ascii") as file:
            state = json.load(file)
        keep.kill()
        state["sandboxes"][0]["owner"] = 61234
        with open(keep.state, "w", encoding="ascii") as file:
            json.dump(state, file)
        keep.start()
        assert wait_for(lambda: keep.status("work")["state"] == "up")
        said = lab.outside(f"""import json, socket
s = socket.socket(socket.AF_UNIX); s.connect({keep.socket!r})
def ask(**p):
    s.sendall(json.dumps({{'method': 'org.nsproxy.Logs',
                           'parameters': p}}).encode() + b'\\0')
    r = json.loads(s.recv(65536)[:-1])
    return r.get('error') or [l['sandbox'] for l in r['parameters']['lines']]
out([set(ask(name='work')) == {{'work'}}, ask()])""")
        assert said == [True, "org.nsproxy.Denied"]


def test_followers_count_as_callers(keep):
    keep.up("work")
    asked = json.dumps({"method": "org.nsproxy.Logs", "more": True,
                        "parameters": {"name": "work", "follow": True}})
    socks = [keep.call() for _ in range(40)]
    heard = 0
    for sock in socks:
        try:
            sock.sendall(asked.encode() + b"\0")
            heard += keep.hear(sock) is not None
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert heard == 32
    assert keep("list").rc == 5, "this uid has had its share"
    for sock in socks:
        sock.close()
    assert wait_for(keep.answers)


def test_statuses_and_wrong_calls(keep):
    keep.up("work")
    for words, rc in [(["work"], 0), (["nothing"], 4), (["work", "x"], 2),
                      (["-n"], 2), (["-n", "x"], 2), (["-n", "-1"], 2),
                      (["--no"], 2), (["-h"], 0), ([""], 2)]:
        ran = keep("logs", *words)
        assert ran.rc == rc, ran
    with keep.call() as sock:
        logs = "org.nsproxy.Logs"
        assert keep.ask(sock, logs, name="work", follow=True)["error"] == \
            "org.varlink.service.ExpectedMore"
        for odd in ({"lines": -1}, {"lines": "1"}, {"follow": 1}, {"x": 1},
                    {"name": 1}, {"lines": 1.5}):
            got = keep.ask(sock, logs, **odd)
            assert got["error"] == "org.varlink.service.InvalidParameter", odd
        assert len(keep.ask(sock, logs, name="work", lines=1 << 60)
                   ["parameters"]["lines"]) == 1


@pytest.mark.row("U19")
def test_no_secret_is_ever_told(lab, proxy):
    text = chain("http://me:hush-hush@10.66.0.2:9")
    with Keep(lab, {"work": text,
                    "sock": chain("socks5://me:hush-hush@10.66.0.2:1080")}
              ) as keep:
        keep.kill()
        keep.start("-vv")
        for name in ("work", "sock"):
            keep.up(name)
            keep.inside(name, "out(connect_err('name.example', 80))")
        assert wait_for(lambda: has(keep, "work", "dial name.example:80"))
        assert has(keep, "sock", "dial name.example:80")
        told = keep("logs", "--json").out + keep.job.err
        assert "hush" not in told and "bWU6aHVzaC1odXNo" not in told


def test_nothing_is_left(keep):
    box = keep.up("work")
    job = follow(keep, "work")
    assert job.says("is up")
    assert keep("down", "work").rc == 0
    job.wait(5)
    assert not is_alive(box["keeper"]) and not is_alive(box["worker"])
    before = keep.fds()
    for _ in range(5):
        keep.up("work")
        assert keep("down", "work").rc == 0
    assert wait_for(lambda: keep.fds() == before)
