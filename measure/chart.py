"""A line chart with logarithmic axes as SVG, for results that grow over powers of ten."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 420, 70, 40, 210, 50
_COLOURS = ("#2b5fc9", "#d02828", "#3a9a45", "#ef8322", "#7d3fb0", "#1f8a86", "#505050")

Series = Mapping[str, Sequence[tuple[float, float]]]
"""Name -> points (x, y), all above 0."""


def write_chart(path: Path, series: Series, *, title: str, x: str, y: str) -> None:
    """Write a chart; both axes are logarithmic and end at powers of ten."""
    points = [point for row in series.values() for point in row]
    xs, ys = _decades([p[0] for p in points]), _decades([p[1] for p in points])
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across = (math.log10(point[0]) - xs[0]) / (xs[1] - xs[0])
        up = (math.log10(point[1]) - ys[0]) / (ys[1] - ys[0])
        return _LEFT + across * width, _TOP + (1 - up) * height

    marks = [_text(_LEFT, 22, title, size=15), _text(_LEFT + width / 2, _HEIGHT - 10, x, anchor="middle")]
    marks.append(_text(_LEFT, _TOP - 6, y))
    for power in range(xs[0], xs[1] + 1):
        across, _ = place((10.0**power, 10.0 ** ys[0]))
        marks.append(_line((across, _TOP), (across, _TOP + height)))
        marks.append(_text(across, _TOP + height + 18, _power(power), anchor="middle"))
    for power in range(ys[0], ys[1] + 1):
        _, down = place((10.0 ** xs[0], 10.0**power))
        marks += [
            _line((_LEFT, down), (_LEFT + width, down)),
            _text(_LEFT - 8, down + 4, _power(power), anchor="end"),
        ]
    for number, (name, row) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [place(point) for point in row]
        path_data = " ".join(f"{a:.1f},{b:.1f}" for a, b in placed)
        marks.append(f'<polyline points="{path_data}" fill="none" stroke="{colour}" stroke-width="2"/>')
        marks += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in placed]
        marks.append(_text(_LEFT + width + 14, _TOP + 14 + 20 * number, name, colour=colour))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
    path.write_text("\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *marks, "</svg>\n"]))


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _power(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else str(10.0**power)


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    return f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" stroke="#ddd"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = "#222") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{escape(text)}</text>'
