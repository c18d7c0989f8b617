# SPDX-License-Identifier: GPL-3.0-or-later
"""The field: places, far end and proxy, and one run of a client in it."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import threading

import contenders
import machine
from lab import Lab, kernel
from lab.run import family_of, wait_for

TOP = pathlib.Path(__file__).resolve().parent.parent

BIN = "/run/lab/bin"
LOAD = f"{BIN}/load"
PLACE = "/usr/local/sbin"            # where nsproxy looks for an engine


class Failed(Exception):
    """A contender could not do it; its words."""


class Field:
    def __init__(self, opts):
        self.opts = opts
        self.lab = Lab(binary())
        self.skipped = {}
        build("load", "load*.c")
        build("steps", "steps.c")
        contenders.settle("host")
        contenders.ip(f"-n host addr add {contenders.FAR}/32 dev lo")
        kernel.mount("lab", PLACE, "tmpfs", data="mode=0755")
        if contenders.program("tun2socks"):
            shutil.copy(contenders.program("tun2socks"), PLACE)
        self.far = self.lab.start([LOAD, "server", contenders.FAR,
                                   str(contenders.PORT)], user=False)
        self.serve = self.lab.start([self.lab.nsproxy_path, "serve", "-q",
                                     "--open", contenders.PROXY], user=False)
        if not wait_for(lambda: "listening" in self.serve.out):
            raise SystemExit(f"bench: no proxy: {self.serve.err}")

    # --- contenders

    @contextlib.contextmanager
    def ways(self):
        """Name -> Way of all who are here and wanted, open together."""
        with contextlib.ExitStack() as stack:
            found = {}
            for one in contenders.ALL:
                if not self.opts.wants(one.name):
                    continue
                lacking = contenders.lacks(one)
                if lacking:
                    self.skip(one.name, f"{lacking} is not here")
                    continue
                try:
                    found[one.name] = stack.enter_context(one.enter(self))
                except (RuntimeError, OSError,
                        subprocess.CalledProcessError) as err:
                    self.skip(one.name, str(err))
            yield found

    def skip(self, name, why):
        why = " ".join(why.split())[-200:]
        if why not in self.skipped.setdefault(name, []):
            self.skipped[name].append(why)
            print(f"  {name}: skipped: {why}", flush=True)

    # --- one run

    def client(self, way, words):
        """Start the generator; it ends when its standard input does."""
        argv = [*self.lab.prefix(way.user, way.place), *way.prefix, LOAD,
                *way.options, *map(str, words)]
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd="/run/lab/home",
            env=self.lab.environment(), start_new_session=True)

    def measure(self, way, mode, *opts, to=None, port=contenders.PORT):
        """What the generator said, and "cpu" in seconds of all processes."""
        one = self.client(way, ["-s", self.opts.secs, *opts, mode,
                                to or contenders.FAR, port])
        with bounded(one, self.opts.secs + 15):
            if hear(one) != "go":
                raise Failed(said(one))
            before = machine.cpu_secs()
            line = hear(one)
            used = machine.cpu_secs() - before
            if not line:
                raise Failed(said(one))
        got = json.loads(line)
        if not got["count"]:
            raise Failed(f"nothing came through {mode}")
        return got | {"cpu": used}

    def sweep(self):
        self.lab.sweep()


def hear(client):
    return client.stdout.readline().strip()


def said(client):
    client.stdin.close()
    try:
        client.wait(2)
    except subprocess.TimeoutExpired:
        return "no answer in time"
    return client.stderr.read()[-300:] or f"ended with {client.returncode}"


@contextlib.contextmanager
def bounded(client, secs):
    """Whatever happens inside, the client ends, and in time."""
    def end():
        for pid in family_of(client.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    alarm = threading.Timer(secs, end)
    alarm.start()
    try:
        yield client
    finally:
        with contextlib.suppress(OSError):
            client.stdin.close()
        try:
            client.wait(3)
        except subprocess.TimeoutExpired:
            end()
            client.wait()
        alarm.cancel()
        client.stdout.close()
        client.stderr.close()


def build(name, pattern):
    sources = sorted(map(str, (TOP / "bench").glob(pattern)))
    subprocess.run(["cc", "-O2", "-Wall", "-D_GNU_SOURCE", "-pthread", "-o",
                    f"{BIN}/{name}", *sources], check=True)


def binary():
    found = os.environ.get("NSPROXY") or next(
        (str(path) for path in (TOP / "build/src/nsproxy",
                                TOP / "build-gcc/src/nsproxy")
         if path.exists()), None)
    if not found:
        raise SystemExit("bench: no nsproxy is built; make build")
    return found


def rounds(field, ways, work):
    """work(name, way) of each contender in turn, ROUNDS times over: name ->
    its results. Who fails is told, and left out of the rest."""
    got = {name: [] for name in ways}
    if field.opts.is_late():
        field.skip("cells at the end", "time was over")
        return {}
    for _ in range(field.opts.rounds):
        for name, way in ways.items():
            if name not in got:
                continue
            try:
                got[name].append(work(name, way))
            except Failed as err:
                field.skip(name, str(err))
                del got[name]
    return got


def median(results, key):
    return statistics.median(one[key] for one in results)
