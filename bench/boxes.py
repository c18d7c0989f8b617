# SPDX-License-Identifier: GPL-3.0-or-later
"""What named sandboxes cost, and how that grows: root's daemon."""
import statistics
import time

import machine
from contenders import URL
from field import Failed
from lab import Keep

STEPS = (1, 10, 100, 1000)
WAY = f'chain = {{"{URL}"}}'
SAMPLE = 50                          # processes whose memory is looked at
MANY = 100                           # the host's memory sways by some MiB


def ask(keep, sock, method, **parameters):
    got = keep.ask(sock, f"org.nsproxy.{method}", **parameters)
    if got is None or "error" in got:
        raise Failed(f"{method}: {got}")
    return got["parameters"]


def timed(work):
    began = time.monotonic()
    work()
    return (time.monotonic() - began) * 1000


def available_kib():
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("MemAvailable"))


def crew(box):
    """The processes of one: keeper, worker, and the worker's connector."""
    worker = box["worker"]
    with open(f"/proc/{worker}/task/{worker}/children",
              encoding="ascii") as file:
        return [box["keeper"], worker, *map(int, file.read().split())]


def caller(keep):
    sock = keep.call()
    sock.settimeout(60)
    return sock


def grow(keep, book, names, step, free_before):
    """Bring up those that are missing for this step, and look."""
    with caller(keep) as sock:
        took = [timed(lambda n=n: ask(keep, sock, "Up", name=n))
                for n in names]
    with caller(keep) as sock:
        boxes = ask(keep, sock, "List")["sandboxes"]
    if len(boxes) < step:
        raise Failed(f"{len(boxes)} sandboxes of {step} are there")
    crews = list(map(crew, boxes[::max(1, step // SAMPLE)]))
    daemon = keep.job.pid

    def put(what, value):
        book.put("boxes", str(step), what, {"median": value})
    put("up, ms", statistics.median(took))
    put("list, ms", statistics.median(
        timed(lambda: keep("list")) for _ in range(3)))
    put("exec true, ms", statistics.median(
        timed(lambda: keep.exec(names[0], "true")) for _ in range(5)))
    put("own memory of one, KiB", statistics.mean(
        sum(map(machine.own_kib, pids)) for pids in crews))
    if step >= MANY:
        put("host's memory for one, KiB",
            (free_before - available_kib()) / step)
    put("descriptors of one", statistics.mean(
        sum(map(machine.fd_count, pids)) for pids in crews))
    put("own memory of the daemon, KiB", machine.own_kib(daemon))
    put("descriptors of the daemon", machine.fd_count(daemon))


def boxes(field, _, book):
    steps = field.opts.some(STEPS)
    names = [f"b{n}" for n in range(steps[-1])]
    with Keep(field.lab, {name: WAY for name in names}, user=False) as keep:
        free, done = available_kib(), 0
        try:
            for step in steps:
                grow(keep, book, names[done:step], step, free)
                done = step
        except (Failed, OSError) as err:
            field.skip("sandboxes", str(err))
