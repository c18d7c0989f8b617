# SPDX-License-Identifier: GPL-3.0-or-later
"""What idle flows cost: memory and descriptors of the contender itself."""
import resource
import time

import machine
from contenders import FAR, PORT
from field import Failed, bounded, hear, said

STEPS = (0, 1000, 10000, 50000)
# A flow costs two descriptors of a worker, and of the proxy.
LEFT_OVER = 300


def allow_files():
    """As many as the largest step needs, where we may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    want = max(hard, 2 * STEPS[-1] + LEFT_OVER)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, want))
    except (ValueError, PermissionError):   # no CAP_SYS_RESOURCE
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def steps(field):
    """As far as descriptors go; the last one is what they allow."""
    most = (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - LEFT_OVER) // 2
    wanted = field.opts.some(STEPS)
    if most < wanted[-1]:
        field.skip(f"{wanted[-1]} idle flows", f"{most} are what the limit of "
                   "descriptors allows here")
    return sorted({min(most, step) for step in wanted})


def hold(field, way, count):
    """Memory (KiB) and descriptors with so many idle flows."""
    client = field.client(way, ["-n", count, "idle", FAR, PORT])
    with bounded(client, 20 + count / 500):
        if hear(client) != "held":
            raise Failed(f"{count} idle flows: {said(client)}")
        time.sleep(0.5)
        pids = way.pids(client.pid)
        return {"median": sum(map(machine.own_kib, pids)),
                "rss": sum(map(machine.rss_kib, pids)),
                "fds": sum(map(machine.fd_count, pids))}


def memory(field, ways, book):
    for name, way in ways.items():
        if not way.pid and not way.names:
            continue
        for count in steps(field):
            try:
                book.put("memory", str(count), name,
                         hold(field, way, count))
            except Failed as err:
                field.skip(name, str(err))
                break
            # What the last step left closes before the next one begins.
            time.sleep(0.2 + count / 20000)
