# SPDX-License-Identifier: GPL-3.0-or-later
"""Helpers: programs that live and end with a named sandbox."""
import os
import signal
import time

import pytest

from lab import Keep, chain
from lab.run import (PYTHON, family_of, is_alive, name_of, parent_of, pids,
                     wait_for, words_of)

FAR = "203.0.113.5"
SLEEP = '"sleep", "3600"'


def helper(command, name="it", **keys):
    """A section; command is a list's inside, as it is written."""
    text = "".join(f"    {k} = {v}\n" for k, v in keys.items())
    return f'helper "{name}" {{\n    command = {{{command}}}\n{text}}}\n'


def script(lab, code):
    """Words that run Python code; any user may read it."""
    place = lab.scratch()
    os.chmod(place, 0o755)
    with open(f"{place}/it.py", "w", encoding="utf-8") as file:
        file.write("import os, signal, socket, subprocess, sys, time\n" + code)
    return f'"{PYTHON}", "{place}/it.py"'


def shell(code, *marks):
    """Words that run a shell line without double quotes."""
    words = "".join(f', "{mark}"' for mark in ("sh",) + marks)
    return f'"/bin/sh", "-c", "{code}"{words}'


def helpers_of(keep, name="work"):
    return {h["name"]: h for h in keep.status(name)["helpers"]}


def one(keep):
    """The only helper."""
    return keep.status("work")["helpers"][0]


def wait_state(keep, *states, limit_s=8):
    got = wait_for(lambda: one(keep)["state"] in states and one(keep),
                   limit_s)
    assert got, keep.status("work")
    return got


def of_proc(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.split(":\t", 1) for line in file.read().splitlines())


def netns(pid):
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def pids_with(mark):
    """All living processes that have this among their words."""
    return [pid for pid in pids() if mark in words_of(pid)]


def minder_of(helper_pid):
    """helper <- nurse <- minder."""
    nurse = parent_of(helper_pid)
    assert name_of(nurse) == "nsproxy-nurse", name_of(nurse)
    minder = parent_of(nurse)
    assert name_of(minder) == "nsproxy-minder", name_of(minder)
    return minder


@pytest.fixture(params=[True, False], ids=["user", "root"])
def user(request):
    return request.param


@pytest.fixture
def make(lab, proxy):
    """make(section, user=True): a daemon with a profile 'work'."""
    keeps = []

    def begin(text, user=True):
        keep = Keep(lab, {"work": chain(proxy) + text,
                          "other": chain(proxy)}, user=user)
        keeps.append(keep)
        keep.__enter__()
        return keep
    yield begin
    for keep in keeps:
        keep.__exit__(None, None, None)


# --- life

@pytest.mark.smoke
@pytest.mark.parametrize("where", ["sandbox", "host"])
def test_helper_lives_and_ends_with_its_sandbox(make, lab, user, where):
    keep = make(helper(SLEEP, where=where), user)
    box = keep.up("work")
    it = box["helpers"][0]
    assert it["state"] == "running" and it["pid"] > 0, it
    assert it["restarts"] == 0 and it["status"] == -1, it
    is_inside = netns(it["pid"]) == box["netns"]
    assert is_inside == (where == "sandbox")
    if where == "host":
        with open("/run/netns/host") as host:
            assert netns(it["pid"]) == os.fstat(host.fileno()).st_ino
    minder = minder_of(it["pid"])
    assert keep("down", "work").rc == 0
    assert not is_alive(it["pid"]) and not is_alive(minder)


def test_stop_ends_helpers(make, user):
    keep = make(helper(SLEEP, "a") + helper(SLEEP, "b", where="host"), user)
    keep.up("work")
    pids = [h["pid"] for h in helpers_of(keep).values()]
    assert keep("stop").rc == 0
    assert not [pid for pid in pids if is_alive(pid)]


def test_daemon_that_dies_leaves_helpers_alone(make, user):
    keep = make(helper(SLEEP), user)
    keep.up("work")
    before = one(keep)
    keep.kill()
    assert is_alive(before["pid"])
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    assert one(keep) == before
    assert keep("down", "work").rc == 0
    assert not is_alive(before["pid"]), "the next daemon ends it as well"


def test_helper_that_ignores_sigterm_is_killed(make, lab, user):
    keep = make(helper(shell("trap '' TERM; echo on; while :; do sleep 1; "
                             "done", "mark-stubborn")), user)
    keep.up("work")
    it = one(keep)
    began = time.monotonic()
    assert keep("down", "work").rc == 0
    assert 1.8 < time.monotonic() - began < 4
    assert not is_alive(it["pid"]) and not pids_with("mark-stubborn")


def test_helper_hears_sigterm_with_its_network(make, lab, proxy, user):
    keep = make(helper(script(lab, """
def bye(*_):
    socket.create_connection(('bye.example', 80), 5).close()
    os._exit(0)
signal.signal(signal.SIGTERM, bye)
print('armed', flush=True)
time.sleep(3600)
""")), user)
    keep.up("work")
    assert wait_for(lambda: one(keep)["last_words"] == "armed")
    assert keep("down", "work").rc == 0
    assert proxy.asked("bye.example", 80), "it could say goodbye"


# --- who they are

@pytest.mark.parametrize("where", ["sandbox", "host"])
def test_what_a_helper_is(make, lab, user, where):
    keep = make(helper(SLEEP, where=where), user)
    box = keep.up("work")
    pid = one(keep)["pid"]
    said = of_proc(pid)
    who = 61234 if user else 65534
    assert said["Uid"].split() == said["Gid"].split() == [str(who)] * 4
    if not user:
        assert said["Groups"].split() == []
    assert said["NoNewPrivs"] == "1"
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(said[name], 16) == 0, name
    assert said["Seccomp"] == ("2" if where == "sandbox" else "0")
    assert said["Umask"] == "0022"
    # 32 and 33 are the C library's; it lets nobody change what was inherited.
    for name in ("SigBlk", "SigIgn", "SigCgt"):
        assert int(said[name], 16) & ~(3 << 31) == 0, name
    assert os.getsid(pid) == os.getpgid(pid) == pid, "a session of its own"
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    fds = {n: os.readlink(f"/proc/{pid}/fd/{n}")
           for n in os.listdir(f"/proc/{pid}/fd")}
    assert sorted(fds) == ["0", "1", "2"], fds
    assert fds["0"] == "/dev/null" and fds["1"].startswith("pipe:")
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        limits = file.read()
    assert "Max core file size        0                    0" in limits
    assert (netns(pid) == box["netns"]) == (where == "sandbox")
    own = os.stat("/proc/self/ns/user").st_ino
    if user or where == "sandbox":
        assert os.stat(f"/proc/{pid}/ns/user").st_ino != own


@pytest.mark.parametrize("where", ["sandbox", "host"])
def test_environment_of_a_helper(make, user, where):
    keep = make(helper(SLEEP, where=where), user)
    keep.up("work")
    with open(f"/proc/{one(keep)['pid']}/environ", "rb") as file:
        words = file.read().decode().rstrip("\0").split("\0")
    env = dict(word.split("=", 1) for word in words)
    want = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                    "/sbin:/bin",
            "NSPROXY_SANDBOX": "work"}
    if where == "sandbox":
        want["NSPROXY_GATEWAY"] = env.get("NSPROXY_GATEWAY", "missing")
        assert want["NSPROXY_GATEWAY"].count(".") == 3
    if user:            # as /etc/passwd has it, not as the daemon was told
        want |= {"HOME": "/run/lab/home", "USER": "nsplab"}
    else:
        want |= {"HOME": "/nonexistent", "USER": "nobody"}
    assert env == want


def test_nurses_can_do_nothing(make, user):
    keep = make(helper(SLEEP) + helper(SLEEP, "there", where="host"), user)
    box = keep.up("work")
    for it in box["helpers"]:
        nurse = parent_of(it["pid"])
        said = of_proc(nurse)
        assert int(said["CapEff"], 16) == (0 if user else 1 << 5), said
        assert int(said["CapBnd"], 16) == (0 if user else 1 << 5), said
        assert netns(nurse) != box["netns"], "it is not counted as inside"
        for fd in os.listdir(f"/proc/{nurse}/fd"):
            kind = os.readlink(f"/proc/{nurse}/fd/{fd}")
            assert kind == "/dev/null" or kind.startswith(
                ("socket:", "anon_inode:[signalfd]")), kind


def test_user_of_roots_helpers(make, lab):
    text = "".join(helper(SLEEP, f"h{i}", user=f'"{who}"', where=where)
                   for i, (who, where) in enumerate([
                       ("daemon", "sandbox"), ("daemon", "host"),
                       ("61234", "sandbox"), ("61234", "host")]))
    keep = make(text, user=False)
    keep.up("work")
    said = [of_proc(h["pid"]) for h in helpers_of(keep).values()]
    assert [s["Uid"].split()[0] for s in said] == ["1", "1", "61234", "61234"]
    assert [s["Gid"].split()[0] for s in said] == ["1", "1", "61234", "61234"]
    assert {s["Groups"].strip() for s in said} == {""}


@pytest.mark.parametrize("who,word", [("00", "root"), ("nosuchuser",
                                                       "nosuchuser")])
def test_nobody_to_run_it_as(make, who, word):
    keep = make(helper(SLEEP, user=f'"{who}"'), user=False)
    ran = keep("up", "work")
    assert ran.rc == 1 and "'it'" in ran.err and word in ran.err, ran
    assert keep.status("work")["state"] == "down"


# --- where they are

def test_helper_inside_has_the_sandboxs_way_out_only(make, lab, proxy, user):
    keep = make(helper(script(lab, """
seen = []
for host, port in (('named.example', 80), ('10.66.0.2', 9)):
    try:
        socket.create_connection((host, port), 5).close(); seen.append('OK')
    except OSError as e:
        seen.append(type(e).__name__)
print(*seen, flush=True)
time.sleep(3600)
""")), user)
    with lab.watch() as verdict:
        keep.up("work")
        assert wait_for(lambda: one(keep)["last_words"])
    assert verdict, verdict
    assert proxy.asked("named.example", 80), one(keep)
    assert proxy.asked("10.66.0.2", 9), "the host's own network is not there"


def test_server_inside_is_reached_from_inside_alone(make, lab, need, user):
    need("socat")
    keep = make(helper('"socat", "TCP-LISTEN:4321,fork,reuseaddr,'
                       'bind=127.0.0.1", "SYSTEM:echo hello"',
                       ready='"127.0.0.1:4321"'), user)
    keep.up("work")
    ask = "out(err(tcp, '127.0.0.1', 4321))"
    assert keep.inside("work", ask) == "OK"
    assert lab.outside(ask) == "ECONNREFUSED"


def test_helper_on_the_host_is_the_first_hop(lab, proxy, need):
    need("microsocks")
    text = (f'chain = {{"socks5://127.0.0.1:19080", "{proxy.url()}"}}\n' +
            helper('"microsocks", "-i", "127.0.0.1", "-p", "19080"',
                   where="host", ready='"127.0.0.1:19080"'))
    with Keep(lab, {"work": text}) as keep:
        keep.up("work")
        said = keep.inside("work", "out(connect_err('named.example', 80)[0])")
        assert said == "OK" and proxy.asked("named.example", 80)
        assert keep.inside("work", "out(err(tcp, '127.0.0.1', 19080))") == \
            "ECONNREFUSED", "the helper itself cannot be reached"
        os.kill(one(keep)["pid"], signal.SIGKILL)
        assert wait_for(lambda: one(keep)["restarts"] == 1)
        wait_state(keep, "running")
        said = keep.inside("work", "out(connect_err('named.example', 80)[0])")
        assert said == "OK", "the next one serves"
        assert keep("down", "work").rc == 0
        assert lab.outside("out(err(tcp, '127.0.0.1', 19080))") == \
            "ECONNREFUSED"


def test_exposed_helper_can_be_reached(lab, proxy, need):
    need("microsocks")
    text = (chain(proxy) + 'expose = {"127.0.0.1:19081"}\n' +
            helper('"microsocks", "-i", "127.0.0.1", "-p", "19081"',
                   where="host", ready='"127.0.0.1:19081"'))
    with Keep(lab, {"work": text}) as keep:
        keep.up("work")
        assert keep.inside("work", "out(err(tcp, '127.0.0.1', 19081))") == "OK"


@pytest.mark.parametrize("inside_as", ["user", "root", "nobody"])
def test_helper_on_the_host_is_no_door(make, lab, inside_as):
    keep = make(helper(SLEEP, where="host"), inside_as == "user")
    keep.up("work")
    pid = one(keep)["pid"]
    nobody = "os.setgroups([]); os.setgid(65534); os.setuid(65534)" \
        if inside_as == "nobody" else ""
    tries = f"""
import ctypes
{nobody}
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    if libc.syscall(*words) < 0:
        raise OSError(ctypes.get_errno(), 'refused')
seen = []
for pid in ({pid}, {parent_of(pid)}, {minder_of(pid)}):
    assert os.path.exists(f'/proc/{{pid}}')
    for name in ('ns/net', 'mem', 'root/etc/passwd', 'cwd/etc/passwd', 'fd/0',
                 'environ'):
        seen.append(err(lambda: os.close(os.open(f'/proc/{{pid}}/{{name}}',
                                                 os.O_RDONLY))))
    fd = os.pidfd_open(pid)
    seen.append(err(call, 438, fd, 1, 0))          # pidfd_getfd
    seen.append(err(call, 308, fd, 0x40000000))    # setns
    seen.append(err(call, 101, 16, pid, 0, 0))     # ptrace: attach
out(sorted(set(seen)))"""
    assert set(keep.inside("work", tries)) <= {"EACCES", "EPERM"}
    if inside_as != "nobody":
        assert "OK" in lab.outside(tries, user=keep.user), "it can succeed"


# --- when they are ready

def test_up_waits_until_it_listens(make, lab, user):
    late = script(lab, """
time.sleep(0.7)
s = socket.socket(socket.AF_INET6); s.bind(('::', 4321)); s.listen()
time.sleep(3600)
""")
    keep = make(helper(late, ready='"127.0.0.1:4321"'), user)
    began = time.monotonic()
    keep.up("work")
    assert time.monotonic() - began > 0.7
    assert one(keep)["state"] == "running"
    assert keep.inside("work", "out(err(tcp, '127.0.0.1', 4321))") == "OK"


def test_another_users_listener_is_not_the_helper(make, lab):
    squatter = lab.start([PYTHON, "-c", "import socket, time\n"
                          "s = socket.socket(); s.bind(('127.0.0.1', 19082))\n"
                          "s.listen(); print('up', flush=True)\n"
                          "time.sleep(60)"])
    assert squatter.says("up")
    keep = make(helper(SLEEP, where="host", ready='"127.0.0.1:19082"'),
                user=False)
    ran = keep("up", "work", timeout=30)
    assert ran.rc == 1 and "does not listen" in ran.err, ran


@pytest.mark.parametrize("where", ["sandbox", "host"])
def test_helper_that_never_gets_ready(make, lab, user, where):
    keep = make(helper(shell("echo warming up; exec sleep 3600",
                             f"mark-never-{where}"),
                       where=where, ready='"127.0.0.1:4444"') +
                helper(SLEEP, "other"), user)
    began = time.monotonic()
    ran = keep("up", "work", timeout=40)
    assert 9 < time.monotonic() - began < 15
    assert ran.rc == 1, ran
    assert "'it' does not listen at 127.0.0.1:4444 after 10 s" in ran.err, ran
    assert "warming up" in ran.err, "with its last words"
    assert keep.status("work")["state"] == "down"
    assert os.listdir(keep.boxes) == []
    assert not [p for p in family_of(keep.job.pid) if is_alive(p)
                and name_of(p) in ("sleep", "nsproxy-minder")]


def test_helper_that_fails_at_once_fails_up(make, lab, user):
    keep = make(helper(shell("echo no such device >&2; exit 7")), user)
    ran = keep("up", "work")
    assert ran.rc == 1 and ran.secs < 5, ran
    assert "'it' ended with status 7" in ran.err, ran
    assert "no such device" in ran.err, ran
    assert keep.status("work")["state"] == "down"


def test_one_that_has_done_its_work_is_no_fault(make, user):
    keep = make(helper("\"true\"", "once", restart="never") +
                helper("\"true\"", "well") + helper(SLEEP), user)
    keep.up("work")
    all_ = helpers_of(keep)
    assert [all_[n]["state"] for n in ("once", "well", "it")] == \
        ["ended", "ended", "running"]
    assert all_["once"]["status"] == all_["well"]["status"] == 0


@pytest.mark.parametrize("command,word", [
    ('"no-such-program", "x"', "'no-such-program'"),
    ('"/no/such/program"', "'/no/such/program'"),
    ('"./here"', "'./here'"), ('"/etc/passwd"', "'/etc/passwd'"),
    ('"/usr/bin"', "'/usr/bin'")])
def test_program_that_is_not_there(make, command, word):
    keep = make(helper(command, "gost"))
    ran = keep("up", "work")
    assert ran.rc == 1 and "'gost'" in ran.err and word in ran.err, ran
    assert ran.err.count("\n") <= 2 and keep.status("work")["state"] == "down"


def test_program_that_the_user_may_not_execute(make, lab):
    place = lab.scratch()
    os.chmod(place, 0o755)
    with open(f"{place}/it", "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nsleep 60\n")
    os.chmod(f"{place}/it", 0o700)
    keep = make(helper(f'"{place}/it"'), user=False)
    ran = keep("up", "work")
    assert ran.rc == 1 and "Permission denied" in ran.err, ran
    assert f"{place}/it" in ran.err, ran


# --- when they end

@pytest.mark.parametrize("restart,code,state", [
    ("never", 0, "ended"), ("never", 3, "failed"), ("on-failure", 0, "ended"),
    ("on-failure", 3, "again"), ("always", 0, "again"),
    ("always", 3, "again")])
def test_restart_policies(make, restart, code, state):
    keep = make(helper(shell(f"sleep 0.3; exit {code}"), restart=restart))
    keep.up("work")
    if state == "again":
        assert wait_for(lambda: one(keep)["restarts"] >= 2)
        assert one(keep)["status"] == code
    else:
        it = wait_state(keep, state)
        assert (it["restarts"], it["status"], it["pid"]) == (0, code, 0), it


def test_crash_loop_backs_off(make):
    keep = make(helper(shell("sleep 0.15; echo oops; exit 9")))
    keep.up("work")
    seen, waits, end = set(), set(), time.monotonic() + 6
    while time.monotonic() < end:
        it = one(keep)
        seen.add(it["state"])
        waits.add(it["restarts"])
        time.sleep(0.02)
    # 0.1 + 0.2 + 0.4 + 0.8 + 1.6 + 3.2 between seven starts
    assert 4 <= max(waits) <= 6, waits
    assert "waiting" in seen
    it = one(keep)
    assert it["status"] == 9 and it["last_words"].endswith("oops"), it
    assert keep.exec("work", "true").rc == 0, "the sandbox does not mind"
    ran = keep("status", "work")
    assert "ended with status 9" in ran.out and "oops" in ran.out, ran
    assert keep("down", "work").rc == 0


def test_killed_helper_comes_again(make, user):
    keep = make(helper(SLEEP), user)
    box = keep.up("work")
    first = one(keep)["pid"]
    os.kill(first, signal.SIGKILL)
    assert wait_for(lambda: one(keep)["restarts"] == 1)
    it = wait_state(keep, "running")
    assert it["pid"] != first and it["status"] == 128 + 9
    assert keep.status("work")["keeper"] == box["keeper"]
    assert keep.status("work")["restarts"] == 0, "no worker was replaced"


def daemonising(lab, mark):
    return script(lab, f"""
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
subprocess.Popen(['sh', '-c', 'sleep 3600; :', '{mark}'],
                 start_new_session=True)
open('/dev/null').close()
os.close(1); os.close(2)
os.execvp('sh', ['sh', '-c', 'sleep 3600; :', '{mark}'])
""")


@pytest.mark.parametrize("where", ["sandbox", "host"])
def test_one_that_hides_in_the_background_is_found(make, lab, user, where):
    mark = f"mark-daemon-{where}-{user}"
    keep = make(helper(daemonising(lab, mark), where=where), user)
    keep.up("work")
    assert wait_for(lambda: len(pids_with(mark)) == 2)
    it = one(keep)
    assert (it["state"], it["pid"], it["restarts"]) == ("running", 0, 0), it
    assert keep("down", "work").rc == 0
    assert pids_with(mark) == []


def test_what_a_failed_program_leaves_is_ended(make, lab):
    keep = make(helper(shell("sleep 3600 & sleep 0.3; exit 1",
                             "mark-left"), restart="never"))
    box = keep.up("work")
    wait_state(keep, "failed")
    assert not [p for p in family_of(keep.job.pid) if name_of(p) == "sleep"]
    assert keep.status("work")["state"] == box["state"] == "up"


# --- when ours are killed

@pytest.mark.smoke
@pytest.mark.parametrize("where", ["sandbox", "host"])
def test_killed_minder_takes_all_with_it(make, lab, user, where):
    mark = f"mark-minder-{where}-{user}"
    keep = make(helper(daemonising(lab, mark), "hidden", where=where) +
                helper(SLEEP, where=where), user)
    box = keep.up("work")
    assert wait_for(lambda: len(pids_with(mark)) == 2)
    hidden, first = pids_with(mark), helpers_of(keep)["it"]["pid"]
    minder = minder_of(first)
    keep.kill()                        # nobody starts another meanwhile
    os.kill(minder, signal.SIGKILL)
    assert wait_for(lambda: not is_alive(first) and
                    not [p for p in hidden if is_alive(p)], 3)
    assert pids_with(mark) == []
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up" and
                    helpers_of(keep)["it"]["state"] == "running" and
                    len(pids_with(mark)) == 2), keep.status("work")
    again = keep.status("work")
    assert minder_of(helpers_of(keep)["it"]["pid"]) != minder
    for key in ("keeper", "worker", "netns", "restarts"):
        assert again[key] == box[key], "the sandbox is the same"


def test_killed_minder_is_replaced(make, user):
    keep = make(helper(SLEEP), user)
    box = keep.up("work")
    for _ in range(3):
        it = one(keep)
        os.kill(minder_of(it["pid"]), signal.SIGKILL)
        assert wait_for(lambda: not is_alive(it["pid"]))
        assert wait_for(lambda: keep.status("work")["state"] == "up" and
                        one(keep)["state"] == "running" and
                        one(keep)["pid"] not in (0, it["pid"])), \
            keep.status("work")
    assert keep.status("work")["worker"] == box["worker"]
    os.kill(box["worker"], signal.SIGKILL)
    os.kill(minder_of(one(keep)["pid"]), signal.SIGKILL)
    assert wait_for(lambda: keep.status("work")["restarts"] == 1 and
                    keep.status("work")["state"] == "up" and
                    one(keep)["state"] == "running")
    assert keep.inside("work", "out(connect_err('x.example', 80)[0])") == "OK"


def test_replaced_worker_leaves_helpers_alone(make, user):
    keep = make(helper(SLEEP), user)
    box = keep.up("work")
    os.kill(box["worker"], signal.SIGKILL)
    assert wait_for(lambda: keep.status("work")["restarts"] == 1)
    assert one(keep) == box["helpers"][0]


def test_killed_keeper_ends_them_and_new_ones_come(make, lab, user):
    keep = make(helper(SLEEP) +
                helper(SLEEP, "there", where="host"), user)
    box = keep.up("work")
    old = [h["pid"] for h in box["helpers"]]
    os.kill(box["keeper"], signal.SIGKILL)
    assert wait_for(lambda: not [p for p in old if is_alive(p)], 4)
    assert wait_for(lambda: keep.status("work")["state"] == "up" and
                    keep.status("work")["keeper"] != box["keeper"])
    again = keep.status("work")
    assert [h["state"] for h in again["helpers"]] == ["running"] * 2
    assert netns(again["helpers"][0]["pid"]) == again["netns"]


def test_keeper_killed_without_a_daemon_ends_them(make, user):
    keep = make(helper(SLEEP), user)
    box = keep.up("work")
    pid = one(keep)["pid"]
    minder = minder_of(pid)
    keep.kill()
    os.kill(box["keeper"], signal.SIGKILL)
    assert wait_for(lambda: not is_alive(pid) and not is_alive(minder), 4)


def test_killed_nurse_takes_its_helper_with_it(make, user):
    keep = make(helper(SLEEP), user)
    keep.up("work")
    pid = one(keep)["pid"]
    os.kill(parent_of(pid), signal.SIGKILL)
    assert wait_for(lambda: not is_alive(pid), 2)
    assert wait_for(lambda: one(keep)["restarts"] == 1)
    wait_state(keep, "running")


def test_killed_daemon_while_it_gets_ready(make, lab, user):
    mark = f"mark-early-{user}"
    keep = make(helper(shell("exec sleep 3600; :", mark),
                       ready='"127.0.0.1:4444"') +
                helper(daemonising(lab, mark), "hidden"), user)
    job = lab.start([lab.nsproxy_path, "up", "work"], user=user,
                    env=keep.env())
    assert wait_for(lambda: len(pids_with(mark)) == 2)
    minders = [p for p in family_of(keep.job.pid)
               if name_of(p) == "nsproxy-minder"]
    assert len(minders) == 1
    keep.kill()
    job.wait()
    assert wait_for(lambda: pids_with(mark) == [] and
                    not is_alive(minders[0]), 3)


def test_down_while_it_gets_ready(make, lab, user):
    mark = f"mark-hasty-{user}"
    keep = make(helper(shell("trap '' TERM; sleep 3600; :", mark),
                       ready='"127.0.0.1:4444"'), user)
    job = lab.start([lab.nsproxy_path, "up", "work"], user=user,
                    env=keep.env())
    assert wait_for(lambda: pids_with(mark))
    assert keep("down", "work").rc == 0
    assert job.wait().rc != 0
    assert wait_for(lambda: pids_with(mark) == [], 2)


def test_stopped_minder_does_not_hold_down_up(make, user):
    keep = make(helper(SLEEP), user)
    keep.up("work")
    pid = one(keep)["pid"]
    os.kill(minder_of(pid), signal.SIGSTOP)
    began = time.monotonic()
    assert keep("down", "work").rc == 0
    assert time.monotonic() - began < 6
    assert not is_alive(pid)


# --- what they say

def test_flood_blocks_and_fills_nothing(make, lab, user):
    keep = make(helper(script(lab, """
n = 0
end = time.monotonic() + 3
while time.monotonic() < end:
    os.write(1, b'x' * 65536); n += 1
os.write(2, b'%d blocks, the end' % n)
time.sleep(3600)
""")), user)
    keep.up("work")
    minder = minder_of(one(keep)["pid"])
    before = keep.memory_kib(minder)
    assert keep.exec("work", "true").secs < 3, "others are served meanwhile"
    assert wait_for(lambda: one(keep)["last_words"].endswith("the end"))
    words = one(keep)["last_words"].lstrip("x")
    assert int(words.split()[0]) > 1000, "it was never held up"
    assert keep.memory_kib(minder) < before + 1024


def test_last_words_are_made_harmless(make, lab):
    keep = make(helper(script(lab, r"""
os.write(1, b'old ' * 300)
os.write(2, b'\x1b[31mred\x00\x07 \xff\xfe\xc2\x9b1m"<\\\n\tlast\r\n')
time.sleep(3600)
""")))
    keep.up("work")
    words = wait_for(lambda: "last" in one(keep)["last_words"] and
                     one(keep)["last_words"])
    assert len(words) <= 200 and words.startswith(("old", "ld", "d")), words
    assert words.endswith('?[31mred?? ????1m"<\\ last'), words
    assert words.isprintable() and words.isascii()
    assert words in keep("status", "work").out


def test_silent_one_has_no_last_words(make):
    keep = make(helper(SLEEP))
    keep.up("work")
    assert one(keep)["last_words"] == ""
    ran = keep("status", "work")
    assert f"helper     it: running, pid {one(keep)['pid']}\n" in ran.out, ran
    assert "last words" not in ran.out


# --- how many

def test_eight_helpers(make, user):
    keep = make("".join(helper(SLEEP, f"h{i}", where=["sandbox", "host"][i % 2])
                        for i in range(8)), user)
    box = keep.up("work")
    assert [h["name"] for h in box["helpers"]] == [f"h{i}" for i in range(8)]
    assert {h["state"] for h in box["helpers"]} == {"running"}
    assert len({parent_of(h["pid"]) for h in box["helpers"]}) == 8
    assert len({minder_of(h["pid"]) for h in box["helpers"]}) == 1
    assert keep("down", "work").rc == 0
    assert not [h for h in box["helpers"] if is_alive(h["pid"])]


def test_nine_are_refused(make):
    keep = make("")
    keep.write({"work": 'chain = {"block://"}\n' +
                "".join(helper(SLEEP, f"h{i}") for i in range(9))})
    ran = keep("up", "work")
    assert ran.rc == 1 and "more than 8 helpers" in ran.err, ran


def test_words_arrive_as_they_were_written(make, lab):
    keep = make(helper(script(lab, "print(sys.argv[1:], flush=True); "
                              "time.sleep(3600)") +
                       ", \"a b\", \"\", '$HOME', \"*\", \"-x\""))
    keep.up("work")
    assert wait_for(lambda: one(keep)["last_words"]) == \
        "['a b', '', '$HOME', '*', '-x']"


def test_sandbox_without_helpers_has_no_minder(make, user):
    keep = make(helper(SLEEP), user)
    box = keep.up("other")
    assert box["helpers"] == []
    assert not [p for p in family_of(keep.job.pid)
                if name_of(p) == "nsproxy-minder"]
