# SPDX-License-Identifier: GPL-3.0-or-later
"""Named sandboxes: their life, what enters them, and what may be killed."""
import json
import os
import random
import signal
import socket
import subprocess
import time
from contextlib import suppress

import pytest

from lab import Keep, Terminal, chain
from lab.far import FarServers
from lab.run import (PYTHON, connector_of, family_of, is_alive, pids, role_of,
                     wait_for)

FAR = "203.0.113.5"


@pytest.fixture(params=[True, False], ids=["user", "root"])
def anyone(lab, proxy, request):
    with Keep(lab, {"work": chain(proxy), "other": chain(proxy)},
              user=request.param) as one:
        yield one


# --- life

@pytest.mark.smoke
def test_up_exec_down(anyone, proxy):
    box = anyone.up("work")
    assert box["state"] == "up" and box["worker"] > 0, box
    said = anyone.inside("work", "out(connect_err('named.example', 80))")
    assert said[0] == "OK", said
    assert proxy.asked("named.example", 80), "the name went to the proxy"
    assert anyone("down", "work").rc == 0
    assert not is_alive(box["keeper"]) and not is_alive(box["worker"])
    ran = anyone.exec("work", "echo", "never")
    assert ran.rc == 125 and ran.out == "", ran
    assert "nsproxy up work" in ran.err, ran
    assert os.listdir(anyone.boxes) == []


def test_up_again_changes_nothing(keep):
    first = keep.up("work")
    assert keep.up("work") == first | {"processes": 0}


@pytest.mark.row("A22")
def test_two_sandboxes_share_nothing(keep):
    assert keep.up("work")["netns"] != keep.up("other")["netns"]
    job = keep.inside_start("work", """
s = socket.socket(); s.bind(('127.0.0.1', 4321)); s.listen()
print('up', flush=True); time.sleep(20)""")
    assert job.says("up"), job.ran(None)
    assert keep.inside("work", "out(connect_err('127.0.0.1', 4321)[0])") == \
        "OK", "commands in one sandbox see each other"
    assert keep.inside("other", "out(connect_err('127.0.0.1', 4321)[0])") == \
        "ECONNREFUSED"


# What the next one has: a listener, an abstract socket, a way out.
NEXT = """
s = socket.socket(); s.bind(('127.0.0.1', 4321)); s.listen()
u = socket.socket(socket.AF_UNIX); u.bind(chr(0) + 'next'); u.listen()
print('up', flush=True); sys.stdin.readline()"""
REACH_NEXT = f"""
def abstract():
    socket.socket(socket.AF_UNIX).connect(chr(0) + 'next')
def datagram():
    u = udp('{FAR}', 7, 2); u.send(b'x'); u.recv(9)
def name():
    if not sh('dig +tries=1 +time=1 +short next.example'
              )[1].startswith('198.1'):
        raise TimeoutError
out([connect_err('127.0.0.1', 4321, 2)[0], err(abstract), err(name),
     connect_err('{FAR}', 7, 2)[0], err(datagram)])"""


@pytest.mark.row("A43")
def test_program_of_the_old_one_has_nothing_of_the_next(anyone, proxy):
    first = anyone.up("work")
    old = anyone.inside_start("work", "print('up', flush=True)\n"
                              "sys.stdin.readline()" + REACH_NEXT,
                              stdin=subprocess.PIPE)
    assert old.says("up"), old.ran(None)
    assert anyone("restart", "work").rc == 0
    now = anyone.status("work")
    assert now["keeper"] != first["keeper"], now
    assert now["netns"] != first["netns"], now
    new = anyone.inside_start("work", NEXT, stdin=subprocess.PIPE)
    assert new.says("up"), new.ran(None)
    assert anyone.inside("work", REACH_NEXT) == ["OK"] * 5, "the control"
    asked = len(proxy.log)
    old.popen.stdin.close()
    assert "OK" not in anyone.lab.spoken(old.wait(60))
    assert len(proxy.log) == asked, proxy.log[asked:]
    new.popen.stdin.close()


def test_published_door_outlives_a_worker(lab, proxy):
    text = chain(proxy, 'publish = {"127.0.0.1:18080:8080"}')
    with Keep(lab, {"work": text}) as keep:
        box = keep.up("work")
        job = keep.inside_start("work", """
s = socket.socket(); s.bind(('127.0.0.1', 8080)); s.listen()
print('up', flush=True)
for n in range(2):
    c = s.accept()[0]; c.sendall(b'hello'); c.close()
time.sleep(20)""")
        assert job.says("up"), job.ran(None)
        ask = "out(read_all(tcp('127.0.0.1', 18080)).decode())"
        assert lab.outside(ask) == "hello"
        os.kill(box["worker"], signal.SIGKILL)
        assert wait_for(lambda: keep.status("work")["restarts"] == 1)
        assert lab.outside(ask) == "hello"


@pytest.mark.row("K17")
def test_stop_takes_all_down(keep):
    boxes = [keep.up("work"), keep.up("other")]
    assert keep("stop").rc == 0
    keep.job.popen.wait(5)
    for box in boxes:
        assert not is_alive(box["keeper"]) and not is_alive(box["worker"])
    with open(keep.state, encoding="ascii") as file:
        assert json.load(file)["sandboxes"] == []


@pytest.mark.row("K17")
def test_stop_can_keep_them(keep):
    box = keep.up("work")
    assert keep("stop", "--keep").rc == 0
    keep.job.popen.wait(5)
    assert is_alive(box["keeper"]) and is_alive(box["worker"])
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    assert keep.status("work")["keeper"] == box["keeper"]


@pytest.mark.row("K18")
def test_autostart(lab, proxy):
    with Keep(lab, {"auto": chain(proxy, "autostart = true"),
                    "work": chain(proxy)}) as keep:
        ran = keep.exec("auto", "echo", "in")    # at once: exec waits for it
        assert ran.out == "in\n", ran
        assert keep.status("work")["state"] == "down"


# --- what a command keeps

LOOK = """import os, resource, signal
with open('/proc/self/status') as f:
    status = dict(l.split(':\\t', 1) for l in f.read().splitlines())
mask = os.umask(0)
me = {'uid': os.getresuid(), 'gid': os.getresgid(), 'cwd': os.getcwd(),
      'umask': mask, 'nice': os.nice(0), 'sid': os.getsid(0),
      'pgid': os.getpgid(0), 'ppid': os.getppid(),
      'groups': len(os.getgroups()), 'cgroup': open('/proc/self/cgroup').read(),
      'limits': [resource.getrlimit(n) for n in range(16)],
      'blocked': status['SigBlk'], 'ignored': status['SigIgn'],
      'fds': sorted(os.listdir('/proc/self/fd'))[:3],
      'sched': os.sched_getscheduler(0), 'affinity': sorted(
          os.sched_getaffinity(0)),
      'env': {k: v for k, v in os.environ.items()
              if k not in ('NSPROXY_SANDBOX', 'NSPROXY_GATEWAY')}}
import json; print(json.dumps(me))"""

ODD = """import os, resource, signal, sys
os.umask(0o137); os.nice(3)
resource.setrlimit(resource.RLIMIT_NOFILE, (77, 99))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGUSR2})
os.environ['LD_LIBRARY_PATH'] = '/nowhere'; os.environ['TMPDIR'] = '/x y'
os.environ['http_proxy'] = 'http://127.0.0.1:1'
os.execv(sys.argv[1], sys.argv[1:])"""


@pytest.mark.row("U23")
def test_exec_keeps_everything_else(anyone):
    anyone.up("work")
    lab = anyone.lab
    look = [PYTHON, "-c", LOOK]
    inside = [lab.nsproxy_path, "exec", "work", "--", *look]
    said = []
    for argv in (look, inside):
        job = lab.start([PYTHON, "-c", ODD, *argv], user=anyone.user,
                        env=anyone.env())
        ran = job.wait()
        assert ran.rc == 0 and ran.err == "", ran
        told = json.loads(ran.out)
        assert told.pop("sid") == job.pid and told.pop("pgid") == job.pid
        said.append(told)
    if anyone.user:        # one id is mapped, the others show as nobody's
        for told in said:
            told.pop("groups")
    assert said[0] == said[1]


def test_exec_is_the_callers_process(keep):
    keep.up("work")
    job = keep.exec_start("work", "sh", "-c", "echo $$")
    assert job.wait().out == f"{job.pid}\n"


@pytest.mark.parametrize("cmd,rc", [
    (["sh", "-c", "exit 0"], 0), (["sh", "-c", "exit 77"], 77),
    (["sh", "-c", "exit 255"], 255), (["no-such-program"], 127),
    (["/etc/passwd"], 126)])
def test_exit_status(keep, cmd, rc):
    keep.up("work")
    assert keep.exec("work", *cmd).rc == rc


def test_killed_command(keep):
    keep.up("work")
    ran = keep.exec("work", "sh", "-c", "kill -9 $$")
    assert ran.rc == -signal.SIGKILL, "by its parent seen as killed"


def test_exec_words(keep):
    keep.up("work")
    assert keep("exec", "work", "echo", "-n", "a b").out == "a b"
    assert keep("exec", "work", "--", "echo", "--", "x").out == "-- x\n"
    ran = keep("exec", "work", input="echo from the shell; exit 9")
    assert (ran.out, ran.rc) == ("from the shell\n", 9), ran
    ran = keep("shell", "work", input="exit 8")
    assert ran.rc == 8, ran
    assert keep.exec("work", "sh", "-c",
                     "echo $NSPROXY_SANDBOX").out == "work\n"


def test_exec_on_a_terminal_with_job_control(keep):
    keep.up("work")
    home = f"export HOME={keep.home} XDG_RUNTIME_DIR={keep.run}"
    inside = f"{keep.lab.nsproxy_path} exec work -- "
    with Terminal(keep.lab) as term:
        term.ask(home)
        assert term.ask(inside + "tty") == term.ask("tty")
        term.line(inside + "sleep 100")
        time.sleep(0.4)
        term.key("z")
        term.expect("Stopped")
        term.prompt()
        term.line("fg")
        time.sleep(0.2)
        term.key("c")
        term.prompt()
        assert term.ask("echo $?").strip() == "130"


@pytest.mark.row("U08")
def test_exec_refuses_a_directory_that_is_gone(keep):
    keep.up("work")
    path = f"{keep.home}/gone"
    os.mkdir(path)
    os.chown(path, 61234, 61234)
    ran = keep.lab.run(
        ["sh", "-c", f'cd {path} && rmdir {path} && exec "$@"', "sh",
         keep.lab.nsproxy_path, "exec", "work", "--", "echo", "never"],
        env=keep.env())
    assert ran.rc == 125 and ran.out == "", ran


@pytest.mark.row("A36")
def test_exec_refuses_a_network_socket_as_stdin(keep):
    keep.up("work")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ran = keep.exec("work", "echo", "never", stdin=sock.fileno())
    assert ran.rc == 125 and "network socket" in ran.err, ran


# --- the guard

@pytest.mark.row("U24")
def test_command_has_no_power(keep):
    keep.up("work")
    said = keep.inside("work", """
with open('/proc/self/status') as f:
    status = dict(l.split(':\\t', 1) for l in f.read().splitlines())
out([status[k] for k in ('CapPrm', 'CapEff', 'CapInh', 'CapBnd', 'CapAmb',
                         'NoNewPrivs', 'Seccomp')]
    + [sh('ip link set nsp0 down')[0], err(os.open, '/proc/%d/mem' %
                                           os.getppid(), os.O_RDWR)])""")
    assert said[:5] == ["0" * 16] * 5 and said[5:7] == ["1", "2"], said
    assert said[7] != 0 and said[8] == "EACCES", said


@pytest.mark.row("A39")
def test_keeper_and_daemon_answer_nobody_inside(keep):
    keep.up("work")
    said = keep.inside("work", f"""
def ask(path, kind, text):
    s = socket.socket(socket.AF_UNIX, kind); s.settimeout(3)
    s.connect(path)
    try:
        s.send(text)
        return len(s.recvmsg(65536, 65536)[0])
    except (BrokenPipeError, ConnectionResetError):
        return 0
out([ask({keep.socket!r}, socket.SOCK_STREAM,
         b'{{"method":"org.varlink.service.GetInfo"}}\\0'),
     ask({keep.boxes + "/work"!r}, socket.SOCK_SEQPACKET, b'x' * 3000)])""")
    assert said == [0, 0]
    for verb in (["list"], ["up", "other"], ["exec", "other", "true"],
                 ["down", "work"], ["stop"]):
        ran = keep.exec("work", keep.lab.nsproxy_path, *verb)
        assert ran.rc in (5, 125), ran
        assert "inside a sandbox" in ran.err, ran
    assert keep.status("work")["state"] == "up"


@pytest.mark.row("U12")
def test_faked_keeper_gets_no_worker(keep, proxy):
    """A program inside may write where keepers' sockets are, and kill."""
    box = keep.up("work")
    fake = keep.inside_start("work", f"""
os.rename({keep.boxes + "/work"!r}, {keep.boxes + "/away"!r})
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind({keep.boxes + "/work"!r}); s.listen(); s.settimeout(3)
os.kill({box["worker"]}, signal.SIGKILL)
print('up', flush=True)
got = b''
try:
    while True:
        c = s.accept()[0]; c.settimeout(1)
        got += c.recv(65536)
except TimeoutError:
    pass
out(len(got))""")
    assert fake.says("up"), fake.ran(None)
    assert keep.lab.spoken(fake.wait()) == 0, "not a word was said to it"
    assert keep.status("work")["state"] == "waiting"
    os.rename(f"{keep.boxes}/away", f"{keep.boxes}/work")
    assert wait_for(lambda: keep.status("work")["state"] == "up", 15)


def test_swapped_keepers_are_not_mixed_up(keep):
    boxes = {name: keep.up(name) for name in ("work", "other")}
    keep.kill()
    for a, b in (("work", "x"), ("other", "work"), ("x", "other")):
        os.rename(f"{keep.boxes}/{a}", f"{keep.boxes}/{b}")
    keep.start()
    for name in boxes:
        assert wait_for(lambda n=name: keep.status(n)["state"] == "failed")
        assert keep.exec(name, "true").rc == 125
    for a, b in (("work", "x"), ("other", "work"), ("x", "other")):
        os.rename(f"{keep.boxes}/{a}", f"{keep.boxes}/{b}")
    for name, box in boxes.items():
        assert keep.up(name)["keeper"] == box["keeper"]


def test_faked_daemon_is_not_believed(keep):
    keep.up("work")
    fake = keep.inside_start("work", f"""
os.unlink({keep.socket!r})
s = socket.socket(socket.AF_UNIX); s.bind({keep.socket!r}); s.listen()
s.settimeout(4); print('up', flush=True)
c = s.accept()[0]; c.settimeout(2)
out(len(c.recv(65536)))""")
    assert fake.says("up"), fake.ran(None)
    ran = keep.exec("work", "echo", "never")
    assert ran.rc == 125 and ran.out == "", ran
    assert "another network namespace" in ran.err, ran
    assert keep.lab.spoken(fake.wait()) == 0
    keep.kill()


def test_id_tells_where_one_is(anyone):
    box = anyone.up("work")
    nsproxy = anyone.lab.nsproxy_path
    assert anyone.exec("work", nsproxy, "id").out == "work\n"
    assert anyone("id").out == "host\n", "the lab's own name for it"
    job = anyone.exec_start("work", "sleep", "20")
    wait_for(lambda: str(job.pid) in anyone("pids", "work").out)
    assert anyone("id", str(job.pid)).out == "work\n"
    told = json.loads(anyone("id", str(job.pid), "--json").out)
    assert told == {"schema": "nsproxy.id/1", "kind": "sandbox", "name": "work",
                    "netns": box["netns"]}
    pids = json.loads(anyone("pids", "--json", "work").out)
    assert pids == {"schema": "nsproxy.pids/1", "name": "work", "processes": [
        {"pid": job.pid, "command": "sleep"}]}


# --- deaths

@pytest.mark.row("K01", "K05")
@pytest.mark.parametrize("who", ["worker", "connector"])
def test_killed_worker_is_replaced_within_three_seconds(anyone, who):
    box = anyone.up("work")
    job = anyone.inside_start("work", f"""
s = tcp('{FAR}', 7); print('up', flush=True)
first = err(read_all, s); began = time.monotonic()
out([first, connect_err('{FAR}', 7), connect_err('n.example', 7)[0]])""")
    assert job.says("up"), job.ran(None)
    victim = {"worker": box["worker"],
              "connector": connector_of(box["worker"])}[who]
    os.kill(victim, signal.SIGKILL)
    _, again, name = anyone.lab.spoken(job.wait(40))
    assert again[0] == "OK" and again[1] < 3, again
    assert name == "OK"
    now = anyone.status("work")
    assert now["worker"] != box["worker"] and now["restarts"] == 1, now
    assert now["keeper"] == box["keeper"] and now["state"] == "up", now


@pytest.mark.row("P10", "K01", "K05")
@pytest.mark.parametrize("who", ["worker", "connector", "keeper"])
def test_flows_of_who_is_killed_are_reset_both_ways(anyone, who):
    """Half a download is no download, nor half an upload to who is far."""
    FarServers.cut_counts.clear()
    box = anyone.up("work")
    job = anyone.inside_start("work", f"""
pull = tcp('{FAR}', 19); pull.sendall(b'1000000000\\n'); pull.recv(1000)
push = tcp('{FAR}', 9); push.sendall(b'a' * 100000)
print('midway', flush=True); time.sleep(0.5)
out([err(read_all, pull), err(read_all, push)])""")
    assert job.says("midway"), job.ran(None)
    box["connector"] = connector_of(box["worker"])
    os.kill(box[who], signal.SIGKILL)
    assert anyone.lab.spoken(job.wait(20)) == ["ECONNRESET"] * 2
    assert wait_for(lambda: len(FarServers.cut_counts) == 1)


@pytest.mark.row("K02")
def test_worker_killed_again_and_again_waits_longer(keep):
    keep.up("work")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        worker = keep.status("work")["worker"]
        if worker:
            os.kill(worker, signal.SIGKILL)
        time.sleep(0.05)
    assert 2 <= keep.status("work")["restarts"] <= 8
    assert wait_for(lambda: keep.status("work")["state"] == "up", 15)
    assert keep.inside("work", f"out(connect_err('{FAR}', 7)[0])") == "OK"


@pytest.mark.row("K03")
def test_killed_daemon_cuts_no_flow(anyone):
    box = anyone.up("work")
    job = anyone.inside_start("work", f"""
s = tcp('{FAR}', 7); print('up', flush=True)
for n in range(30):
    s.sendall(b'x' * 1000); got = 0
    while got < 1000: got += len(s.recv(1000))
    time.sleep(0.1)
out([got, connect_err('late.example', 7)[0]])""")
    assert job.says("up"), job.ran(None)
    anyone.kill()
    assert anyone("list").rc == 1
    time.sleep(0.5)
    anyone.start()
    assert anyone.lab.spoken(job.wait(40)) == [1000, "OK"]
    now = wait_for(lambda: anyone.status("work")["state"] == "up"
                   and anyone.status("work"))
    assert (now["keeper"], now["worker"]) == (box["keeper"], box["worker"])
    assert anyone.exec("work", "echo", "in").out == "in\n"
    os.kill(now["worker"], signal.SIGKILL)
    assert wait_for(lambda: anyone.status("work")["restarts"] == 1)


@pytest.mark.row("K04")
def test_worker_killed_while_there_is_no_daemon(keep):
    box = keep.up("work")
    job = keep.inside_start("work", f"""
print('up', flush=True); time.sleep(0.5); out(connect_err('{FAR}', 7))""")
    assert job.says("up"), job.ran(None)
    keep.kill()
    os.kill(box["worker"], signal.SIGKILL)
    time.sleep(1.5)
    assert job.popen.poll() is None, "it waits"
    keep.start()
    assert keep.lab.spoken(job.wait(40))[0] == "OK"


def test_killed_keeper_ends_the_network_of_those_inside(anyone):
    box = anyone.up("work")
    job = anyone.inside_start("work", f"""
s = tcp('{FAR}', 7); print('up', flush=True)
first = timed(read_all, s)
out([first[1] < 5, connect_err('{FAR}', 7, 3)[0],
     connect_err('n.example', 7, 3)[0]])""")
    assert job.says("up"), job.ran(None)
    os.kill(box["keeper"], signal.SIGKILL)
    said = anyone.lab.spoken(job.wait(60))
    assert said[0] and "OK" not in said[1:], said
    assert wait_for(lambda: anyone.status("work")["state"] == "up")
    assert anyone.inside("work", f"out(connect_err('{FAR}', 7)[0])") == "OK"


@pytest.mark.row("K17", "A42")
def test_down_cuts_those_inside_for_good(anyone):
    anyone.up("work")
    job = anyone.inside_start("work", f"""
s = tcp('{FAR}', 7); print('up', flush=True)
first = timed(read_all, s)
out([first[1] < 3, connect_err('{FAR}', 7, 2)[0]])""")
    assert job.says("up"), job.ran(None)
    assert anyone("down", "work").rc == 0
    anyone.up("work")
    said = anyone.lab.spoken(job.wait(60))
    assert said[0] and said[1] != "OK", said


@pytest.mark.row("K01", "K03")
@pytest.mark.parametrize("who", [
    ["worker"], ["keeper"], ["daemon"], ["daemon", "worker"],
    ["worker", "keeper"], ["daemon", "keeper", "worker"]])
def test_killing_ours_leaks_nothing(keep, who):
    box = keep.up("work")
    pids = {"worker": box["worker"], "keeper": box["keeper"],
            "daemon": keep.job.pid}
    with keep.lab.watch() as verdict:
        job = keep.exec_start("work", PYTHON, "/run/lab/burst.py", "2")
        time.sleep(0.5)
        for one in who:
            os.kill(pids[one], signal.SIGKILL)
        job.wait(60)
    assert verdict, verdict


@pytest.mark.row("K07", "S02")
def test_daemon_killed_at_any_moment_of_up(keep):
    """Whatever it was doing: the next one ends with one keeper, one worker."""
    chance = random.Random(7)
    for _ in range(12):
        job = keep.lab.start([keep.lab.nsproxy_path, "up", "work"],
                             env=keep.env())
        time.sleep(chance.uniform(0.002, 0.04))
        keep.kill()
        job.wait()
        keep.start()
        box = keep.up("work")
        mine = {box["keeper"], box["worker"], connector_of(box["worker"])}
        assert wait_for(lambda: set(roles(keep)) == mine), (roles(keep), box)
        assert keep("down", "work").rc == 0
        assert wait_for(lambda: roles(keep) == []), roles(keep)


def roles(keep):
    """Our processes that belong to this daemon's sandboxes."""
    found = []
    for pid in filter(role_of, pids()):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if f"HOME={keep.home}".encode() in file.read().split(b"\0"):
                    found.append(pid)
        except OSError:
            pass
    return found


def kill_all(keep):
    for pid in roles(keep):
        with suppress(ProcessLookupError):      # a connector ends by itself
            os.kill(pid, signal.SIGKILL)


# --- what is on disk

@pytest.mark.row("K03", "K18")
def test_killed_daemon_remembers_what_shall_be_up(keep):
    keep.up("work")
    keep.up("other")
    keep("down", "other")
    keep.kill()
    kill_all(keep)
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    assert keep.status("other")["state"] == "down"


@pytest.mark.row("K16", "S03")
@pytest.mark.parametrize("text,word", [
    ('{"schema":"nsproxy.state/9","version":9,"sandboxes":[]}', "newer"),
    ("{", "no JSON"), ("", "no JSON"), ("[1]", "no sense"),
    ('{"version":1,"sandboxes":[{"name":"../x","netns":1}]}', "no sense")])
def test_state_that_is_not_ours_is_refused(lab, keep, text, word):
    keep.kill()
    with open(keep.state, "w", encoding="ascii") as file:
        file.write(text)
    ran = keep("daemon")
    assert ran.rc == 1 and word in ran.err, ran
    with open(keep.state, encoding="ascii") as file:
        assert file.read() == text, "and left as it is"
    os.unlink(keep.state)


@pytest.mark.row("S03")
def test_state_of_a_strangers_is_refused(anyone):
    """It would say what is brought up, and in whose name."""
    anyone.up("work")
    anyone.kill()
    ours = os.stat(anyone.state)
    os.chown(anyone.state, 61235, 61235)
    os.chmod(anyone.state, 0o644)
    ran = anyone("daemon")
    assert ran.rc == 1 and ran.out == "", ran
    assert "state.json': it belongs to uid 61235" in ran.err, ran
    assert ran.err.count("\n") == 1, ran
    assert os.stat(anyone.state).st_uid == 61235, "and left as it is"
    os.chown(anyone.state, ours.st_uid, ours.st_gid)
    anyone.start()
    assert wait_for(lambda: anyone.status("work")["state"] == "up")


@pytest.mark.row("R09")
def test_up_that_cannot_be_written_down_is_refused(keep):
    os.mkdir(keep.state + ".new")
    ran = keep("up", "work")
    assert ran.rc == 1 and "state.json" in ran.err, ran
    assert keep.status("work")["state"] == "down"
    os.rmdir(keep.state + ".new")
    keep.up("work")


@pytest.mark.row("K19")
def test_gc_removes_what_is_dead_and_nothing_else(keep):
    keep.up("work")
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    dead.bind(f"{keep.boxes}/dead")
    dead.close()
    ran = keep("gc", "--dry-run")
    assert ran.out == "would remove dead\n", ran
    assert sorted(os.listdir(keep.boxes)) == ["dead", "work"]
    assert keep("gc").out == "removed dead\n"
    assert os.listdir(keep.boxes) == ["work"]
    assert keep.exec("work", "echo", "in").out == "in\n"


def test_stop_while_dead_ones_are_being_rebuilt(keep):
    for _ in range(5):
        keep.up("work")
        keep.kill()
        kill_all(keep)
        keep.start()
        assert keep("stop").rc == 0
        keep.job.popen.wait(5)
        assert wait_for(lambda: roles(keep) == [])
        keep.start()


def test_down_while_it_fails_takes_it_off_the_list(keep):
    box = keep.up("work")
    keep.write({"other": 'chain = {"block://"}'})      # not to be rebuilt
    os.kill(box["keeper"], signal.SIGKILL)
    assert wait_for(lambda: "failed" in keep("list").out)
    assert keep.exec("work", "true").rc == 125
    assert keep("down", "work").rc == 0
    assert "work" not in keep("list").out


@pytest.mark.row("K20")
def test_second_daemon_is_refused(keep):
    ran = keep("daemon")
    assert ran.rc == 1 and "runs already" in ran.err, ran
    assert keep.answers()


def test_many_come_and_go_and_leave_nothing(lab, proxy):
    names = [f"n{i}" for i in range(40)]
    with Keep(lab, {name: chain(proxy) for name in names}) as keep:
        assert keep("up", "--all", timeout=60).rc == 0
        boxes = json.loads(keep("status", "--json").out)["sandboxes"]
        assert len(boxes) == 40
        assert {box["state"] for box in boxes} == {"up"}
        memory = keep.memory_kib(keep.job.pid)
        assert memory < 32768, f"the daemon has {memory} KiB"
        assert keep("down", "--all", timeout=60).rc == 0
        assert wait_for(lambda: roles(keep) == [])
        assert os.listdir(keep.boxes) == []
        assert keep.fds() < 20


# --- words and numbers

def test_exit_statuses(keep):
    keep.up("work")
    for words, rc in [
            (["status", "work"], 0), (["status", "other"], 3),
            (["status", "nothing"], 4), (["up", "nothing"], 4),
            (["down", "nothing"], 4), (["up"], 2), (["up", "--al"], 2),
            (["up", "--all", "work"], 2), (["list", "x"], 2),
            (["pids"], 2), (["id", "x"], 2), (["exec"], 125),
            (["exec", "nothing", "true"], 125), (["shell"], 125),
            (["shell", "work", "x"], 125), (["up", "-h"], 0),
            (["exec", "-h"], 0)]:
        ran = keep(*words)
        assert ran.rc == rc, ran


@pytest.mark.row("U10")
@pytest.mark.parametrize("name", ["../x", ".hidden", "a/b", "a\nb", "-x",
                                  "", "n" * 32, "ö"])
def test_odd_names_are_refused(keep, name):
    ran = keep("up", "--", name)
    assert ran.rc in (1, 4) and ran.err.count("\n") <= 2, ran
    with keep.call() as sock:
        for method in ("Up", "Down", "Status", "Exec"):
            got = keep.ask(sock, f"org.nsproxy.{method}", name=name)
            assert "error" in got, got
    assert os.listdir(keep.boxes) == []


def test_tables_and_json(keep):
    keep.up("work")
    lines = keep("list").out.splitlines()
    assert lines[0].split() == ["SANDBOX", "STATE", "FOR", "WAY", "OUT"]
    at = lines[0].index("STATE")
    assert [line[at:at + 4] for line in lines[1:]] == ["up  ", "down"]
    told = json.loads(keep("list", "--json").out)
    assert told["schema"] == "nsproxy.list/1"
    told = json.loads(keep("status", "work", "--json").out)
    assert told["schema"] == "nsproxy.status/1"
    assert set(told["sandboxes"][0]) == {
        "name", "profile", "owner", "state", "way", "since", "keeper",
        "worker", "netns", "restarts", "trouble", "attached",
        "leader", "dns", "helpers", "processes"}


def test_without_a_daemon(lab, proxy):
    keep = Keep(lab, {"work": chain(proxy)})
    for words in (["up", "work"], ["list"], ["stop"]):
        ran = keep(*words)
        assert ran.rc == 1 and "nsproxy daemon" in ran.err, ran
    assert keep.exec("work", "true").rc == 125
    ran = keep("daemon", env={"XDG_RUNTIME_DIR": None})
    assert ran.rc == 1 and "XDG_RUNTIME_DIR" in ran.err, ran


@pytest.mark.loud               # the host's resolver is asked
def test_profile_that_cannot_be_had(lab, proxy):
    with Keep(lab, {"strict": chain(proxy, "guard = strict\n"
                                    'helper "h" { command = {"true"} }'),
                    "link": chain(proxy, "veth = true"),
                    "lost": 'chain = {"socks5://nx.invalid:1"}'}) as keep:
        for name, word in [("strict", "strict"), ("link", "veth"),
                           ("lost", "nx.invalid")]:
            ran = keep("up", name)
            assert ran.rc == 1 and word in ran.err, ran
            assert keep.status(name)["state"] == "down"
        assert wait_for(lambda: roles(keep) == [])


@pytest.mark.row("U19")
def test_secrets_stay_out_of_sight(lab, proxy):
    text = 'chain = {"socks5://me:hush-hush@10.66.0.2:1080"}'
    with Keep(lab, {"work": text}) as keep:
        keep.up("work")
        seen = keep("status", "work").out + keep.job.err
        with open(keep.state, encoding="ascii") as file:
            seen += file.read()
        for pid in roles(keep) + [keep.job.pid]:
            for part in ("cmdline", "environ"):
                with open(f"/proc/{pid}/{part}", "rb") as file:
                    seen += file.read().decode("latin-1")
        assert "hush" not in seen


# --- strangers at the control socket

def test_describes_itself(keep):
    with keep.call() as sock:
        info = keep.ask(sock, "org.varlink.service.GetInfo")["parameters"]
        assert "org.nsproxy" in info["interfaces"]
        text = keep.ask(sock, "org.varlink.service.GetInterfaceDescription",
                        interface="org.nsproxy")["parameters"]["description"]
        assert "interface org.nsproxy" in text
        for method in ("Up", "Down", "List", "Status", "Exec", "Collect",
                       "Stop"):
            assert f"method {method}(" in text


@pytest.mark.row("U17")
@pytest.mark.parametrize("data", [
    b"\0", b"{}\0", b"[]\0", b"{\0", b"\xff\xfe\0", b'{"method":1}\0',
    b'{"method":"a.b","more":1}\0', b'{"method":"a.b","x":1}\0',
    b'{"method":"a.b","method":"a.c"}\0', b"[" * 60000 + b"\0",
    b"x" * 70000, b'{"method":"' + b"a." * 40000 + b'"}\0'])
def test_nonsense_is_hung_up_on(keep, data):
    with keep.call() as sock:
        try:
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert keep.is_hung_up(sock)
    assert keep.answers()


@pytest.mark.parametrize("method,parameters", [
    ("org.nsproxy.Nothing", {}), ("org.nsproxy.Up", {}),
    ("org.nsproxy.Up", {"name": 1}), ("org.nsproxy.Up", {"name": "work",
                                                         "x": 1}),
    ("org.nsproxy.List", {"x": 1}), ("org.nsproxy.Stop", {"keep": "yes"}),
    ("org.nsproxy.Exec", {"name": "work"}),
    ("org.varlink.service.GetInterfaceDescription", {"interface": "x.y"})])
def test_wrong_calls_get_an_error(keep, method, parameters):
    with keep.call() as sock:
        got = keep.ask(sock, method, **parameters)
        assert "error" in got, got
        assert "error" not in keep.ask(sock, "org.nsproxy.List")


@pytest.mark.row("U17")
def test_half_a_message_is_given_up(keep):
    with keep.call() as sock:
        sock.sendall(b'{"method":')
        began = time.monotonic()
        assert keep.is_hung_up(sock)
        assert 1 < time.monotonic() - began < 5


@pytest.mark.row("U17")
def test_a_byte_at_a_time_is_given_up_too(keep):
    with keep.call() as sock:
        began = time.monotonic()
        try:
            while time.monotonic() - began < 8:
                sock.sendall(b" ")
                time.sleep(0.1)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert time.monotonic() - began < 6


def test_calls_in_one_go_are_answered_in_order(keep):
    with keep.call() as sock:
        sock.sendall(b'{"method":"org.nsproxy.Up","parameters":'
                     b'{"name":"work"}}\0{"method":"org.nsproxy.Down",'
                     b'"parameters":{"name":"work"}}\0'
                     b'{"method":"org.nsproxy.List"}\0')
        text = b""
        while text.count(b"\0") < 3:
            text += sock.recv(65536)
        up, down, listed = [json.loads(part) for part in
                            text.split(b"\0")[:3]]
        assert up["parameters"]["sandbox"]["state"] == "up"
        assert down == {"parameters": {}}
        assert listed["parameters"]["sandboxes"] == []


@pytest.mark.row("U17")
def test_too_many_connections_and_fds(keep):
    keep.up("work")
    before = keep.fds()
    socks = [keep.call() for _ in range(60)]
    fds = keep.fds()
    assert fds < 70, fds
    assert keep("list").rc == 5, "this uid has had its share"
    for sock in socks:
        sock.close()
    assert wait_for(keep.answers)
    with keep.call() as sock:
        keep.send_fds(sock, 100, b'{"method":"org.nsproxy.List"}\0')
        keep.is_hung_up(sock, 1)
    assert keep.answers()
    assert wait_for(lambda: keep.fds() <= before)


@pytest.mark.row("U07")
def test_stopped_caller_blocks_nobody(keep):
    keep.up("work")
    with keep.call() as sock:
        asked = b'{"method":"org.varlink.service.GetInterfaceDescription",' \
                b'"parameters":{"interface":"org.nsproxy"}}\0'
        sock.settimeout(0.5)
        try:
            for _ in range(2000):
                sock.sendall(asked)      # and never read an answer
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        assert keep.exec("work", "echo", "in").out == "in\n"
        time.sleep(3)
    assert keep.answers()


def test_caller_that_hangs_up_while_it_waits(lab, proxy):
    with Keep(lab, {"work": chain(proxy)}) as keep:
        for _ in range(10):
            with keep.call() as sock:
                sock.sendall(b'{"method":"org.nsproxy.Up","parameters":'
                             b'{"name":"work"}}\0')
                time.sleep(0.005)
        assert wait_for(lambda: keep.status("work")["state"] != "down")
        keep.up("work")
        assert wait_for(lambda: len(roles(keep)) == 3)


# --- root's are the system's

def test_roots_namespaces_are_ordinary_ones(lab, proxy):
    with Keep(lab, {"work": chain(proxy)}, user=False) as keep:
        box = keep.up("work")
        assert os.stat("/run/netns/work").st_ino == box["netns"]
        ran = lab.run(["ip", "netns", "exec", "work", "cat",
                       "/proc/net/dev"], user=False)
        assert "nsp0" in ran.out, ran
        os.kill(box["keeper"], signal.SIGKILL)
        assert wait_for(lambda: keep.status("work")["state"] == "up"
                        and keep.status("work")["netns"] != box["netns"])
        assert os.stat("/run/netns/work").st_ino == \
            keep.status("work")["netns"]
        assert keep("down", "work").rc == 0
        assert not os.path.exists("/run/netns/work")


@pytest.mark.row("U12")
def test_a_strangers_namespace_is_left_alone(lab, proxy):
    with Keep(lab, {"inet": chain(proxy)}, user=False) as keep:
        before = os.stat("/run/netns/inet").st_ino     # it is the lab's
        ran = keep("up", "inet")
        assert ran.rc == 1 and "/run/netns/inet" in ran.err, ran
        assert "ip netns delete inet" in ran.err, ran
        assert os.stat("/run/netns/inet").st_ino == before
        assert wait_for(lambda: os.listdir(keep.boxes) == [])


@pytest.mark.row("U18")
def test_strangers_get_nothing_of_roots_daemon(lab, proxy):
    with Keep(lab, {"work": chain(proxy)}, user=False) as keep:
        keep.up("work")
        code = f"""import json, socket
s = socket.socket(socket.AF_UNIX); s.connect({keep.socket!r})
def ask(method, **p):
    s.sendall(json.dumps({{'method': method, 'parameters': p}}).encode() +
              b'\\0')
    return json.loads(s.recv(65536)[:-1])
out([ask('org.nsproxy.' + m, **p).get('error') for m, p in [
    ('Exec', {{'name': 'work'}}), ('Up', {{'name': 'work'}}),
    ('Down', {{'name': 'work'}}), ('Status', {{'name': 'work'}}),
    ('Up', {{'name': 'new'}}), ('Collect', {{}}), ('Stop', {{}})]] +
    [ask('org.nsproxy.List')['parameters']['sandboxes'],
     ask('org.varlink.service.GetInfo').get('error')])"""
        said = lab.outside(code)
        assert said == ["org.nsproxy.Denied"] * 7 + [[], None]
        assert keep.status("work")["state"] == "up"


def test_root_keeps_powers_over_files_inside(lab, proxy):
    with Keep(lab, {"work": chain(proxy)}, user=False) as keep:
        keep.up("work")
        said = keep.inside("work", """
os.chown('/run/lab/home', 61234, 61234)
out([os.getuid(), sh('ip link set nsp0 down')[0] != 0,
     sh('setpriv --reuid=61234 --regid=61234 --clear-groups id -u')[1]])""")
        assert said == [0, True, "61234\n"]


def test_family_of_the_daemon(keep):
    """All of ours descend from it; so a supervisor sees them."""
    box = keep.up("work")
    assert {box["keeper"], box["worker"]} <= set(family_of(keep.job.pid))
