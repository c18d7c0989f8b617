# SPDX-License-Identifier: GPL-3.0-or-later
"""Start programs in the host's place, as an ordinary user or as root."""
import json
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass

PYTHON = "/usr/bin/python3"


@dataclass
class Ran:
    """How a program ended."""
    argv: list
    rc: int
    out: str
    err: str
    secs: float

    def __str__(self):
        return (f"{' '.join(map(str, self.argv))}\n  rc={self.rc} "
                f"after {self.secs:.2f}s\n  out: {self.out[-2000:]}\n"
                f"  err: {self.err[-2000:]}")


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def state_of(pid):
    """One letter as in ps(1), or "" when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def born_of(pid):
    """When it began: a number is given to others soon; 0 without a process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, IndexError):
        return 0


def is_alive(pid):
    return state_of(pid) not in ("", "Z", "X")


def family_of(pid):
    """A process and all that descend from it, eldest first."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            children.setdefault(parent_of(int(entry)), []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        one = todo.pop(0)
        found.append(one)
        todo += children.get(one, [])
    return found


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="latin-1") as file:
            return file.read().strip()
    except OSError:
        return ""


def words_of(pid):
    """How it was started; [] when there is no such process."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode("utf-8", "replace").split("\0")[:-1]
    except OSError:
        return []


def role_of(pid):
    """Which of ours it is, as in "@keeper"; or ""."""
    if name_of(pid) == "nsproxy-connect":    # a worker's fork
        return "@connector"
    return next((w for w in words_of(pid)[1:2] if w.startswith("@")), "")


def connector_of(worker):
    """The process that makes a worker's sockets, or 0."""
    return next((pid for pid in pids() if parent_of(pid) == worker
                 and role_of(pid) == "@connector"), 0)


def is_of_this_lab(pid):
    """Does it see the files of this lab's host? Others run beside it."""
    try:
        return os.path.samestat(os.stat(f"/proc/{pid}/ns/mnt"),
                                os.stat("/proc/self/ns/mnt"))
    except OSError:
        return False


def pids():
    """All that live."""
    return [int(entry) for entry in os.listdir("/proc")
            if entry.isdigit() and is_alive(entry)]


def wait_for(truth, limit_s=5, step_s=0.02):
    """Wait until truth() holds; what it said last."""
    end = time.monotonic() + limit_s
    while True:
        got = truth()
        if got or time.monotonic() > end:
            return got
        time.sleep(step_s)


def has_ended(popen, limit_s):
    """Sleep until it ends, for so long at most. popen.wait(limit_s) would
    look after 1, 3, 7, 15, 31 ms, and whoever takes the time would measure
    that."""
    if popen.poll() is not None:
        return True
    fd = os.pidfd_open(popen.pid)
    try:
        end = select.poll()
        end.register(fd, select.POLLIN)
        return bool(end.poll(limit_s * 1000))
    finally:
        os.close(fd)


class Job:
    """A program that runs. Its output goes to files, so that nothing it
    leaves behind can keep us waiting."""

    def __init__(self, argv, popen, out, err):
        self.argv, self.popen = argv, popen
        self._out, self._err = out, err
        self.began = time.monotonic()

    @property
    def pid(self):
        return self.popen.pid

    @property
    def out(self):
        return self._text(self._out)

    @property
    def err(self):
        return self._text(self._err)

    @staticmethod
    def _text(file):
        size = os.fstat(file.fileno()).st_size
        return os.pread(file.fileno(), size, 0).decode("utf-8", "replace")

    def family(self):
        return family_of(self.pid)

    def worker_pids(self):
        """The data plane's processes among the descendants."""
        return [pid for pid in self.family() if role_of(pid) == "@worker"]

    def ours(self):
        """Name -> pid of each process of ours: caller, keeper, worker and
        its connector."""
        found = {"caller": self.pid}
        workers = self.worker_pids()
        for pid in self.family()[1:]:
            if pid in workers:
                found["worker"] = pid
            elif role_of(pid) == "@connector":
                found["connector"] = pid
            elif name_of(pid).startswith("nsproxy"):
                found.setdefault("keeper", pid)
        return found

    def says(self, text, limit_s=15):
        """Wait for a text on stdout."""
        return wait_for(lambda: text in self.out
                        or (self.popen.poll() is not None
                            and text in self.out), limit_s)

    def wait(self, timeout=30):
        if not has_ended(self.popen, timeout):
            self.kill_family()
            raise AssertionError(
                f"still running after {timeout}s: {self.ran(None)}")
        return self.ran(self.popen.wait())

    def ran(self, rc):
        return Ran(self.argv, rc, self.out, self.err,
                   time.monotonic() - self.began)

    def kill_family(self, sig=signal.SIGKILL):
        for pid in self.family():
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass
        self.popen.wait()


class Runner:
    """What a lab can start."""

    def __init__(self):
        self.jobs = []
        self.nsproxy_path = None

    @staticmethod
    def environment(extra=None):
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
               "HOME": "/run/lab/home", "USER": "nsplab", "LANG": "C.UTF-8",
               "TERM": "xterm", "PYTHONPATH": "/run/lab",
               "PYTHONDONTWRITEBYTECODE": "1"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(extra or {})
        return {k: v for k, v in env.items() if v is not None}

    @staticmethod
    def prefix(user=True, place="host"):
        """The words that put a command into a place, as somebody."""
        words = ["nsenter", f"--net=/run/netns/{place}"]
        if user:
            words += ["setpriv", "--reuid=61234", "--regid=61234",
                      "--groups=61234,61235", "--inh-caps=-all"]
        return words + ["--"] if not user else words

    def start(self, argv, user=True, place="host", env=None, stdin=None,
              cwd="/run/lab/home", pass_fds=(), **more):
        """Begin argv; a Job."""
        import tempfile
        argv = [str(word) for word in argv]
        out = more.pop("stdout", None) or tempfile.TemporaryFile()
        err = more.pop("stderr", None) or tempfile.TemporaryFile()
        popen = subprocess.Popen(
            [*self.prefix(user, place), *argv], stdout=out, stderr=err,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            env=self.environment(env), cwd=cwd, start_new_session=True,
            pass_fds=pass_fds, **more)
        job = Job(argv, popen, out, err)
        self.jobs.append(job)
        return job

    def run(self, argv, timeout=30, input=None, **how):
        """Run argv to its end; a Ran."""
        if input is not None:
            import tempfile
            file = tempfile.TemporaryFile()
            file.write(input.encode() if isinstance(input, str) else input)
            file.seek(0)
            how["stdin"] = file
        return self.start(argv, **how).wait(timeout)

    # --- nsproxy

    def nsproxy(self, *args, **how):
        return self.run([self.nsproxy_path, *args], **how)

    @staticmethod
    def _ways(proxy):
        if proxy is None:
            return []
        ways = proxy if isinstance(proxy, (list, tuple)) else [proxy]
        urls = [way if isinstance(way, str) else way.url() for way in ways]
        return [word for url in urls for word in ("-x", url)]

    def sandbox(self, cmd, proxy=None, opts=(), **how):
        """nsproxy run -x PROXY OPTS -- CMD, to its end."""
        return self.run([self.nsproxy_path, "run", *self._ways(proxy), *opts,
                         "--", *cmd], **how)

    def sandbox_start(self, cmd, proxy=None, opts=(), **how):
        return self.start([self.nsproxy_path, "run", *self._ways(proxy),
                           *opts, "--", *cmd], **how)

    def inside(self, code, proxy=None, opts=(), **how):
        """Run Python code in a sandbox; what it gave to out()."""
        ran = self.sandbox([PYTHON, "-c", "from inside import *\n" + code],
                           proxy, opts, **how)
        return self.spoken(ran)

    def outside(self, code, **how):
        """The same code without a sandbox, in the host's place."""
        ran = self.run([PYTHON, "-c", "from inside import *\n" + code], **how)
        return self.spoken(ran)

    @staticmethod
    def spoken(ran):
        if ran.rc != 0:
            raise AssertionError(f"program failed: {ran}")
        last = ran.out.strip().splitlines()
        assert last, f"program said nothing: {ran}"
        return json.loads(last[-1])

    def sweep(self):
        """End what a test left behind."""
        for job in self.jobs:
            if job.popen.poll() is None:
                job.kill_family()
        self.jobs.clear()


class Ticks:
    """How much processor time some processes spend from now on."""

    def __init__(self, pids):
        self.pids = pids
        self.before = self.now()

    def now(self):
        total = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
                words = file.read().rpartition(")")[2].split()
            total += int(words[11]) + int(words[12])
        return total

    def spent_s(self):
        return (self.now() - self.before) / os.sysconf("SC_CLK_TCK")
