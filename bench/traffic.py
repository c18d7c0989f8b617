# SPDX-License-Identifier: GPL-3.0-or-later
"""Bulk, connections, round trips and datagrams, all contenders in turn."""
import contenders
from field import median, rounds

# (title, mode, options of the generator, unit, what is shown)
BULK = [(f"{mode} {n}", mode, ["-n", n])
        for mode in ("up", "down") for n in (1, 8, 64)]
BULK.append(("up 1, writes of 512", "up", ["-n", 1, "-z", 512]))
UDP_SIZES = (64, 1400, 8900)


def spread(values):
    return {"median": sorted(values)[len(values) // 2], "least": min(values),
            "most": max(values)}


def bulk(field, ways, book):
    for title, mode, opts in field.opts.some(BULK):
        got = rounds(field, ways,
                     lambda _, way: field.measure(way, mode, *opts))
        for name, runs in got.items():
            book.put("bulk", title, name,
                     spread([r["rate"] * 8 / 1e9 for r in runs]) |
                     {"cpu": sorted(r["cpu"] / (r["count"] / 1e9)
                                    for r in runs)[len(runs) // 2]})


def timed(field, ways, book, kind, title, mode, opts):
    got = rounds(field, ways, lambda _, way: field.measure(way, mode, *opts))
    for name, runs in got.items():
        sent = sum(r["count"] + r["lost"] for r in runs)
        book.put(kind, title, name, spread([r["rate"] for r in runs]) | {
            "p50": median(runs, "p50_us"), "p99": median(runs, "p99_us"),
            "lost": sum(r["lost"] for r in runs) / sent})


def conns(field, ways, book):
    timed(field, ways, book, "conns", "connections, 16 at once", "conn",
          ["-n", 16])
    timed(field, ways, book, "conns", "connections, one by one", "conn", [])
    timed(field, ways, book, "conns", "round trips", "ping", [])


def udp(field, ways, book):
    able = {one.name for one in contenders.ALL if one.udp}
    ways = {name: way for name, way in ways.items() if name in able}
    for size in field.opts.some(UDP_SIZES):
        timed(field, ways, book, "udp", f"{size} octets, 32 under way",
              "udp", ["-z", size, "-w", 32])
        timed(field, ways, book, "udp", f"{size} octets, one by one", "udp",
              ["-z", size])
