# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine is, and what its processes use."""
import os
import pathlib
import re
import subprocess

TICKS = os.sysconf("SC_CLK_TCK")
# Not Pss_Shmem: it has the text of a program on a tmpfs, as ours are here.
SHARED = re.compile(r"^\S+-\S+ ..\Ss .* /(?:memfd:|dev/zero|dev/shm/|SYSV).*\n"
                    r"(?:\w+: .*\n)*?Pss: *(\d+)", re.M)


def _read(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8",
                                            errors="replace").strip()
    except OSError:
        return ""


def facts(binary):
    """(what, value) of all that explains a number."""
    cpu = re.search(r"^model name\s*: (.*)", _read("/proc/cpuinfo"), re.M)
    memory = re.search(r"MemTotal: *(\d+)", _read("/proc/meminfo"))
    version = subprocess.run([binary, "--version"], text=True, check=False,
                             stdout=subprocess.PIPE).stdout.strip()
    commit = subprocess.run(
        ["git", "-C", os.path.dirname(__file__), "describe", "--always",
         "--dirty"], text=True, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL).stdout.strip()
    system = re.search(r'PRETTY_NAME="(.*)"', _read("/etc/os-release"))
    yield "nsproxy", f"{version.splitlines()[0] if version else '?'}, {commit}"
    yield "kernel", os.uname().release
    yield "system", system.group(1) if system else "?"
    yield "processor", (f"{cpu.group(1) if cpu else os.uname().machine}, "
                        f"{os.cpu_count()} cores")
    yield "memory", f"{int(memory.group(1)) // 1024 // 1024} GiB"
    yield "congestion control", _read(
        "/proc/sys/net/ipv4/tcp_congestion_control")
    yield "load before", " ".join(_read("/proc/loadavg").split()[:3])


def cpu_secs():
    """CPU time that all but this process have used, those that ended not
    counted: all of /proc is the bench's own."""
    ticks = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            stat = _read(f"/proc/{entry}/stat").rpartition(")")[2].split()
            ticks += sum(map(int, stat[11:13]))
    return ticks / TICKS


def own_kib(pid):
    """What a process has for itself and its part of what it shares, be it
    with a fork or by memory made for that; but no text, of anybody's."""
    anon = re.findall(r"^Pss_Anon: *(\d+)",
                      _read(f"/proc/{pid}/smaps_rollup"), re.M)
    return sum(map(int, anon + SHARED.findall(_read(f"/proc/{pid}/smaps"))))


def rss_kib(pid):
    found = re.search(r"^Rss: *(\d+)", _read(f"/proc/{pid}/smaps_rollup"),
                      re.M)
    return int(found.group(1)) if found else 0


def fd_count(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
