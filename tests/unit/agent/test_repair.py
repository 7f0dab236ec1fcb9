"""Pins the one repair rule: drop what is out of range, drop repeats, append the missing in the order given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.agent.answers import Repairs, repair

CASES = [
    ([2, 1, 3], 3, (2, 1, 3), Repairs()),
    ([3, 1, 3, 9], 5, (3, 1, 2, 4, 5), Repairs(out_of_range=(9,), repeated=(3,), missing=(2, 4, 5))),
    ([5], 5, (5, 1, 2, 3, 4), Repairs(missing=(1, 2, 3, 4))),
    ([0, 1, 2], 2, (1, 2), Repairs(out_of_range=(0,))),
    ([-1, 2, 1], 2, (2, 1), Repairs(out_of_range=(-1,))),
    ([1, 1, 1], 3, (1, 2, 3), Repairs(repeated=(1, 1), missing=(2, 3))),
    ([9, 9, 2], 3, (2, 1, 3), Repairs(out_of_range=(9, 9), missing=(1, 3))),
    ([1], 1, (1,), Repairs()),
]


@pytest.mark.parametrize(("answer", "count", "order", "repairs"), CASES)
def test_an_answer_becomes_a_permutation(
    answer: list[int], count: int, order: tuple[int, ...], repairs: Repairs
) -> None:
    assert repair(answer, count) == (order, repairs)


@pytest.mark.parametrize("answer", [[], [0], [6, 7], [-1]])
def test_an_answer_without_a_usable_number_is_no_ranking(answer: list[int]) -> None:
    assert repair(answer, 5) is None


def test_any_change_is_told_from_none() -> None:
    assert not Repairs().any
    assert Repairs(repeated=(1,)).any


@given(st.lists(st.integers(-3, 30), max_size=30), st.integers(1, 20))
def test_every_repair_is_a_permutation_and_accounts_for_every_number(answer: list[int], count: int) -> None:
    repaired = repair(answer, count)
    if repaired is None:
        assert not any(1 <= number <= count for number in answer)
        return
    order, repairs = repaired
    assert sorted(order) == list(range(1, count + 1))
    kept = order[: count - len(repairs.missing)]
    assert sorted([*kept, *repairs.out_of_range, *repairs.repeated]) == sorted(answer)
    assert list(kept) == list(dict.fromkeys(number for number in answer if number in kept))
    assert list(repairs.missing) == sorted(repairs.missing)
