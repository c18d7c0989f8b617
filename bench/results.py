# SPDX-License-Identifier: GPL-3.0-or-later
"""The book of what was measured, and RESULTS.md with its plots."""
import json
import time
from collections import Counter

import machine
import svg
from targets import NATIVE, SWAY, targets

HEADS = {
    "bulk": ("Bulk TCP", "Gbit/s [least, most], ×: of the native client; CPU "
             "seconds a GB of all processes (client, contender, proxy, far "
             "end)."),
    "conns": ("Connections and round trips", "A second; p50 and p99 in µs. A "
              "connection is connect, one octet there and back, reset."),
    "udp": ("Datagrams", "There and back, a second; p50 and p99 in µs."),
    "dns": ("Names", "Answers a second; p50 and p99 in µs. Each name is asked "
            "for once, until 100 000 have been."),
    "starts": ("Start-up", "Milliseconds of the whole command; *over*: more "
               "than plain `true`, started in the same way."),
    "memory": ("Idle flows", "Own memory of the contender's processes, "
               "proxy and client not counted; KiB, and descriptors. No text "
               "of programs and libraries is in it, nor what the kernel has "
               "for sockets."),
    "boxes": ("Named sandboxes", "Root's daemon. *Own* is memory of keeper, "
              "worker and connector, without text; *the host's* is what "
              "MemAvailable lost, which says nothing of a few."),
    "costs": ("Instructions and system calls of worker and connector", "Of "
              "one each, in user space, counted by stepping; `bench/run "
              "--check` compares them with what is allowed."),
}


class Book:
    def __init__(self):
        self.tables = {}

    def put(self, kind, title, name, cell):
        self.tables.setdefault(kind, {}).setdefault(title, {})[name] = cell
        print(f"  {kind}: {title}: {name}: {_plain(cell)}", flush=True)

    def table(self, kind):
        return self.tables.get(kind, {})


def _plain(cell):
    return ", ".join(f"{k} {svg.number(v)}" for k, v in cell.items())


def _names(table):
    return list(dict.fromkeys(n for row in table.values() for n in row))


def _cell(kind, cell, base):
    if cell is None:
        return "–"
    n = svg.number
    ratio = (f" ×{cell['median'] / base['median']:.2f}"
             if base and base["median"] else "")
    range_ = (f" [{n(cell['least'])}, {n(cell['most'])}]"
              if "least" in cell else "")
    words = f"{n(cell['median'])}{range_}"
    if kind == "bulk":
        return f"{words}{ratio}; {n(cell['cpu'])} s"
    if "p50" in cell:
        lost = f"; lost {cell['lost'] * 100:.1f} %" \
            if cell["lost"] > 0.001 else ""
        return f"{words}{ratio}; {n(cell['p50'])}/{n(cell['p99'])}{lost}"
    if kind == "starts":
        return f"{words}, over {n(cell['over'])}"
    if kind == "memory":
        return f"{words}, {cell['fds']} fds"
    if cell.get("allowed"):
        return f"{words} (≤ {n(cell['allowed'])})"
    return words


def _table(kind, table):
    names, titles = _names(table), list(table)
    yield f"| | {' | '.join(titles)} |"
    yield "|---" * (len(titles) + 1) + "|"
    for name in names:
        cells = [_cell(kind, table[t].get(name), table[t].get(NATIVE))
                 for t in titles]
        yield f"| {name} | {' | '.join(cells)} |"


# Which of the names of a growing cost share a plot, and its axis' unit.
UNITS = {"boxes": {"ms": lambda name: name.endswith(", ms"),
                   "KiB": lambda name: name.endswith(", KiB"),
                   "descriptors": lambda name: name.startswith("desc")}}


def _growing(kind, table):
    if not table:
        return
    across = "idle flows" if kind == "memory" else "sandboxes"
    for unit, is_of in UNITS.get(kind, {"KiB": lambda _: True}).items():
        lines = {name: [(int(t), row[name]["median"])
                        for t, row in table.items() if name in row]
                 for name in _names(table) if is_of(name)}
        yield (f"{kind}-{unit}", svg.growth(f"{HEADS[kind][0]}: {unit}",
                                            across, lines))
    if kind == "memory":
        yield (f"{kind}-fds", svg.growth(
            "Idle flows: descriptors", across,
            {name: [(int(t), row[name]["fds"])
                    for t, row in table.items() if name in row]
             for name in _names(table)}))


def _plots(kind, table):
    """(file name, text) of each plot of a table."""
    if kind in ("memory", "boxes"):
        yield from _growing(kind, table)
    elif table and kind != "costs":
        yield kind, svg.bars(HEADS[kind][0], {
            t: {n: c["median"] for n, c in row.items()}
            for t, row in table.items()})


def _targets(book):
    rows = list(targets(book))
    count = Counter(verdict for *_, verdict in rows)
    yield f"{count['met']} of {len(rows)} are met." + (
        f" Of {count['unsteady']} nothing can be said: what is compared with "
        f"had rounds that differ by more than ×{SWAY}."
        if count["unsteady"] else "")
    yield ""
    yield "| | target | measured | |"
    yield "|---|---|---|---|"
    for what, target, value, verdict in rows:
        if verdict != "met":
            verdict = f"**{verdict}**"
        yield f"| {what} | {target} | {value:.2f} | {verdict} |"


def _lines(book, field, facts, took):
    opts = field.opts
    yield "# Measured side by side"
    yield ""
    yield (f"By `bench/run`, {time.strftime('%Y-%m-%d', time.gmtime())}, in "
           f"{took / 60:.0f} minutes: {opts.rounds} interleaved rounds of "
           f"{opts.secs:g} s a cell; medians. All ends share the machine, so "
           "read ratios.")
    yield ""
    yield from (f"- {what}: {value}" for what, value in facts)
    yield from ["", "## Targets", "", *_targets(book)]
    for kind, (title, about) in HEADS.items():
        table = book.table(kind)
        if not table:
            continue
        yield from ["", f"## {title}", "", about, "", *_table(kind, table)]
        for name, _ in _plots(kind, table):
            yield from ["", f"![{title}](results/{name}.svg)"]
    if field.skipped:
        yield from ["", "## Not measured", ""]
        yield from (f"- {name}: {'; '.join(whys)}"
                    for name, whys in field.skipped.items())


def write(book, field, facts, took, where):
    plots = where / "results"
    plots.mkdir(parents=True, exist_ok=True)
    for kind in HEADS:
        for name, plot in _plots(kind, book.table(kind)):
            (plots / f"{name}.svg").write_text(plot, encoding="utf-8")
    (where / "RESULTS.md").write_text(
        "\n".join(_lines(book, field, facts, took)) + "\n", encoding="utf-8")
    (plots / "raw.json").write_text(json.dumps(
        {"facts": dict(facts), "tables": book.tables,
         "skipped": field.skipped}, indent=1) + "\n", encoding="utf-8")


def facts_of(binary):
    return list(machine.facts(binary))
