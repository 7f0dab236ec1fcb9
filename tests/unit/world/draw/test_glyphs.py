"""Pins the alphabets: sizes, numbers of marks, and that no two marks look alike."""

from __future__ import annotations

from itertools import combinations

import pytest

from vretrver.world.draw.glyphs import ALPHABETS, EMBLEM, PRINT, STITCH, LabelKind


def test_there_are_twenty_letters_twelve_emblems_and_eight_stitches():
    assert "".join(PRINT) == "ACEFHJKLNPRTUXY23479"
    assert len(EMBLEM) == 12
    assert len(STITCH) == 8


@pytest.mark.parametrize(("kind", "width", "height"), [("print", 5, 7), ("emblem", 9, 9), ("stitch", 7, 7)])
def test_every_bitmap_has_the_size_of_its_kind(kind: LabelKind, width: int, height: int):
    for rows in ALPHABETS[kind].values():
        assert len(rows) == height
        assert {len(row) for row in rows} == {width}
        assert set("".join(rows)) == {".", "#"}


@pytest.mark.parametrize("kind", ["print", "emblem", "stitch"])
def test_two_marks_of_a_kind_differ_in_at_least_three_dots(kind: LabelKind):
    for first, second in combinations(ALPHABETS[kind].values(), 2):
        dots = zip("".join(first), "".join(second), strict=True)
        assert sum(a != b for a, b in dots) >= 3
