"""Pins ids and paths: unique, and no sign of twin, family or of who asks and who answers."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean

import pytest

from vretrver.errors import DataError
from vretrver.world.draw.plan import MOST_ITEMS, make_plan


@pytest.fixture(scope="module")
def plan():
    return make_plan(1, 1000)


def number(path: str) -> int:
    return int(path.rpartition("/")[2].removesuffix(".jpg"))


@pytest.mark.parametrize(("items", "near"), [(0, 5), (7, 5), (499, 495), (-5, 5), (MOST_ITEMS + 5, MOST_ITEMS)])
def test_impossible_numbers_of_items_are_refused_with_a_possible_one(items: int, near: int):
    with pytest.raises(DataError, match=f"multiple of 5 from 5 to 103680, for example {near}$"):
        make_plan(1, items)


def test_ids_and_paths_are_unique_and_gapless(plan):
    dids = [int(did[3:]) for i in plan for did in (i.picture_did, i.page_did, i.description_did, i.sheet_did)]
    assert sorted(dids) == list(range(1, 4001))
    paths = [path for item in plan for path in (item.picture, item.query_picture)]
    assert sorted(number(path) for path in paths) == list(range(2000))
    assert paths[0].startswith("images/0")


def test_numbers_tell_neither_the_twin_nor_the_family_nor_the_role(plan):
    """Means of uniform ranks over 200 items scatter by 4 % of the range; five times that is a leak."""
    for twin in range(5):
        of_twin = [item for item in plan if item.twin == twin]
        assert fmean(int(item.picture_did[3:]) for item in of_twin) == pytest.approx(2000, rel=0.1)
        assert fmean(number(item.picture) for item in of_twin) == pytest.approx(1000, rel=0.1)
    early = [item for item in plan if item.family.index < 40]
    assert fmean(int(item.picture_did[3:]) for item in early) == pytest.approx(2000, rel=0.1)
    assert fmean(number(item.query_picture) for item in plan) == pytest.approx(1000, rel=0.06)
    neighbours = sum(abs(int(a.picture_did[3:]) - int(b.picture_did[3:])) == 1 for a, b in pairwise(plan))
    assert neighbours < 6


def test_the_order_of_twins_by_id_is_any_order(plan):
    families = [plan[first : first + 5] for first in range(0, 1000, 5)]
    orders = {tuple(t.twin for t in sorted(family, key=lambda t: int(t.picture_did[3:]))) for family in families}
    assert len(orders) > 80
