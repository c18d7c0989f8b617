# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon as a service: real units under a real systemd, in a machine that
is booted for each test."""
import os
import signal
import time

import pytest

from lab import Machine
from lab.run import PYTHON, wait_for

FAR = "203.0.113.5"
CAPS = ("SYS_ADMIN", "NET_ADMIN", "NET_BIND_SERVICE", "SETUID", "SETGID",
        "SETPCAP", "KILL")


def profile(proxy, name="work", more="autostart = true"):
    return (f'profile "{name}" {{\n chain = {{"{proxy.url()}"}}\n'
            f' {more}\n}}\n')


@pytest.fixture
def box(lab, proxy):
    """Booted, with its service enabled and one sandbox to keep."""
    with Machine(lab, profile(proxy)) as machine:
        yield machine


def status(box, name="work", **how):
    import json
    said = box("nsproxy", "status", "--json", name, **how)
    assert said.rc in (0, 3), f"{said}\n{box.journal()}"
    return json.loads(said.out)["sandboxes"][0]


def python(code):
    return PYTHON, "-c", "from inside import *\n" + code


def outside_pid(box, pid):
    """A process of the machine's, by the number it has out here."""
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/status", encoding="ascii") as file:
                line = next(x for x in file if x.startswith("NSpid:"))
            if line.split()[-1] == str(pid) and len(line.split()) > 2 and \
                    os.readlink(f"/proc/{entry}/ns/pid") == \
                    os.readlink(f"/proc/{box.leader}/ns/pid"):
                return int(entry)
        except (OSError, StopIteration, UnicodeDecodeError):
            pass
    raise AssertionError(f"no process {pid} in the machine")


# --- its life

def test_boot_brings_the_service_and_its_sandbox_up(box):
    assert box.show("ActiveState") == "active", box.journal()
    assert box.good("nsproxy", "exec", "work", "--", "cat",
                    "/proc/net/dev").count("nsp0") == 1
    assert wait_for(lambda: box.show("StatusText") == "1 sandbox up")
    assert box.good("systemctl", "--failed", "--no-legend") == ""
    said = box.journal("-u", "nsproxy")
    assert "listening at /run/nsproxy/ctl.sock" in said, said
    assert "sandbox 'work' is up" in said, said
    # As others see it.
    assert box.good("stat", "-c", "%a %U", "/run/nsproxy",
                    "/run/nsproxy/ctl.sock", "/var/lib/nsproxy",
                    "/var/lib/nsproxy/state.json").split("\n") == [
        "755 root", "666 root", "700 root", "600 root"]
