# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that know a sandbox by its name in /run/netns alone."""
import os
import shutil

import pytest

from lab import Keep, kernel
from lab.run import wait_for

ETC = "/etc/netns"


@pytest.fixture
def keep(lab, proxy):
    chain = f'chain = {{"{proxy.url()}"}}'
    profiles = {"work": chain, "bare": chain + '\ndns = "off"',
                "other": chain}
    with Keep(lab, profiles, user=False) as one:
        yield one


def netns(keep, name, *cmd):
    return keep.lab.run(["ip", "netns", "exec", name, *cmd], user=False)


def test_ip_netns_exec_asks_the_sandbox_for_names(keep, proxy, need):
    need("curl"), need("dig")
    keep.up("work")
    ran = netns(keep, "work", "cat", "/etc/resolv.conf")
    assert ran.out.startswith("nameserver 198.18.0.2\n"), ran
    ran = netns(keep, "work", "getent", "ahostsv4", "name.example")
    assert ran.out.startswith(("198.18.", "198.19.")), ran
    ran = netns(keep, "work", "dig", "+short", "name.example")
    assert ran.out.startswith(("198.18.", "198.19.")), ran
    ran = netns(keep, "work", "curl", "-sS", "-m", "5", "http://web.example/")
    assert ran.rc == 0 and ran.out, ran
    assert proxy.asked("web.example", 80), "the name went to the proxy"


def test_etc_netns_comes_and_goes(keep):
    keep.up("work")
    assert os.readlink(f"{ETC}/work") == "/run/nsproxy/etc/work"
    assert sorted(os.listdir(f"{ETC}/work")) == ["nsswitch.conf",
                                                     "resolv.conf"]
    with open(f"{ETC}/work/nsswitch.conf", encoding="ascii") as file:
        assert "hosts: files dns\n" in file.read()
    assert keep("down", "work").rc == 0
    assert not os.path.lexists(f"{ETC}/work")
    assert os.listdir("/run/nsproxy/etc") == []


def test_any_user_can_read_the_files(keep):
    keep.up("work")
    ran = keep.lab.run(["cat", f"{ETC}/work/resolv.conf"])
    assert ran.rc == 0 and "198.18.0.2" in ran.out, ran


def test_dns_off_has_no_resolv_conf(keep):
    keep.up("bare")
    assert os.listdir(f"{ETC}/bare") == ["nsswitch.conf"]
    ran = netns(keep, "bare", "cat", "/etc/resolv.conf")
    assert "198.51.100.53" in ran.out, "the host's"


def test_foreign_directory_is_left_alone_and_told(keep):
    os.makedirs(f"{ETC}/work")
    try:
        with open(f"{ETC}/work/hosts", "w", encoding="ascii") as file:
            file.write("127.0.0.1 mine\n")
        keep.up("work")
        assert f"{ETC}/work" in keep.job.err, keep.job.err
        assert keep("down", "work").rc == 0
        assert os.listdir(f"{ETC}/work") == ["hosts"]
    finally:
        shutil.rmtree(f"{ETC}/work")


def test_read_only_etc_is_told_once(lab, proxy):
    os.makedirs(ETC, exist_ok=True)
    kernel.mount(ETC, ETC, flags=kernel.MS_BIND)
    try:
        lab.run(["mount", "-o", "remount,bind,ro", ETC], user=False)
        chain = f'chain = {{"{proxy.url()}"}}'
        with Keep(lab, {"work": chain, "other": chain}, user=False) as keep:
            keep.up("work")
            keep.up("other")
            assert keep.job.err.count("Read-only file system") == 1
            assert keep.inside("work", "out(connect_err('n.example', 80)[0])") \
                == "OK"
    finally:
        lab.run(["umount", ETC], user=False)


@pytest.mark.row("K19")
def test_sandboxes_that_died_with_the_daemon_leave_nothing(keep):
    box = keep.up("work")
    keep.kill()
    for pid in (box["keeper"], box["worker"]):
        os.kill(pid, 9)
    os.makedirs("/run/nsproxy/etc/dead")
    os.symlink("/run/nsproxy/etc/dead", f"{ETC}/dead")
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    assert os.path.exists(f"{ETC}/work/resolv.conf")
    assert keep("gc").out == "removed dead\n"
    assert not os.path.lexists(f"{ETC}/dead")
    assert os.listdir("/run/nsproxy/etc") == ["work"]


def test_inside_there_is_no_name_but_its_own(keep):
    keep.up("other")
    box = keep.up("work")
    said = keep.inside("work", """
out([os.listdir('/run/netns'), os.stat('/run/netns/work').st_ino])""")
    assert said == [["work"], box["netns"]]
    keep.up("bare")
    assert keep.exec("work", "ls", "/run/netns").out == "work\n"
    assert set(os.listdir("/run/netns")) >= {"work", "other", "bare"}
