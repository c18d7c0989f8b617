# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon as a service: real units under a real systemd, in a machine that
is booted for each test."""
import json
import os
import time

import pytest

from lab import Machine
from lab.run import PYTHON, wait_for

FAR = "203.0.113.5"
CAPS = ("SYS_ADMIN", "NET_ADMIN", "NET_BIND_SERVICE", "SETUID", "SETGID",
        "SETPCAP", "KILL")


def profile(proxy, name="work", more="autostart = true"):
    return (f'profile "{name}" {{\n chain = {{"{proxy.url()}"}}\n'
            f' {more}\n}}\n')


@pytest.fixture
def box(lab, proxy):
    """Booted, with its service enabled and one sandbox to keep."""
    with Machine(lab, profile(proxy)) as machine:
        yield machine


def status(box, name="work", **how):
    said = box("nsproxy", "status", "--json", name, **how)
    assert said.rc in (0, 3), f"{said}\n{box.journal()}"
    return json.loads(said.out)["sandboxes"][0]


def python(code):
    return PYTHON, "-c", "from inside import *\n" + code


def outside_pid(box, pid):
    """A process of the machine's, by the number it has out here."""
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/status", encoding="ascii") as file:
                line = next(x for x in file if x.startswith("NSpid:"))
            if line.split()[-1] == str(pid) and len(line.split()) > 2 and \
                    os.readlink(f"/proc/{entry}/ns/pid") == \
                    os.readlink(f"/proc/{box.leader}/ns/pid"):
                return int(entry)
        except (OSError, StopIteration, UnicodeDecodeError):
            pass
    raise AssertionError(f"no process {pid} in the machine")


# --- its life

def test_boot_brings_the_service_and_its_sandbox_up(box):
    assert box.show("ActiveState") == "active", box.journal()
    assert box.good("nsproxy", "exec", "work", "--", "cat",
                    "/proc/net/dev").count("nsp0") == 1
    assert wait_for(lambda: box.show("StatusText") == "1 sandbox up")
    assert box.good("systemctl", "--failed", "--no-legend") == ""
    said = box.journal("-u", "nsproxy")
    assert "listening at /run/nsproxy/ctl.sock" in said, said
    assert "sandbox 'work': is up" in said, said
    # As others see it.
    assert box.good("stat", "-c", "%a %U", "/run/nsproxy",
                    "/run/nsproxy/ctl.sock", "/var/lib/nsproxy",
                    "/var/lib/nsproxy/state.json").split("\n") == [
        "755 root", "666 root", "700 root", "600 root"]


def test_units_are_sound(box):
    units = ["nsproxy.service", "nsproxy.socket", "nsproxy@work.service"]
    ran = box("systemd-analyze", "verify", "--man=no", *units)
    assert ran.rc == 0 and ran.out == ran.err == "", ran
    assert "nsproxy:x:" in box.good(
        "sh", "-c", "systemd-sysusers && getent group nsproxy")


def test_a_broken_unit_would_be_noticed(box):
    box.drop_in("[Service]\nWatchdogSec=soon\n")
    ran = box("systemd-analyze", "verify", "--man=no", "nsproxy.service")
    assert "Failed to parse" in ran.err, ran


def test_first_call_starts_the_daemon(lab, proxy):
    with Machine(lab, profile(proxy), enable=["nsproxy.socket"]) as box:
        assert box.show("MainPID") == "0", "nobody has asked yet"
        place = box.good("stat", "-c", "%i", "/run/nsproxy/ctl.sock")
        assert "work" in box.good("nsproxy", "list")
        first = box.show("MainPID")
        assert first != "0" and box.show("ActiveState") == "active"
        box.good("nsproxy", "exec", "work", "--", "true")
        # Who is inside stands elsewhere than the listener.
        ran = box("nsproxy", "exec", "work", "--", "nsproxy", "list")
        assert ran.rc not in (0, 126, 127), ran
        # The listener is systemd's: it stays, and starts the next one.
        box.good("systemctl", "stop", "nsproxy.service")
        assert box.good("stat", "-c", "%i", "/run/nsproxy/ctl.sock") == place
        assert box.show("MainPID") == "0"
        assert "work" in box.good("nsproxy", "list")
        assert box.show("MainPID") not in ("0", first)


def test_nothing_of_the_managers_reaches_children(lab, proxy):
    with Machine(lab, profile(proxy), enable=["nsproxy.socket"]) as box:
        box.good("nsproxy", "exec", "work", "--", "true")
        one = status(box)
        for pid in (one["keeper"], one["worker"]):
            seen = outside_pid(box, pid)
            with open(f"/proc/{seen}/environ", "rb") as file:
                env = file.read()
            assert env, "it has an environment, which can be read"
            for name in (b"NOTIFY_SOCKET", b"WATCHDOG_", b"LISTEN_"):
                assert name not in env, (pid, name, env)
            names = [os.readlink(f"/proc/{seen}/fd/{fd}")
                     for fd in os.listdir(f"/proc/{seen}/fd")]
            listener = box.good("sh", "-c",
                                "readlink /proc/$(systemctl show -P MainPID "
                                "nsproxy.service)/fd/3")
            assert listener.startswith("socket:") and listener not in names


@pytest.mark.row("K14")
def test_restart_keeps_namespace_and_open_flow(box, lab):
    job = box.start("nsproxy", "exec", "work", "--", *python(f"""
s = tcp('{FAR}', 7)
for word in sys.stdin:
    s.sendall(word.encode()); print(s.recv(99).decode(), end='', flush=True)
"""), stdin=-1)
    stdin = job.popen.stdin
    stdin.write(b"one\n")
    stdin.flush()
    assert job.says("one"), job.ran(None)
    before, daemon = status(box), box.show("MainPID")
    box.good("systemctl", "restart", "nsproxy.service")
    assert box.show("MainPID") not in ("0", daemon)
    stdin.write(b"two\n")
    stdin.flush()
    assert job.says("two"), job.ran(None)
    assert wait_for(lambda: status(box)["state"] == "up")
    after = status(box)
    for what in ("netns", "keeper", "worker"):
        assert before[what] == after[what], (before, after)
    assert f"{after['netns']}" == box.good("stat", "-Lc", "%i",
                                           "/run/netns/work")
    # Also when it is gone for a while.
    box.good("systemctl", "stop", "nsproxy.service", "nsproxy.socket")
    stdin.write(b"three\n")
    stdin.flush()
    assert job.says("three"), job.ran(None)
    stdin.close()
    assert job.wait().rc == 0


def test_reload_does_not_fail(box):
    daemon = box.show("MainPID")
    box.good("systemctl", "reload", "nsproxy.service")
    assert box.show("ActiveState") == "active"
    assert box.show("MainPID") == daemon
    box.good("nsproxy", "exec", "work", "--", "true")


def test_stop_verb_ends_the_service_well(box):
    box.good("nsproxy", "exec", "work", "--", "true")
    box.good("nsproxy", "stop")
    assert wait_for(lambda: box.show("ActiveState") == "inactive")
    assert box.show("Result") == "success"
    assert box.show("NRestarts") == "0"
    assert box("pgrep", "-f", "@keeper|@worker").rc == 1
    assert box.good("ls", "/run/netns") == ""


@pytest.mark.row("K20")
def test_second_daemon_is_refused(box):
    ran = box("nsproxy", "daemon")
    assert ran.rc == 1 and "a daemon runs already" in ran.err, ran
    ran = box("nsproxy", "daemon", "--background")
    assert ran.rc == 1 and "a daemon runs already" in ran.err, ran


# --- when it hangs or dies

@pytest.mark.alone
def test_watchdog_ends_a_hung_daemon_and_no_other(box):
    before = status(box)
    box.drop_in("[Service]\nWatchdogSec=1s\n")
    box.good("systemctl", "restart", "nsproxy.service")
    daemon = box.show("MainPID")
    time.sleep(2.2)
    assert box.show("MainPID") == daemon, "it answers its watchdog"
    box.good("kill", "-STOP", daemon)
    assert wait_for(lambda: box.show("NRestarts") == "1", 10, 0.1)
    assert wait_for(lambda: box.show("ActiveState") == "active", 10)
    assert box.show("MainPID") not in ("0", daemon)
    assert "watchdog" in box.journal().lower()
    assert wait_for(lambda: status(box)["state"] == "up")
    assert status(box)["netns"] == before["netns"]


def test_killed_daemon_comes_back_to_its_sandboxes(box):
    box.good("nsproxy", "exec", "work", "--", "true")
    before = status(box)
    box.good("kill", "-KILL", box.show("MainPID"))
    assert wait_for(lambda: box.show("NRestarts") == "1", 10)
    # The socket was there all the time: a caller waits and is served.
    box.good("nsproxy", "exec", "work", "--", "true")
    assert status(box)["netns"] == before["netns"]


def test_etc_may_be_read_only(lab, proxy):
    def tell(root):
        path = f"{root}/etc/systemd/system/readonly.service"
        with open(path, "w", encoding="ascii") as file:
            file.write("[Unit]\nBefore=nsproxy.service nsproxy.socket\n"
                       "DefaultDependencies=no\n[Service]\nType=oneshot\n"
                       "ExecStart=mount --bind -o ro /etc /etc\n"
                       "[Install]\nRequiredBy=nsproxy.service\n")
    with Machine(lab, profile(proxy), before=tell,
                 enable=["nsproxy.service"]) as box:
        box.good("systemctl", "start", "readonly.service")
        assert box("touch", "/etc/x").rc != 0, "it is read-only"
        box.good("systemctl", "restart", "nsproxy.service")
        box.good("nsproxy", "restart", "work")
        box.good("nsproxy", "exec", "work", "--", "true")


# --- who else sees its sandboxes

def test_others_enter_by_name_and_are_proxied(box, proxy):
    box.good("nsproxy", "exec", "work", "--", "true")
    code = python(f"s = tcp('{FAR}', 7); s.sendall(b'hi'); "
                  "print(s.recv(9).decode())")
    assert box.good("ip", "netns", "exec", "work", *code) == "hi"
    unit = ["systemd-run", "--quiet", "--wait", "--pipe", "--setenv",
            "PYTHONPATH=/opt/lab", "-p", "NetworkNamespacePath=/run/netns/work"]
    asked = len(proxy.log)
    assert box.good(*unit, *code) == "hi"
    assert len(proxy.log) > asked, "it went by the proxy"
    assert "nsp0" in box.good(*unit, "cat", "/proc/net/dev")
    # Without the sandbox there is no network and no start.
    box.good("nsproxy", "down", "work")
    ran = box(*unit, "touch", "/tmp/it-ran")
    assert ran.rc == 225, f"NETWORK, systemd.exec(5): {ran}"
    assert not box("test", "-e", "/tmp/it-ran").rc == 0


def test_unit_lives_and_dies_with_its_sandbox(lab, proxy):
    with Machine(lab, profile(proxy, more=""),
                 enable=["nsproxy.socket"]) as box:
        box.write_live("/run/systemd/system/app.service", """
[Unit]
BindsTo=nsproxy@work.service
After=nsproxy@work.service
[Service]
NetworkNamespacePath=/run/netns/work
ExecStart=sleep 1000
""")
        box.good("systemctl", "daemon-reload")
        box.good("systemctl", "start", "app.service")
        pid = box.show("MainPID", "app.service")
        assert box.good("stat", "-Lc", "%i", f"/proc/{pid}/ns/net") == \
            str(status(box)["netns"])
        box.good("systemctl", "restart", "nsproxy.service")
        assert box.show("MainPID", "app.service") == pid
        box.good("systemctl", "stop", "nsproxy@work.service")
        assert box.show("ActiveState", "app.service") == "inactive"
        assert status(box)["state"] == "down"


# --- its armour

@pytest.mark.row("S07")
def test_armour_leaves_pins_visible_and_is_measured(box, record_property):
    daemon = box.show("MainPID")
    assert box.good("readlink", f"/proc/{daemon}/ns/mnt") == \
        box.good("readlink", "/proc/1/ns/mnt"), "no mounts of its own"
    said = box.good("systemd-analyze", "security", "nsproxy.service")
    score = float(said.rsplit("nsproxy.service:", 1)[1].split()[0])
    record_property("systemd_analyze_security", score)
    assert score <= 5.4, said
    facts = dict(line.split(":\t") for line in box.good(
        "cat", f"/proc/{daemon}/status").splitlines() if ":\t" in line)
    assert facts["NoNewPrivs"] == "1" and facts["Seccomp"] == "2"
    # Below 0 needs CAP_SYS_RESOURCE, which a virtual machine's root may lack.
    with open(f"/proc/{box.leader}/status", encoding="ascii") as file:
        caps = next(x for x in file if x.startswith("CapEff:")).split()[1]
    may = int(caps, 16) >> 24 & 1
    assert box.good("cat", f"/proc/{daemon}/oom_score_adj") == \
        ("-900" if may else "0")
    assert box.show("OOMScoreAdjust") == "-900"


def test_armour_does_not_loosen_a_worker(lab, proxy):
    more = 'autostart = true\n publish = {"127.0.0.1:81:8080"}'
    with Machine(lab, profile(proxy, more=more)) as box:
        box.good("nsproxy", "exec", "work", "--", "true")
        worker = outside_pid(box, status(box)["worker"])
        with open(f"/proc/{worker}/status", encoding="ascii") as file:
            facts = dict(line.rstrip("\n").split(":\t") for line in file)
        assert facts["Uid"].split() == ["65534"] * 4
        assert {facts[f"Cap{k}"] for k in ("Inh", "Prm", "Eff",
                                           "Amb")} == {"0" * 16}
        assert facts["NoNewPrivs"] == "1" and facts["Seccomp"] == "2"
        for kind in ("mnt", "ipc", "uts"):
            assert os.readlink(f"/proc/{worker}/ns/{kind}") != \
                os.readlink(f"/proc/{box.leader}/ns/{kind}")
        assert os.listdir(f"/proc/{worker}/root") == []
        # A port below 1024 on the host's side, and the way in.
        job = box.start("nsproxy", "exec", "work", "--", *python("""
s = socket.socket(); s.bind(('127.0.0.1', 8080)); s.listen()
print('up', flush=True); c = s.accept()[0]; c.sendall(b'hello'); c.close()"""))
        assert job.says("up"), job.ran(None)
        assert box.good(*python(
            "print(read_all(tcp('127.0.0.1', 81)).decode())")) == "hello"


def test_each_capability_is_needed_and_no_other_held(lab, proxy):
    """Without any one of them, what nsproxy does does not work."""
    more = 'publish = {"127.0.0.1:81:8080"}'
    with Machine(lab, profile(proxy, more=more), enable=()) as box:
        def works(text):
            """Up, and down though the worker hangs?"""
            box.drop_in(f"[Service]\n{text}\n")
            box.good("systemctl", "restart", "nsproxy.service")
            up = box("nsproxy", "up", "work")
            if up.rc != 0:
                return up.err
            worker = status(box)["worker"]
            box.good("kill", "-STOP", worker)
            down = box.start("nsproxy", "down", "work")
            if wait_for(lambda: down.popen.poll() is not None, 2):
                return down.wait().rc
            box.good("kill", "-KILL", worker)
            assert down.wait().rc == 0
            return "the worker does not die"
        assert works("") == 0
        held = box.show("CapabilityBoundingSet").split()
        assert sorted(held) == sorted(f"cap_{c.lower()}" for c in CAPS)
        for cap in CAPS:
            said = works(f"CapabilityBoundingSet=~CAP_{cap}")
            assert said != 0, cap
        # The same for its one device.
        assert "/dev/net/tun" in works("DeviceAllow=\nDevicePolicy=closed")


# --- others than root

def test_group_shares_what_root_keeps_from_others(lab, proxy):
    text = ('proxy "p" { url = "%s" username = "me"\n'
            ' password-file = "/etc/nsproxy/p" }\n'
            'profile "work" { chain = {"p"} }\n' % proxy.url())

    def give(root):
        with open(f"{root}/etc/nsproxy/p", "w", encoding="ascii") as file:
            file.write("secret\n")
        os.chmod(f"{root}/etc/nsproxy/p", 0o640)
    with Machine(lab, text, enable=(), before=give) as box:
        box.good("systemd-sysusers")
        box.good("chgrp", "nsproxy", "/etc/nsproxy/p")
        words = ["nsproxy", "run", "-P", "work", "--", "true"]
        ran = box(*words, alice=True)
        assert ran.rc == 125 and "/etc/nsproxy/p" in ran.err, ran
        box.good("usermod", "-aG", "nsproxy", "alice")
        box.good(*words, alice=True)


def test_users_units_serve_that_user(lab, proxy):
    def give(root):
        path = f"{root}/home/alice/.config/nsproxy"
        os.makedirs(path)
        with open(f"{path}/nsproxy.conf", "w", encoding="ascii") as file:
            file.write(profile(proxy))
        for part in (f"{root}/home/alice/.config", path,
                     f"{path}/nsproxy.conf"):
            os.chown(part, 1000, 1000)
        os.chmod(f"{path}/nsproxy.conf", 0o600)
    with Machine(lab, enable=(), before=give) as box:
        box.good("systemctl", "start", "user@1000.service")
        box.good("systemctl", "--user", "start", "nsproxy.socket", alice=True)
        ran = box("systemd-analyze", "verify", "--man=no", "--user",
                  "nsproxy.service", "nsproxy.socket", alice=True)
        assert ran.rc == 0 and ran.out == ran.err == "", ran
        assert box.show("MainPID", user=True) == "0"
        assert box.good("nsproxy", "exec", "work", "--", *python(
            f"s = tcp('{FAR}', 7); s.sendall(b'hi'); "
            "print(s.recv(9).decode())"), alice=True) == "hi"
        assert box.show("ActiveState", user=True) == "active"
        assert wait_for(lambda: box.show("StatusText", user=True) ==
                        "1 sandbox up")
        before = status(box, alice=True)
        box.good("systemctl", "--user", "restart", "nsproxy.service",
                 alice=True)
        assert wait_for(lambda: status(box, alice=True)["state"] == "up")
        assert status(box, alice=True)["netns"] == before["netns"]
        box.good("systemctl", "--user", "reload", "nsproxy.service",
                 alice=True)
        assert box.good("stat", "-c", "%a %U", "/run/user/1000/nsproxy",
                        "/run/user/1000/nsproxy/ctl.sock").split("\n") == [
            "700 alice", "600 alice"]


def test_units_leave_room_for_strict_sandboxes_and_helpers(lab, proxy):
    more = ('autostart = true\nguard = strict\n'
            'helper "nap" { command = {"sleep", "1000"} where = host }')
    with Machine(lab, profile(proxy, more=more)) as machine:
        assert wait_for(lambda: status(machine)["state"] == "up", 10), \
            machine.journal()
        box = status(machine)
        assert [h["state"] for h in box["helpers"]] == ["running"], box
        assert machine.good("nsproxy", "exec", "work", "--", "sh", "-c",
                            "cat /proc/1/comm; ls /tmp | wc -l",
                            ).split() == ["nsproxy-keeper", "0"]
