# SPDX-License-Identifier: GPL-3.0-or-later
"""Root's daemon and its users: who may what, and the setuid way in."""
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import time

import pytest

from lab import Keep, Terminal, chain, kernel
from lab.run import PYTHON, is_alive, name_of, state_of, wait_for

FAR = "203.0.113.5"
UID, EXTRA = 61234, 61235
STRANGER = 61299
SUID = "/run/lab/bin/nsproxy-suid"
NSPROXY_GID = 61300


@pytest.fixture(scope="module")
def suid(world):
    shutil.copy(world.nsproxy_path, SUID)
    os.chown(SUID, 0, 0)
    os.chmod(SUID, 0o4755)
    shutil.copy("/usr/bin/id", "/run/lab/bin/id-suid")
    os.chmod("/run/lab/bin/id-suid", 0o4755)
    with open("/etc/group", "a", encoding="ascii") as file:
        file.write(f"nsproxy:x:{NSPROXY_GID}:\n")
    return SUID


@pytest.fixture
def keep(lab, proxy, suid):
    profiles = {
        "ours": chain(proxy, 'users = {"nsplab"}'),
        "grouped": chain(proxy, 'users = {"@nspextra"}'),
        "bare": chain(proxy, 'users = {"61234"}\nguard = plain'),
        "tight": chain(proxy, 'users = {"nsplab"}\nguard = strict'),
        "theirs": chain(proxy),
    }
    with Keep(lab, profiles, user=False) as one:
        yield one


def as_user(lab, *words, uid=UID, groups=(UID, EXTRA), **how):
    """Run words as somebody, in the host's place."""
    more = f"--groups={','.join(map(str, groups))}" if groups else \
        "--clear-groups"
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", more,
              "--inh-caps=-all"]
    return lab.run([*become, *words], user=False, **how)


def inside(lab, name, code, binary=SUID, **how):
    return lab.spoken(as_user(lab, binary, "exec", name, "--", PYTHON, "-c",
                              "from inside import *\n" + code, **how))


def is_stopped_and_interrupted(term, line):
    """By the keys of a terminal, as any job of a shell."""
    term.line(line)
    time.sleep(0.5)
    term.key("z")
    term.expect("Stopped")
    term.expect("ready> ")
    term.line("fg")
    term.expect(r"fg\r\n.*sleep 60")
    time.sleep(0.3)
    term.key("c")
    term.expect("ready> ")
    term.line("echo status $?")
    assert term.expect(r"status (\d+)").group(1) == "130"


# --- who may enter

def test_user_of_the_profile_enters_by_the_setuid_bit(lab, keep, proxy):
    keep.up("ours")
    said = inside(lab, "ours", """
status = dict(l.split(':\\t', 1) for l in open('/proc/self/status').read()
              .splitlines() if ':\\t' in l)
maps = open('/proc/self/uid_map').read().split()
out([connect_err('named.example', 80)[0], os.getresuid(), os.getresgid(),
     sorted(os.getgroups()), {k: status[k] for k in status if k[:3] == 'Cap'},
     status['NoNewPrivs'], status['Seccomp'], maps,
     os.environ['NSPROXY_SANDBOX']])""")
    assert said[0] == "OK" and proxy.asked("named.example", 80)
    assert said[1] == said[2] == [UID] * 3 and said[3] == [UID, EXTRA], said
    assert set(said[4].values()) == {"0000000000000000"}, said
    assert said[5:7] == ["1", "2"], said
    assert said[7] == ["0", "0", "4294967295"] and said[8] == "ours"


@pytest.mark.row("U20")
def test_namespace_around_the_command_is_roots(lab, keep):
    """Owned by the user, all ids in it would be the user's to take."""
    keep.up("ours")
    said = inside(lab, "ours", """
import fcntl, ctypes
uid = ctypes.c_uint32()
fcntl.ioctl(os.open('/proc/self/ns/user', os.O_RDONLY), 0xb704, uid)
got = [uid.value]
for work in (lambda: os.setuid(0), lambda: os.setgroups([0]),
             lambda: os.chroot('/'), lambda: socket.socket(
                 socket.AF_INET, socket.SOCK_RAW, 1),
             lambda: os.open('/etc/shadow', os.O_RDONLY)):
    got.append(err(work))
out(got)""")
    assert said == [0, "EPERM", "EPERM", "EPERM", "EPERM", "EACCES"], said


def test_group_of_the_profile_enters(lab, keep):
    keep.up("grouped")
    assert inside(lab, "grouped", "out(os.getuid())") == UID
    ran = as_user(lab, SUID, "exec", "grouped", "--", "id", groups=(UID,))
    assert ran.rc == 125 and ran.out == "", ran
    assert "only root, group 'nsproxy'" in ran.err, ran


def test_who_may_enter_hears_that_it_is_not_up(lab, keep, proxy):
    """Its keeper is dead, and with it what is known of its users."""
    box = keep.up("ours")
    keep.write({"ours": "nonsense = 1"})
    os.kill(box["keeper"], signal.SIGKILL)
    assert wait_for(lambda: keep.status("ours")["state"] == "failed")
    ran = as_user(lab, SUID, "exec", "ours", "--", "id")
    assert ran.rc == 125 and "it is failed" in ran.err, ran
    keep.write({"ours": chain(proxy, 'users = {"nsplab"}')})
    assert keep("up", "ours").rc == 0
    assert as_user(lab, SUID, "exec", "ours", "--", "true").rc == 0


@pytest.mark.row("U14", "U18")
def test_stranger_neither_enters_nor_sees(lab, keep):
    keep.up("ours")
    keep.up("theirs")
    for words, rc in [(["exec", "ours", "--", "id"], 125),
                      (["status", "ours"], 5), (["down", "ours"], 5),
                      (["up", "theirs"], 5), (["up", "new"], 5),
                      (["gc"], 5), (["stop"], 5)]:
        ran = as_user(lab, SUID, *words, uid=STRANGER, groups=(STRANGER,))
        assert ran.rc == rc and ran.out == "", ran
    ran = as_user(lab, SUID, "list", "--json", uid=STRANGER, groups=())
    assert json.loads(ran.out)["sandboxes"] == [], ran
    ran = as_user(lab, SUID, "list", "--json")
    assert [b["name"] for b in json.loads(ran.out)["sandboxes"]] == ["ours"]


@pytest.mark.row("U14")
def test_user_who_may_enter_may_not_end_it(lab, keep):
    keep.up("ours")
    for verb in ("down", "restart"):
        ran = as_user(lab, SUID, verb, "ours")
        assert ran.rc == 5, ran
    assert keep.status("ours")["state"] == "up"


def test_group_nsproxy_may_all(lab, keep):
    member = {"groups": (UID, NSPROXY_GID)}
    assert as_user(lab, SUID, "up", "theirs", **member).rc == 0
    box = keep.status("theirs")
    assert box["owner"] == UID, box
    assert as_user(lab, SUID, "exec", "theirs", "--", "true", **member).rc == 0
    # Its owner it stays, also without the group.
    assert as_user(lab, SUID, "exec", "theirs", "--", "true").rc == 0
    # But what it may not bring up it does not get by a switch.
    ran = as_user(lab, SUID, "switch", "theirs", "ours")
    assert ran.rc == 5 and keep.status("theirs")["profile"] == "theirs", ran
    assert as_user(lab, SUID, "switch", "theirs", "theirs").rc == 0
    assert as_user(lab, SUID, "switch", "theirs", "ours", **member).rc == 0
    assert as_user(lab, SUID, "switch", "theirs", "theirs", **member).rc == 0
    keep.kill()
    keep.start()
    assert wait_for(lambda: keep.status("theirs")["state"] == "up")
    assert keep.status("theirs")["owner"] == UID
    assert as_user(lab, SUID, "down", "theirs").rc == 0


def test_quota_of_one_user(lab, proxy, suid):
    names = [f"n{i}" for i in range(34)]
    member = {"groups": (UID, NSPROXY_GID)}
    with Keep(lab, {n: chain(proxy) for n in names}, user=False) as keep:
        ran = as_user(lab, SUID, "up", *names, timeout=120, **member)
        assert ran.rc == 1 and "32 sandboxes" in ran.err, ran
        up = json.loads(keep("list", "--json").out)["sandboxes"]
        assert len([b for b in up if b["state"] == "up"]) == 32
        assert keep("up", names[33]).rc == 0, "root is not counted"


def test_unknown_user_in_a_profile_is_told(lab, proxy):
    with Keep(lab, {"odd": chain(proxy, 'users = {"nobody-here"}')},
              user=False) as keep:
        ran = keep("up", "odd")
        assert ran.rc == 1 and "'nobody-here'" in ran.err, ran
        assert "/etc/passwd" in ran.err, ran


def test_without_the_bit_it_is_told_what_to_do(lab, keep):
    keep.up("ours")
    ran = as_user(lab, lab.nsproxy_path, "exec", "ours", "--", "id")
    assert ran.rc == 125 and ran.out == "" and "chmod u+s" in ran.err, ran


def test_early_exec_waits_for_the_sandbox_and_is_still_checked(lab, keep):
    job = lab.start([lab.nsproxy_path, "up", "ours"], user=False)
    seen = []
    while job.popen.poll() is None:
        seen.append(as_user(lab, SUID, "exec", "ours", "--", "true",
                            uid=STRANGER, groups=()).rc)
    assert set(seen) <= {125}, seen


# --- what stays as it is

STATE = """
import resource
status = dict(l.split(':', 1) for l in open('/proc/self/status'))
env = dict(os.environ)
for name in ('NSPROXY_GATEWAY', 'NSPROXY_SANDBOX', '_'):
    env.pop(name, None)
out({
    'uid': os.getresuid(), 'gid': os.getresgid(),
    'groups': sorted(os.getgroups()), 'umask': status['Umask'].strip(),
    'cwd': os.getcwd(), 'env': env, 'nice': os.nice(0),
    'limits': [resource.getrlimit(i) for i in range(16)],
    'blocked': status['SigBlk'], 'ignored': status['SigIgn'],
    'sid': os.getsid(0) == os.getpgid(0), 'parent': os.getppid() > 1,
    'fds': sorted(int(f) for f in os.listdir('/proc/self/fd'))[:3],
    'dumpable': os.stat('/proc/self').st_uid,
    'oom': open('/proc/self/oom_score_adj').read(),
    'cgroup': open('/proc/self/cgroup').read(),
    'sched': [os.sched_getscheduler(0), sorted(os.sched_getaffinity(0))],
})
"""


@pytest.mark.row("U03", "U23")
@pytest.mark.smoke
@pytest.mark.parametrize("name", ["ours", "bare"])
def test_all_but_the_network_stays(lab, keep, name):
    keep.up(name)
    wrap = ["sh", "-c", 'umask 027; ulimit -n 333; ulimit -c 0; '
            'ulimit -f 100; trap "" USR1 HUP CHLD PIPE; cd /usr/share; '
            'exec nice -n 3 "$@"', "sh"]
    code = "from inside import *\n" + STATE
    env = {"SPECIAL": "a=b\nc ü", "LD_LIBRARY_PATH": "/nowhere",
           "LD_NOTHING": "1", "TMPDIR": "/var/tmp", "GCONV_PATH": "/x",
           "EMPTY": ""}
    plain = lab.spoken(as_user(lab, *wrap, PYTHON, "-c", code, env=env))
    boxed = lab.spoken(as_user(lab, *wrap, SUID, "exec", name, "--", PYTHON,
                               "-c", code, env=env))
    assert boxed == plain


def test_job_control_and_exit_status(lab, keep):
    keep.up("ours")
    for line, rc in [("exit 42", 42), ("kill -TERM $$", -15)]:
        ran = as_user(lab, SUID, "exec", "ours", "--", "sh", "-c", line)
        assert ran.rc == rc, ran
    assert as_user(lab, SUID, "exec", "ours", "--", "/nowhere").rc == 127
    assert as_user(lab, SUID, "exec", "ours", "--", "/etc/passwd").rc == 126
    with Terminal(lab) as term:
        is_stopped_and_interrupted(term, f"{SUID} exec ours -- sleep 60")


# --- levels

def test_plain_lets_setuid_programs_work(lab, keep):
    keep.up("bare")
    said = inside(lab, "bare", """
status = dict(l.split(':\\t', 1) for l in open('/proc/self/status').read()
              .splitlines() if ':\\t' in l)
out([sh('/run/lab/bin/id-suid -u')[1], status['NoNewPrivs'],
     status['CapEff'], os.readlink('/proc/self/ns/user'),
     connect_err('named.example', 80)[0]])""")
    assert said[:3] == ["0\n", "0", "0000000000000000"], said
    assert said[3] == os.readlink("/proc/self/ns/user") and said[4] == "OK"
    assert keep.exec("bare", "id", "-u").out == "0\n", "root, too"


@pytest.mark.row("A38")
def test_guarded_makes_setuid_programs_inert(lab, keep):
    keep.up("ours")
    assert inside(lab, "ours", """
out(sh('/run/lab/bin/id-suid -u')[1])""") == f"{UID}\n"


@pytest.mark.row("A39")
@pytest.mark.parametrize("name", ["ours", "bare"])
def test_no_way_in_from_inside(lab, keep, name):
    """Not even by the setuid bit, which plain leaves in force."""
    keep.up("ours")
    keep.up("bare")
    said = inside(lab, name, f"""
out([sh('{SUID} exec ours -- id'), sh('{SUID} status ours'),
     sh('{SUID} run -x direct:// -- true')[0]])""")
    for rc, text, errors in said[:2]:
        assert rc in (125, 5) and text == "" and "inside a sandbox" in errors


@pytest.mark.row("U11")
def test_a_users_daemon_gives_no_plain(lab, proxy):
    with Keep(lab, {"bare": chain(proxy, "guard = plain")}) as keep:
        ran = keep("up", "bare")
        assert ran.rc == 1 and "guard = plain" in ran.err, ran


@pytest.fixture(params=["user", "root", "suid"])
def tight(lab, proxy, suid, request):
    """exec(code) in a strict sandbox, in each way that leads into one."""
    profile = {"tight": chain(proxy, 'users = {"nsplab"}\nguard = strict')}
    how = request.param
    with Keep(lab, profile, user=how == "user") as keep:
        keep.up("tight")

        def run(*cmd, **more):
            if how == "suid":
                return as_user(lab, SUID, "exec", "tight", "--", *cmd, **more)
            return keep.exec("tight", *cmd, **more)

        run.keep, run.how = keep, how
        run.code = lambda code, **more: lab.spoken(run(
            PYTHON, "-c", "from inside import *\n" + code, **more))
        yield run


STRICT_HOME = "/mnt"


@pytest.fixture(scope="module", autouse=True)
def words_outside_of_run(world):
    """The words for code inside, at a place that strict does not hide."""
    kernel.mount("lab", STRICT_HOME, "tmpfs")
    shutil.copy("/run/lab/inside.py", STRICT_HOME)
    yield
    kernel.umount(STRICT_HOME)


@pytest.mark.row("A27", "A28", "A29")
def test_strict_hides_sockets_buses_and_processes(lab, tight):
    os.makedirs("/run/dbus", exist_ok=True)
    for path in ("/run/dbus/system_bus_socket", "/tmp/.X11-unix/X9"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    servers = [lab.start(["socat", f"UNIX-LISTEN:{path},fork", "PIPE"],
                         user=False)
               for path in ("/run/dbus/system_bus_socket", "/tmp/.X11-unix/X9",
                            "/dev/shm/nsp-sock", "/var/tmp/nsp-sock")]
    try:
        assert wait_for(lambda: os.path.exists("/var/tmp/nsp-sock"))
        said = tight.code("""
found = []
for path in ('/run/dbus/system_bus_socket', '/tmp/.X11-unix/X9',
             '/dev/shm/nsp-sock', '/var/tmp/nsp-sock'):
    s = socket.socket(socket.AF_UNIX)
    found.append(err(s.connect, path))
pids = sorted(int(p) for p in os.listdir('/proc') if p.isdigit())
out([found, os.getpid(), pids, open('/proc/1/comm').read(),
     err(os.kill, 1, signal.SIGKILL), os.listdir('/tmp'),
     connect_err('named.example', 80)[0],
     open('/proc/self/status').read().count('NoNewPrivs:\t1')])""",
                          cwd="/usr", env={"PYTHONPATH": STRICT_HOME})
    finally:
        for server in servers:
            server.kill_family()
        for path in ("/tmp/.X11-unix/X9", "/dev/shm/nsp-sock",
                     "/var/tmp/nsp-sock", "/run/dbus/system_bus_socket"):
            if os.path.exists(path):
                os.unlink(path)
    assert said[0] == ["ENOENT"] * 4, said
    assert said[1] in said[2] and 1 in said[2] and len(said[2]) < 6, said
    assert said[3] == "nsproxy-keeper\n" and said[5] == [], said
    assert said[6] == "OK" and said[7] == 1, said
    # Of the same uid it may be aimed at, but the first process does not die.
    assert said[4] in ("OK", "EPERM"), said
    assert tight.keep.status("tight")["state"] == "up"


def test_strict_shares_its_places_among_commands(lab, tight):
    how = {"cwd": "/usr"}
    if tight.how != "user":            # its daemon is found by it
        how["env"] = {"XDG_RUNTIME_DIR": "/run/user/7"}
    ran = tight("sh", "-c", "echo kept >/tmp/note; ls -ld $XDG_RUNTIME_DIR",
                **how)
    if tight.how != "user":
        assert ran.rc == 0 and ran.out.startswith("drwx------"), ran
    assert tight("cat", "/tmp/note", **how).out == "kept\n"
    assert not os.path.exists("/tmp/note")


@pytest.mark.row("A42")
def test_strict_ends_all_with_the_sandbox(lab, tight):
    ran = tight("sh", "-c", "sleep 321 >/dev/null 2>&1 & echo on", cwd="/usr")
    assert ran.rc == 0 and ran.out == "on\n", ran
    pids = lambda: json.loads(tight.keep(
        "status", "tight", "--json").out)["sandboxes"][0]["processes"]
    assert wait_for(lambda: pids() == 1), pids()
    assert tight.keep("down", "tight").rc == 0
    ran = lab.run(["sh", "-c", "cat /proc/[0-9]*/cmdline"], user=False)
    assert wait_for(lambda: "sleep\0321" not in lab.run(
        ["sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null"],
        user=False).out)


def test_strict_is_the_command_for_a_shell(lab, tight):
    for line, rc in [("exit 42", 42), ("kill -TERM $$", -15),
                     ("kill -KILL $$", -9)]:
        assert tight("sh", "-c", line, cwd="/usr").rc == rc
    assert tight("/nowhere", cwd="/usr").rc == 127
    ran = tight("sh", "-c", "pwd; umask; ulimit -n", cwd="/usr/share")
    assert ran.out.splitlines()[0] == "/usr/share", ran
    ran = tight("true", cwd="/run/lab/home")
    assert ran.rc == 125 and "inside" in ran.err, ran


def inner_of(job):
    """The command itself, once it runs."""
    def found():
        return [p for p in job.family() if name_of(p) == "sleep"]
    assert wait_for(found)
    return found()[0]


def test_strict_passes_signals_and_stops(lab, keep):
    keep.up("tight")
    words = [SUID, "exec", "tight", "--", "sleep", "60"]
    job = lab.start(words, cwd="/usr")
    inner = inner_of(job)
    os.kill(inner, signal.SIGSTOP)
    assert wait_for(lambda: state_of(job.pid) == "T")
    os.kill(job.pid, signal.SIGCONT)
    assert wait_for(lambda: state_of(inner) == "S")
    os.kill(job.pid, signal.SIGTERM)
    assert job.wait().rc == -15
    job = lab.start(words, cwd="/usr")
    inner = inner_of(job)
    os.kill(job.pid, signal.SIGKILL)
    assert wait_for(lambda: not is_alive(inner)), "the command went with it"
    with Terminal(lab) as term:
        term.line("cd /usr")
        is_stopped_and_interrupted(term, f"{SUID} exec tight -- sleep 60")


def test_strict_shell_has_job_control(lab, keep):
    keep.up("tight")
    with Terminal(lab) as term:
        term.line("cd /usr")
        term.line(f"PS1='inner$ ' {SUID} exec tight -- bash --norc "
                  "--noprofile -i")
        term.expect(r"inner\$ ")
        term.line("sleep 60")
        time.sleep(0.3)
        term.key("z")
        term.expect("Stopped")
        term.expect(r"inner\$ ")
        term.line("jobs; kill -9 %1; while [ -n \"$(jobs -s)\" ]; do "
                  "sleep 0.1; done; echo done")
        term.expect(r"Stopped +sleep 60[^$]*done")
        term.expect(r"inner\$ ")
        term.line("exit 9")
        term.expect("ready> ")
        term.line("echo outer $?")
        assert term.expect(r"outer (\d+)").group(1) == "9"


# --- the other daemon

def test_own_daemon_goes_first_and_system_is_asked_by_name(lab, keep, proxy):
    keep.up("ours")
    with Keep(lab, {"mine": chain(proxy)}) as own:
        own.up("mine")
        env = own.env()
        go = {"env": env}
        assert as_user(lab, SUID, "exec", "mine", "--", "true", **go).rc == 0
        ran = as_user(lab, SUID, "exec", "ours", "--", "sh", "-c",
                      "echo $NSPROXY_SANDBOX", **go)
        assert ran.rc == 0 and ran.out == "ours\n", ran
        names = lambda *words: {
            b["name"] for b in json.loads(as_user(
                lab, SUID, *words, "--json", **go).out)["sandboxes"]
            if b["state"] == "up"}
        assert names("list") == {"mine"}
        assert names("--system", "list") == {"ours"}
        ran = as_user(lab, SUID, "--user", "exec", "ours", "--", "id", **go)
        assert ran.rc == 125, ran


def test_own_sandbox_by_the_setuid_binary_keeps_no_privilege(lab, keep, proxy):
    with Keep(lab, {"mine": chain(proxy)}) as own:
        own.up("mine")
        said = inside(lab, "mine", """
status = dict(l.split(':\\t', 1) for l in open('/proc/self/status').read()
              .splitlines() if ':\\t' in l)
out([os.getresuid(), status['CapPrm'], status['CapBnd'],
     status['NoNewPrivs']])""", env=own.env())
        assert said[0] == [UID] * 3 and said[3] == "1", said
        assert set(said[1:3]) == {"0000000000000000"}, said


# --- root's daemon, started by its group

def test_member_of_the_group_starts_roots_daemon(lab, proxy, suid):
    keep = Keep(lab, {"ours": chain(proxy, 'users = {"nsplab"}')}, user=False)
    member = ["setpriv", f"--reuid={UID}", f"--regid={UID}",
              f"--groups={NSPROXY_GID}", "--inh-caps=-all"]
    wrap = ["sh", "-c", "umask 0; ulimit -S -f 0; ulimit -S -n 40; "
            'exec nice -n 5 "$@"', "sh"]
    kernel.mount(keep.home, "/var/lib", flags=kernel.MS_BIND)
    keep.is_mounted = True
    job = lab.start([*member, *wrap, SUID, "--system", "daemon", "-q"],
                    user=False, env={"EVIL": "1", "LD_LIBRARY_PATH": "/x"})
    keep.job = job
    try:
        assert wait_for(keep.answers), job.ran(None)
        with open(f"/proc/{job.pid}/status", encoding="ascii") as file:
            status = dict(line.split(":", 1) for line in file)
        assert status["Uid"].split() == ["0"] * 4, status["Uid"]
        assert status["Gid"].split() == ["0"] * 4 and \
            status["Groups"].split() == []
        with open(f"/proc/{job.pid}/limits", encoding="ascii") as file:
            limits = file.read()
        assert "Max file size             unlimited" in limits, limits
        assert "Max core file size        0 " in limits, limits
        assert os.readlink(f"/proc/{job.pid}/cwd") == "/"
        assert os.getpriority(os.PRIO_PROCESS, job.pid) == 0
        keep.up("ours")
        assert inside(lab, "ours", "out(os.getuid())") == UID
        assert as_user(lab, "kill", str(job.pid)).rc != 0
        with open(f"/proc/{keep.status('ours')['worker']}/environ", "rb") as f:
            assert b"EVIL" not in f.read()
    finally:
        keep.__exit__()


def test_limits_that_would_hit_later_are_refused_at_once(lab, suid):
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
os.execv({SUID!r}, ['nsproxy', '--system', 'daemon'])"""
    job = lab.start(["setpriv", f"--reuid={UID}", f"--regid={UID}",
                     f"--groups={NSPROXY_GID}", PYTHON, "-c",
                     "from inside import *\n" + code], user=False,
                    stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:                      # root that may lift limits just does
        assert job.popen.wait(3) == 1
    except subprocess.TimeoutExpired:
        with open(f"/proc/{job.pid}/limits", encoding="ascii") as file:
            assert "Max file size             unlimited" in file.read()
        os.kill(job.pid, signal.SIGTERM)
        assert job.popen.wait(3) == 0


def test_others_do_not_start_roots_daemon(lab, proxy, suid):
    ran = as_user(lab, SUID, "--system", "daemon")
    assert ran.rc == 5 and "group 'nsproxy'" in ran.err, ran
    ran = as_user(lab, lab.nsproxy_path, "--system", "daemon",
                  groups=(UID, NSPROXY_GID))
    assert ran.rc == 5 and "sudo nsproxy daemon" in ran.err, ran


@pytest.mark.row("A39")
def test_no_daemon_starts_inside_a_sandbox(lab, keep):
    keep.up("bare")
    ran = keep.exec("bare", lab.nsproxy_path, "daemon")
    assert ran.rc == 1 and "inside a sandbox" in ran.err, ran


# --- a hostile caller

def residue():
    """What root's files look like that a caller could have changed."""
    seen = {}
    for top in ("/run/nsproxy", "/var/lib/nsproxy", "/run/netns"):
        for where, _, files in os.walk(top):
            for name in files:
                st = os.stat(f"{where}/{name}")
                seen[f"{where}/{name}"] = (st.st_size, st.st_uid, st.st_mode)
    return seen


@pytest.mark.row("U01")
def test_no_argument_at_all(lab, keep):
    """execve(path, NULL, NULL) as old kernels had it, and an empty name."""
    code = f"""
import ctypes
libc = ctypes.CDLL(None)
pid = os.fork()
if pid == 0:
    argv = (ctypes.c_char_p * 1)(None)
    libc.execve({SUID!r}.encode(), argv, argv)
    os._exit(99)
out(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"""
    assert lab.spoken(as_user(lab, PYTHON, "-c",
                              "from inside import *\n" + code)) == 2


@pytest.mark.row("U04")
@pytest.mark.parametrize("closed", range(8))
def test_closed_standard_files(lab, keep, closed):
    keep.up("ours")
    shut = "".join(f" {fd}>&-" for fd in range(3) if closed & 1 << fd)
    log = lab.home_file(f"closed{closed}", "", 0o666)
    ran = as_user(lab, "sh", "-c", f"exec {SUID} exec ours -- sh -c "
                  f"'ls -l /proc/self/fd >{log} 2>&1; exit 7' {shut}")
    assert ran.rc == 7, ran
    with open(log, encoding="utf-8") as file:
        text = file.read()
    assert "ns:" not in text and "socket:" not in text, text


LIMITS = ["AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC",
          "SIGPENDING", "STACK", "MSGQUEUE", "NICE", "RTPRIO"]


@pytest.mark.row("U05")
@pytest.mark.parametrize("value", [0, 1, 100])
def test_hostile_limits_change_nothing_but_the_callers_luck(lab, keep, value):
    """Each limit: either it works, or it fails before the command began."""
    keep.up("ours")
    before = residue()
    code = f"""
import resource
got = {{}}
for name in {LIMITS!r}:
    pid = os.fork()
    if pid == 0:
        null = os.open('/dev/null', os.O_RDWR)
        os.dup2(null, 2)
        try:
            resource.setrlimit(getattr(resource, 'RLIMIT_' + name),
                               ({value}, {value}))
            os.execv({SUID!r}, ['nsproxy', 'exec', 'ours', '--', 'true'])
        except (OSError, ValueError):
            os._exit(98)
    got[name] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
out(got)"""
    got = lab.spoken(as_user(lab, PYTHON, "-c",
                             "from inside import *\n" + code))
    # 126: the command itself could not begin under this limit; 127 and -9,
    # -11: the loader or the kernel gave up.
    assert set(got.values()) <= {0, 98, 125, 126, 127, -9, -11, -24}, got
    assert got["FSIZE"] == 0 and got["CORE"] == 0, got
    assert residue() == before
    assert keep.exec("ours", "true").rc == 0


@pytest.mark.row("U06")
def test_signals_and_timers_of_the_caller(lab, keep):
    keep.up("ours")
    code = f"""
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
os.execv({SUID!r}, ['nsproxy', 'exec', 'ours', '--', 'true'])"""
    assert as_user(lab, PYTHON, "-c", "from inside import *\n" + code).rc == 0
    code = f"""
signal.setitimer(signal.ITIMER_REAL, 0.003, 0)
os.execv({SUID!r}, ['nsproxy', 'exec', 'ours', '--', 'sleep', '5'])"""
    ran = as_user(lab, PYTHON, "-c", "from inside import *\n" + code)
    assert ran.rc == -14, ran


@pytest.mark.row("U07")
def test_stopped_and_killed_at_any_moment(lab, keep):
    """Nobody else waits for one that was stopped half way in."""
    keep.up("ours")
    before = residue()
    rng = random.Random(7)
    stopped = []
    for i in range(60):
        job = lab.start([SUID, "exec", "ours", "--", "true"])
        time.sleep(rng.random() * 0.012)
        try:
            os.kill(job.pid, signal.SIGSTOP if i % 2 else signal.SIGKILL)
        except ProcessLookupError:
            pass
        if i % 2:
            stopped.append(job)
    assert as_user(lab, SUID, "exec", "ours", "--", "true", timeout=5).rc == 0
    assert keep("list", timeout=5).rc == 0
    for job in stopped:
        job.kill_family()
    assert residue() == before


@pytest.mark.row("U08")
def test_directory_that_is_gone_or_hidden(lab, keep):
    keep.up("ours")
    ran = as_user(lab, "sh", "-c", "mkdir -p gone; cd gone; rmdir ../gone; "
                  f"exec {SUID} exec ours -- true")
    assert ran.rc == 125 and "directory" in ran.err, ran
    ran = as_user(lab, SUID, "exec", "ours", "--", "pwd", cwd="/usr/share")
    assert ran.out == "/usr/share\n", ran


@pytest.mark.row("S07")
def test_mounts_of_ones_own_are_not_left_by_a_sandbox(lab, keep):
    """Who was given less of the file system stays there."""
    keep.up("ours")
    become = ["setpriv", f"--reuid={UID}", f"--regid={UID}",
              "--clear-groups"]
    ran = lab.run(["unshare", "--mount", *become, SUID, "exec", "ours", "--",
                   "true"], user=False)
    assert ran.rc == 125 and "mounts of its own" in ran.err, ran
    root = lab.scratch()
    for path in ("proc", "run", "usr", "etc", "dev"):
        os.mkdir(f"{root}/{path}")
    for link in ("bin", "lib", "lib64"):
        os.symlink(f"usr/{link}", f"{root}/{link}")
    line = " && ".join([f"mount --rbind /{p} {root}/{p} && "
                        f"mount --make-rprivate {root}/{p}" for p in (
                            "proc", "run", "usr", "etc", "dev")])
    try:
        subprocess.run(["sh", "-c", line], check=True)
        ran = lab.run(["chroot", root, *become, SUID, "exec", "ours", "--",
                       "true"], user=False, cwd="/")
        assert ran.rc == 125 and "root directory" in ran.err, ran
    finally:
        for path in ("proc", "run", "usr", "etc", "dev"):
            subprocess.run(["umount", "-l", f"{root}/{path}"], check=False)


@pytest.mark.row("U12")
def test_foreign_daemons_socket_is_not_believed(lab, suid):
    """A user's socket under root's name gets nothing but a hang-up."""
    os.makedirs("/run/nsproxy", exist_ok=True)
    os.chmod("/run/nsproxy", 0o777)
    if os.path.exists("/run/nsproxy/ctl.sock"):
        os.unlink("/run/nsproxy/ctl.sock")
    code = """
s = socket.socket(socket.AF_UNIX)
s.bind('/run/nsproxy/ctl.sock'); s.listen(); print('up', flush=True)
c, _ = s.accept(); c.settimeout(3)
try: got = c.recv(100)
except OSError: got = b''
out(len(got))"""
    job = lab.start([PYTHON, "-c", "from inside import *\n" + code])
    try:
        assert job.says("up")
        ran = as_user(lab, SUID, "--system", "exec", "ours", "--", "true")
        assert ran.rc == 125 and ran.out == "", ran
        assert lab.spoken(job.wait()) == 0, "nothing was asked of it"
    finally:
        if os.path.exists("/run/nsproxy/ctl.sock"):
            os.unlink("/run/nsproxy/ctl.sock")
        os.chmod("/run/nsproxy", 0o755)


@pytest.mark.row("A02")
def test_same_uid_outside_cannot_be_touched_from_inside(lab, keep):
    keep.up("ours")
    victim = lab.start(["sleep", "30"])
    said = inside(lab, "ours", f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    return errno.errorcode[ctypes.get_errno()] if libc.syscall(*args) < 0 \\
        else 'OK'
pid = {victim.pid}
fd = os.pidfd_open(pid)
out([call(101, 16, pid, 0, 0), call(438, fd, 0, 0),
     err(lambda: open(f'/proc/{{pid}}/mem', 'r+b')),
     err(lambda: os.open(f'/proc/{{pid}}/ns/net', os.O_RDONLY))])""")
    assert said == ["EPERM", "EPERM", "EACCES", "EACCES"], said
    victim.kill_family()


@pytest.mark.row("U19")
def test_nobody_reads_or_traces_the_front_end(lab, keep):
    """While it waits for the daemon it is the caller's uid, not the caller's.
    """
    keep.up("ours")
    os.kill(keep.job.pid, signal.SIGSTOP)
    try:
        job = lab.start([SUID, "exec", "ours", "--", "true"])
        time.sleep(0.3)
        code = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
pid = {job.pid}
out([libc.syscall(101, 16, pid, 0, 0),
     err(lambda: open(f'/proc/{{pid}}/mem', 'r+b')),
     err(lambda: os.listdir(f'/proc/{{pid}}/fd'))])"""
        said = lab.spoken(as_user(lab, PYTHON, "-c",
                                  "from inside import *\n" + code))
        assert said[0] == -1 and set(said[1:]) == {"EACCES"}, said
        job.kill_family()
    finally:
        os.kill(keep.job.pid, signal.SIGCONT)


@pytest.mark.row("U03", "U09", "U21")
def test_no_file_of_the_users_is_opened_as_root(lab, keep, need):
    """All that euid 0 opens, as the kernel sees it."""
    keep.up("ours")
    trace = "/run/lab/trace"
    env = {"LD_LIBRARY_PATH": "/run/lab/home", "PATH":
           "/run/lab/home:/usr/bin:/bin", "LOCPATH": "/run/lab/home"}
    # strace as root starts it as the user, so that the bit counts.
    ran = lab.run([need("strace"), "-f", "-o", trace, "-u", "nsplab", "-e",
                   "trace=openat,open,setresuid,setreuid,setns,execve,"
                   "unshare", SUID, "exec", "ours", "--", "true"],
                  user=False, env=env)
    assert ran.rc == 0, ran
    with open(trace, encoding="utf-8") as file:
        lines = file.read().splitlines()
    root, bad = True, []
    for line in lines:
        if "setresuid(61234, 61234, 0)" in line:
            root = False
        elif "setresuid(-1, 0, -1)" in line and "= 0" in line:
            root = True
        elif "setresuid(61234, 61234, 61234)" in line:
            root = False
        elif root and "open" in line and "execve" not in line:
            path = line.split('"')[1] if '"' in line else line
            if not path.startswith(("/proc/", "/etc/ld.so", "/lib", "/usr/lib",
                                    "/dev/null")):
                bad.append(line)
    assert not bad, bad
    assert any("setns(" in line for line in lines)


def test_setuid_binary_has_no_inner_roles(lab, suid):
    for role in ("@worker", "@keeper", "@builder"):
        ran = as_user(lab, SUID, role)
        assert ran.rc == 2, ran
    assert stat.S_IMODE(os.stat(SUID).st_mode) & stat.S_ISUID
