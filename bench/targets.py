# SPDX-License-Identifier: GPL-3.0-or-later
"""What was promised, beside what was measured."""
NATIVE, OURS = "native client", "nsproxy run"
PEERS = ("nsproxy + tun2socks", "tun2socks")
NO_PROXY = ("veth, no proxy", "slirp4netns", "pasta")
# Rounds of the same differ by no more than this, or nothing is said by them.
SWAY = 2


def _cell(book, kind, title, name, key="median"):
    return book.table(kind).get(title, {}).get(name, {}).get(key)


def _verdict(is_met, base=None):
    if base and base["most"] > SWAY * base["least"]:
        return "unsteady"
    return "met" if is_met else "not met"


def _at_least(what, value, least, base=None):
    return what, f"≥ {least}", value, _verdict(value >= least, base)


def _at_most(what, value, most, base=None):
    return what, f"≤ {most}", value, _verdict(value <= most, base)


def _of(what, row, names, least):
    """Ours beside the best of those who are there, if any are."""
    bases = [row[name] for name in names if name in row]
    if bases and OURS in row:
        base = max(bases, key=lambda cell: cell["median"])
        yield _at_least(what, row[OURS]["median"] / base["median"], least,
                        base)


def _bulk(book):
    for title, row in book.table("bulk").items():
        yield from _of(f"bulk {title}: of native", row, [NATIVE], 0.9)
        yield from _of(f"bulk {title}: of the best tun2socks", row, PEERS, 3)


def _rates(book):
    for title, row in book.table("conns").items():
        if title.startswith("connections"):
            yield from _of(f"{title}: of native", row, [NATIVE], 0.8)
    row = book.table("conns").get("round trips", {})
    if OURS in row and NATIVE in row:
        yield _at_most("round trip p50 over native, µs",
                       row[OURS]["p50"] - row[NATIVE]["p50"], 10, row[NATIVE])
    for title, row in book.table("udp").items():
        if "under way" in title:
            yield from _of(f"datagrams, {title}: of the best peer", row,
                           set(row) - {OURS, NATIVE, *NO_PROXY}, 1.5)


def _sizes(book):
    flows = sorted((int(count), row[OURS]["median"]) for count, row in
                   book.table("memory").items() if OURS in row)
    if len(flows) > 1:
        (few, small), (many, big) = flows[0], flows[-1]
        yield _at_most(f"own memory of a flow ({many} idle), KiB",
                       (big - small) / (many - few), 1)
    for step, row in book.table("boxes").items():
        cell = row.get("own memory of one, KiB")
        if cell:
            yield _at_most(f"own memory of a sandbox ({step} idle), MiB",
                           cell["median"] / 1024, 1.5)


def _starts(book):
    for title, most in (("nsproxy run true", 12), ("nsproxy exec true", 6)):
        over = _cell(book, "starts", title, "ms", "over")
        if over is not None:
            yield _at_most(f"{title}, over plain true, ms", over, most)


def targets(book):
    """(what, target, measured, "met", "not met" or "unsteady")"""
    for part in (_bulk, _rates, _sizes, _starts):
        yield from part(book)
