"""Pins boxes (empty ones refused, growing stays inside) and the sizes at which pictures are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.geometry import Box, PixelBudget, SmartResize, visual_tokens

SIDES = st.integers(1, 20_000)


@st.composite
def boxes_in_pictures(draw: st.DrawFn) -> tuple[Box, tuple[int, int]]:
    width, height = draw(st.integers(1, 5000)), draw(st.integers(1, 5000))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    return Box(left=left, top=top, right=right, bottom=bottom), (width, height)


@pytest.mark.parametrize("sides", [(5, 0, 5, 9), (9, 0, 5, 9), (0, 5, 9, 5), (0, 9, 9, 5)])
def test_empty_and_inverted_boxes_are_refused(sides: tuple[int, int, int, int]):
    left, top, right, bottom = sides
    with pytest.raises(ValueError, match="empty or inverted"):
        Box(left=left, top=top, right=right, bottom=bottom)


def test_a_box_knows_its_size_and_what_it_covers():
    box = Box(left=2, top=3, right=12, bottom=8)
    assert (box.width, box.height, box.to_list()) == (10, 5, [2, 3, 12, 8])
    assert box.covers(box)
    assert box.covers(Box(left=2, top=3, right=3, bottom=4))
    assert not box.covers(Box(left=1, top=3, right=3, bottom=4))


def test_growing_keeps_the_centre_where_there_is_room():
    grown = Box(left=40, top=40, right=60, bottom=60).grown(40, 20, within=(100, 100))
    assert grown.to_list() == [30, 40, 70, 60]


def test_growing_moves_a_box_at_the_edge_inside():
    assert Box(left=0, top=95, right=5, bottom=100).grown(20, 20, within=(100, 100)).to_list() == [0, 80, 20, 100]


@given(boxes_in_pictures(), st.integers(0, 6000), st.integers(0, 6000))
def test_a_grown_box_covers_the_old_one_inside_the_picture(
    case: tuple[Box, tuple[int, int]], width: int, height: int
):
    box, picture = case
    grown = box.grown(width, height, within=picture)
    assert grown.covers(box)
    assert Box(left=0, top=0, right=picture[0], bottom=picture[1]).covers(grown)
    assert grown.width == max(box.width, min(width, picture[0]))
    assert grown.height == max(box.height, min(height, picture[1]))


@pytest.mark.parametrize(
    ("budget", "size", "shown"),
    [
        (PixelBudget(cell=32, tokens=64), (768, 768), (256, 256)),
        (PixelBudget(cell=32, tokens=9), (768, 768), (96, 96)),
        (PixelBudget(cell=32, tokens=64), (10, 10), (256, 256)),
        (PixelBudget(cell=32, tokens=64), (1600, 400), (512, 128)),
        (PixelBudget(cell=32, tokens=4), (5000, 1), (128, 32)),
        (PixelBudget(cell=32, tokens=1), (3, 4), (32, 32)),
    ],
)
def test_a_budget_shows_whole_cells(budget: PixelBudget, size: tuple[int, int], shown: tuple[int, int]):
    assert budget.fit(*size) == shown


@given(width=SIDES, height=SIDES, tokens=st.integers(1, 2000))
def test_a_budget_is_never_exceeded(width: int, height: int, tokens: int):
    shown = PixelBudget(cell=28, tokens=tokens).fit(width, height)
    assert shown[0] % 28 == shown[1] % 28 == 0
    assert 1 <= visual_tokens(shown, 28) <= tokens


@pytest.mark.parametrize(("cell", "tokens"), [(0, 4), (32, 0)])
def test_impossible_budgets_are_refused(cell: int, tokens: int):
    with pytest.raises(ValueError, match="pixel budget"):
        PixelBudget(cell=cell, tokens=tokens)


@pytest.mark.parametrize("rule", [PixelBudget(), SmartResize()])
@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_a_picture_without_pixels_is_refused(rule: PixelBudget | SmartResize, size: tuple[int, int]):
    with pytest.raises(ValueError, match="at least one pixel"):
        rule.fit(*size)


@pytest.mark.parametrize(
    ("rule", "size", "shown"),
    [
        (SmartResize(), (640, 480), (644, 476)),
        (SmartResize(), (28, 28), (56, 56)),
        (SmartResize(tokens=300), (640, 480), (560, 420)),
    ],
)
def test_smart_resize_rounds_to_cells(rule: SmartResize, size: tuple[int, int], shown: tuple[int, int]):
    assert rule.fit(*size) == shown


@given(width=st.integers(1, 4000), height=st.integers(1, 4000))
def test_smart_resize_keeps_the_upper_limit_for_ordinary_shapes(width: int, height: int):
    rule = SmartResize(tokens=300)
    columns, rows = (side // rule.cell for side in rule.fit(width, height))
    assert columns >= 1
    assert rows >= 1
    if max(width, height) <= 50 * min(width, height):
        assert columns * rows <= rule.tokens


@pytest.mark.parametrize(
    ("rule", "size", "shown"),
    [
        (SmartResize(), (29_000, 8), (5600, 28)),
        (SmartResize(), (8, 29_000), (28, 5600)),
        (SmartResize(), (320, 20_000), (252, 15_820)),
        (PixelBudget(cell=32, tokens=1000), (30_000, 1), (6400, 32)),
        (PixelBudget(cell=32, tokens=64), (30_000, 1), (2048, 32)),
    ],
)
def test_sides_are_at_most_two_hundred_to_one(
    rule: SmartResize | PixelBudget, size: tuple[int, int], shown: tuple[int, int]
):
    assert rule.fit(*size) == shown
