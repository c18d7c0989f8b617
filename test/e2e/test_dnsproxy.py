# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsproxy as the resolver of a sandbox: the real one, and what goes wrong."""
import base64
import os
import shutil
import signal
import subprocess
import time

import pytest

from lab import Keep, ToyDns, kernel
from lab.run import (PYTHON, is_alive, is_of_this_lab, parent_of, pids,
                     wait_for, words_of)

UP = "203.0.113.53"
OTHER = "203.0.113.54"
TABLE = {("a.example", "A"): ["203.0.113.7"],
         ("a.example", "AAAA"): ["2001:db8:1::7"],
         ("big.example", "TXT"): ['"%d%s"' % (i, "b" * 200)
                                  for i in range(10)]}
ASKED = ["8.8.8.8", "2001:db8::1", "127.0.0.53", "::1", "198.18.0.2"]


@pytest.fixture
def up(lab):
    with ToyDns(lab, host=UP, table=TABLE) as server:
        yield server


@pytest.fixture
def installed(lab):
    """It is where programs are looked for, in the lab alone."""
    place = "/usr/local/bin"
    kernel.mount("lab", place, "tmpfs", data="mode=0755")
    shutil.copy(lab.neighbour("dnsproxy"), f"{place}/dnsproxy")
    yield f"{place}/dnsproxy"
    kernel.umount(place)


def words(lab, *servers, program=None):
    path = program or lab.neighbour("dnsproxy")
    return [f"dnsproxy={path}", *servers]


def profile(lab, proxy, *servers, program=None, more=""):
    dns = ", ".join(f'"{w}"' for w in words(lab, *servers, program=program))
    return f'chain = {{"{proxy.url()}"}}\ndns = {{{dns}}}\n{more}'


def opts(lab, *servers, program=None):
    return [o for w in words(lab, *servers, program=program)
            for o in ("-d", w)]


def status_of(ran):
    assert ran.rc == 0, ran
    return ran.out.partition("status: ")[2].partition(",")[0]


def dig(keep, *what, name="work"):
    return keep.exec(name, "dig", "+tries=1", "+time=8", *what, cwd="/")


def job(keep, name="work"):
    return [h for h in keep.status(name)["helpers"]
            if h["name"] == "dnsproxy"][0]


def wait_job(keep, state="running", limit_s=12):
    got = wait_for(lambda: job(keep)["state"] == state and job(keep), limit_s)
    assert got, keep.status("work")
    return got


def pids_of_dnsproxy():
    """Processes that were started with our way of calling it; their minders
    are outside, with this lab's files."""
    return [p for p in pids() if "--port=5399" in words_of(p)
            and is_of_this_lab(parent_of(parent_of(p)))]


# --- names are answered by it

@pytest.mark.parametrize("user", [True, False], ids=["own", "root"])
def test_every_server_that_is_asked_is_dnsproxy(lab, proxy, up, user):
    with Keep(lab, {"work": profile(lab, proxy, UP)}, user=user) as keep:
        keep.up("work")
        assert job(keep)["state"] == "running"
        with lab.watch() as verdict:
            for server in ASKED:
                for how in ("+notcp", "+tcp"):
                    ran = dig(keep, how, f"@{server}", "a.example")
                    assert status_of(ran) == "NOERROR", ran
                    assert "\t203.0.113.7\n" in ran.out, ran
        assert verdict, verdict
        assert len(up.asked) >= 2 * len(ASKED), up.asked


@pytest.mark.parametrize("user", [True, False], ids=["user", "root"])
def test_run_has_it_beside_the_command(lab, proxy, up, user):
    with lab.watch() as verdict:
        ran = lab.sandbox(["dig", "+short", "@8.8.4.4", "a.example"], proxy,
                          opts(lab, UP), user=user)
    assert ran.rc == 0 and ran.out == "203.0.113.7\n" and ran.err == "", ran
    assert verdict, verdict
    assert up.asked == [("udp", "a.example", "A")]
    assert wait_for(lambda: not pids_of_dnsproxy())


FAR = "203.0.113.60"
NAMED = "dns.example"


@pytest.fixture(scope="module")
def trusted(world):
    """Where a certificate is that the lab's host trusts."""
    base = "/run/lab/dnstls"
    anchors = "/etc/ssl/certs/ca-certificates.crt"
    with open(anchors, encoding="ascii") as file:
        before = file.read()
    subprocess.run(f"""set -e; mkdir -p {base}; cd {base}
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=LabDnsCA \
  -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE
openssl req -newkey rsa:2048 -nodes -subj /CN={NAMED} -keyout k.pem -out r.pem
printf 'subjectAltName=DNS:{NAMED},IP:{FAR}' > ext
openssl x509 -req -in r.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
  -extfile ext -out c.pem
cat ca.pem >> {anchors}
""", shell=True, check=True, capture_output=True)
    yield base
    with open(anchors, "w", encoding="ascii") as file:
        file.write(before)


@pytest.fixture
def far(lab, trusted, up):
    """A server of each encrypted kind; it asks the toy."""
    served = lab.start(
        [lab.neighbour("dnsproxy"), f"--listen={FAR}", "--port=0",
         "--tls-port=853", "--https-port=443", "--quic-port=853", "--http3",
         f"--tls-crt={trusted}/c.pem", f"--tls-key={trusted}/k.pem",
         f"--upstream={UP}"], user=False, place="inet")
    assert wait_for(lambda: "listening to https" in served.out, 10), served.out
    yield served
    served.kill_family()


def stamp(kind, *fields, hashes=False):
    """sdns://: a kind, 8 octets of properties, fields with their length."""
    data = bytes([kind]) + bytes(8)
    for i, field in enumerate(fields):
        if hashes and i == 1:
            data += b"\0"
        data += bytes([len(field)]) + field.encode()
    return "sdns://" + base64.urlsafe_b64encode(data).decode().rstrip("=")


ENCRYPTED = {
    "tls": [f"tls://{FAR}"],
    "https": [f"https://{FAR}/dns-query"],
    "h3": [f"h3://{FAR}/dns-query"],
    "quic": [f"quic://{FAR}"],
    "tls-name": [f"tls://{NAMED}", f"bootstrap={UP}"],
    "https-name": [f"https://{NAMED}/dns-query", f"bootstrap=tcp://{UP}:53"],
    "bootstrap-tls": [f"https://{NAMED}/dns-query", f"bootstrap=tls://{FAR}"],
    "stamp-https": [stamp(2, FAR, NAMED, "/dns-query", hashes=True)],
    "stamp-name": [stamp(2, "", NAMED, "/dns-query", hashes=True),
                   f"bootstrap={UP}"],
    "stamp-tls": [stamp(3, FAR, NAMED, hashes=True)],
}
PLAIN = {
    "ip": [UP], "ip-port": [f"{UP}:53"], "udp": [f"udp://{UP}"],
    "tcp": [f"tcp://{UP}"], "tcp-port": [f"tcp://{UP}:53"],
    "stamp": [stamp(0, UP)], "stamp-port": [stamp(0, f"{UP}:53")],
    "domain": [f"[/a.example/b.example/]{UP}", OTHER],
    "several": ["--upstream-mode=parallel", "--cache", UP, f"tcp://{UP}"],
}


@pytest.mark.parametrize("servers", ENCRYPTED.values(), ids=ENCRYPTED)
def test_encrypted_servers_are_asked_by_the_way_out(lab, proxy, up, far,
                                                    servers):
    up.table |= {(NAMED, "A"): [FAR]}
    with lab.watch() as verdict:
        ran = lab.sandbox(["dig", "+time=8", "+tries=1", "+short",
                           "@8.8.4.4", "a.example"], proxy,
                          opts(lab, *servers))
    assert ran.rc == 0 and ran.out == "203.0.113.7\n", ran
    assert verdict, verdict
    assert proxy.asked(host=FAR) or proxy.udp_log, proxy.log


@pytest.mark.parametrize("servers", PLAIN.values(), ids=PLAIN)
def test_plain_servers_are_asked_by_the_way_out_and_never_in_a_loop(
        lab, proxy, up, servers):
    with lab.watch() as verdict:
        ran = lab.sandbox(["dig", "+time=8", "+tries=1", "+short",
                           "@8.8.4.4", "a.example"], proxy,
                          opts(lab, *servers))
    assert ran.rc == 0 and ran.out == "203.0.113.7\n", ran
    assert verdict, verdict
    assert 1 <= len(up.asked) <= 2, up.asked


def test_a_server_for_a_domain_is_asked_for_that_alone(lab, proxy, up):
    with ToyDns(lab, host=OTHER,
                table={("b.test", "A"): ["203.0.113.9"]}) as other:
        ran = lab.sandbox(["sh", "-c", "dig +short a.example; "
                           "dig +short b.test"], proxy,
                          opts(lab, UP, f"[/test/]tcp://{OTHER}"))
    assert ran.out == "203.0.113.7\n203.0.113.9\n", ran
    assert other.asked == [("tcp", "b.test", "A")]
    assert up.asked == [("udp", "a.example", "A")]


@pytest.mark.parametrize("what", ["glibc", "static", "long", "tcp-long"])
def test_programs_of_all_kinds_get_its_answers(lab, proxy, up, what):
    up.table[("big.example", "A")] = ["203.0.113.7"]
    code = {
        "glibc": "out(socket.gethostbyname('a.example'))",
        "static": "out(sh('busybox nslookup a.example 9.9.9.9'))",
        "long": "out(sh('dig +short big.example TXT @9.9.9.9'))",
        "tcp-long": "out(sh('dig +tcp +short big.example TXT @::1'))",
    }[what]
    got = lab.inside(code, proxy, opts(lab, UP))
    want = "b" * 200 if "long" in what else "203.0.113.7"
    assert want in str(got), got
    assert up.asked


# --- a way out without UDP

def test_without_udp_plain_servers_are_asked_by_tcp(lab, proxy, up):
    with lab.watch() as verdict:
        ran = lab.sandbox(["dig", "+short", "a.example"],
                          proxy.url("http"), opts(lab, f"udp://{UP}"))
    assert ran.out == "203.0.113.7\n", ran
    assert verdict, verdict
    assert up.asked == [("tcp", "a.example", "A")]


@pytest.mark.parametrize("server", [f"quic://{FAR}", f"h3://{FAR}/dns-query",
                                    stamp(4, FAR, NAMED, hashes=True)])
def test_without_udp_a_server_that_needs_it_is_refused(lab, proxy, server):
    ran = lab.sandbox(["true"], proxy.url("http"), opts(lab, server))
    assert ran.rc == 125 and "needs UDP" in ran.err, ran
    assert wait_for(lambda: not pids_of_dnsproxy())


# --- what is refused before anything begins

REFUSED = {
    "no-server": ([], "no server"),
    "only-domains": ([f"[/a.example/]{UP}"], "no server to ask for every"),
    "name": (["https://dns.example/dns-query"], "bootstrap=9.9.9.9"),
    "bootstrap-name": ([f"tls://{NAMED}", "bootstrap=dns.example:54"],
                       "given by its IP address"),
    "plain-name": (["dns.example", f"bootstrap={UP}"],
                   "given by its IP address"),
    "tls-at-53": ([f"tls://{FAR}:53"], "port 53"),
    "stamp-at-53": ([stamp(1, f"{FAR}:53", "x", "y")], "port 53"),
    "stamp-name": ([stamp(2, "", NAMED, "/q", hashes=True)],
                   "bootstrap=9.9.9.9"),
    "stamp-torn": (["sdns://AgcAAAAA"], "stamp"),
    "scheme": (["ftp://9.9.9.9"], "unknown scheme"),
    "own-alias": (["198.18.0.2:5300"], "sandbox's own"),
    "itself": (["127.0.0.1:5399"], "sandbox's own"),
    "file": (["/etc/passwd"], "DNS '/etc/passwd'"),
    "option": (["--listen=0.0.0.0", UP], "options"),
    "config": (["--config-path=/tmp/x", UP], "options"),
    "domain-open": ([f"[/a.example{UP}"], "not closed"),
    "twice": ([UP, "dnsproxy"], "goes first"),
    "fake": (["fake"], "DNS 'fake'"),
    "many": ([f"9.9.9.{i}" for i in range(17)], "at most 16"),
}


@pytest.mark.parametrize("servers,says", REFUSED.values(), ids=REFUSED)
def test_what_could_loop_or_leak_is_refused_with_a_sentence(
        lab, proxy, servers, says):
    ran = lab.sandbox(["true"], proxy, opts(lab, *servers))
    assert ran.rc == 125 and says in ran.err, ran
    assert len(ran.err.splitlines()) <= 2 and not proxy.log


@pytest.mark.parametrize("servers,says", REFUSED.values(), ids=REFUSED)
def test_the_configuration_refuses_the_same(lab, proxy, servers, says):
    with Keep(lab, {"work": profile(lab, proxy, *servers)}) as keep:
        ran = keep("config", "check")
        assert ran.rc != 0 and "'dns'" in ran.out + ran.err or \
            "DNS" in ran.out + ran.err, ran
        assert says in ran.out + ran.err, ran


def test_words_of_its_own_need_it_first(lab, proxy):
    for word in (f"tls://{FAR}", f"bootstrap={UP}", "[/x/]9.9.9.9"):
        ran = lab.sandbox(["true"], proxy, ["-d", word])
        assert ran.rc == 125 and len(ran.err.splitlines()) <= 2, ran


# --- the wrong program, or none

VERSION = 'if sys.argv[1:] == ["--version"]: print("dnsproxy version v0"); ' \
          'sys.exit()\n'


def program(lab, code, name="dnsproxy"):
    """A program that any user may run; Python, or what #! says."""
    place = lab.scratch()
    os.chmod(place, 0o755)
    path = f"{place}/{name}"
    if not code.startswith("#!"):
        code = f"#!{PYTHON}\nimport os, sys, time\n" + code
    with open(path, "w", encoding="utf-8") as file:
        file.write(code)
    os.chmod(path, 0o755)
    return path


DEBIAN = """#!/bin/sh
echo "$0: invalid option -- '-'
usage: dnsproxy [-c file] [-dhV]
	-c file  Read configuration from file
	-d       Detach and run as a daemon
	-h       This help text
	-V       Show version information" >&2
exit 1
"""
WRONG = {
    "debian": (DEBIAN, "Debian's package dnsproxy"),
    "other": ("#!/bin/sh\necho hello\n", "is not AdGuard's dnsproxy"),
    "silent": ("#!/bin/sh\nexec sleep 600\n", "did not say in 5 s"),
    "stubborn": ("import signal\nsignal.signal(15, signal.SIG_IGN)\n"
                 "os.fork()\ntime.sleep(600)\n", "did not say in 5 s"),
    "flood": ("#!/bin/sh\nexec yes flood\n", "did not say in 5 s"),
    "no-format": ("#!/nowhere/at/all\n", "execute"),
    "ends": (VERSION + "print('last word'); sys.exit(3)",
             "ended with status 3 before it was ready"),
    "hangs": (VERSION + "time.sleep(600)", "does not listen at"),
}


@pytest.mark.parametrize("code,says", WRONG.values(), ids=WRONG)
def test_a_program_that_is_wrong_or_broken_is_told_of(lab, proxy, code, says):
    path = program(lab, code)
    began = time.monotonic()
    with lab.watch() as verdict:
        ran = lab.sandbox(["echo", "ran"], proxy, opts(lab, UP, program=path))
    assert ran.rc == 125 and says in ran.err and ran.out == "", ran
    assert time.monotonic() - began < 16
    assert verdict, verdict
    if "Debian" in says:
        assert "go install github.com/AdguardTeam/dnsproxy@latest" in ran.err
        assert path in ran.err
    assert wait_for(lambda: not [p for p in pids() if path in words_of(p)])


@pytest.mark.parametrize("code,says", [WRONG["debian"], WRONG["ends"],
                                       WRONG["hangs"]],
                         ids=["debian", "ends", "hangs"])
def test_up_tells_of_it_and_does_not_hang(lab, proxy, code, says):
    path = program(lab, code)
    with Keep(lab, {"work": profile(lab, proxy, UP, program=path)}) as keep:
        began = time.monotonic()
        ran = keep("up", "work")
        assert ran.rc != 0 and says in ran.err, ran
        assert time.monotonic() - began < 16
        assert keep.exec("work", "true").rc != 0


def test_a_program_that_is_missing_is_told_how_to_get(lab, proxy):
    ran = lab.sandbox(["true"], proxy, ["-d", "dnsproxy", "-d", UP])
    assert ran.rc == 125 and "there is no program 'dnsproxy'" in ran.err, ran
    assert "go install github.com/AdguardTeam/dnsproxy@latest" in ran.err
    ran = lab.sandbox(["true"], proxy, ["-d", "dnsproxy=/nowhere", "-d", UP])
    assert ran.rc == 125 and "/nowhere" in ran.err, ran


# --- while it is not there

LATE = """
end = time.monotonic() + {most_s}
while "--version" not in sys.argv and os.path.exists("{flag}") and \\
        time.monotonic() < end:
    time.sleep(0.02)
os.execv("{real}", sys.argv)
"""


def failed_at_once(keep, *how):
    """The answer, and how long it took."""
    began = time.monotonic()
    ran = dig(keep, *how, "c.example")
    return status_of(ran), time.monotonic() - began


@pytest.mark.row("D14")
def test_killed_it_is_servfail_at_once_until_it_is_back(lab, proxy, up):
    place = lab.scratch()
    os.chmod(place, 0o755)
    flag = f"{place}/flag"
    path = program(lab, LATE.format(flag=flag, most_s=60,
                                    real=lab.neighbour("dnsproxy")))
    with Keep(lab, {"work": profile(lab, proxy, UP, program=path)}) as keep:
        keep.up("work")
        assert status_of(dig(keep, "a.example")) == "NOERROR"
        with open(flag, "w", encoding="ascii"):
            pass
        with lab.watch() as verdict:
            os.kill(job(keep)["pid"], signal.SIGKILL)
            for how in ("@8.8.8.8", "@127.0.0.53", "@2001:db8::1", "@::1"):
                for by in ("+notcp", "+tcp"):
                    said, took = failed_at_once(keep, by, how)
                    assert said == "SERVFAIL" and took < 1, (how, by, took)
        assert verdict, verdict
        before = len(up.asked)
        assert job(keep)["state"] in ("waiting", "starting")
        os.unlink(flag)
        got = wait_job(keep)
        assert got["restarts"] == 1
        assert status_of(dig(keep, "a.example")) == "NOERROR"
        assert len(up.asked) > before


def test_one_that_listens_late_is_waited_for(lab, proxy, up):
    place = lab.scratch()
    os.chmod(place, 0o755)
    path = program(lab, LATE.format(flag=place, most_s=3,
                                    real=lab.neighbour("dnsproxy")))
    began = time.monotonic()
    ran = lab.sandbox(["dig", "+short", "a.example"], proxy,
                      opts(lab, UP, program=path))
    assert ran.out == "203.0.113.7\n", ran
    assert 3 <= time.monotonic() - began < 8


@pytest.mark.row("D14")
def test_hung_it_is_servfail_after_a_while_and_never_another_way(lab, proxy,
                                                                 up):
    with Keep(lab, {"work": profile(lab, proxy, UP)}) as keep:
        keep.up("work")
        os.kill(job(keep)["pid"], signal.SIGSTOP)
        with lab.watch() as verdict:
            ran = keep.exec("work", "dig", "+tries=1", "+time=20", "a.example")
            assert status_of(ran) == "SERVFAIL", (ran, keep.status("work"))
        assert verdict, verdict
        assert not up.asked
        os.kill(job(keep)["pid"], signal.SIGCONT)
        assert status_of(dig(keep, "a.example")) == "NOERROR"


def test_a_question_under_way_is_asked_again_of_the_next_one(lab, proxy, up):
    """Killed in the middle: the client need not know."""
    with Keep(lab, {"work": profile(lab, proxy, UP)}) as keep:
        keep.up("work")
        os.kill(job(keep)["pid"], signal.SIGSTOP)
        asked = keep.exec_start("work", "dig", "+tries=1", "+time=20",
                                "a.example")
        time.sleep(0.3)
        os.kill(job(keep)["pid"], signal.SIGKILL)
        ran = asked.wait(20)
        assert status_of(ran) in ("NOERROR", "SERVFAIL"), ran
        wait_job(keep)
        assert status_of(dig(keep, "a.example")) == "NOERROR"


def test_replaced_on_disk_by_another_it_is_not_run(lab, proxy, up):
    path = program(lab, "#!/bin/sh\nexec %s \"$@\"\n"
                   % lab.neighbour("dnsproxy"))
    with Keep(lab, {"work": profile(lab, proxy, UP, program=path)}) as keep:
        keep.up("work")
        good = f"{path}.good"
        os.rename(path, good)
        with open(path, "w", encoding="ascii") as file:
            file.write(DEBIAN)
        os.chmod(path, 0o755)
        with lab.watch() as verdict:
            os.kill(job(keep)["pid"], signal.SIGKILL)
            got = wait_for(lambda: "Debian" in job(keep)["last_words"]
                           and job(keep), 8)
            assert got, keep.status("work")
            assert failed_at_once(keep)[0] == "SERVFAIL"
            shown = keep("status", "work").out
            assert "Debian's package dnsproxy" in shown, shown
        assert verdict, verdict
        os.rename(good, path)
        wait_job(keep, limit_s=15)
        assert status_of(dig(keep, "a.example")) == "NOERROR"


def test_a_flood_of_its_log_holds_nobody_up(lab, proxy, up):
    path = program(lab, VERSION + f"""
if os.fork() == 0:
    while True: os.write(2, b"flood " * 1000 + bytes(100) + b"\\n")
os.execv("{lab.neighbour("dnsproxy")}", sys.argv)
""")
    with Keep(lab, {"work": profile(lab, proxy, UP, program=path)}) as keep:
        keep.up("work")
        for _ in range(5):
            assert status_of(dig(keep, "a.example")) == "NOERROR"
        assert len(keep("status", "work").out) < 4000
        assert keep("down", "work").rc == 0
    assert wait_for(lambda: not [p for p in pids() if path in words_of(p)])


# --- the processes around it

def test_when_the_minder_dies_all_of_it_does_and_is_replaced(lab, proxy, up):
    with Keep(lab, {"work": profile(lab, proxy, UP)}) as keep:
        keep.up("work")
        old = job(keep)["pid"]
        os.kill(parent_of(parent_of(old)), signal.SIGKILL)
        assert wait_for(lambda: not is_alive(old))
        assert wait_for(lambda: job(keep).get("pid") not in (None, 0, old) and
                        job(keep)["state"] == "running", 8)
        assert status_of(dig(keep, "a.example")) == "NOERROR"


def test_in_a_one_shot_minder_and_worker_are_replaced(lab, proxy, up):
    job_ = lab.sandbox_start(
        ["sh", "-c", "read x; dig +short +tries=8 +time=1 a.example"], proxy,
        opts(lab, UP), stdin=subprocess.PIPE)
    assert wait_for(lambda: pids_of_dnsproxy()), job_.err
    old = pids_of_dnsproxy()[0]
    time.sleep(0.3)
    os.kill(parent_of(parent_of(old)), signal.SIGKILL)
    assert wait_for(lambda: not is_alive(old))
    assert wait_for(lambda: pids_of_dnsproxy(), 5), job_.err
    os.kill(job_.worker_pids()[0], signal.SIGKILL)
    job_.popen.stdin.write(b"\n")
    job_.popen.stdin.close()
    ran = job_.wait(20)
    assert ran.rc == 0 and ran.out == "203.0.113.7\n", ran
    assert wait_for(lambda: not pids_of_dnsproxy())


def test_it_is_held_as_a_program_inside(lab, proxy, up):
    for user in (True, False):
        with Keep(lab, {"work": profile(lab, proxy, UP)}, user=user) as keep:
            keep.up("work")
            pid = job(keep)["pid"]
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                text = file.read()
            assert "CapEff:\t0000000000000000" in text, text
            assert "NoNewPrivs:\t1" in text and "Seccomp:\t2" in text
            assert "Uid:\t0" not in text
            inside = keep.inside("work", "out(os.stat('/proc/self/ns/net')"
                                         ".st_ino)")
            assert os.stat(f"/proc/{pid}/ns/net").st_ino == inside


@pytest.mark.parametrize("user", [True, False], ids=["own", "root"])
def test_a_strict_sandbox_has_it_too(lab, proxy, up, installed, user):
    text = f'chain = {{"{proxy.url()}"}}\nguard = strict\n' \
           f'dns = {{"dnsproxy", "{UP}"}}\n'
    with Keep(lab, {"work": text}, user=user) as keep:
        keep.up("work")
        assert job(keep)["state"] == "running"
        assert status_of(dig(keep, "@9.9.9.9", "a.example")) == "NOERROR"
        os.kill(job(keep)["pid"], signal.SIGKILL)
        assert wait_for(lambda: job(keep)["restarts"] == 1 and
                        job(keep)["state"] == "running", 8)
        assert status_of(dig(keep, "+tcp", "a.example")) == "NOERROR"


def test_what_stays_in_the_background_keeps_it(lab, proxy, up):
    place = lab.scratch()
    ran = lab.sandbox(["sh", "-c", "(sleep 1; dig +short a.example) "
                       f">{place}/said 2>&1 &"], proxy, opts(lab, UP))
    assert ran.rc == 0 and "in the background" in ran.err, ran
    assert pids_of_dnsproxy()

    def said():
        with open(f"{place}/said", encoding="ascii") as file:
            return file.read()
    assert wait_for(said, 8) == "203.0.113.7\n"
    assert wait_for(lambda: not pids_of_dnsproxy(), 5)


def test_many_tcp_clients_do_not_use_it_up(lab, proxy, up):
    got = lab.inside(
        "import struct\n"
        "q = bytes.fromhex('000501000001000000000000'"
        " '0161076578616d706c650000010001')\n"
        "idle = [tcp('8.8.8.8', 53) for _ in range(300)]\n"
        "def ask():\n"
        "    s = tcp('9.9.9.9', 53); s.sendall(struct.pack('!H', len(q)) + q)\n"
        "    return s.recv(500)[5] & 15\n"
        "full = ask()\n"
        "[s.close() for s in idle]\n"
        "time.sleep(0.5)\n"
        "out([full, ask()])", proxy, opts(lab, UP))
    assert got[0] in (0, 2) and got[1] == 0, got


def test_a_namespace_that_is_there_is_refused_it(lab, proxy):
    with Keep(lab, {"work": profile(lab, proxy, UP)}, user=False) as keep:
        ran = keep("attach", "work", "--netns", lab.path("lan"))
        assert ran.rc != 0 and "'dns = dnsproxy'" in ran.err, ran


# --- changes

def test_another_plain_server_is_switched_to_while_it_is_up(lab, proxy, up):
    with Keep(lab, {"work": profile(lab, proxy, UP)}) as keep, \
            ToyDns(lab, host=OTHER,
                   table={("a.example", "A"): ["203.0.113.9"]}) as other:
        keep.up("work")
        pid = job(keep)["pid"]
        assert "203.0.113.7" in dig(keep, "a.example").out
        keep.write({"work": profile(lab, proxy, OTHER)})
        ran = keep("reload")
        assert ran.rc == 0, ran
        assert "203.0.113.9" in dig(keep, "a.example").out
        assert other.asked and job(keep)["pid"] == pid


def test_what_it_is_started_with_asks_for_a_restart(lab, proxy, up):
    with Keep(lab, {"work": profile(lab, proxy, UP)}) as keep:
        keep.up("work")
        for text in (profile(lab, proxy, f"tls://{FAR}"),
                     f'chain = {{"{proxy.url()}"}}\n'):
            keep.write({"work": text})
            ran = keep("reload")
            assert ran.rc != 0 and "'dns (dnsproxy)'" in ran.out, ran
            ran = keep("switch", "work", "work")
            assert ran.rc != 0 and "nsproxy restart work" in ran.err, ran
            assert status_of(dig(keep, "a.example")) == "NOERROR"
        keep.write({"work": profile(lab, proxy, f"tcp://{UP}")})
        assert keep("restart", "work").rc == 0
        assert status_of(dig(keep, "a.example")) == "NOERROR"
        assert up.asked[-1][0] == "tcp"


def test_the_daemon_may_go_and_come_back(lab, proxy, up):
    with Keep(lab, {"work": profile(lab, proxy, UP)}) as keep:
        keep.up("work")
        pid = job(keep)["pid"]
        keep.kill()
        keep.start()
        assert wait_for(lambda: keep.status("work")["state"] == "up", 5)
        assert job(keep)["pid"] == pid
        assert status_of(dig(keep, "a.example")) == "NOERROR"
