# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes until a command runs, and until a sandbox is up."""
import statistics
import time

from contenders import URL, run
from field import Failed
from lab import Keep
from lab.run import wait_for

PLAIN = "true"


def timed(work):
    began = time.monotonic()
    ran = work()
    took = (time.monotonic() - began) * 1000
    if getattr(ran, "rc", 0):
        raise Failed(str(ran))
    return took


def ways(field):
    """Title -> what is run, all as the same user in the same place."""
    lab = field.lab
    yield PLAIN, lambda: lab.run(["true"])
    yield "unshare -Urn true", lambda: lab.run(["unshare", "-Urn", "true"])
    yield "nsproxy run true", lambda: lab.run([*run(field), "true"])
    yield "nsproxy run --engine tun2socks true", lambda: lab.run(
        [*run(field, "--engine", "tun2socks"), "true"])
    yield "proxychains4 true", lambda: lab.run(["proxychains4", "-q", "true"])
    yield "pasta true", lambda: lab.run(
        ["pasta", "--config-net", "-q", "--", "true"])


def starts(field, _, book):
    with Keep(field.lab, {"b": f'chain = {{"{URL}"}}'}) as keep:
        took = {}

        def note(title, work):
            try:
                took.setdefault(title, []).append(timed(work))
            except Failed as err:
                field.skip(title, str(err))
        lanes = dict(ways(field))
        for _ in range(field.opts.repeats):
            note("nsproxy up", lambda: keep("up", "b"))
            note("nsproxy exec true", lambda: keep.exec("b", "true"))
            note("nsproxy down", lambda: keep("down", "b"))
            wait_for(lambda: keep("list").rc == 0)
            for title, work in lanes.items():
                if title not in field.skipped:
                    note(title, work)
    base = statistics.median(took[PLAIN])
    for title, values in took.items():
        values.sort()
        middle = statistics.median(values)
        book.put("starts", title, "ms", {
            "median": middle, "least": values[0], "most": values[-1],
            "over": middle - base})
