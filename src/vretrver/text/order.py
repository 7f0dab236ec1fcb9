"""The order in which the lines of a page are read: that of the file, but columns of prose one after the other.

Most programs write a page in the order it is read. Some write it row by row across its columns; there the lines of a
column are brought together. The rows of a table keep their order: what stands side by side there belongs together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ..geometry import Box
from ..records import TextLine

LEAST_ROWS = 3
"""Rows side by side that make columns."""

PROSE = 20
"""Characters of a line, on average, from which columns are prose and not a table."""

LineRow = list[TextLine]


def in_reading_order(lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """Return lines, given in the order of their file, in reading order."""
    ordered: list[TextLine] = []
    for stretch in _stretches(_rows(lines)):
        cells = [line for row in stretch for line in row]
        if len(stretch) >= LEAST_ROWS and sum(len(line.text) for line in cells) >= PROSE * len(cells):
            cells = [line for column in zip(*stretch, strict=True) for line in column]
        ordered += cells
    return tuple(ordered)


def _rows(lines: Sequence[TextLine]) -> Iterator[LineRow]:
    """Yield lines that follow one another and stand side by side, left to right."""
    row: LineRow = []
    for line in lines:
        if row and not _beside(row[-1], line):
            yield row
            row = []
        row.append(line)
    if row:
        yield row


def _beside(left: TextLine, right: TextLine) -> bool:
    """Say whether a line stands to the right of another, at its height."""
    return right.box.left >= left.box.right and _same_height(left.box, right.box)


def _same_height(a: Box, b: Box) -> bool:
    shared = min(a.bottom, b.bottom) - max(a.top, b.top)
    return 2 * shared >= min(a.height, b.height)


def _stretches(rows: Iterable[LineRow]) -> Iterator[list[LineRow]]:
    """Yield rows that follow one another and are parted at the same places; rows of one line are by themselves."""
    stretch: list[LineRow] = []
    gaps: list[tuple[int, int]] = []
    for row in rows:
        narrower = _gaps(row)
        if stretch and len(row) == len(stretch[0]):
            narrower = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(gaps, narrower, strict=True)]
        if stretch and (len(row) == 1 or len(row) != len(stretch[0]) or any(a > b for a, b in narrower)):
            yield stretch
            stretch, narrower = [], _gaps(row)
        stretch.append(row)
        gaps = narrower
    if stretch:
        yield stretch


def _gaps(row: LineRow) -> list[tuple[int, int]]:
    """Return where each line of a row ends and the next one begins."""
    return [(a.box.right, b.box.left) for a, b in pairwise(row)]


def in_rows(lines: Sequence[TextLine]) -> list[TextLine]:
    """Return lines, given in any order, row by row from the top, each row from left to right."""
    rows: list[LineRow] = []
    for line in sorted(lines, key=lambda one: one.box.top + one.box.bottom):
        last = rows[-1][-1].box if rows else None
        if last is None or not _same_height(last, line.box):
            rows.append([])
        rows[-1].append(line)
    return [line for row in rows for line in sorted(row, key=lambda one: one.box.left)]
