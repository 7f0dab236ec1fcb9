"""Boxes on pictures and the sizes pictures are shown at: no picture is opened here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels of an upright picture: left and top inside, right and bottom outside."""

    left: int
    """First column."""
    top: int
    """First row."""
    right: int
    """One past the last column; greater than `left`."""
    bottom: int
    """One past the last row; greater than `top`."""

    def __post_init__(self) -> None:
        """Refuse empty and inverted boxes with ValueError."""
        if self.right <= self.left or self.bottom <= self.top:
            raise ValueError(f"box {self.to_list()} is empty or inverted")

    @property
    def width(self) -> int:
        """Columns covered."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows covered."""
        return self.bottom - self.top

    def to_list(self) -> list[int]:
        """Return [left, top, right, bottom]."""
        return [self.left, self.top, self.right, self.bottom]

    def covers(self, other: Box) -> bool:
        """Return whether `other` is entirely inside this box."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def scaled(self, full: tuple[int, int], small: tuple[int, int]) -> Box:
        """Return the box on a smaller version of its picture: rounded outward, at least one pixel a side.

        Args:
            full: (width, height) of the picture this box is on.
            small: (width, height) of the smaller version.
        """
        (width, height), (columns, rows) = full, small
        left, top = min(self.left * columns // width, columns - 1), min(self.top * rows // height, rows - 1)
        right, bottom = -(-self.right * columns // width), -(-self.bottom * rows // height)
        return Box(left=left, top=top, right=max(right, left + 1), bottom=max(bottom, top + 1))

    def grown(self, width: int, height: int, *, within: tuple[int, int]) -> Box:
        """Return a box of at least `width` x `height` around the same centre, moved to stay inside a picture.

        Args:
            width: least width in pixels; cut to the picture's.
            height: least height in pixels; cut to the picture's.
            within: (width, height) of the picture; this box must be inside it.
        """
        left, right = _stretch(self.left, self.right, width, within[0])
        top, bottom = _stretch(self.top, self.bottom, height, within[1])
        return Box(left=left, top=top, right=right, bottom=bottom)


def _stretch(low: int, high: int, least: int, limit: int) -> tuple[int, int]:
    size = min(max(high - low, least), limit)
    start = (low + high - size) // 2
    start = min(max(start, 0), limit - size)
    return start, start + size


class SizeRule(Protocol):
    """The size at which a picture is shown: exact multiples of the visual cell, so that no server resizes it."""

    @property
    def cell(self) -> int:
        """Pixels per visual token and side: 32 for Qwen3-VL, 28 for Qwen2.5-VL."""
        ...

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) in pixels at which a picture of that size is shown."""
        ...


def visual_tokens(size: tuple[int, int], cell: int) -> int:
    """Return the visual tokens of a picture shown at (width, height), both multiples of `cell`."""
    return (size[0] // cell) * (size[1] // cell)


MOST_ASPECT = 200
"""Longest side over shortest of a picture that is shown: Qwen's processors refuse more. It is squeezed to that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelBudget:
    """Our size rule: as close to a number of visual tokens as the grid allows; small pictures are enlarged."""

    cell: int = 32
    """Pixels per visual token and side."""
    tokens: int = 64
    """Maximum number of visual tokens of one picture; at least 1."""

    def __post_init__(self) -> None:
        """Refuse impossible budgets with ValueError."""
        if self.cell < 1 or self.tokens < 1:
            raise ValueError(f"a pixel budget needs cell >= 1 and tokens >= 1, got {self.cell} and {self.tokens}")

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) shown: at least one cell a side, at most `tokens` cells, aspect nearly kept."""
        _check_size(width, height)
        scale = math.sqrt(self.tokens / (width * height))
        columns = min(max(round(width * scale), 1), self.tokens)
        rows = min(max(round(height * scale), 1), self.tokens)
        while columns * rows > self.tokens:
            columns, rows = (columns - 1, rows) if columns >= rows else (columns, rows - 1)
        columns, rows = _not_too_long(columns, rows)
        return columns * self.cell, rows * self.cell


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartResize:
    """The size rule of the Qwen processors, as the released code applies it: nearest multiples.

    Source: `process_image` of the released tool server (spec 2.5); both sides rounded to multiples of the cell and
    the pixel count kept within the two limits. Departure: sides are at most `MOST_ASPECT` apart.
    """

    cell: int = 28
    """Pixels per visual token and side."""
    least_tokens: int = 4
    """Smaller pictures are enlarged to this many visual tokens."""
    tokens: int = 5120
    """Larger pictures are reduced to this many visual tokens."""

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) shown."""
        _check_size(width, height)
        cell = self.cell
        columns, rows = max(round(width / cell), 1), max(round(height / cell), 1)
        if columns * rows > self.tokens:
            beta = math.sqrt(width * height / (self.tokens * cell * cell))
            columns, rows = max(int(width / beta / cell), 1), max(int(height / beta / cell), 1)
        elif columns * rows < self.least_tokens:
            beta = math.sqrt(self.least_tokens * cell * cell / (width * height))
            columns, rows = math.ceil(width * beta / cell), math.ceil(height * beta / cell)
        columns, rows = _not_too_long(columns, rows)
        return columns * cell, rows * cell


def _not_too_long(columns: int, rows: int) -> tuple[int, int]:
    """Return a number of cells whose longer side is at most `MOST_ASPECT` times the shorter."""
    longest = MOST_ASPECT * min(columns, rows)
    return min(columns, longest), min(rows, longest)


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ValueError(f"a picture has at least one pixel a side, got {width} x {height}")
