"""Pins the windows of the reference schedule, exhaustively for small numbers, and the rank score."""

from __future__ import annotations

from itertools import pairwise

import pytest

from vretrver.agent.schedule import ReferenceSchedule, rank_scores, spans
from vretrver.errors import ConfigError


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
        list(spans(50, size, stride))
    with pytest.raises(ConfigError, match="0 < stride <= size"):
        ReferenceSchedule(size=size, stride=stride)


def test_a_depth_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="depth >= 1"):
        ReferenceSchedule(depth=0)


def test_the_reference_schedule_leaves_what_is_deeper_alone() -> None:
    schedule = ReferenceSchedule()
    assert schedule.name == "reference(50,20,10)"
    assert [(w.start, w.stop) for w in schedule.windows(80)] == [(30, 50), (20, 40), (10, 30), (0, 20)]


def test_rank_scores_fall_strictly() -> None:
    assert rank_scores(4) == [1.0, 0.5, 1 / 3, 0.25]
    scores = rank_scores(5000)
    assert all(high > low for high, low in pairwise(scores))
