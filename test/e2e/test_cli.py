# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: what `nsproxy run` promises about the command it runs."""
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from lab import Faults, ToyProxy
from lab.run import PYTHON, is_alive, wait_for

CURL = ["curl", "-sS", "--max-time", "20"]


@pytest.mark.smoke
def test_first_minute(lab, proxy):
    ran = lab.sandbox([*CURL, "http://example.org/"], proxy)
    assert ran.rc == 0 and json.loads(ran.out)["host"] == "example.org", ran
    assert ran.err == "", "nothing is printed on success"
    assert proxy.log[0].host == "example.org" and proxy.log[0].atyp == 3


def test_root_of_a_users_own_namespace(lab, proxy):
    """As in a rootless container: uid 0, but no other id to become."""
    ran = lab.run(["unshare", "-Ur", lab.nsproxy_path, "run", "-x",
                   proxy.url(), "--", *CURL, "http://own.example/"])
    assert ran.rc == 0 and proxy.log[0].host == "own.example", ran


def test_missing_interface_is_told_and_not_gone_around(lab):
    with lab.watch() as verdict:
        ran = lab.sandbox([*CURL, "http://203.0.113.5/"], "direct://?dev=no0",
                          ["-d", "off"])
    assert ran.rc == 7 and "direct by no0" in ran.err and verdict, ran


# --- exit status

@pytest.mark.smoke
@pytest.mark.parametrize("status", [0, 1, 7, 125, 255])
def test_exit_status_is_the_commands(lab, proxy, status):
    assert lab.sandbox(["sh", "-c", f"exit {status}"], proxy).rc == status


@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "INT", "PIPE"])
def test_death_by_signal_is_128_and_number(lab, proxy, name):
    ran = lab.sandbox(["sh", "-c", f"ulimit -c 0; kill -{name} $$"], proxy)
    assert ran.rc == 128 + getattr(signal, f"SIG{name}"), ran


def test_unknown_command_is_127(lab, proxy):
    ran = lab.sandbox(["no-such-command-here"], proxy)
    assert ran.rc == 127 and "no-such-command-here" in ran.err, ran
    ran = lab.sandbox(["/no/such/path"], proxy)
    assert ran.rc == 127, ran


def test_command_that_cannot_run_is_126(lab, proxy):
    path = lab.home_file("plain.txt", "text\n", 0o644)
    assert lab.sandbox([path], proxy).rc == 126
    assert lab.sandbox(["/etc"], proxy).rc == 126


BAD_WISHES = {
    "no proxy": ["run", "--", "touch", "MARK"],
    "scheme": ["run", "-x", "sock5://10.66.0.2:1080", "touch", "MARK"],
    "no scheme": ["run", "-x", "://10.66.0.2:1080", "touch", "MARK"],
    "port": ["run", "-x", "socks5://10.66.0.2:70000", "touch", "MARK"],
    "port 0": ["run", "-x", "socks5://10.66.0.2:0", "touch", "MARK"],
    "no host": ["run", "-x", "socks5://:1080", "touch", "MARK"],
    "long host": ["run", "-x", f"socks5://{'a.' * 140}b:1080", "touch", "MARK"],
    "long user": ["run", "-x", f"socks5://{'u' * 256}:p@10.66.0.2:1080",
                  "touch", "MARK"],
    "long pass": ["run", "-x", f"socks5://u:{'p' * 256}@10.66.0.2:1080",
                  "touch", "MARK"],
    "space": ["run", "-x", "socks5://10.66 .0.2:1080", "touch", "MARK"],
    "percent": ["run", "-x", "socks5://u%zz:p@10.66.0.2:1080", "touch",
                "MARK"],
    "path": ["run", "-x", "socks5://10.66.0.2:1080/path", "touch", "MARK"],
    "option": ["run", "-x", "socks5://10.66.0.2:1080?insecure", "touch",
               "MARK"],
    "unknown option": ["run", "--nonsense", "-x", "socks5://10.66.0.2:1080",
                       "touch", "MARK"],
    "no command": ["run", "-x", "socks5://10.66.0.2:1080"],
    "no command after dashes": ["run", "-x", "socks5://10.66.0.2:1080", "--"],
    "dns": ["run", "-x", "socks5://10.66.0.2:1080", "-d", "nonsense", "touch",
            "MARK"],
    "expose": ["run", "-x", "socks5://10.66.0.2:1080", "-e", "127.0.0.1",
               "touch", "MARK"],
    "expose port": ["run", "-x", "socks5://10.66.0.2:1080", "-e",
                    "127.0.0.1:99999", "touch", "MARK"],
    "publish": ["run", "-x", "socks5://10.66.0.2:1080", "-p", "80", "touch",
                "MARK"],
    "too many hops": ["run", "-x", ",".join(["socks5://10.66.0.2:1080"] * 9),
                      "touch", "MARK"],
    "block in a chain": ["run", "-x", "block://,socks5://10.66.0.2:1080",
                         "touch", "MARK"],
    "device": ["run", "-x", "direct://?dev=waytoolongdevicename", "touch",
               "MARK"],
    "proxy name unknown": ["run", "-x", "socks5://no.such.invalid:1080",
                           "touch", "MARK"],
    "proxy file missing": ["run", "--proxy-file", "/no/such/file", "touch",
                           "MARK"],
}


@pytest.mark.loud        # a proxy's own name is looked up on the host
@pytest.mark.parametrize("why", BAD_WISHES)
def test_bad_wish_is_125_and_never_runs(lab, why):
    mark = f"{lab.scratch()}/ran"
    args = [mark if word == "MARK" else word for word in BAD_WISHES[why]]
    ran = lab.nsproxy(*args, timeout=60)
    assert ran.rc == 125, ran
    assert not os.path.exists(mark), "the command ran"
    first = ran.err.splitlines()[0]
    assert first.startswith("nsproxy: run: "), ran
    assert len(ran.err.splitlines()) <= 4, ran


def test_secrets_are_never_printed(lab):
    ran = lab.nsproxy("run", "-vvv", "-x", "socks9://joe:hunter2@h:1", "true")
    assert ran.rc == 125 and "hunter2" not in ran.err, ran
    ran = lab.nsproxy("run", "-x", "socks5://joe:hunter2@10.66.0.2:99999",
                      "true")
    assert ran.rc == 125 and "hunter2" not in ran.err, ran


def test_scheme_typo_gets_a_suggestion(lab):
    ran = lab.nsproxy("run", "-x", "sock5://10.66.0.2:1080", "true")
    assert "socks5" in ran.err, ran


# --- verbs

def test_forgotten_verb_is_answered(lab):
    ran = lab.nsproxy("curl", "http://example.org/a b")
    assert ran.rc == 2, ran
    assert "nsproxy run -- curl" in ran.err.replace("'", ""), ran


def test_misspelt_verb_is_answered(lab):
    ran = lab.nsproxy("chekc")
    assert ran.rc == 2 and "check" in ran.err, ran


def test_no_arguments_show_usage(lab):
    ran = lab.nsproxy()
    assert ran.rc == 2 and "run" in ran.err and ran.out == "", ran


@pytest.mark.parametrize("args", [["help"], ["help", "run"], ["run", "--help"],
                                  ["serve", "--help"], ["check", "--help"],
                                  ["version"], ["--version"]])
def test_help_goes_to_stdout(lab, args):
    ran = lab.nsproxy(*args)
    assert ran.rc == 0 and ran.out and ran.err == "", ran


def test_help_names_every_option_of_run(lab):
    said = lab.nsproxy("help", "run").out
    for word in ("-x", "-d", "-4", "-6", "-e", "-p", "-q", "-v",
                 "--proxy-file"):
        assert word in said, word


@pytest.mark.row("U01")
def test_empty_argv_is_survived(lab):
    code = ("import ctypes\nnone = (ctypes.c_char_p * 1)(None)\n"
            f"ctypes.CDLL(None).execve({lab.nsproxy_path!r}.encode(), none, "
            "none)")
    ran = lab.run([PYTHON, "-c", code])
    assert ran.rc == 2, ran


# --- where the proxy comes from

@pytest.mark.parametrize("name", ["NSPROXY_PROXY", "ALL_PROXY", "all_proxy"])
def test_proxy_from_the_environment(lab, proxy, name):
    ran = lab.sandbox([*CURL, "http://env.example/"],
                      env={name: proxy.url()})
    assert ran.rc == 0, ran
    assert proxy.asked("env.example"), proxy.log


def test_nsproxy_proxy_goes_before_all_proxy(lab, proxy):
    ran = lab.sandbox([*CURL, "http://env.example/"],
                      env={"NSPROXY_PROXY": proxy.url(),
                           "ALL_PROXY": "socks5://10.66.0.2:9"})
    assert ran.rc == 0, ran


def test_proxy_file_and_stdin_keep_secrets(lab):
    with ToyProxy(lab, auth=("joe", "se:cret")) as proxy:
        text = ("# my proxy\n\n"
                + proxy.url(auth=("joe", "se%3Acret")) + "\n")
        path = lab.home_file("proxy.txt", text)
        ran = lab.nsproxy("run", "--proxy-file", path, "--", *CURL,
                          "http://file.example/")
        assert ran.rc == 0, ran
        ran = lab.nsproxy("run", "-x", "-", "--", *CURL,
                          "http://stdin.example/", input=text)
        assert ran.rc == 0, ran
        assert [a.host for a in proxy.log] == ["file.example",
                                               "stdin.example"]
        assert proxy.log[0].user == "joe"


def test_secrets_do_not_reach_the_command(lab, proxy):
    got = lab.inside("out({k: v for k, v in os.environ.items() "
                     "if 'PROXY' in k.upper()})",
                     env={"NSPROXY_PROXY": proxy.url(),
                          "ALL_PROXY": "socks5://u:word@127.0.0.1:1"})
    assert "word" not in json.dumps(got), got
    assert not {"NSPROXY_PROXY", "ALL_PROXY", "all_proxy"} & set(got), got


@pytest.mark.row("P16")
def test_proxy_name_is_resolved_on_the_host_once(lab, proxy):
    """Who changes the name's address later changes no sandbox's proxy."""
    url = f"socks5://my-proxy.lan:{proxy.port}"
    with open("/etc/hosts", encoding="ascii") as file:
        before = file.read()

    def point_to(address):
        with open("/etc/hosts", "w", encoding="ascii") as file:
            file.write(before + address)
    try:
        point_to("10.66.0.2 my-proxy.lan\n")
        job = lab.sandbox_start([PYTHON, "-c", """from inside import *
first = connect_err('a.example', 80)[0]
print('up', flush=True); sys.stdin.readline()
out([first] + [connect_err(f'{n}.example', 80)[0] for n in 'bc'])"""], url,
                                ["-q"], stdin=subprocess.PIPE)
        assert job.says("up"), job.ran(None)
        point_to("10.66.0.1 my-proxy.lan\n")     # where nobody listens
        os.kill(job.worker_pids()[0], signal.SIGKILL)
        job.popen.stdin.close()
        assert lab.spoken(job.wait()) == ["OK"] * 3
        control = lab.inside("out(connect_err('d.example', 80)[0])", url)
        assert control == "ECONNREFUSED", "what is written there is read"
    finally:
        point_to("")


# --- the command's surroundings are the caller's own

SELF = """
import resource, stat
def state():
    status = dict(l.split(':\\t', 1) for l in open('/proc/self/status')
                  if ':\\t' in l)
    env = dict(os.environ)
    env.pop('NSPROXY_GATEWAY', None)
    return {
        'uid': os.getresuid(), 'gid': os.getresgid(),
        'groups': sorted(os.getgroups()), 'umask': status['Umask'].strip(),
        'cwd': os.getcwd(), 'env': env, 'nice': os.nice(0),
        'limits': [resource.getrlimit(i) for i in range(16)],
        'blocked': status['SigBlk'], 'ignored': status['SigIgn'],
        'sid': os.getsid(0) == os.getpgid(0), 'argv': sys.argv[1:],
        'fds': sorted(int(f) for f in os.listdir('/proc/self/fd'))[:3],
        'dumpable': os.stat('/proc/self').st_uid,
    }
out(state())
"""


@pytest.mark.row("U23")
@pytest.mark.smoke
def test_command_sees_its_callers_surroundings(lab, proxy):
    words = ["", "two words", "-x", "--", "$HOME", "\t*\\"]
    wrap = ["sh", "-c", 'umask 027; ulimit -n 333; ulimit -c 0; '
            'trap "" USR1 HUP; cd /usr/share; exec nice -n 3 "$@"', "sh"]
    code = "from inside import *\n" + SELF
    env = {"SPECIAL": "a=b\nc ü", "LD_NOTHING": "1", "TMPDIR": "/var/tmp"}
    plain = lab.spoken(lab.run([*wrap, PYTHON, "-c", code, *words], env=env))
    boxed = lab.spoken(lab.run(
        [*wrap, lab.nsproxy_path, "run", "-x", proxy.url(), "--", PYTHON,
         "-c", code, *words], env=env))
    plain["env"].pop("_", None)
    boxed["env"].pop("_", None)
    # An ordinary user may map but one group: the others show as "nogroup".
    known = {61234, 65534}
    assert set(boxed.pop("groups")) == known and plain.pop("groups")
    assert boxed == plain


def test_rights_of_other_groups_are_kept(lab, proxy):
    path = lab.home_file("for-the-group", "shared", 0o640)
    os.chown(path, 0, 61235)
    assert lab.sandbox(["cat", path], proxy).out == "shared"


def test_groups_of_root_are_the_callers(lab, proxy):
    words = ["setpriv", "--groups=0,4,24", lab.nsproxy_path, "run", "-x",
             proxy.url(), "--", "id", "-G"]
    assert lab.run(words, user=False).out.split() == ["0", "4", "24"]


def test_ids_as_programs_see_them(lab, proxy):
    ran = lab.sandbox(["sh", "-c", "id -u; id -un; id -g; stat -c %u ."],
                      proxy)
    assert ran.out.split() == ["61234", "nsplab", "61234", "61234"], ran


def test_gateway_is_told(lab, proxy):
    assert lab.inside("out(os.environ['NSPROXY_GATEWAY'])",
                      proxy) == "198.18.0.2"


def test_files_made_inside_are_the_callers(lab, proxy):
    path = f"{lab.scratch()}/made"
    assert lab.sandbox(["touch", path], proxy).rc == 0
    assert os.stat(path).st_uid == 61234


def test_standard_input_and_output_pass(lab, proxy):
    data = os.urandom(300000).hex()
    ran = lab.sandbox(["cat"], proxy, input=data)
    assert ran.out == data and ran.rc == 0


@pytest.mark.row("A37")
def test_fds_above_two_are_closed(lab, proxy):
    reader, writer = os.pipe()
    with socket.socket() as sock:
        got = lab.spoken(lab.sandbox(
            [PYTHON, "-c", "from inside import *\nout(sorted(int(f) for f in "
             "os.listdir('/proc/self/fd')))"], proxy,
            pass_fds=(reader, writer, sock.fileno())))
    os.close(reader)
    os.close(writer)
    assert got == [0, 1, 2, 3], "3 is the listing itself"


@pytest.mark.row("U04")
def test_closed_stdio_is_survived(lab, proxy):
    ran = lab.run(["sh", "-c", '"$@" <&- >&-', "sh", lab.nsproxy_path, "run",
                   "-x", proxy.url(), "--", "sh", "-c", "exit 5"])
    assert ran.rc == 5, ran


@pytest.mark.parametrize("shut", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_stdio_stays_closed(lab, proxy, shut):
    mark = f"{lab.scratch()}/out"
    code = ("import os\ndef there(fd):\n"
            "    try: return bool(os.fstat(fd))\n"
            "    except OSError: return False\n"
            "seen = [there(fd) for fd in range(3)]\n"
            f"open({mark!r}, 'w').write(str(seen))")
    ran = lab.run(["sh", "-c", f'"$@" {shut}', "sh", lab.nsproxy_path, "run",
                   "-x", proxy.url(), "--", PYTHON, "-c", code], input="")
    with open(mark, encoding="ascii") as file:
        seen = file.read()
    want = [f"{sign}&-" not in shut.split() for sign in ("<", ">", "2>")]
    assert ran.rc == 0 and seen == str(want), (ran, seen)


# --- signals and job control

@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT,
                                 signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(lab, proxy, sig):
    name = sig.name[3:]
    job = lab.sandbox_start(
        ["bash", "-c", f'trap "echo got; exit 9" {name}; echo up; '
         'while :; do sleep 0.05; done'], proxy)
    assert job.says("up"), job.ran(None)
    os.kill(job.pid, sig)
    ran = job.wait(10)
    assert (ran.rc, ran.out) == (9, "up\ngot\n"), ran


def test_ctrl_c_ends_the_command_once(lab, proxy):
    with lab_terminal(lab) as term:
        term.line(f"{lab.nsproxy_path} run -x {proxy.url()} -- bash -c "
                  "'trap \"echo caught\" INT; echo go; sleep 30; echo rest; "
                  "exit 3'")
        term.expect("go\r\n")
        time.sleep(0.3)
        term.key("c")
        term.expect("caught\r\n")
        term.expect("rest\r\n")
        term.prompt()
        assert term.seen.count("caught\r\n") == 1
        assert term.ask("echo $?").strip() == "3"


def test_ctrl_c_kills_a_plain_command(lab, proxy):
    with lab_terminal(lab) as term:
        term.line(f"{lab.nsproxy_path} run -x {proxy.url()} -- "
                  "sh -c 'echo go; exec sleep 30'")
        term.expect("go\r\n")
        time.sleep(0.3)
        term.key("c")
        term.prompt()
        assert term.ask("echo $?").strip() == "130"


def test_ctrl_z_and_fg(lab, proxy):
    with lab_terminal(lab) as term:
        term.line(f"{lab.nsproxy_path} run -x {proxy.url()} -- bash -c "
                  "'echo go; sleep 2; echo woke; exit 4'")
        term.expect("go\r\n")
        time.sleep(0.3)
        term.key("z")
        term.expect("Stopped")
        term.prompt()
        assert "Stopped" in term.ask("jobs")
        term.line("fg")
        term.expect("woke\r\n")
        term.prompt()
        assert term.ask("echo $?").strip() == "4"


def test_background_job_and_terminal_reads(lab, proxy):
    with lab_terminal(lab) as term:
        term.line(f"{lab.nsproxy_path} run -x {proxy.url()} -- cat &")
        term.prompt()
        time.sleep(0.5)
        term.line("")
        term.expect("Stopped")
        term.line("fg")
        time.sleep(0.5)
        term.line("typed by hand")
        term.expect("typed by hand\r\n")
        term.expect("typed by hand\r\n")
        term.key("d")
        term.prompt()


def test_terminal_is_the_callers(lab, proxy):
    with lab_terminal(lab) as term:
        plain = term.ask("tty; stty size")
        boxed = term.ask(f"{lab.nsproxy_path} run -x {proxy.url()} -- "
                         "sh -c 'tty; stty size'")
        assert boxed == plain


def test_hangup_of_the_terminal_reaches_the_command(lab, proxy):
    """Of it the terminal tells the leader of its session only: nsproxy."""
    mark = f"{lab.scratch()}/out"
    with lab_terminal(lab) as term:
        term.line(f"exec {lab.nsproxy_path} run -x {proxy.url()} -- bash -c "
                  f"'trap \"echo hup > {mark}; exit\" HUP; echo up; "
                  "while :; do sleep 0.05; done'")
        term.expect("up\r\n")
    assert wait_for(lambda: os.path.exists(mark), 5)


def lab_terminal(lab):
    from lab import Terminal
    return Terminal(lab)


def test_leftovers_keep_their_network(lab, proxy):
    mark = f"{lab.scratch()}/out"
    code = ("from inside import *\ntime.sleep(2)\n"
            f"open({mark!r}, 'w').write(connect_err('late.example', 80)[0])")
    job = lab.sandbox_start(
        ["sh", "-c", '("$@" >/dev/null 2>&1 &) ; exit 6', "sh", PYTHON, "-c",
         code], proxy)
    ran = job.wait(10)
    assert ran.rc == 6 and ran.secs < 2, ran
    assert "background" in ran.err, ran
    assert wait_for(lambda: os.path.exists(mark) and open(mark).read(), 10)
    assert open(mark, encoding="ascii").read() == "OK"


def test_quiet_says_nothing_of_leftovers(lab, proxy):
    ran = lab.sandbox(["sh", "-c", "sleep 1 & exit 0"], proxy, ["-q"])
    assert ran.rc == 0 and ran.err == "", ran


def test_command_substitution_does_not_hang_on_leftovers(lab, proxy):
    ran = lab.run(["bash", "-c", 'x=$("$@" 2>&1); echo "[$x]"', "b",
                   lab.nsproxy_path, "run", "-q", "-x", proxy.url(), "--",
                   "sh", "-c", "sleep 8 >/dev/null 2>&1 & echo hi"])
    assert ran.out == "[hi]\n" and ran.secs < 5, ran


def test_everything_ends_with_the_last_process(lab, proxy):
    job = lab.sandbox_start(["sh", "-c", "sleep 1 & echo up; sleep 0.5"],
                            proxy)
    assert job.says("up"), job.ran(None)
    pids = job.family()
    assert len(pids) >= 4, "caller, keeper, worker and command"
    job.wait(10)
    gone = wait_for(lambda: not [p for p in pids if is_alive(p)], 5)
    assert gone, [p for p in pids if is_alive(p)]


# --- the machine says no

def test_no_user_namespaces_is_one_clear_sentence(lab, proxy):
    mark = f"{lab.scratch()}/ran"
    ran = lab.run(
        ["unshare", "-U", "--map-root-user", "sh", "-c",
         'echo 0 > /proc/sys/user/max_user_namespaces && '
         'exec setpriv --bounding-set=-all --inh-caps=-all "$@"', "sh",
         lab.nsproxy_path, "run", "-x", proxy.url(), "--", "touch", mark])
    assert ran.rc == 125, ran
    assert "namespace" in ran.err, ran
    assert not os.path.exists(mark)


def test_no_tun_is_one_clear_sentence(lab, proxy):
    from lab import kernel
    mark = f"{lab.scratch()}/ran"
    os.chmod("/dev/net/tun", 0o600)
    try:
        ran = lab.sandbox(["touch", mark], proxy)
    finally:
        os.chmod("/dev/net/tun", 0o666)
    assert kernel and ran.rc == 125 and "/dev/net/tun" in ran.err, ran
    assert "hint:" in ran.err, ran
    assert not os.path.exists(mark)


# --- check, demo

def test_check_finds_nothing_wrong(lab, proxy):
    ran = lab.nsproxy("check", "-x", proxy.url())
    assert ran.rc == 0, ran


def test_check_json(lab, proxy):
    ran = lab.nsproxy("check", "--json", "-x", proxy.url())
    assert ran.rc == 0 and json.loads(ran.out)["schema"] == \
        "nsproxy.check/1", ran


def test_check_of_a_dead_proxy_is_6(lab):
    ran = lab.nsproxy("check", "-x", "socks5://10.66.0.2:1080")
    assert ran.rc == 6, ran
    ran = lab.nsproxy("check", "--json", "-x", "socks5://10.66.0.2:1080")
    assert ran.rc == 6 and json.loads(ran.out), ran


def test_check_of_a_proxy_without_udp(lab):
    with ToyProxy(lab, faults=Faults(no_udp=True)) as proxy:
        ran = lab.nsproxy("check", "-x", proxy.url())
    assert "UDP" in ran.out, ran


def test_check_without_tun_says_so(lab):
    os.chmod("/dev/net/tun", 0o600)
    try:
        ran = lab.nsproxy("check")
    finally:
        os.chmod("/dev/net/tun", 0o666)
    assert ran.rc == 1 and "/dev/net/tun" in ran.out + ran.err, ran


@pytest.mark.smoke
@pytest.mark.loud        # it shows what happens without a sandbox, too
@pytest.mark.parametrize("user", [True, False])
def test_demo_works(lab, user):
    ran = lab.nsproxy("demo", user=user, timeout=90)
    assert ran.rc == 0 and "demo.test" in ran.out, ran
