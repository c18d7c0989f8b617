# SPDX-License-Identifier: GPL-3.0-or-later
"""What podman and bubblewrap have made is attached; podman enters by name."""
import json
import os
import shutil
import signal
import subprocess

import pytest

from lab import Keep, kernel
from lab.run import PYTHON, family_of, is_alive, name_of, wait_for

CGROUP = "/sys/fs/cgroup"
NETNS = "/run/netns"
GET = ["/bin/wget", "-q", "-O", "-", "http://named.example/"]


def keep_of(lab, proxy, user):
    return Keep(lab, {"work": f'chain = {{"{proxy.url()}"}}'}, user=user)


# --- podman

class Pod:
    """A container, made offline from busybox alone."""

    def __init__(self, lab, need, network="none"):
        self.lab, self.network = lab, network
        self.home = lab.scratch()
        self.words = [need("podman"), "--root", f"{self.home}/root",
                      "--runroot", f"{self.home}/run",
                      "--tmpdir", f"{self.home}/tmp",
                      "--storage-driver", "vfs", "--runtime", need("crun"),
                      "--cgroup-manager", "cgroupfs",
                      "--events-backend", "none"]
        image = f"{self.home}/image/bin"
        os.makedirs(image)
        shutil.copy(need("busybox"), image)
        for name in ("sh", "sleep", "wget", "nslookup"):
            os.symlink("busybox", f"{image}/{name}")
        for name in ("etc", "proc", "dev", "sys", "tmp"):
            os.mkdir(f"{self.home}/image/{name}")
        subprocess.run(["tar", "-C", f"{self.home}/image", "-cf",
                        f"{self.home}/image.tar", "."], check=True)

    def __enter__(self):
        # crun knows no mixed hierarchies; none is used.
        kernel.mount("none", CGROUP, "cgroup2")
        try:
            self("import", f"{self.home}/image.tar", "box:1")
            self("run", "-d", "--network", self.network, "--cgroups", "disabled",
                 "--name", "box", "box:1", "/bin/sleep", "1000")
            said = self("inspect", "-f", "{{.State.Pid}}", "box")
            self.pid = int(said.out)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        self.run("rm", "-f", "-t", "0", "box")
        kernel.umount(CGROUP)

    def run(self, *words):
        return self.lab.run([*self.words, *words], user=False, timeout=60)

    def __call__(self, *words):
        ran = self.run(*words)
        assert ran.rc == 0, ran
        return ran

    def exec(self, *words):
        return self.run("exec", "box", *words)


@pytest.fixture
def pod(lab, need):
    with Pod(lab, need) as one:
        yield one


def page(ran):
    """What the far server told wget."""
    assert ran.rc == 0, ran
    return json.loads(ran.out)


def test_container_reaches_out_through_the_proxy(lab, proxy, pod):
    with keep_of(lab, proxy, user=False) as keep:
        assert pod.exec(*GET).rc != 0
        ran = keep("attach", "work", "--pid", pod.pid, "--name", "box")
        assert ran.rc == 0, ran
        said = page(pod.exec(*GET))
        assert said["host"] == "named.example"
        assert said["from"] == "::ffff:192.0.2.1", said    # the proxy's
        assert proxy.asked("named.example", 80)
        assert keep("detach", "box").rc == 0
        assert pod.exec(*GET).rc != 0


def test_container_that_ends_is_detached(lab, proxy, pod):
    with keep_of(lab, proxy, user=False) as keep:
        assert keep("attach", "work", "--pid", pod.pid).rc == 0
        assert page(pod.exec(*GET))["host"] == "named.example"
        box = keep.status("work")
        pod("rm", "-f", "-t", "0", "box")
        assert wait_for(lambda: keep("status", "work").rc == 3)
        assert wait_for(lambda: not is_alive(box["keeper"]) and
                        not is_alive(box["worker"]))


def test_container_is_born_in_a_named_sandbox(lab, proxy, need):
    with keep_of(lab, proxy, user=False) as keep:
        keep.up("work")
        with Pod(lab, need, f"ns:{NETNS}/work") as pod:
            assert page(pod.exec(*GET))["from"] == "::ffff:192.0.2.1"
            assert proxy.asked("named.example", 80)
            assert keep("down", "work").rc == 0
            assert pod.exec(*GET).rc != 0


# --- bubblewrap, as flatpak uses it

def inner(code):
    """A program that waits for a line, and then for its end."""
    return [PYTHON, "-c", "import sys, time\nprint('ready', flush=True)\n"
            f"input()\nfrom inside import *\n{code}\n"
            "sys.stdout.flush()\ntime.sleep(1000)"]


BWRAP = ["--dev-bind", "/", "/", "--unshare-net"]
SHAPES = {
    "one": ["bwrap", *BWRAP],
    "other uid": ["bwrap", *BWRAP, "--unshare-user", "--uid", "4242",
                  "--dev", "/dev"],
    "no more of them": ["bwrap", *BWRAP, "--unshare-user",
                        "--disable-userns"],
    "nested": ["unshare", "-r", "--", "bwrap", *BWRAP],
    "nested twice": ["unshare", "-r", "--", "unshare", "-U",
                     "--map-current-user", "--", "bwrap", *BWRAP],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_bubble_of_a_users_reaches_out_through_the_proxy(
        lab, proxy, need, shape):
    need("bwrap")
    code = "out(connect_err('named.example', 80, 5))"
    with keep_of(lab, proxy, user=True) as keep:
        job = lab.start([*SHAPES[shape], "--", *inner(code)],
                        stdin=subprocess.PIPE)
        assert wait_for(lambda: "ready" in job.out), job.ran(None)
        pid = next(p for p in [job.pid, *family_of(job.pid)]
                   if "python" in name_of(p))
        ran = keep("attach", "work", "--pid", pid)
        assert ran.rc == 0, ran
        job.popen.stdin.write(b"\n")
        job.popen.stdin.flush()
        assert wait_for(lambda: "OK" in job.out, 8), job.ran(None)
        assert proxy.asked("named.example", 80)
        os.kill(pid, signal.SIGKILL)
        assert wait_for(lambda: keep("status", "work").rc == 3)
