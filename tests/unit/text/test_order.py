"""Pins the order in which the lines of a picture are read, whatever order they were found in."""

from __future__ import annotations

import random

from vretrver.geometry import Box
from vretrver.records import TextLine
from vretrver.text.order import in_reading_order, in_rows


def line(text: str, left: int, top: int, *, width: int = 100, height: int = 20) -> TextLine:
    return TextLine(text=text, box=Box(left=left, top=top, right=left + width, bottom=top + height))


def test_rows_go_from_the_top_and_each_from_the_left() -> None:
    lines = [line("title", 50, 0), line("total", 0, 40), line("12.50", 300, 43), line("thanks", 0, 80)]
    for seed in range(5):
        shuffled = random.Random(seed).sample(lines, k=4)
        assert [one.text for one in in_rows(shuffled)] == ["title", "total", "12.50", "thanks"]


def test_prose_side_by_side_is_read_column_by_column_and_what_follows_comes_last() -> None:
    rows = [
        [line(f"left column, line {n} of it", 0, 30 * n), line(f"right column, line {n} too", 200, 30 * n)]
        for n in range(3)
    ]
    after = line("a line below both of them", 0, 120, width=300)
    told = [one.text for one in in_reading_order([one for row in rows for one in row] + [after])]
    assert told == [*(row[0].text for row in rows), *(row[1].text for row in rows), after.text]


def test_two_rows_are_no_columns() -> None:
    lines = [
        line("a long line of text " + name, left, top)
        for name, left, top in zip("abcd", (0, 200) * 2, (0, 0, 30, 30), strict=True)
    ]
    assert in_reading_order(lines) == tuple(lines)


def test_rows_parted_at_different_places_are_no_columns() -> None:
    lines = [
        part
        for n in range(4)
        for part in (
            line("words that fill this line", 0, 30 * n, width=100 + 90 * n),
            line("and some more of them", 110 + 90 * n, 30 * n),
        )
    ]
    assert in_reading_order(lines) == tuple(lines)
