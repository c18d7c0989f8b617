# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon that keeps named sandboxes, with places of its own."""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

from . import kernel
from .run import PYTHON, born_of, is_alive, wait_for

UID = 61234
FLOW = """
s = tcp('203.0.113.5', 7); print('up', flush=True)
for line in sys.stdin:
    s.sendall(b'x'); print(s.recv(9).decode(), flush=True)
    print(connect_err('new.example', 7)[0], flush=True)
print('bye', flush=True)
"""


def chain(proxy, more=""):
    """The text of a profile that leaves by this proxy."""
    return f'chain = {{"{proxy.url()}"}}\n{more}'


class Keep:
    """`with Keep(lab, {"work": 'chain = {"..."}'}) as keep: keep.up("work")`

    A user's daemon has all its places in a scratch directory; root's has a
    /var/lib of its own.
    """

    def __init__(self, lab, profiles=None, user=True):
        self.lab, self.user = lab, user
        self.home = lab.scratch()
        self.job = None
        self.is_mounted = False
        self.seen = {}          # pid -> when it began
        if user:
            self.run = f"{self.home}/run"
            self.config = f"{self.home}/.config/nsproxy"
            os.makedirs(self.config)
            os.mkdir(self.run, 0o700)
            for path in (self.run, f"{self.home}/.config", self.config):
                os.chown(path, UID, UID)
            self.state = f"{self.home}/.local/state/nsproxy/state.json"
            self.boxes = f"{self.run}/nsproxy/box"
            self.socket = f"{self.run}/nsproxy/ctl.sock"
        else:
            self.config = "/etc/nsproxy"
            self.state = f"{self.home}/nsproxy/state.json"
            self.boxes = "/run/nsproxy/box"
            self.socket = "/run/nsproxy/ctl.sock"
            os.makedirs(self.config, exist_ok=True)
            os.chmod(self.config, 0o755)
            os.chown(self.home, 0, 0)
            os.chmod(self.home, 0o755)
        self.write(profiles or {})

    def write(self, profiles):
        """Make these the configuration."""
        path = f"{self.config}/nsproxy.conf"
        with open(path, "w", encoding="utf-8") as file:
            for name, text in profiles.items():
                file.write(f'profile "{name}" {{\n{text}\n}}\n')
        if self.user:
            os.chown(path, UID, UID)
        os.chmod(path, 0o600 if self.user else 0o644)

    def env(self, extra=None):
        mine = {"SHELL": "/bin/sh"}
        if self.user:
            mine |= {"HOME": self.home, "XDG_RUNTIME_DIR": self.run}
        return mine | (extra or {})

    # --- the daemon

    def __enter__(self):
        self.start()
        return self

    def start(self, *opts, **how):
        words = [self.lab.nsproxy_path, "daemon", "-v", *opts]
        if not self.user and not self.is_mounted:
            # In the lab's own mount namespace, which the callers share.
            kernel.mount(self.home, "/var/lib", flags=kernel.MS_BIND)
            self.is_mounted = True
        self.job = self.lab.start(words, user=self.user,
                                  env=self.env(how.pop("env", None)), **how)
        if not wait_for(self.answers, 10):
            raise AssertionError(f"no daemon: {self.job.ran(None)}")

    def answers(self):
        return self("gc", "--dry-run").rc == 0

    def kill(self, sig=signal.SIGKILL):
        """End the daemon alone."""
        os.kill(self.job.pid, sig)
        self.job.popen.wait(10)

    def __exit__(self, *exc):
        if self.job.popen.poll() is not None:
            try:
                self.start()
            except AssertionError:
                pass
        self("stop")
        try:
            self.job.popen.wait(5)
        except Exception:              # whatever it is: end it
            self.job.kill_family()
        wait_for(lambda: not self.left(), 3)
        for pid in self.left():
            os.kill(pid, signal.SIGKILL)
        if not self.user:
            os.unlink(f"{self.config}/nsproxy.conf")
        if self.is_mounted:
            kernel.umount("/var/lib")
            self.is_mounted = False

    def left(self):
        """Of the processes that status told of, those that are still there."""
        return [pid for pid, born in self.seen.items()
                if born and born_of(pid) == born and is_alive(pid)]

    # --- verbs

    def __call__(self, *words, **how):
        how.setdefault("user", self.user)
        how["env"] = self.env(how.get("env"))
        return self.lab.nsproxy(*words, **how)

    def up(self, name, **how):
        ran = self("up", name, **how)
        assert ran.rc == 0 and ran.out == ran.err == "", ran
        return self.status(name)

    def status(self, name):
        ran = self("status", "--json", name)
        assert ran.rc in (0, 3), ran
        box = json.loads(ran.out)["sandboxes"][0]
        self.seen |= {pid: born_of(pid) for pid in (box.get("keeper", 0),
                                                    box.get("worker", 0))}
        return box

    def exec(self, name, *cmd, **how):
        return self("exec", name, "--", *cmd, **how)

    def exec_start(self, name, *cmd, **how):
        how["env"] = self.env(how.get("env"))
        return self.lab.start([self.lab.nsproxy_path, "exec", name, "--",
                               *cmd], user=self.user, **how)

    def inside(self, name, code, **how):
        """Run Python code in a sandbox; what it gave to out()."""
        return self.lab.spoken(self.exec(
            name, PYTHON, "-c", "from inside import *\n" + code, **how))

    def inside_start(self, name, code, **how):
        return self.exec_start(name, PYTHON, "-c",
                               "from inside import *\n" + code, **how)

    # --- the control socket, as other programs see it

    def call(self):
        """A raw connection from the host's place, as the daemon's user."""
        def connect():
            if self.user:
                kernel.become(UID)
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(10)
            sock.connect(self.socket)
            return sock
        return kernel.call_in(self.lab.path("host"), connect)

    @staticmethod
    def ask(sock, method, **parameters):
        call = {"method": method, "parameters": parameters}
        sock.sendall(json.dumps(call).encode() + b"\0")
        return Keep.hear(sock)

    @staticmethod
    def hear(sock):
        """A reply, or None when the daemon hung up."""
        text = b""
        while not text.endswith(b"\0"):
            try:
                got = sock.recv(65536)
            except ConnectionResetError:
                return None
            if not got:
                return None
            text += got
        return json.loads(text[:-1])

    def fds(self):
        """How many descriptors the daemon has when it serves nobody: the
        fewest of half a second, as who has just hung up is still counted."""
        fewest, end = sys.maxsize, time.monotonic() + 0.5
        while time.monotonic() < end:
            fewest = min(fewest, len(os.listdir(f"/proc/{self.job.pid}/fd")))
            time.sleep(0.02)
        return fewest

    @staticmethod
    def memory_kib(pid):
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4

    @staticmethod
    def is_hung_up(sock, limit_s=8):
        """Does the daemon close this connection?"""
        sock.settimeout(limit_s)
        began = time.monotonic()
        try:
            while sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return time.monotonic() - began < limit_s

    @staticmethod
    def send_fds(sock, count, data):
        fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
        sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                               struct.pack(f"{count}i", *fds))])
        for fd in fds:
            os.close(fd)


class Flow:
    """A program inside with an open flow, which it tries when it is asked."""

    def __init__(self, keep, name):
        self.job = keep.inside_start(name, FLOW, stdin=subprocess.PIPE)
        assert self.job.says("up"), self.job.ran(None)

    def goes_on(self):
        before = self.job.out.count("\n")
        self.job.popen.stdin.write(b"\n")
        self.job.popen.stdin.flush()
        assert wait_for(lambda: self.job.out.count("\n") == before + 2, 15), \
            self.job.ran(None)
        return self.job.out.splitlines()[-2:] == ["x", "OK"]

    def close(self):
        self.job.popen.stdin.close()
        self.job.wait()
