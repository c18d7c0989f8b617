# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions and system calls of the worker and its connector for one of
each: numbers that do not hang on the machine's mood.

The kernel's counters are not there in most virtual machines, and valgrind's
own calls would break their filters; so they are stepped through, see
steps.c. costs.json has what they are allowed to be.
"""
import json
import pathlib
import signal
import subprocess

from contenders import FAR, PORT, run
from field import BIN, Failed, bounded, hear, said
from lab.run import connector_of, family_of, role_of, wait_for

EXPECTED = pathlib.Path(__file__).with_name("costs.json")
# title, mode, the generator's options, how many, server, port; so many that
# what set-up sways by, some thousand instructions, is little of one
WORK = [
    ("a connection", "conn", [], 24, FAR, PORT),
    ("a round trip", "ping", [], 120, FAR, PORT),
    ("a datagram there and back", "udp", ["-z", 64], 24, FAR, PORT),
    ("a lease by UDP", "dns-udp", [], 24, "9.9.9.9", 53),
    ("a MB up", "up", [], 64 * 1000 * 1000, FAR, PORT),
]
UNIT = {"up": 1000 * 1000}


def data_plane(pid):
    """The worker among the descendants, and its connector."""
    worker = wait_for(lambda: next(
        (p for p in family_of(pid) if role_of(p) == "@worker"), 0))
    connector = worker and wait_for(lambda: connector_of(worker))
    return [worker, connector] if connector else []


def stepped(field, work, share):
    """Instructions and calls while a client does its work."""
    _, mode, opts, count, server, port = work
    # A shell, so that they stand, and are traced, before it begins.
    words = [*field.lab.prefix(True, "host"), *run(field), "sh", "-c",
             'echo up; read go && exec "$@"', "sh", f"{BIN}/load", "-c",
             int(count * share), *opts, mode, server, port]
    client = subprocess.Popen(
        list(map(str, words)), stdin=subprocess.PIPE, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=field.lab.environment(), cwd="/run/lab/home",
        start_new_session=True)
    with bounded(client, 60):
        if hear(client) != "up" or not (both := data_plane(client.pid)):
            raise Failed(said(client))
        with subprocess.Popen([f"{BIN}/steps", *map(str, both)], text=True,
                              stdout=subprocess.PIPE) as tracer:
            hear(tracer)
            client.stdin.write("go\n")
            client.stdin.close()
            failed = client.wait(60)
            tracer.send_signal(signal.SIGTERM)
            words = hear(tracer).split()
        if failed or len(words) != 2:
            raise Failed(f"{mode}: {client.stderr.read()[-200:]}")
    return [int(word) for word in words]


def cost(field, work):
    """Of one, by the difference of much and little: set-up cancels out."""
    much = stepped(field, work, 1)
    little = stepped(field, work, 0.25)
    ones = work[3] * 0.75 / UNIT.get(work[1], 1)
    return {"instructions": (much[0] - little[0]) / ones,
            "calls": (much[1] - little[1]) / ones}


def _allowed():
    return json.loads(EXPECTED.read_text(encoding="ascii"))


def costs(field, _, book):
    allowed = _allowed()
    for work in WORK:
        try:
            got = cost(field, work)
        except Failed as err:
            field.skip(f"cost of {work[0]}", str(err))
            continue
        for what, value in got.items():
            book.put("costs", work[0], what, {
                "median": value,
                "allowed": allowed.get(work[0], {}).get(what)})


def too_dear(book):
    """Sentences of all that costs more than it may, or was not measured."""
    table = book.table("costs")
    for title, most in _allowed().items():
        for what, allowed in most.items():
            cell = table.get(title, {}).get(what)
            if not cell:
                yield f"{title}: its {what} were not measured"
            elif cell["median"] > allowed:
                yield (f"{title}: {cell['median']:.1f} {what}, {allowed} are "
                       "allowed")
