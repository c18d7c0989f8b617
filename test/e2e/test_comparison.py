# SPDX-License-Identifier: GPL-3.0-or-later
"""What doc/COMPARISON.md claims about the neighbours, with the real ones.

The page is the expectation: its blocks of commands and rules are what is run
here, and the words in its table are what the wires must show.
"""
import contextlib
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import time

import pytest

from lab import Keep, ToyDns, ToyProxy
from lab.run import wait_for
from lab.world import UID, USER

PAGE = (pathlib.Path(__file__).parents[2] / "doc" / "COMPARISON.md").read_text(
    encoding="utf-8")
WEB = "203.0.113.5"
HOME = "/run/lab/home"
GO = shutil.which("go") or "/usr/local/go/bin/go"
CACHE = str(pathlib.Path(__file__).parents[2] / "build-programs/go-cache")
GOPROG = """package main
import ("fmt"; "io"; "net"; "os")
func main() {
	c, err := net.Dial("tcp", os.Args[1])
	if err != nil { fmt.Println(err); os.Exit(1) }
	c.Write([]byte("ping"))
	got := make([]byte, 4)
	io.ReadFull(c, got)
	fmt.Println(string(got))
}
"""
REDSOCKS = """base { log = "stderr"; daemon = off; redirector = iptables;
  user = nobody; group = nogroup; }
redsocks { local_ip = 127.0.0.1; local_port = 12345; ip = 10.66.0.2;
  port = 1080; type = socks5; }
"""
NSCD = """server-user root
enable-cache hosts yes
persistent hosts no
shared hosts no
enable-cache passwd no
enable-cache group no
enable-cache services no
enable-cache netgroup no
"""
NAT = """table ip nat {
	chain post {
		type nat hook postrouting priority 100;
		ip saddr 10.77.0.0/30 masquerade
	}
}
"""
NO_NAMESPACES = ["unshare", "--map-root-user", "sh", "-c",
                 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"', "-"]
PATHS = "/run/lab/bin:/usr/bin:/usr/sbin"
# What a program says when it worked; a page of the far end's by default.
WANTED = {"go": "ping", "udp": "ping", "helper": "ping", "ping": " 1 received",
          "dig": r"^[\d.]+$", "getent": "name.example",
          "nscd": "STREAM|name.example"}
ANSWERED_INSIDE = ("dig", "getent", "nscd", "ping")


# --- the page

def block(kind):
    """The page's block of this kind: ```kind ... ```"""
    return re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)[1]


def told(kind):
    """{word: command} of a block."""
    lines = [line.split(": ", 1) for line in block(kind).splitlines()]
    return {name.strip(): command.strip() for name, command in lines}


def rows():
    """{row: {neighbour: word}}: the page's first table."""
    head, _, *lines = [line for line in PAGE.splitlines()
                       if line.startswith("| ")]
    names = [cell.strip() for cell in head.strip("|").split("|")[1:]]
    table = {}
    for line in lines:
        first, *cells = [c.strip(" ¹²³") for c in line.strip("|").split("|")]
        row = re.match(r"\*\*(\w+)\*\*", first)[1]
        table[row] = dict(zip(names, cells, strict=True))
    return table


ROWS, COMMANDS, BEFORE = rows(), told("commands"), told("before")


# --- what is needed

@pytest.fixture(scope="module")
def neighbours(world):
    """The lab with everybody's files, users, names and links in it."""
    with open("/etc/hosts", "r+", encoding="ascii") as file:
        hosts = file.read()
        file.write(f"127.0.1.1 {socket.gethostname()}\n")
    with open("/etc/sudoers.d/nsplab", "w", encoding="ascii") as file:
        file.write(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
    world.home_file("proxychains.conf", block("proxychains"))
    for name, text in [("redsocks.conf", REDSOCKS), ("nscd.conf", NSCD)]:
        pathlib.Path(f"/run/lab/{name}").write_text(text, encoding="ascii")
    ip = ["-n inet addr add 198.51.100.53/32 dev eth0", "netns add hand",
          "netns add empty", "-n empty link set lo up",
          "-n host link add hand0 type veth peer name up0 netns hand",
          "-n host addr add 10.77.0.1/30 dev hand0",
          "-n host link set hand0 up", "-n hand link set lo up",
          "-n hand addr add 10.77.0.2/30 dev up0",
          "-n hand link set up0 up",
          "-n hand route add default via 10.77.0.1"]
    for words in ip:
        subprocess.run(["ip", *words.split()], check=True)
    nft(world, NAT)
    with ToyDns(world, host="198.51.100.53",
                table={("name.example", "A"): [WEB]}), \
         ToyDns(world, table={("name.example", "A"): [WEB]}):
        yield world
    nft(world, "delete table ip nat")
    for words in ["-n host link del hand0", "netns del hand",
                  "netns del empty", "-n inet addr del 198.51.100.53/32 "
                  "dev eth0"]:
        subprocess.run(["ip", *words.split()], check=True)
    os.unlink("/etc/sudoers.d/nsplab")
    pathlib.Path("/etc/hosts").write_text(hosts, encoding="ascii")


@pytest.fixture
def lab(neighbours, lab, need):
    for program in ("proxychains4", "torsocks", "firejail", "redsocks",
                    "sudo", "nscd", "socat", "dig", "curl", "nft"):
        need(program)
    return lab


@pytest.fixture(scope="module")
def go_fetch(world):
    if not os.path.exists(GO):
        pytest.fail("go is not installed: tools/install-deps test")
    base = "/run/lab/go"
    os.makedirs(base, exist_ok=True)
    pathlib.Path(f"{base}/fetch.go").write_text(GOPROG, encoding="ascii")
    subprocess.run([GO, "build", "-o", "/run/lab/bin/go-fetch", "fetch.go"],
                   cwd=base, check=True, capture_output=True,
                   env={**os.environ, "CGO_ENABLED": "0",
                        "GOCACHE": CACHE, "GO111MODULE": "off"})


def nft(lab, rules):
    ran = lab.run(["nft", "-f", "-"], input=rules, user=False)
    assert ran.rc == 0, ran


@contextlib.contextmanager
def redirected(lab, rules=block("nft")):
    """The host's TCP goes to redsocks, and by it to the proxy."""
    job = lab.start(["redsocks", "-c", "/run/lab/redsocks.conf"], user=False)
    assert wait_for(lambda: ":12345 " in lab.run(
        ["ss", "-Hltn"], user=False).out), job.ran(None)
    nft(lab, rules)
    try:
        yield job
    finally:
        nft(lab, "delete table inet by_proxy")
        job.kill_family()


@contextlib.contextmanager
def nscd(lab):
    """A name service cache on the host, which has nothing in it yet."""
    job = lab.start(["nscd", "-F", "-f", "/run/lab/nscd.conf"], user=False)
    assert wait_for(lambda: os.path.exists("/run/nscd/socket")), job.ran(None)
    try:
        yield
    finally:
        job.kill_family()
        for name in os.listdir("/run/nscd"):
            os.unlink(f"/run/nscd/{name}")


@contextlib.contextmanager
def helper(lab):
    """A program of the user's that fetches for whoever asks it."""
    path = f"{HOME}/helper"
    job = lab.start(["socat", f"UNIX-LISTEN:{path},fork", f"TCP:{WEB}:7"])
    assert wait_for(lambda: os.path.exists(path)), job.ran(None)
    try:
        yield
    finally:
        job.kill_family()
        if os.path.exists(path):
            os.unlink(path)


# --- a row of the table

def words_for(row, name):
    """The whole command of a cell: (words, who runs it)."""
    words = shlex.split(COMMANDS[row])
    before = [] if name == "redsocks" else shlex.split(BEFORE[name])
    # In a PID namespace, where these tests live, firejail would think that
    # it has been nested, and confine nothing.
    env = {"container": "lxc"} if name == "firejail" else {}
    limits = NO_NAMESPACES if row == "kernel" else []
    return [*limits, *before, *words], {
        "user": name != "ip netns", "timeout": 20,
        "env": {"PATH": PATHS, **env}}


@contextlib.contextmanager
def scene(lab, row, name):
    with contextlib.ExitStack() as stack:
        if name == "redsocks":
            stack.enter_context(redirected(lab))
        if row in ("nscd", "helper"):
            stack.enter_context({"nscd": nscd, "helper": helper}[row](lab))
        if row == "down":
            yield None
        else:
            yield stack.enter_context(ToyProxy(lab))


def word_of(row, ran, proxy, verdict):
    """What happened, in the page's words."""
    asked = proxy and (proxy.log or proxy.udp_log)
    if not verdict:
        assert not verdict.lost, verdict
        return "leaks"
    if row == "refused":         # curl: 7 no connection, 52 and 56 it had one
        lied = {7: asked and "works" or "fails", 52: "lies", 56: "lies"}
        return lied.get(ran.rc, "fails")
    if ran.rc == 0 and re.search(WANTED.get(row, '"at"'), ran.out, re.M):
        assert asked or row in ANSWERED_INSIDE, ran
        return "works"
    return "fails"


def measured(lab, row, name):
    words, how = words_for(row, name)
    with scene(lab, row, name) as proxy, lab.watch(after_s=0.05) as verdict:
        ran = lab.run(words, **how)
    word = word_of(row, ran, proxy, verdict)
    return ("direct" if (name, word) == ("ip netns", "leaks") else word), ran


@pytest.mark.loud            # that is what the page tells
@pytest.mark.parametrize("row", ROWS)
def test_row(lab, row, request):
    if row == "go":
        request.getfixturevalue("go_fetch")
    claimed = {name: word for name, word in ROWS[row].items() if word != "–"}
    assert claimed, row
    seen, runs = {}, {}
    for name in claimed:
        seen[name], runs[name] = measured(lab, row, name)
    assert seen == claimed, "\n".join(
        f"{name}: {runs[name]}" for name in claimed
        if seen[name] != claimed[name])


def test_every_row_has_its_command():
    assert list(COMMANDS) == list(ROWS)
    assert set(BEFORE) | {"redsocks"} == set(ROWS["curl"])


def test_page_names_tests_that_are_here():
    names = re.findall(r"`(test_\w+)`", PAGE)
    here = [*pathlib.Path(__file__).parent.glob("test_*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in here)
    assert names
    assert not [name for name in names if f"def {name}(" not in text]
    for name in re.findall(r"^def (test_\w+)", pathlib.Path(
            __file__).read_text(encoding="utf-8"), re.M):
        if not name.startswith(("test_page", "test_every", "test_row")):
            assert name in names, "each test is on the page"


# --- ip netns

@pytest.mark.row("D01")
@pytest.mark.loud            # nscd asks for it
def test_namespace_without_links_still_asks_nscd(lab, proxy):
    ask = ["getent", "ahosts", "name.example"]
    with nscd(lab), lab.watch() as verdict:
        lab.run(["ip", "netns", "exec", "empty", *ask], user=False)
    assert "inet" in verdict.leaks, verdict
    with nscd(lab), lab.watch() as verdict:
        ran = lab.sandbox(ask, proxy)
    assert ran.rc == 0 and verdict, (ran, verdict)


def test_sudo_and_ip_netns_change_the_program(lab, proxy):
    ask = ["sh", "-c", "id -u; echo $MINE; echo $HOME; echo $LD_LIBRARY_PATH"]
    env = {"MINE": "mine", "LD_LIBRARY_PATH": "/opt/lib"}
    enter = ["ip", "netns", "exec", "empty", *ask]
    alone = lab.run(enter, env=env)
    assert alone.rc != 0 and "not permitted" in alone.err, alone
    sudo = lab.run(["sudo", *enter], env=env)
    assert sudo.out.splitlines() == ["0", "", "/root", ""], sudo
    kept = lab.run(["sudo", "-E", *enter], env=env)
    assert kept.out.splitlines() == ["0", "mine", HOME, ""], kept
    ours = lab.sandbox(ask, proxy, env=env)
    assert ours.out.splitlines() == [str(UID), "mine", HOME, "/opt/lib"], ours


# --- netfilter

def test_redirect_takes_what_runs_already(lab, proxy):
    line = f"echo up; read go; exec busybox wget -q -O - http://{WEB}/"
    job = lab.start(["sh", "-c", line], stdin=subprocess.PIPE)
    assert job.says("up"), job.ran(None)
    with redirected(lab), lab.watch() as verdict:
        job.popen.stdin.write(b"\n")
        job.popen.stdin.close()
        ran = job.wait()
    assert ran.rc == 0 and proxy.asked(WEB, 80) and verdict, (ran, verdict)


def test_redirect_with_a_drop_rule_fails_closed(lab, proxy):
    """Rules can refuse what redsocks cannot carry; nscd's queries, too."""
    rules = block("nft").rstrip().rstrip("}") + """
	chain rest {
		type filter hook output priority 0;
		oifname "lo" accept
		ip daddr 127.0.0.0/8 accept
		meta skuid != nobody reject
	}
}
"""
    env = {"PATH": PATHS}
    with redirected(lab, rules), nscd(lab), lab.watch() as verdict:
        web = lab.run(shlex.split(COMMANDS["static"]), env=env)
        rest = {row: lab.run(shlex.split(COMMANDS[row]), env=env)
                for row in ("udp", "ipv6", "nscd", "ping")}
    assert web.rc == 0 and verdict, (web, verdict)
    for row, ran in rest.items():
        assert not re.search(WANTED.get(row, '"at"'), ran.out), ran


@pytest.mark.loud            # the control
def test_killed_redsocks_fails_closed(lab, proxy):
    ask = ["curl", "-sS", "-m", "5", f"http://{WEB}/"]
    with redirected(lab) as job:
        assert lab.run(ask).rc == 0 and proxy.asked(WEB, 80)
        job.kill_family()
        with lab.watch() as verdict:
            ran = lab.run(ask)
    assert ran.rc == 7 and verdict, (ran, verdict)


# --- torsocks

def test_torsocks_takes_onion_names_and_logins(lab):
    onion = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"
    code = ("import socket; s = socket.create_connection(('%s', 7), 5);"
            "s.send(b'x'); print(s.recv(3))" % onion)
    with ToyProxy(lab, auth=("joe", "word")) as proxy:
        ran = lab.run(["torsocks", "-a", "10.66.0.2", "-P", "1080", "-u",
                       "joe", "-p", "word", "/usr/bin/python3", "-c", code])
        ours = lab.sandbox(["/usr/bin/python3", "-c", code],
                           proxy.url(auth=("joe", "word")))
    assert ran.rc == ours.rc == 0, (ran, ours)
    assert [(a.host, a.user) for a in proxy.log] == [(onion, "joe")] * 2


# --- firejail

def test_firejail_hides_files_in_a_named_sandbox(lab, proxy):
    """Each does its own part: the network is nsproxy's, files firejail's."""
    secret = lab.home_file("secret", "hidden\n")
    line = f"cat {secret}; exec busybox wget -q -O - http://{WEB}/"
    with Keep(lab, {"work": f'chain = {{"{proxy.url()}"}}'},
              user=False) as keep:
        keep.up("work")
        bare = keep.exec("work", "sh", "-c", line)
        both = lab.run(["firejail", "--quiet", "--noprofile", "--netns=work",
                        f"--blacklist={secret}", "sh", "-c", line],
                       user=False, env={"container": "lxc"})
    assert "hidden" in bare.out and '"at"' in bare.out, bare
    assert "hidden" not in both.out and '"at"' in both.out, both
    assert len(proxy.asked(WEB, 80)) == 2, proxy.log


@pytest.mark.loud            # it goes out directly
def test_firejail_in_a_pid_namespace_confines_nothing(lab):
    with lab.watch() as verdict:
        ran = lab.run(["firejail", "--noprofile", "--net=none", "curl", "-sS",
                       f"http://{WEB}/"])
    assert "existing sandbox" in ran.err and "inet" in verdict.leaks, ran


# --- what a sandbox costs

def quickest(lab, words, rounds=15):
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        assert lab.run(words, env={"PATH": PATHS}).rc == 0
        times.append(time.monotonic() - began)
    return min(times)


@pytest.mark.alone
def test_preloading_starts_quicker(lab, proxy):
    ours = quickest(lab, [*shlex.split(BEFORE["nsproxy"]), "true"])
    theirs = quickest(lab, [*shlex.split(BEFORE["proxychains4"]), "true"])
    assert theirs < ours, (theirs, ours)
