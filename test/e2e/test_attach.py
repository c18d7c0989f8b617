# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces that others made get a profile's way out, and no other."""
import json
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from lab import Keep, chain
from lab.run import PYTHON, is_alive, wait_for

NETNS = "attached"
REACH = "out(connect_err('named.example', 80, 5))"


@pytest.fixture
def root_keep(lab, proxy):
    with Keep(lab, {"work": chain(proxy)}, user=False) as one:
        yield one


class Own:
    """A network namespace of the user's, with a process that lives in it."""

    def __init__(self, lab):
        self.lab = lab
        self.job = lab.start(["unshare", "-rn", "--", "sleep", "1000"])
        assert wait_for(self._is_ready), self.job.ran(None)

    def _is_ready(self):
        return os.readlink(f"/proc/{self.pid}/ns/net") != \
            os.readlink("/proc/self/ns/net") and \
            "sleep" in open(f"/proc/{self.pid}/comm", encoding="ascii").read()

    @property
    def pid(self):
        return self.job.pid

    @property
    def words(self):
        return ["--pid", self.pid]

    def inside(self, code):
        return self.lab.spoken(self.lab.run(
            ["nsenter", "-t", self.pid, "-U", "-n", "--preserve-credentials",
             "--", PYTHON, "-c", "from inside import *\n" + code]))

    def sh(self, line):
        return self.lab.run(
            ["nsenter", "-t", self.pid, "-U", "-n", "--preserve-credentials",
             "--", "sh", "-c", line])


class Held(Own):
    """The namespace of another one, for after its process."""

    def __init__(self, own):         # pylint: disable=super-init-not-called
        self.lab = own.lab
        self.job = own.lab.start(
            ["nsenter", "-t", own.pid, "-U", "-n", "--preserve-credentials",
             "--", "sleep", "1001"])
        assert wait_for(lambda: os.readlink(f"/proc/{self.pid}/ns/net") ==
                        os.readlink(f"/proc/{own.pid}/ns/net"))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.job.kill_family()


class Named:
    """One that root made by ip(8)."""

    def __init__(self, lab):
        self.lab = lab
        subprocess.run(["ip", "netns", "add", NETNS], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        subprocess.run(["ip", "netns", "del", NETNS], check=True)

    words = ["--netns", f"/run/netns/{NETNS}"]

    def inside(self, code):
        return self.lab.spoken(self.lab.run(
            [PYTHON, "-c", "from inside import *\n" + code], user=False,
            place=NETNS))

    def sh(self, line):
        return self.lab.run(["sh", "-c", line], user=False, place=NETNS)


@pytest.fixture
def own(lab):
    return Own(lab)


@pytest.fixture
def named(lab):
    with Named(lab) as one:
        yield one


@pytest.fixture(params=["user", "root"])
def pair(request):
    """A daemon, and a namespace that it may be asked to attach."""
    if request.param == "user":
        return (request.getfixturevalue("keep"),
                request.getfixturevalue("own"))
    return (request.getfixturevalue("root_keep"),
            request.getfixturevalue("named"))


def attach(keep, *words, name="work"):
    ran = keep("attach", "work", *words)
    assert ran.rc == 0 and ran.out == ran.err == "", ran
    return keep.status(name)


def refused(ran, *texts):
    assert ran.rc == 1 and ran.out == "", ran
    for text in texts:
        assert text in ran.err, ran
    assert len(ran.err.strip().splitlines()) <= 2, ran


def names_of(keep):
    """All that the daemon has."""
    with keep.call() as sock:
        said = keep.ask(sock, "org.nsproxy.List")
    return [box["name"] for box in said["parameters"]["sandboxes"]]


# --- what it gives

@pytest.mark.smoke
def test_attached_reaches_out_by_name_through_the_proxy(pair, proxy):
    keep, place = pair
    assert place.inside(REACH)[0] != "OK"
    box = attach(keep, *place.words)
    assert box["state"] == "up" and box["attached"] and box["worker"] > 0, box
    said = place.inside(REACH)
    assert said[0] == "OK", said
    assert proxy.asked("named.example", 80)
    assert "work" in keep("list").out
    assert "up, attached" in keep("list").out
    assert box["dns"] == "198.18.0.2"
    said = keep("status", "work").out
    assert "\ndns        198.18.0.2\n" in said, said
    assert "\nattached   until " in said, said


@pytest.mark.parametrize("server", ["9.9.9.9", "127.0.0.1", "127.0.0.53",
                                    "198.18.0.2", "2001:db8::53", "::1"])
@pytest.mark.parametrize("how", ["+notcp", "+tcp"])
def test_port_53_answers_whatever_server_is_asked(keep, own, server, how):
    attach(keep, *own.words)
    ran = own.sh(f"dig +short +tries=1 +time=3 {how} @{server} named.example")
    assert ran.rc == 0 and ran.out.startswith(
        ("198.18.", "198.19.")), ran


def test_root_may_attach_a_users_namespace(root_keep, own):
    attach(root_keep, *own.words)
    assert own.inside(REACH)[0] == "OK"
    assert root_keep("detach", "work").rc == 0
    assert own.inside(REACH)[0] != "OK"


def test_attached_may_have_another_name(keep, own):
    attach(keep, *own.words, "--name", "box", name="box")
    assert names_of(keep) == ["box"]
    assert own.inside(REACH)[0] == "OK"


def test_killed_worker_is_replaced(pair):
    keep, place = pair
    box = attach(keep, *place.words)
    os.kill(box["worker"], signal.SIGKILL)
    assert wait_for(lambda: keep.status("work")["worker"] not in
                    (0, box["worker"]) and
                    keep.status("work")["state"] == "up")
    assert keep.status("work")["keeper"] == box["keeper"]
    assert place.inside(REACH)[0] == "OK"


def test_next_daemon_adopts_it(pair):
    keep, place = pair
    box = attach(keep, *place.words)
    keep.kill()
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    assert keep.status("work")["keeper"] == box["keeper"]
    assert keep.status("work")["attached"]
    assert place.inside(REACH)[0] == "OK"
    os.kill(keep.status("work")["worker"], signal.SIGKILL)
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    assert place.inside(REACH)[0] == "OK"


# --- how it ends

@pytest.mark.smoke
def test_detached_reaches_nothing_and_attaches_again(pair):
    keep, place = pair
    for _ in range(3):
        box = attach(keep, *place.words)
        assert place.inside(REACH)[0] == "OK"
        assert keep("detach", "work").rc == 0
        assert not is_alive(box["keeper"]) and not is_alive(box["worker"])
        assert "nsp0" not in place.sh("ip link").out
        assert place.inside(
            "out(connect_err('203.0.113.5', 80, 3))")[0] != "OK"
        assert names_of(keep) == []
    assert os.listdir(keep.boxes) == []


LOOK = """
for v in -4 -6; do ip $v rule; ip $v route show table all; done
ip addr | sed 's/ qdisc [a-z]*//'
nft list ruleset
find /proc/sys/net -type f -perm /400 ! -name '*stable_secret' | sort |
	while read -r f; do echo "$f: $(cat "$f" 2>&1)"; done
"""


def look(place):
    """All there is to see of its network; lo's queue comes with its first
    use."""
    said = place.sh(LOOK).out
    assert "/proc/sys/net/ipv4/tcp_syn_retries: " in said, said
    return said.splitlines()


SETTINGS = {"ipv4/ip_forward": "1", "ipv4/conf/lo/forwarding": "0",
            "ipv4/conf/all/rp_filter": "2", "ipv4/tcp_syn_retries": "7",
            "ipv4/conf/all/accept_redirects": "1",
            "ipv6/conf/all/forwarding": "1",
            "ipv6/conf/default/forwarding": "0",
            "ipv6/conf/all/disable_ipv6": "1",
            "ipv6/conf/lo/disable_ipv6": "0"}


@pytest.mark.parametrize("shape", ["new", "lo up", "settings"])
def test_detach_leaves_all_as_it_was(pair, shape):
    keep, place = pair
    if shape != "new":
        assert place.sh("ip link set lo up").rc == 0
    if shape == "settings":
        for path, value in SETTINGS.items():
            ran = place.sh(f"echo {value} >/proc/sys/net/{path}")
            assert ran.rc == 0, ran
        place.sh("nft add table inet theirs; ip rule add pref 77 table 7;"
                 "ip addr add 10.9.8.7/32 dev lo")
    before = look(place)
    attach(keep, *place.words)
    during = look(place)
    assert place.inside(REACH)[0] == "OK"
    assert len(set(during) - set(before)) > 20, during
    # Networks may be behind it, for which a short queue is a slow one.
    assert [line for line in before if "/tcp_rmem: " in line][0] in during
    assert keep("detach", "work").rc == 0
    assert look(place) == before


def test_stop_detaches(pair):
    keep, place = pair
    before = place.sh("ip rule").out
    box = attach(keep, *place.words)
    assert keep("stop").rc == 0
    assert not is_alive(box["keeper"]) and not is_alive(box["worker"])
    assert place.sh("ip rule").out == before
    assert "nsp0" not in place.sh("ip link").out


def test_stopped_keeper_is_detached_all_the_same(keep, own):
    box = attach(keep, *own.words)
    os.kill(box["keeper"], signal.SIGSTOP)
    assert keep("detach", "work").rc == 0
    assert not is_alive(box["keeper"])
    assert "nsp0" not in own.sh("ip link").out
    attach(keep, *own.words)
    assert own.inside(REACH)[0] == "OK"


def test_killed_while_it_is_attached_leaves_nothing_in_the_way(keep, own):
    for wait_s in (0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04):
        job = keep.lab.start([keep.lab.nsproxy_path, "attach", "work",
                              *own.words], env=keep.env())
        time.sleep(0.02 + wait_s)
        keep.kill()
        job.popen.wait(10)
        keep.start()
        keep("detach", "work")
        assert wait_for(lambda: names_of(keep) == [])
    assert wait_for(lambda: "nsp0" not in own.sh("ip link").out)
    attach(keep, *own.words)
    assert own.inside(REACH)[0] == "OK"


def test_detach_leaves_the_name_that_ip_gave(root_keep, named):
    assert root_keep("attach", "work", *named.words, "--name",
                     NETNS).rc == 0
    assert root_keep("detach", NETNS).rc == 0
    assert os.path.exists(f"/run/netns/{NETNS}")
    assert named.sh("true").rc == 0


MATRIX = ["keeper", "worker keeper", "keeper worker", "daemon keeper",
          "keeper daemon", "worker keeper daemon"]


@pytest.mark.parametrize("who", MATRIX)
def test_killed_keeper_fails_closed_and_is_struck_off(pair, who):
    keep, place = pair
    rules = place.sh("ip -4 rule; ip -6 rule; nft list ruleset").out
    box = attach(keep, *place.words)
    for one in who.split():
        os.kill(box.get(one, keep.job.pid), signal.SIGKILL)
    if "daemon" in who:
        keep.job.popen.wait(10)
        keep.start()
    assert wait_for(lambda: names_of(keep) == [])
    assert wait_for(lambda: not is_alive(box["worker"]))
    assert wait_for(lambda: "nsp0" not in place.sh("ip link").out)
    for family in ("203.0.113.5", "2001:db8:1::80"):
        for work in ("connect_err", "udp_err"):
            assert place.inside(
                "def udp_err(host, port, _t):\n"
                "    family = socket.AF_INET6 if ':' in host else "
                "socket.AF_INET\n"
                "    with socket.socket(family, socket.SOCK_DGRAM) as s:\n"
                "        return err(s.sendto, b'x', (host, port))\n"
                f"out({work}('{family}', 80, 3))")[0] != "OK"
    assert os.listdir(keep.boxes) == []
    attach(keep, *place.words)
    assert place.inside(REACH)[0] == "OK"
    assert keep("detach", "work").rc == 0
    assert place.sh("ip -4 rule; ip -6 rule; nft list ruleset").out == rules


def test_it_is_never_written_down(keep, own):
    attach(keep, *own.words)
    keep.up("other")
    with open(keep.state, encoding="utf-8") as file:
        text = file.read()
    assert "other" in text and "work" not in text, text


def test_keeper_that_dies_without_daemon_is_not_built_anew(keep, own):
    box = attach(keep, *own.words)
    keep.kill()
    os.kill(box["keeper"], signal.SIGKILL)
    keep.start()
    assert wait_for(lambda: names_of(keep) == [])
    assert os.listdir(keep.boxes) == []


# --- a process with whose end it ends

def test_it_ends_with_the_process_it_was_named_by(keep, own):
    before = own.sh(LOOK).out
    box = attach(keep, *own.words)
    assert box["leader"] == own.pid
    assert f"until process {own.pid} ends" in keep("status", "work").out
    with Held(own) as held:
        os.kill(own.pid, signal.SIGKILL)
        assert wait_for(lambda: names_of(keep) == [])
        assert not is_alive(box["keeper"])
        assert wait_for(lambda: not is_alive(box["worker"]))
        assert held.sh(LOOK).out == before
    assert os.listdir(keep.boxes) == []
    assert f"process {own.pid} has ended" in keep.job.err


@pytest.mark.parametrize("when", ["before", "after"])
def test_it_ends_so_with_another_daemon_and_with_none(keep, own, when):
    box = attach(keep, *own.words)
    keep.kill()
    if when == "before":
        os.kill(own.pid, signal.SIGKILL)
        assert wait_for(lambda: not is_alive(box["keeper"]))
        assert wait_for(lambda: not is_alive(box["worker"]))
    keep.start()
    if when == "after":
        assert wait_for(lambda: keep.status("work")["state"] == "up")
        assert keep.status("work")["leader"] == own.pid
        os.kill(own.pid, signal.SIGKILL)
    assert wait_for(lambda: names_of(keep) == [])
    assert not is_alive(box["keeper"]) and os.listdir(keep.boxes) == []


def test_one_named_by_path_stays_while_its_processes_come_and_go(
        root_keep, named):
    attach(root_keep, *named.words)
    assert named.inside(REACH)[0] == "OK"
    time.sleep(0.3)
    assert root_keep.status("work")["state"] == "up"
    assert root_keep.status("work")["leader"] == 0
    assert named.inside(REACH)[0] == "OK"
    assert "until 'nsproxy detach work'" in root_keep("status", "work").out


# --- what is refused

def test_failed_attach_leaves_all_as_it_was(pair):
    keep, place = pair
    assert place.sh("ip link set lo up && ip route add default dev lo").rc == 0
    before = look(place)
    refused(keep("attach", "work", *place.words), "default route")
    assert look(place) == before
    assert names_of(keep) == []


def test_exec_is_refused(keep, own):
    attach(keep, *own.words)
    ran = keep.exec("work", "true")
    assert ran.rc == 125 and "nsenter" in ran.err, ran


def test_restart_is_refused(keep, own):
    box = attach(keep, *own.words)
    refused(keep("restart", "work"), "attach it again")
    assert keep.status("work")["keeper"] == box["keeper"]


@pytest.mark.row("U13")
def test_hosts_namespace_is_refused(pair):
    keep, _ = pair
    job = keep.lab.start(["sleep", "100"], user=keep.user)
    assert wait_for(lambda: os.readlink(f"/proc/{job.pid}/ns/net") ==
                    os.readlink(f"/proc/{keep.job.pid}/ns/net"))
    refused(keep("attach", "work", "--pid", job.pid), "host's")
    assert names_of(keep) == []


@pytest.mark.row("U13")
def test_another_users_namespace_is_refused(keep, named):
    refused(keep("attach", "work", *named.words), "user 0's")


def test_other_user_of_roots_daemon_may_not_attach(root_keep, own):
    ran = root_keep("--system", "attach", "work", *own.words, user=True)
    assert ran.rc == 5, ran


def test_name_server_inside_is_refused_and_goes_on(keep, own):
    assert own.sh("ip link set lo up").rc == 0
    job = keep.lab.start(
        ["nsenter", "-t", own.pid, "-U", "-n", "--preserve-credentials", "--",
         PYTHON, "-c", "import socket, time\ns = socket.socket(2, 2)\n"
         "s.bind(('', 53))\nprint('ready', flush=True)\ntime.sleep(100)"])
    assert wait_for(lambda: "ready" in job.out), job.ran(None)
    before = look(own)
    refused(keep("attach", "work", *own.words), "port 53")
    assert look(own) == before
    assert job.popen.poll() is None


@pytest.mark.parametrize("link", ["eth7", "nsp0"])
def test_another_way_out_is_refused(keep, own, link):
    assert own.sh(f"ip link add {link} type veth peer name far0").rc == 0
    if link != "nsp0":
        assert own.sh(f"ip link set {link} up").rc == 0
    before = own.sh("ip rule; ip link").out
    refused(keep("attach", "work", *own.words), link)
    assert own.sh("ip rule; ip link").out == before
    assert names_of(keep) == []


def test_attached_one_is_refused_a_second_time(keep, own):
    attach(keep, *own.words)
    refused(keep("attach", "work", *own.words), "already")
    refused(keep("attach", "work", *own.words, "--name", "two"), "nsp0")
    assert own.inside(REACH)[0] == "OK"


@pytest.mark.row("U12")
def test_other_files_are_refused(keep, own):
    for path in ("/etc/hosts", "/dev/null", f"/proc/{own.pid}/ns/mnt",
                 f"/proc/{own.pid}/ns/user"):
        refused(keep("attach", "work", "--netns", path),
                "no network namespace")
    refused(keep("attach", "work", "--netns", "/nowhere"), "/nowhere")
    refused(keep("attach", "work", "--pid", "4000000"), "4000000")


def test_profile_with_helpers_is_refused(lab, proxy, own):
    text = chain(proxy, 'helper "one" { command = {"/bin/sleep", "9"} }')
    with Keep(lab, {"work": text}) as keep:
        ran = keep("attach", "work", *own.words)
        refused(ran, "helpers")


def test_misuse_has_a_status_of_its_own(keep, own):
    for words in ([], ["work"], ["work", *own.words, "--netns", "/x"],
                  ["a", "b", *own.words], ["work", "--pid", "x"]):
        ran = keep("attach", *words)
        assert ran.rc == 2 and ran.err, ran
    assert keep("detach").rc == 2
    ran = keep("attach", "missing", *own.words)
    assert ran.rc == 4 and "missing" in ran.err, ran


def call_with(sock, fds, method="org.nsproxy.Attach", **parameters):
    call = json.dumps({"method": method, "parameters": parameters})
    sock.sendmsg([call.encode() + b"\0"],
                 [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                   struct.pack(f"{len(fds)}i", *fds))])
    return Keep.hear(sock)


def test_no_fd_stays_after_refused_calls(keep, own):
    keep.up("other")
    count = keep.fds()
    net = os.open(f"/proc/{own.pid}/ns/net", os.O_RDONLY)
    null = os.open("/dev/null", os.O_RDONLY)
    me = os.pidfd_open(os.getpid())
    with keep.call() as sock:
        for _ in range(50):
            said = call_with(sock, [null], name="work")
            assert said["error"] == "org.nsproxy.Failed", said
            for fds in ([net, net], [net, null], [null, me], [me, net],
                        [net, me, me], [net] * 8):
                said = call_with(sock, fds, name="work")
                assert said["error"] == "org.nsproxy.Failed", said
            said = call_with(sock, [net], name="other")
            assert said["error"] == "org.nsproxy.Busy", said
            said = call_with(sock, [net], "org.nsproxy.List")
            assert "error" not in said, said
            said = keep.ask(sock, "org.nsproxy.Attach", name="work")
            assert said["error"] == "org.nsproxy.Failed", said
        assert wait_for(lambda: keep.fds() <= count + 1), \
            (keep.fds(), count)
    for fds in ([net] * 9, [null] * 200):
        with keep.call() as sock:
            assert call_with(sock, fds, name="work") is None
    assert wait_for(lambda: keep.fds() <= count)
    for fd in (net, null, me):
        os.close(fd)
