"""Pins how a box becomes a region: thousandths that grow and are never padded, and the released pixels that are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.agent.boxes import PermilleBoxes, ReleasedBoxes
from vretrver.agent.refusals import Refused

SIDES = st.integers(1, 4000)
PERMILLE = st.integers(0, 1000)

GROWN = [
    ([0, 0, 1000, 1000], (768, 768), [0, 0, 768, 768]),
    ([250, 250, 750, 750], (800, 400), [200, 100, 600, 300]),
    ([500, 500, 510, 510], (768, 768), [324, 324, 452, 452]),
    ([0, 0, 1, 1], (768, 768), [0, 0, 128, 128]),
    ([999, 999, 1000, 1000], (768, 768), [640, 640, 768, 768]),
    ([400, 100, 600, 900], (100, 1000), [0, 100, 100, 900]),
    ([0, 0, 10, 10], (60, 40), [0, 0, 60, 40]),
    ([333, 0, 667, 1000], (3, 1), [0, 0, 3, 1]),
]

PUBLISHED = [
    ([290, 80, 380, 200], (640, 480), [226, 31, 444, 248], (64, 48)),
    ([125, 88, 145, 108], (256, 256), [99, 62, 170, 133], (25, 25)),
]


@pytest.mark.parametrize(("asked", "size", "region"), GROWN)
def test_thousandths_become_pixels_and_small_boxes_grow(
    asked: list[int], size: tuple[int, int], region: list[int]
) -> None:
    placed = PermilleBoxes().place(asked, *size)
    assert placed.box.to_list() == region
    assert placed.padding == (0, 0)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ([0, 0, 1001, 10], "leaves the picture: values go from 0 to 1000"),
        ([-1, 0, 10, 10], "leaves the picture: values go from 0 to 1000"),
        ([2000, 2000, 3000, 3000], "leaves the picture: values go from 0 to 1000"),
        ([900, 0, 100, 1000], "is empty or inverted: write [x1, y1, x2, y2] with x1 < x2, y1 < y2"),
        ([0, 900, 1000, 100], "is empty or inverted: write [x1, y1, x2, y2] with x1 < x2, y1 < y2"),
        ([500, 0, 500, 1000], "is empty or inverted: write [x1, y1, x2, y2] with x1 < x2, y1 < y2"),
        ([0, 0, 0, 0], "is empty or inverted: write [x1, y1, x2, y2] with x1 < x2, y1 < y2"),
    ],
)
def test_a_box_outside_or_inverted_is_refused_with_the_reason(asked: list[int], reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        PermilleBoxes().place(asked, 640, 480)
    assert str(refusal.value) == f"the box {asked} {reason}"


@given(st.tuples(PERMILLE, PERMILLE, PERMILLE, PERMILLE), SIDES, SIDES)
def test_a_region_holds_what_was_asked_for_and_stays_inside(
    asked: tuple[int, int, int, int], width: int, height: int
) -> None:
    x1, y1, x2, y2 = asked
    if x2 <= x1 or y2 <= y1:
        return
    box = PermilleBoxes().place(asked, width, height).box
    assert 0 <= box.left <= x1 * width / 1000 < x2 * width / 1000 <= box.right <= width
    assert 0 <= box.top <= y1 * height / 1000 < y2 * height / 1000 <= box.bottom <= height
    assert box.width >= min(128, width)
    assert box.height >= min(128, height)


@pytest.mark.parametrize(("asked", "size", "region", "padding"), PUBLISHED)
def test_the_released_crop_gives_the_published_regions(
    asked: list[int], size: tuple[int, int], region: list[int], padding: tuple[int, int]
) -> None:
    placed = ReleasedBoxes().place(asked, *size)
    assert placed.box.to_list() == region
    assert placed.padding == padding


def test_the_released_crop_reads_four_values_up_to_one_as_shares() -> None:
    assert ReleasedBoxes().place([0.25, 0.5, 0.75, 1], 1000, 1000).box.to_list() == [150, 400, 850, 1000]
    assert ReleasedBoxes().place([0.25, 0.5, 0.75, 1.5], 1000, 1000).box.to_list() == [0, 0, 100, 101]


def test_the_released_padding_is_at_most_600_pixels() -> None:
    placed = ReleasedBoxes().place([5000, 5000, 6000, 6000], 12_000, 12_000)
    assert placed.box.to_list() == [4400, 4400, 6600, 6600]
    assert placed.padding == (600, 600)


def test_a_point_is_a_fifth_of_each_side_under_the_released_padding() -> None:
    box = ReleasedBoxes().place([500, 500, 500, 500], 1000, 1000).box
    assert (box.width, box.height) == (200, 200)


@pytest.mark.parametrize(
    "asked",
    [[900, 100, 100, 900], [100, 900, 900, 100], [5000, 0, 6000, 10], [-900, -900, -800, -800], [math.inf, 0, 1, 1],
     [math.nan, 0, 1, 1], [1e300, 0, 1, 1], [10**4000, 0, 1, 1]],
)  # fmt: skip
def test_the_released_crop_refuses_what_leaves_nothing(asked: list[float]) -> None:
    with pytest.raises(Refused, match="box"):
        ReleasedBoxes().place(asked, 640, 480)


@given(st.lists(st.floats(-5000, 5000), min_size=4, max_size=4), SIDES, SIDES)
def test_the_released_crop_follows_its_formula_or_refuses(asked: list[float], width: int, height: int) -> None:
    shares = (
        asked
        if all(value <= 1 for value in asked)
        else [v / s for v, s in zip(asked, (width, height) * 2, strict=True)]
    )
    pads = min(0.1, 600 / width), min(0.1, 600 / height)
    clamp = [min(max(v + p, 0.0), 1.0) for v, p in zip(shares, (-pads[0], -pads[1], *pads), strict=True)]
    expected = [math.floor(v * s) for v, s in zip(clamp, (width, height) * 2, strict=True)]
    if expected[2] <= expected[0] or expected[3] <= expected[1]:
        with pytest.raises(Refused):
            ReleasedBoxes().place(asked, width, height)
    else:
        assert ReleasedBoxes().place(asked, width, height).box.to_list() == expected
