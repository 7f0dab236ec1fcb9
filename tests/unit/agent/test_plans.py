"""Pins the windows of plans: the reference, exhaustively for small numbers, and blocks that meet in a last window."""

from __future__ import annotations

from itertools import pairwise

import pytest

from vretrver.agent.answers import Verdict
from vretrver.agent.plans import BlocksPlanner, Outcome, Plan, Planner, ReferencePlanner, Window, spans
from vretrver.errors import ConfigError
from vretrver.prng import Stream

FAILED = Outcome(verdict=Verdict.FAILED)


def _pairs(count: int, size: int, stride: int) -> list[tuple[int, int]]:
    return [(window.start, window.stop) for window in spans(count, size, stride)]


@pytest.mark.parametrize(
    ("count", "size", "stride", "windows"),
    [
        (50, 20, 10, [(30, 50), (20, 40), (10, 30), (0, 20)]),
        (20, 20, 10, [(0, 20)]),
        (21, 20, 10, [(1, 21), (0, 20)]),
        (25, 20, 10, [(5, 25), (0, 20)]),
        (7, 20, 10, [(0, 7)]),
        (1, 20, 10, [(0, 1)]),
        (0, 20, 10, []),
        (5, 2, 2, [(3, 5), (1, 3), (0, 2)]),
        (4, 1, 1, [(3, 4), (2, 3), (1, 2), (0, 1)]),
    ],
)
def test_windows_go_from_back_to_front(count: int, size: int, stride: int, windows: list[tuple[int, int]]) -> None:
    assert _pairs(count, size, stride) == windows


@pytest.mark.parametrize("size", range(1, 25))
def test_every_schedule_covers_all_in_full_windows_that_overlap_by_size_minus_stride(size: int) -> None:
    for stride in range(1, size + 1):
        for count in range(1, 120):
            windows = _pairs(count, size, stride)
            assert windows[0][1] == count
            assert windows[-1][0] == 0
            assert all(stop - start == min(size, count) for start, stop in windows)
            for (start, stop), (ahead, ahead_stop) in pairwise(windows):
                assert 0 <= ahead < start <= ahead_stop < stop
                assert stop - ahead_stop <= stride
                assert ahead_stop - start >= size - stride


@pytest.mark.parametrize(("size", "stride"), [(20, 0), (20, 21), (0, 0), (5, -1)])
def test_impossible_windows_are_refused(size: int, stride: int) -> None:
    with pytest.raises(ConfigError, match="0 < stride <= size"):
        ReferencePlanner(size=size, stride=stride)


def test_a_depth_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="depth >= 1"):
        ReferencePlanner(depth=0)


def _ranked(window: Window, key: list[int]) -> Outcome:
    """Rank a window by a key per candidate, lowest first."""
    order = sorted(range(len(window.candidates)), key=lambda place: key[window.candidates[place]])
    return Outcome(verdict=Verdict.RANKED, order=tuple(order))


def _run(plan: Plan, key: list[int], *, backwards: bool = False) -> list[list[Window]]:
    """Rank every window by a key and return the rounds; outcomes of a round are told in order, or backwards."""
    rounds = []
    while due := list(plan.due()):
        rounds.append(due)
        for window in reversed(due) if backwards else due:
            plan.told(window, _ranked(window, key))
    return rounds


def test_the_reference_ranks_one_span_of_the_current_order_after_another() -> None:
    planner = ReferencePlanner(depth=6, size=4, stride=2)
    assert planner.name == "reference(6,4,2)"
    plan = planner.plan(8)
    (first,) = plan.due()
    assert first == Window(index=0, round=0, candidates=(2, 3, 4, 5), places=(2, 3, 4, 5))
    assert plan.due() == ()
    plan.told(first, Outcome(verdict=Verdict.RANKED, order=(3, 0, 1, 2)))
    assert (list(plan.order), plan.settled) == ([0, 1, 5, 2, 3, 4, 6, 7], 0)
    (second,) = plan.due()
    assert second == Window(index=1, round=1, candidates=(0, 1, 5, 2), places=(0, 1, 2, 3))
    plan.told(second, Outcome(verdict=Verdict.NOTHING_FITS, order=(2, 0, 1, 3)))
    assert (list(plan.order), plan.settled) == ([5, 0, 1, 2, 3, 4, 6, 7], 8)
    assert plan.due() == ()


def test_the_default_reference_is_the_papers() -> None:
    windows = [window for due in _run(ReferencePlanner().plan(80), list(range(80))) for window in due]
    assert ReferencePlanner().name == "reference(50,20,10)"
    assert [(w.places[0], w.places[-1] + 1) for w in windows] == [(30, 50), (20, 40), (10, 30), (0, 20)]


def test_blocks_run_side_by_side_and_their_best_meet_once() -> None:
    planner = BlocksPlanner(depth=6, size=4)
    assert planner.name == "blocks(6,4)"
    plan = planner.plan(7)
    left, right = plan.due()
    assert left == Window(index=0, round=0, candidates=(0, 2, 4), places=(0, 2, 4))
    assert right == Window(index=1, round=0, candidates=(1, 3, 5), places=(1, 3, 5))
    assert plan.due() == ()
    plan.told(right, Outcome(verdict=Verdict.RANKED, order=(2, 0, 1)))
    assert plan.due() == ()
    plan.told(left, Outcome(verdict=Verdict.RANKED, order=(1, 0, 2)))
    assert (list(plan.order), plan.settled) == ([2, 5, 0, 1, 3, 4, 6], 0)
    (last,) = plan.due()
    assert last == Window(index=2, round=1, candidates=(2, 5, 0, 1), places=(0, 1, 2, 3))
    plan.told(last, Outcome(verdict=Verdict.RANKED, order=(1, 3, 0, 2)))
    assert (list(plan.order), plan.settled) == ([5, 1, 2, 0, 3, 4, 6], 7)
    assert plan.due() == ()


def test_one_block_is_one_window() -> None:
    rounds = _run(BlocksPlanner().plan(20), list(range(20)))
    assert [len(due) for due in rounds] == [1]


def test_blocks_that_are_screened_have_no_turns_for_looks_and_the_last_window_has_all() -> None:
    planner = BlocksPlanner(depth=6, size=4, turns=0)
    assert planner.name == "blocks(6,4,turns=0)"
    rounds = _run(planner.plan(6), list(range(6)))
    assert [[window.turns for window in due] for due in rounds] == [[0, 0], [None]]


def test_a_single_block_is_the_last_window_and_is_not_screened() -> None:
    (due,) = _run(BlocksPlanner(depth=6, size=4, turns=0).plan(3), list(range(3)))
    assert [window.turns for window in due] == [None]


@pytest.mark.parametrize(
    "planner", [BlocksPlanner(), BlocksPlanner(keep=3), BlocksPlanner(turns=0), ReferencePlanner()]
)
@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 40, 41, 50, 73])
def test_the_best_candidate_within_the_depth_ends_first_in_a_permutation(planner: Planner, count: int) -> None:
    key = Stream(count).permutation(count)
    plan = planner.plan(count)
    rounds = _run(plan, list(key))
    within = range(min(count, 50))
    assert sorted(plan.order) == list(range(count))
    assert plan.order[0] == min(within, key=lambda place: key[place])
    assert list(plan.order[50:]) == list(range(50, count))
    assert plan.settled == count
    assert {place for due in rounds for window in due for place in window.candidates} == set(within)
    assert [window.index for due in rounds for window in due] == list(range(sum(map(len, rounds))))


@pytest.mark.parametrize("count", [3, 30, 50])
def test_the_order_does_not_depend_on_which_window_of_a_round_was_told_first(count: int) -> None:
    key = list(Stream(7).permutation(count))
    plans = BlocksPlanner(depth=50, size=10).plan(count), BlocksPlanner(depth=50, size=10).plan(count)
    _run(plans[0], key)
    _run(plans[1], key, backwards=True)
    assert list(plans[0].order) == list(plans[1].order)


@pytest.mark.parametrize("planner", [BlocksPlanner(), ReferencePlanner()])
def test_windows_that_failed_leave_the_coarse_order(planner: Planner) -> None:
    plan = planner.plan(60)
    while due := plan.due():
        for window in due:
            plan.told(window, FAILED)
    assert list(plan.order) == list(range(60))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"depth": 0}, "depth >= 1"),
        ({"size": 1}, "size >= 2"),
        ({"keep": 0}, "keep >= 1"),
        ({"turns": -1}, "turns >= 0"),
        ({"depth": 50, "size": 20, "keep": 7}, "the best 7 of 3 blocks do not fit a window of 20"),
        ({"depth": 50, "size": 5}, "the best 1 of 10 blocks do not fit a window of 5"),
    ],
)
def test_impossible_blocks_are_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BlocksPlanner(**values)
