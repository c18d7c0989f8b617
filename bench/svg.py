# SPDX-License-Identifier: GPL-3.0-or-later
"""Two plots, as SVG and nothing else: bars, and how a cost grows."""
import html
import math

COLOURS = ["#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860",
           "#da8bc3", "#8c8c8c", "#ccb974", "#64b5cd", "#333333", "#a1c9a0",
           "#b07aa1"]
WIDTH, LEFT, BAR, GAP = 760, 190, 13, 18


def _svg(height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{height}" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif" font-size="11">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def _text(x, y, words, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{html.escape(words)}</text>'


def number(value):
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def bars(title, table):
    """table: group -> name -> value; each name keeps its colour."""
    names = list(dict.fromkeys(n for row in table.values() for n in row))
    parts = [_text(10, 18, title, 'font-size="14" font-weight="bold"')]
    y = 34
    for group, row in table.items():
        most = max(row.values()) or 1
        parts.append(_text(10, y + 11, group, 'font-weight="bold"'))
        y += GAP
        for name, value in row.items():
            length = (WIDTH - LEFT - 90) * value / most
            colour = COLOURS[names.index(name) % len(COLOURS)]
            parts += [
                _text(LEFT - 6, y + 10, name, 'text-anchor="end"'),
                f'<rect x="{LEFT}" y="{y}" width="{max(length, 1):.1f}" '
                f'height="{BAR - 2}" fill="{colour}"/>',
                _text(LEFT + length + 5, y + 10, number(value))]
            y += BAR
        y += 8
    return _svg(y + 6, parts)


def growth(title, across, lines):
    """lines: name -> [(count, value)]; both axes grow by powers of ten."""
    height, top, bottom, right = 320, 36, 44, 190
    points = [p for line in lines.values() for p in line]
    xs = [math.log10(x + 1) for x, _ in points]
    ys = [math.log10(max(y, 0.1)) for _, y in points]
    low, high = math.floor(min(ys)), math.ceil(max(ys) + 1e-9)
    wide = max(xs) or 1

    def at(x, y):
        return (60 + (WIDTH - 60 - right) * math.log10(x + 1) / wide,
                height - bottom - (height - bottom - top) *
                (math.log10(max(y, 0.1)) - low) / max(high - low, 1))
    parts = [_text(10, 18, title, 'font-size="14" font-weight="bold"'),
             _text((60 + WIDTH - right) / 2, height - 8, across)]
    for power in range(low, high + 1):
        _, y = at(0, 10 ** power)
        parts += [f'<line x1="60" x2="{WIDTH - right}" y1="{y:.1f}" '
                  f'y2="{y:.1f}" stroke="#ddd"/>',
                  _text(54, y + 4, f"{10 ** power:g}", 'text-anchor="end"')]
    for x in sorted({x for x, _ in points}):
        parts.append(_text(at(x, 1)[0], height - bottom + 16, str(x),
                           'text-anchor="middle"'))
    for nth, (name, line) in enumerate(lines.items()):
        colour = COLOURS[nth % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in
                        (at(*point) for point in line))
        parts += [f'<polyline points="{path}" fill="none" '
                  f'stroke="{colour}" stroke-width="2"/>']
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" '
                  f'fill="{colour}"/>' for x, y in
                  (at(*point) for point in line)]
        parts.append(_text(WIDTH - right + 8, 50 + nth * 16, name,
                           f'fill="{colour}"'))
    return _svg(height, parts)
