# SPDX-License-Identifier: GPL-3.0-or-later
"""What was promised, beside what was measured."""
NATIVE, OURS = "native client", "nsproxy run"
PEERS = ("nsproxy + tun2socks", "tun2socks")
NO_PROXY = ("veth, no proxy", "slirp4netns", "pasta")


def _cell(book, kind, title, name, key="median"):
    return book.table(kind).get(title, {}).get(name, {}).get(key)


def _ratio(book, kind, title, base):
    ours, theirs = (_cell(book, kind, title, n) for n in (OURS, base))
    return ours / theirs if ours is not None and theirs else None


def _at_least(what, value, least):
    return what, f"≥ {least}", value, value >= least


def _at_most(what, value, most):
    return what, f"≤ {most}", value, value <= most


def _bulk(book):
    for title, row in book.table("bulk").items():
        ratio = _ratio(book, "bulk", title, NATIVE)
        if ratio is not None:
            yield _at_least(f"bulk {title}: of native", ratio, 0.9)
        peers = [row[p]["median"] for p in PEERS if p in row]
        if peers and OURS in row:
            yield _at_least(f"bulk {title}: of the best tun2socks",
                            row[OURS]["median"] / max(peers), 3)


def _rates(book):
    for title in book.table("conns"):
        if title.startswith("connections"):
            ratio = _ratio(book, "conns", title, NATIVE)
            if ratio is not None:
                yield _at_least(f"{title}: of native", ratio, 0.8)
    ours, base = (_cell(book, "conns", "round trips", n, "p50")
                  for n in (OURS, NATIVE))
    if ours is not None and base is not None:
        yield _at_most("round trip p50 over native, µs", ours - base, 10)
    for title, row in book.table("udp").items():
        peers = [cell["median"] for name, cell in row.items()
                 if name not in (OURS, NATIVE, *NO_PROXY)]
        if "under way" in title and peers and OURS in row:
            yield _at_least(f"datagrams, {title}: of the best peer",
                            row[OURS]["median"] / max(peers), 1.5)


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
    """(what, target, measured, is it met)"""
    for part in (_bulk, _rates, _sizes, _starts):
        yield from part(book)
