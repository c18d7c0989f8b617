# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS: leases, forwarded queries, and dnsproxy beside them."""
import contextlib

from contenders import FAR, Way, job, program, run
from field import Failed, rounds
from lab.run import wait_for
from traffic import spread
import field as fields

MODES = ("dns-udp", "dns-tcp")
LEASES = 100000          # fewer than there are stand-in addresses


@contextlib.contextmanager
def dnsproxy_alone(field):
    with job(field, [program("dnsproxy"), "-l", "127.0.0.1", "-p", "5399",
                     "-u", f"{FAR}:53"]) as one:
        wait_for(lambda: "5399" in one.err + one.out, 3)
        yield


def lanes(field):
    """(name, Way, server, port)"""
    yield "far end itself", Way(), FAR, 53
    yield "nsproxy, leases", Way(prefix=run(field)), "9.9.9.9", 53
    for kind in ("udp", "tcp"):
        yield (f"nsproxy, -d {kind}://",
               Way(prefix=run(field, "-d", f"{kind}://{FAR}")), "9.9.9.9", 53)
    if program("dnsproxy"):
        path = field.lab.neighbour("dnsproxy")
        yield ("nsproxy, -d dnsproxy", Way(prefix=run(
            field, "-d", f"dnsproxy={path}", "-d", FAR)), "9.9.9.9", 53)
        yield "dnsproxy, no nsproxy", Way(), "127.0.0.1", 5399
    else:
        field.skip("dnsproxy", "dnsproxy is not here")


def dns(field, _, book):
    with contextlib.ExitStack() as stack:
        found = {name: rest for name, *rest in lanes(field)}
        if program("dnsproxy"):
            stack.enter_context(dnsproxy_alone(field))
        for mode in MODES:
            for title, window in (("32 under way", 32), ("one by one", 1)):
                one_mode(field, book, found, mode, title, window)


def one_mode(field, book, found, mode, title, window):
    def ask(_, how):
        way, server, port = how
        got = field.measure(way, mode, "-w", window, "-m", LEASES,
                            to=server, port=port)
        if got["lost"] > got["count"]:
            raise Failed(f"{mode}: {got['lost']} of "
                         f"{got['lost'] + got['count']} unanswered")
        return got
    for name, runs in rounds(field, found, ask).items():
        sent = sum(r["count"] + r["lost"] for r in runs)
        book.put("dns", f"{mode[4:]}, {title}", name,
                 spread([r["rate"] for r in runs]) | {
                     "p50": fields.median(runs, "p50_us"),
                     "p99": fields.median(runs, "p99_us"),
                     "lost": sum(r["lost"] for r in runs) / sent})
