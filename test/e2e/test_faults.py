# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon among faults: stopped, replaced, no room, no power, no peace."""
import json
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from lab import Flow, Keep, ToyProxy, chain, kernel
from lab.run import family_of, is_alive, role_of, wait_for

UID = 61234


@pytest.mark.row("K13")
def test_stopped_daemon_holds_no_flow_and_callers_are_told(keep):
    keep.up("work")
    flow = Flow(keep, "work")
    os.kill(keep.job.pid, signal.SIGSTOP)
    try:
        assert flow.goes_on()
        for words in (["list"], ["exec", "work", "--", "true"]):
            ran = keep(*words, timeout=40)
            assert ran.rc not in (0, -9) and ran.secs < 20, ran
            assert "daemon" in ran.err and ran.err.count("\n") <= 2, ran
        assert flow.goes_on()
    finally:
        os.kill(keep.job.pid, signal.SIGCONT)
    assert keep("list").rc == 0
    flow.close()


@pytest.mark.row("K15")
def test_replaced_binary_adopts_what_runs(lab, keep):
    box = keep.up("work")
    flow = Flow(keep, "work")
    inode = os.stat(lab.nsproxy_path).st_ino
    shutil.copy(lab.nsproxy_path, f"{lab.nsproxy_path}.new")
    os.rename(f"{lab.nsproxy_path}.new", lab.nsproxy_path)
    assert os.stat(lab.nsproxy_path).st_ino != inode
    assert flow.goes_on(), "nobody minds a file that is gone"
    keep.kill()
    keep.start()
    assert wait_for(lambda: keep.status("work")["state"] == "up")
    now = keep.status("work")
    assert (now["keeper"], now["worker"]) == (box["keeper"], box["worker"])
    assert flow.goes_on()
    flow.close()
    os.kill(box["worker"], signal.SIGKILL)
    assert wait_for(lambda: keep.status("work")["restarts"] == 1)
    said = keep.inside("work", "out(connect_err('new.example', 7)[0])")
    assert said == "OK"


@pytest.mark.row("P03")
def test_proxy_that_restarts_resets_flows_and_takes_new_ones(lab):
    with ToyProxy(lab) as proxy:
        job = lab.sandbox_start(["/usr/bin/python3", "-c",
                                 """from inside import *
held = [tcp('203.0.113.5', 7) for _ in range(100)]
print('up', flush=True); sys.stdin.readline()
said = sorted({err(read_all, s) for s in held})
print('reset', flush=True); sys.stdin.readline()
out([said, connect_err('203.0.113.5', 7), connect_err('n.example', 7)])"""],
                                proxy, ["-q"], stdin=subprocess.PIPE)
        assert job.says("up"), job.ran(None)
        proxy.reset_clients()
    job.popen.stdin.write(b"\n")
    job.popen.stdin.flush()
    assert job.says("reset"), job.ran(None)
    with ToyProxy(lab):
        job.popen.stdin.write(b"\n")
        job.popen.stdin.close()
        said, new, named = lab.spoken(job.wait())
    assert said == ["ECONNRESET"], said
    assert new[0] == named[0] == "OK" and new[1] < 1 > named[1], (new, named)


# --- no room, no disk

@contextmanager
def filled(directory, data):
    """A file system of the user's own there, until it is full."""
    kernel.mount("lab", directory, "tmpfs",
                 data=f"uid={UID},gid={UID},mode=0700,{data}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


@pytest.mark.row("R09")
def test_full_disk_is_told_and_the_old_state_stays(lab, proxy):
    one = Keep(lab, {"work": chain(proxy), "other": chain(proxy)})
    place = os.path.dirname(one.state)
    os.makedirs(place)
    subprocess.run(["chown", "-R", f"{UID}:{UID}", f"{one.home}/.local"],
                   check=True)
    with filled(place, "size=64k"), one as keep:
        keep.up("work")
        with open(keep.state, "rb") as file:
            before = file.read()
        fill(f"{place}/filler")
        ran = keep("up", "other")
        assert ran.rc == 1 and "No space left" in ran.err, ran
        with open(keep.state, "rb") as file:
            assert file.read() == before
        assert keep.status("other")["state"] == "down"
        assert keep.exec("work", "true").rc == 0
        os.unlink(f"{place}/filler")
        keep.up("other")
        keep("stop")
        keep.job.popen.wait(10)


@pytest.mark.row("R10")
@pytest.mark.parametrize("call", ["fsync", "write", "rename", "openat"])
def test_disk_that_fails_is_told_and_the_old_state_stays(keep, need, call):
    keep.up("work")
    with open(keep.state, "rb") as file:
        before = file.read()
    place = os.path.dirname(keep.state)
    only = ["-P", keep.state, "-P", f"{keep.state}.new", "-P", place]
    trace = f"{keep.lab.scratch()}/trace"
    names = {"rename": "rename,renameat,renameat2"}.get(call, call)
    job = keep.lab.start(
        [need("strace"), "-o", trace, *only, "-e", f"trace={names}", "-e",
         f"inject={names}:error=EIO", "-p", keep.job.pid], user=False)
    assert wait_for(lambda: "attached" in job.err), job.ran(None)
    ran = keep("up", "other")
    with open(trace, encoding="latin-1") as file:
        assert "INJECTED" in file.read(), "it was struck"
    job.popen.terminate()
    job.popen.wait(10)
    assert ran.rc == 1 and "nput/output error" in ran.err, ran
    assert keep.status("other")["state"] == "down"
    with open(keep.state, "rb") as file:
        now = file.read()
    if "other" in now.decode():      # written, and only then it failed
        assert call == "fsync"
    else:
        assert now == before
    keep.up("other")


@pytest.mark.row("R11")
def test_full_run_is_told_and_nothing_is_half_made(lab, proxy):
    names = [f"box{n}" for n in range(8)]
    one = Keep(lab, {name: chain(proxy) for name in names})
    with filled(one.run, "nr_inodes=9"):
        with one as keep:
            ran = [keep("up", name) for name in names]
            good = [name for name, r in zip(names, ran) if r.rc == 0]
            bad = [r for r in ran if r.rc != 0]
            assert good and bad, ran
            for r in bad:
                assert r.rc == 1 and "No space left" in r.err, r
            assert keep.exec(good[0], "true").rc == 0
            for name, r in zip(names, ran):
                state = keep.status(name)["state"]
                assert state == ("up" if r.rc == 0 else "down"), (name, state)
            kids = [pid for pid in family_of(keep.job.pid)
                    if role_of(pid) == "@builder"]
            assert not kids, kids
            assert keep("down", good[0]).rc == 0
            keep.up(names[-1])


@pytest.mark.row("S06")
def test_removed_run_directory_frees_nobody(keep, lab):
    box = keep.up("work")
    flow = Flow(keep, "work")
    with lab.watch() as verdict:
        shutil.rmtree(f"{keep.run}/nsproxy")
        assert flow.goes_on()
        os.kill(box["worker"], signal.SIGKILL)
        keep.kill()
        keep.start()
        keep.up("work")
        ran = keep.inside("work", "out(connect_err('new.example', 7)[0])")
        assert ran == "OK"
    assert verdict, verdict
    flow.job.kill_family()


# --- rights

@pytest.mark.row("U15")
def test_call_of_a_users_has_the_users_rights_in_roots_hands(lab, proxy):
    """A socket is who connected it, whoever writes to it."""
    with Keep(lab, {"work": chain(proxy)}, user=False) as keep:
        keep.up("work")
        keep.user = True
        sock = keep.call()
        keep.user = False
        with sock, keep.call() as roots:
            for name in ("Down", "Up", "Restart"):
                got = keep.ask(sock, f"org.nsproxy.{name}", name="work")
                assert got is None or "error" in got, got
                if got is None:
                    break
            assert keep.status("work")["state"] == "up"
            got = keep.ask(roots, "org.nsproxy.Down", name="work")
            assert "error" not in got, "root's own call is heard"


# --- many at once

@pytest.mark.row("R15")
def test_many_callers_some_killed_leave_nothing(lab, proxy):
    names = [f"box{n}" for n in range(4)]
    dice = random.Random(5)
    with Keep(lab, {name: chain(proxy) for name in names}) as keep:
        before = keep.fds()
        jobs = []
        for _ in range(120):
            words = dice.choice([["up"], ["down"], ["restart"], ["exec"],
                                 ["status"], ["list"]])
            name = [] if words == ["list"] else [dice.choice(names)]
            more = ["--", "true"] if words == ["exec"] else []
            jobs.append(lab.start([lab.nsproxy_path, *words, *name, *more],
                                  env=keep.env()))
            time.sleep(dice.random() * 0.02)
            if dice.random() < 0.3:
                os.kill(dice.choice(jobs[-5:]).pid, signal.SIGKILL)
        for job in jobs:
            job.wait(60)
        for name in names:
            assert keep("down", name).rc in (0, 4)
            keep.up(name)
            assert keep.exec(name, "true").rc == 0
            assert keep("down", name).rc == 0
        assert wait_for(lambda: os.listdir(keep.boxes) == [], 5)
        assert wait_for(lambda: not [
            pid for pid in family_of(keep.job.pid)[1:] if is_alive(pid)], 10)
        assert wait_for(lambda: keep.fds() <= before)


# --- no power

class Disk:
    """A file system on a file; a copy of the file is what a power cut leaves.

    The kernel writes to the file what was flushed, and the rest by and by.
    """

    def __init__(self, home, at):
        self.home, self.at, self.image = home, at, f"{home}/disk"
        with open(self.image, "wb") as file:
            file.truncate(8 << 20)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)

    def __enter__(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.at],
                       check=True)
        os.chown(self.at, UID, UID)
        return self

    def __exit__(self, *exc):
        subprocess.run(["umount", "-l", self.at], check=True)

    def cut(self):
        """Whoever writes stands still; this is what the disk has now."""
        shutil.copy(self.image, f"{self.home}/cut")

    def after_the_cut(self, name):
        """What is in that file once the machine is up again."""
        place = f"{self.home}/again"
        os.makedirs(place, exist_ok=True)
        subprocess.run(["mount", "-o", "loop", f"{self.home}/cut", place],
                       check=True)
        try:
            with open(f"{place}/{name}", encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return None
        finally:
            subprocess.run(["umount", place], check=True)


@pytest.mark.row("S01")
def test_power_loss_loses_nothing_that_was_told(lab, proxy):
    """Cut at any moment: the state from before or after, never less than
    what a caller has heard."""
    one = Keep(lab, {"work": chain(proxy), "other": chain(proxy)})
    place = os.path.dirname(one.state)
    os.makedirs(place)
    subprocess.run(["chown", "-R", f"{UID}:{UID}", f"{one.home}/.local"],
                   check=True)
    dice = random.Random(11)
    home = lab.scratch()
    told = 0
    with Disk(home, place) as disk, one as keep:
        keep.up("work")
        is_up = False
        for _ in range(30):
            verb = "down" if is_up else "up"
            job = lab.start([lab.nsproxy_path, verb, "other"], env=keep.env())
            time.sleep(dice.random() * 0.08)
            os.kill(keep.job.pid, signal.SIGSTOP)
            was_told = job.popen.poll() == 0
            told += was_told
            disk.cut()
            os.kill(keep.job.pid, signal.SIGCONT)
            assert job.wait().rc == 0
            text = disk.after_the_cut("state.json")
            names = {box["name"] for box in json.loads(text)["sandboxes"]}
            after = {"work"} if is_up else {"work", "other"}
            before = {"work", "other"} if is_up else {"work"}
            assert names == after or not was_told and names == before, (
                verb, was_told, text)
            is_up = not is_up
        assert 3 < told < 30, "cuts before and after an answer"
        keep("stop")
        keep.job.popen.wait(10)
