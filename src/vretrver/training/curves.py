"""The metrics of a run as one SVG: a small panel for every number that is noted more than once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from ..files import replace_file

CURVES_FILE = "metrics.svg"
"""Name of the plot in a run's folder."""

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP, _COLUMNS = 300, 150, 60, 30, 34, 3


def write_curves(path: Path, metrics: Iterable[Mapping[str, Any]], *, title: str) -> None:
    """Write the panels of metrics.

    Args:
        path: the SVG file.
        metrics: entries with their `step`; nested mappings are named `outer.inner`.
        title: heading above the panels.
    """
    panels = {name: points for name, points in _series(metrics).items() if len(points) > 1}
    rows = -(-len(panels) // _COLUMNS)
    wide = _COLUMNS * (_LEFT + _WIDTH) + _GAP
    high = _TOP + rows * (_HEIGHT + 2 * _GAP) + _GAP
    marks = [_text(_LEFT, 20, title, size=15)]
    for number, (name, points) in enumerate(panels.items()):
        left = _LEFT + number % _COLUMNS * (_LEFT + _WIDTH)
        top = _TOP + _GAP + number // _COLUMNS * (_HEIGHT + 2 * _GAP)
        marks += _panel(left, top, name, points)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif">'
    body = "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *marks, "</svg>\n"])
    replace_file(path, body.encode())


def _series(metrics: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    """Return the points of every number by its name."""
    found: dict[str, list[tuple[int, float]]] = {}
    for entry in metrics:
        flat = [(key, value) for key, value in entry.items() if key != "step"]
        while flat:
            name, value = flat.pop(0)
            if isinstance(value, Mapping):
                flat += [(f"{name}.{inner}", below) for inner, below in value.items()]
            elif isinstance(value, int | float):
                found.setdefault(name, []).append((int(entry["step"]), float(value)))
    return found


def _panel(left: int, top: int, name: str, points: list[tuple[int, float]]) -> list[str]:
    """Return the marks of one panel; both axes are linear and end at the least and the greatest value."""
    steps, values = [step for step, _ in points], [value for _, value in points]
    low, high, first, last = min(values), max(values), min(steps), max(steps)
    across, up = max(last - first, 1), (high - low) or 1.0
    line = " ".join(
        f"{left + (step - first) / across * _WIDTH:.1f},{top + (high - value) / up * _HEIGHT:.1f}"
        for step, value in points
    )
    return [
        f'<rect x="{left}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#ccc"/>',
        f'<polyline points="{line}" fill="none" stroke="#2b5fc9" stroke-width="1.5"/>',
        _text(left, top - 6, f"{name}: {values[-1]:.4g}"),
        _text(left - 6, top + 10, f"{high:.4g}", anchor="end"),
        _text(left - 6, top + _HEIGHT, f"{low:.4g}", anchor="end"),
        _text(left, top + _HEIGHT + 16, str(first)),
        _text(left + _WIDTH, top + _HEIGHT + 16, f"step {last}", anchor="end"),
    ]


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="#222">{escape(text)}</text>'
