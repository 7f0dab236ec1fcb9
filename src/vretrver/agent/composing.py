"""Several cuts put side by side in one picture: equal tiles, each cut as large as its tile allows, on white.

Nothing but the picture's size, the layout and the number of cuts decides where they lie, so that a report can put
them together again.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from ..geometry import SizeRule
from .observations import Layout

FRAME = 1
"""Width in pixels of the grey line around a tile."""

_WHITE, _GREY = (255, 255, 255), (128, 128, 128)

Size = tuple[int, int]
"""(width, height) in pixels."""


def composed_size(cuts: Sequence[Size], rule: SizeRule) -> tuple[Size, Layout]:
    """Return the size of the picture that holds cuts, and how they lie: the way that comes closer to a square.

    Args:
        cuts: sizes in pixels of the original.
        rule: the size one cut is shown at; its cell divides both sides of the result.
    """
    width, height = rule.fit(max(w for w, _ in cuts), max(h for _, h in cuts))
    row, column = (width * len(cuts), height), (width, height * len(cuts))
    return (row, Layout.ROW) if _skew(row) <= _skew(column) else (column, Layout.COLUMN)


def inner_sizes(cuts: Sequence[Size], size: Size, layout: Layout) -> list[Size]:
    """Return the size of each cut within its tile: its aspect kept, as large as fits inside the frame."""
    width, height = _tile(size, layout, len(cuts))
    room = max(width - 2 * FRAME, 1), max(height - 2 * FRAME, 1)
    sizes = []
    for w, h in cuts:
        scale = min(room[0] / w, room[1] / h)
        sizes.append((min(max(round(w * scale), 1), room[0]), min(max(round(h * scale), 1), room[1])))
    return sizes


def composed(parts: Sequence[Image.Image], size: Size, layout: Layout) -> Image.Image:
    """Return one picture of parts that have their inner sizes already, in order."""
    width, height = _tile(size, layout, len(parts))
    whole = Image.new("RGB", size, _WHITE)
    draw = ImageDraw.Draw(whole)
    for number, part in enumerate(parts):
        left, top = (number * width, 0) if layout is Layout.ROW else (0, number * height)
        whole.paste(part, (left + (width - part.width) // 2, top + (height - part.height) // 2))
        draw.rectangle((left, top, left + width - 1, top + height - 1), outline=_GREY, width=FRAME)
    return whole


def _tile(size: Size, layout: Layout, count: int) -> Size:
    return (size[0] // count, size[1]) if layout is Layout.ROW else (size[0], size[1] // count)


def _skew(size: Size) -> float:
    return max(size) / min(size)
