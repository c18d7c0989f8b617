# SPDX-License-Identifier: GPL-3.0-or-later
"""Helpers: programs that live and end with a named sandbox."""
import os
import signal
import time

import pytest

from lab import Keep
from lab.run import PYTHON, family_of, is_alive, name_of, parent_of, wait_for

FAR = "203.0.113.5"
SLEEP = '"sleep", "3600"'


def chain(proxy):
    return f'chain = {{"{proxy.url()}"}}\n'


def helper(command, name="it", **keys):
    """A section; command is a list's inside, as it is written."""
    text = "".join(f"    {k} = {v}\n" for k, v in keys.items())
    return f'helper "{name}" {{\n    command = {{{command}}}\n{text}}}\n'


def python(code):
    """Words that run Python code; quotes inside must be single."""
    return f'"{PYTHON}", "-c", "{code}"'


def helpers_of(keep, name="work"):
    return {h["name"]: h for h in keep.status(name)["helpers"]}


def one(keep):
    """The only helper."""
    return keep.status("work")["helpers"][0]


def wait_state(keep, *states, limit_s=8):
    got = wait_for(lambda: one(keep)["state"] in states and one(keep),
                   limit_s)
    assert got, keep.status("work")
    return got


def of_proc(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.split(":\t", 1) for line in file.read().splitlines())


def netns(pid):
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def pids_with(mark):
    """All living processes that have this among their words."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or not is_alive(int(entry)):
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if mark.encode() in words:
            found.append(int(entry))
    return found


def minder_of(helper_pid):
    """helper <- nurse <- minder."""
    nurse = parent_of(helper_pid)
    assert name_of(nurse) == "nsproxy-nurse", name_of(nurse)
    minder = parent_of(nurse)
    assert name_of(minder) == "nsproxy-minder", name_of(minder)
    return minder


@pytest.fixture(params=[True, False], ids=["user", "root"])
def user(request):
    return request.param


@pytest.fixture
def make(lab, proxy):
    """make(section, user=True): a daemon with a profile 'work'."""
    keeps = []

    def begin(text, user=True):
        keep = Keep(lab, {"work": chain(proxy) + text,
                          "other": chain(proxy)}, user=user)
        keeps.append(keep)
        keep.__enter__()
        return keep
    yield begin
    for keep in keeps:
        keep.__exit__(None, None, None)


# --- life

@pytest.mark.smoke
@pytest.mark.parametrize("where", ["sandbox", "host"])
def test_helper_lives_and_ends_with_its_sandbox(make, lab, user, where):
    keep = make(helper(SLEEP, where=where), user)
    box = keep.up("work")
    it = box["helpers"][0]
    assert it["state"] == "running" and it["pid"] > 0, it
    assert it["restarts"] == 0 and it["status"] == -1, it
    is_inside = netns(it["pid"]) == box["netns"]
    assert is_inside == (where == "sandbox")
    if where == "host":
        with open("/run/netns/host") as host:
            assert netns(it["pid"]) == os.fstat(host.fileno()).st_ino
    minder = minder_of(it["pid"])
    assert keep("down", "work").rc == 0
    assert not is_alive(it["pid"]) and not is_alive(minder)
