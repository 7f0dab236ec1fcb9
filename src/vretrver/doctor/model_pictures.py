"""Whether a model's preprocessor leaves pictures at the size they are sent at, or would resize them again.

A picture that is resized again costs another number of tokens than the trajectory says, and boxes and detail shift
with it; so sizes must be multiples of the visual cell and within the preprocessor's pixel limits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..agent.bench import Views
from ..agent.dialect import Dialect
from ..geometry import SizeRule, SmartResize
from .findings import Finding, ok, warning

SHAPES = ((1, 1), (5, 4), (4, 3), (3, 2), (16, 9), (2, 1), (3, 1))
"""Width and height of usual pictures, landscape; each counts as portrait too."""

_LONG_SIDE = 1600


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelCheck:
    """What a `preprocessor_config.json` says about sizes."""

    cell: int
    """Pixels per visual token and side."""
    least: int
    """Pixels below which a picture is enlarged; 0 for no limit."""
    most: int | None
    """Pixels above which a picture is reduced; None for no limit."""

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> PixelCheck:
        """Read the two ways in which limits are written; raises TypeError or ValueError for other values."""
        size = config.get("size") or {}
        least = config.get("min_pixels", size.get("shortest_edge", size.get("min_pixels", 0)))
        most = config.get("max_pixels", size.get("longest_edge", size.get("max_pixels")))
        cell = int(config.get("patch_size", 0)) * int(config.get("merge_size", 2))
        return cls(cell=cell, least=int(least or 0), most=None if most is None else int(most))

    def keeps(self, size: tuple[int, int]) -> bool:
        """Say whether a picture of (width, height) is left as it is."""
        return size == self.resized(size)

    def resized(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the size that the Qwen preprocessors make of (width, height)."""
        area = self.cell * self.cell
        most = (self.most or 2**62) / area
        rule = SmartResize(cell=self.cell, least_tokens=-(-self.least // area), tokens=int(most))
        return rule.fit(*size)


def check_views(dialect: Dialect, pixels: PixelCheck) -> Iterator[Finding]:
    """Say for a dialect's sizes whether a preprocessor keeps them."""
    cells = {rule.cell for _, rule in _rules(dialect.views)}
    if cells != {pixels.cell}:
        shown = " and ".join(str(cell) for cell in sorted(cells))
        other = "released" if pixels.cell == 28 and dialect.name != "released" else None
        remedy = f"use --dialect {other}, or " if other else ""
        sentence = (
            f"dialect {dialect.name} shows pictures in cells of {shown} px and the model reads {pixels.cell} px, so "
            f"every picture is resized; {remedy}give views with cell={pixels.cell}"
        )
        yield warning("picture sizes", sentence)
        return
    changed = [
        (role, size) for role, rule in _rules(dialect.views) for size in _sizes(rule) if not pixels.keeps(size)
    ]
    if not changed:
        yield ok("picture sizes", f"cells of {pixels.cell} px; every size that {dialect.name} shows is kept")
        return
    roles = list(dict.fromkeys(role for role, _ in changed))
    (width, height), (wide, high) = changed[0][1], pixels.resized(changed[0][1])
    largest = max(wide * high for _, rule in _rules(dialect.views) for wide, high in _sizes(rule))
    limits = {"shortest_edge": pixels.cell**2, "longest_edge": max(largest, pixels.most or 0)}
    was, now = width * height // pixels.cell**2, wide * high // pixels.cell**2
    sentence = (
        f"the limits of preprocessor_config.json resize what is shown as {', '.join(roles)}: {width} x {height} "
        f"becomes {wide} x {high}, {now} tokens for {was}; set its size, or start vLLM with "
        f"--mm-processor-kwargs '{json.dumps({'size': limits})}'"
    )
    yield warning("picture sizes", sentence)


def _rules(views: Views) -> list[tuple[str, SizeRule]]:
    return [("query", views.query), ("candidate", views.candidate), ("select", views.select), ("zoom", views.zoom)]


def _sizes(rule: SizeRule) -> list[tuple[int, int]]:
    """Return the sizes at which pictures of usual shapes are shown."""
    landscape = [(_LONG_SIDE, _LONG_SIDE * high // wide) for wide, high in SHAPES]
    return [rule.fit(*size) for size in (*landscape, *((height, width) for width, height in landscape))]
