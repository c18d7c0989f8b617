# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsproxy as the resolver of a sandbox: the real one, and what goes wrong."""
import os
import signal
import time

import pytest

from lab import Keep, ToyDns, ToyProxy
from lab.run import (PYTHON, is_alive, parent_of, pids, wait_for,
                     words_of)

UP = "203.0.113.53"
OTHER = "203.0.113.54"
TABLE = {("a.example", "A"): ["203.0.113.7"],
         ("a.example", "AAAA"): ["2001:db8:1::7"],
         ("big.example", "TXT"): ['"%d%s"' % (i, "b" * 200)
                                  for i in range(10)]}
ASKED = ["8.8.8.8", "2001:db8::1", "127.0.0.53", "::1", "198.18.0.2"]


@pytest.fixture
def up(lab):
    with ToyDns(lab, host=UP, table=TABLE) as server:
        yield server


def words(lab, *servers, program=None):
    path = program or lab.neighbour("dnsproxy")
    return [f"dnsproxy={path}", *servers]


def profile(lab, proxy, *servers, program=None, more=""):
    dns = ", ".join(f'"{w}"' for w in words(lab, *servers, program=program))
    return f'chain = {{"{proxy.url()}"}}\ndns = {{{dns}}}\n{more}'


def opts(lab, *servers, program=None):
    return [o for w in words(lab, *servers, program=program)
            for o in ("-d", w)]


def status_of(ran):
    assert ran.rc == 0, ran
    return ran.out.partition("status: ")[2].partition(",")[0]


def dig(keep, *what, name="work"):
    return keep.exec(name, "dig", "+tries=1", "+time=8", *what)


def job(keep, name="work"):
    return [h for h in keep.status(name)["helpers"]
            if h["name"] == "dnsproxy"][0]


def wait_job(keep, state="running", limit_s=12):
    got = wait_for(lambda: job(keep)["state"] == state and job(keep), limit_s)
    assert got, keep.status("work")
    return got


def pids_of_dnsproxy():
    """Processes that were started with our way of calling it."""
    return [p for p in pids() if "--port=5399" in words_of(p)]


# --- names are answered by it

@pytest.mark.parametrize("user", [True, False], ids=["own", "root"])
def test_every_server_that_is_asked_is_dnsproxy(lab, proxy, up, user):
    with Keep(lab, {"work": profile(lab, proxy, UP)}, user=user) as keep:
        keep.up("work")
        assert job(keep)["state"] == "running"
        with lab.watch() as verdict:
            for server in ASKED:
                for how in ("+notcp", "+tcp"):
                    ran = dig(keep, how, f"@{server}", "a.example")
                    assert status_of(ran) == "NOERROR", ran
                    assert "\t203.0.113.7\n" in ran.out, ran
        assert verdict, verdict
        assert len(up.asked) >= 2 * len(ASKED), up.asked


@pytest.mark.parametrize("user", [True, False], ids=["user", "root"])
def test_run_has_it_beside_the_command(lab, proxy, up, user):
    with lab.watch() as verdict:
        ran = lab.sandbox(["dig", "+short", "@8.8.4.4", "a.example"], proxy,
                          opts(lab, UP), user=user)
    assert ran.rc == 0 and ran.out == "203.0.113.7\n" and ran.err == "", ran
    assert verdict, verdict
    assert up.asked == [("udp", "a.example", "A")]
    assert not pids_of_dnsproxy()
