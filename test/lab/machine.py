# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Debian with systemd as its first process, and nsproxy installed.

It is booted by systemd-nspawn in the host's place, so that its wires are the
lab's. It has processes, mounts and control groups of its own; what it writes
goes when it goes.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from . import kernel
from .run import wait_for

TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "tools"
# The tree is made with the machine's own /etc, not with the lab's, which is
# mounted later.
OUTSIDE = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
# A unit that would set the lab's switches anew, and what would only cost time.
MASKED = ("systemd-sysctl.service", "systemd-update-utmp.service",
          "systemd-random-seed.service", "apt-daily.timer",
          "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
          "e2scrub_all.timer", "fstrim.timer")
UID = 1000


def _run(*words, **how):
    ran = subprocess.run([str(word) for word in words], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         check=False, **how)
    if ran.returncode != 0:
        raise AssertionError(f"{words}: {ran.returncode}: {ran.stdout}")


def _groups():
    """Our own place in each control group hierarchy that systemd looks at."""
    found = []
    with open("/proc/self/cgroup", encoding="ascii") as file:
        ours = dict(line.rstrip("\n").split(":", 2)[1:] for line in file)
    with open("/proc/self/mounts", encoding="utf-8") as file:
        for line in file:
            _, at, kind, opts = line.split()[:4]
            if kind == "cgroup2":
                found.append(at + ours.get("", "/"))
            elif kind == "cgroup" and "name=systemd" in opts:
                found.append(at + ours.get("name=systemd", "/"))
    return found


class Machine:
    """`with Machine(lab, conf) as box: box("systemctl", "start", "nsproxy")`

    @conf is its /etc/nsproxy/nsproxy.conf; @enable are units that start when
    it boots; @before(root) may change its files before.
    """

    made = 0
    has_tree = False

    def __init__(self, lab, conf="", enable=("nsproxy.service",),
                 before=None):
        self.lab = lab
        self.build = pathlib.Path(lab.binary).resolve().parent.parent
        if not (self.build / "build.ninja").exists():
            raise AssertionError(f"{lab.binary} is in no build directory, "
                                 "from which it could be installed")
        Machine.made += 1
        self.name = f"nsproxy-{os.urandom(4).hex()}-{Machine.made}"
        self.dir = tempfile.mkdtemp(dir="/run/lab", prefix="machine-")
        self.root = f"{self.dir}/root"
        self.groups = []
        self.popen = None
        self.leader = 0
        try:
            self._install()
            self._settle(conf, enable)
            if before:
                before(self.root)
            self._boot()
        except BaseException:
            self.__exit__()
            raise

    # --- its files

    def _tree(self):
        tree = self.build / "nspawn-root"
        if not Machine.has_tree:
            _run("nsenter", f"--mount=/proc/{os.getpid()}/fd/{OUTSIDE}",
                 TOOLS / "nspawn-root", tree, self.lab.binary)
            Machine.has_tree = True
        return tree

    def _install(self):
        tree = self._tree()
        for name in ("root", "upper", "work", "installed"):
            os.mkdir(f"{self.dir}/{name}")
        _run("meson", "install", "-C", self.build, "--no-rebuild", "--quiet",
             "--destdir", f"{self.dir}/installed")
        kernel.mount("machine", self.root, "overlay", data=(
            f"lowerdir={self.dir}/installed:{tree},"
            f"upperdir={self.dir}/upper,workdir={self.dir}/work"))

    def write(self, path, text, mode=0o644):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(full, mode)

    def _settle(self, conf, enable):
        os.makedirs(f"{self.root}/etc/nsproxy", mode=0o755)
        self.write("/etc/nsproxy/nsproxy.conf", conf)
        for unit in MASKED:
            os.symlink("/dev/null", f"{self.root}/etc/systemd/system/{unit}")
        os.makedirs(f"{self.root}/opt/lab")
        shutil.copy(os.path.dirname(__file__) + "/inside.py",
                    f"{self.root}/opt/lab/inside.py")
        _run("chroot", self.root, "useradd", "-m", "-u", UID, "alice")
        if enable:
            _run("chroot", self.root, "systemctl", "enable", *enable)

    # --- its life

    def _boot(self):
        for group in _groups():
            self.groups.append(f"{group}/{self.name}")
            os.mkdir(self.groups[-1])
        words = ["systemd-nspawn", "--boot", "--directory", self.root,
                 "--machine", self.name, "--register=no", "--keep-unit",
                 "--network-namespace-path=/run/netns/host",
                 "--bind=/dev/net/tun", "--capability=all",
                 # A device policy is a BPF program.
                 "--system-call-filter=bpf", "--console=pipe",
                 "--resolv-conf=off", "--timezone=off", "--link-journal=no"]
        enter = 'for g in $GROUPS_; do echo $$ >"$g/cgroup.procs"; done\n' \
            'exec "$@"'
        env = os.environ | {
            "GROUPS_": " ".join(self.groups),
            "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with open(f"{self.dir}/console", "wb") as console:
            self.popen = subprocess.Popen(
                ["sh", "-c", enter, "sh", *words], env=env,
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                start_new_session=True)
        if not wait_for(lambda: self.popen.poll() is not None
                        or self._has_booted(), 60, 0.01) or \
                self.popen.poll() is not None:
            with open(f"{self.dir}/console", encoding="utf-8",
                      errors="replace") as console:
                raise AssertionError(
                    f"it does not boot ({self.popen.poll()}): "
                    f"{console.read()[-3000:]}")

    def _has_booted(self):
        if not self.leader:
            pid = self.popen.pid
            try:
                with open(f"/proc/{pid}/task/{pid}/children",
                          encoding="ascii") as file:
                    kids = [int(word) for word in file.read().split()]
            except OSError:
                kids = []
            # Before it is the new system's, nspawn itself is in that place.
            self.leader = next((kid for kid in kids if self._is_init(kid)), 0)
            return False
        return self("systemctl", "is-active", "multi-user.target").rc == 0

    @staticmethod
    def _is_init(pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                return file.read().strip() == "systemd"
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.popen:
            if self.leader and self.popen.poll() is None:
                os.kill(self.leader, signal.SIGKILL)   # and with it all others
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        for group in self.groups:
            wait_for(lambda group=group: self._drop(group), 5)
        subprocess.run(["umount", "--lazy", self.root], check=False,
                       stderr=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)

    @staticmethod
    def _drop(group):
        """A group goes when the last of its dead have been counted out."""
        try:
            for path, _, _ in os.walk(group, topdown=False):
                os.rmdir(path)
        except OSError:
            return False
        return not os.path.exists(group)

    # --- what runs in it

    def _words(self, words, alice):
        enter = ["nsenter", "--target", self.leader, "--all", "--"]
        if alice:
            enter += ["setpriv", f"--reuid={UID}", f"--regid={UID}",
                      "--init-groups", "--"]
        return [*enter, *words]

    @staticmethod
    def _env(alice):
        env = {"HOME": "/home/alice" if alice else "/root", "USER": None,
               "PYTHONPATH": "/opt/lab", "SHELL": "/bin/sh"}
        if alice:
            env["XDG_RUNTIME_DIR"] = f"/run/user/{UID}"
        return env

    def start(self, *words, alice=False, **how):
        """Begin a command in it, as root or as its ordinary user; a Job."""
        return self.lab.start(self._words(words, alice), user=False,
                              env=self._env(alice), **how)

    def __call__(self, *words, **how):
        timeout = how.pop("timeout", 30)
        return self.start(*words, **how).wait(timeout)

    def good(self, *words, **how):
        """What a command says that must end well."""
        ran = self(*words, **how)
        assert ran.rc == 0, f"{ran}\n{self.journal()}"
        return ran.out.strip()

    def journal(self, *words):
        return self("journalctl", "--no-pager", "-n", "40", "-o", "cat",
                    *words).out

    def show(self, what, unit="nsproxy.service", user=False):
        words = ["systemctl", "show", "-P", what, unit]
        if user:
            words.insert(1, "--user")
        return self.good(*words, alice=user)

    def drop_in(self, text, unit="nsproxy.service"):
        """Change a unit until the end."""
        self.write_live(f"/run/systemd/system/{unit}.d/test.conf", text)
        self.good("systemctl", "daemon-reload")

    def write_live(self, path, text):
        """Write where it has its own mounts: /run, /tmp."""
        self.good("sh", "-c", 'mkdir -p "${1%/*}" && printf %s "$2" >"$1"',
                  "sh", path, text)
