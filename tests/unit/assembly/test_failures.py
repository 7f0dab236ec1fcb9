"""Pins which queries count as failed, what is said of them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.report.reranks import drawn, reranked

from vretrver.agent.budget import Budget
from vretrver.assembly.failures import ANY, REFUSE, allow, failures_of
from vretrver.errors import PolicyError

GOOD = ["<answer>[2, 1, 3, 4]</answer>"]
MUTE = ["nothing"] * 5  # four turns, and the one that is asked for the answer


def test_no_failure_says_nothing(tmp_path: Path) -> None:
    report = failures_of([reranked(drawn(tmp_path), GOOD)])
    assert (report.queries, report.of, report.sentence, report.nothing_ranked) == ((), 1, "", False)
    REFUSE.check(report)


def test_a_failed_query_is_said_with_its_reason(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    report = failures_of([reranked(images, GOOD), reranked(images, MUTE)])
    assert report.sentence == (
        "queries with windows that gave no answer: 1 of 2, 9:1 among them (1 of its 1 windows: the last turn held no "
        "usable answer); there the order is the one given, not confirmed"
    )
    ANY.check(report)
    allow(1).check(report)
    with pytest.raises(PolicyError, match=r"1 of 2, 9:1 among them .*; at most 0 are accepted"):
        REFUSE.check(report)


def test_the_most_frequent_of_several_reasons_is_said(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    spent = reranked(images, GOOD, budget=Budget(turns=0))
    report = failures_of([spent, reranked(images, MUTE), reranked(images, MUTE), reranked(images, GOOD)])
    assert report.sentence == (
        "queries with windows that gave no answer: 3 of 4, 9:1 among them (1 of its 1 windows: the query's budget "
        "was used up); most often, in 2 of 3 windows: the last turn held no usable answer; there the order is the "
        "one given, not confirmed"
    )


def test_that_nothing_was_ranked_is_always_refused(tmp_path: Path) -> None:
    report = failures_of([reranked(drawn(tmp_path), MUTE)])
    assert report.nothing_ranked
    for failures in (ANY, REFUSE, allow(5)):
        with pytest.raises(PolicyError, match=r"no query was ranked \(the last turn held no usable answer\)"):
            failures.check(report)


def test_no_query_at_all_is_no_failure() -> None:
    ANY.check(failures_of([]))


def test_a_budget_is_a_reason_like_any_other(tmp_path: Path) -> None:
    (query,) = failures_of([reranked(drawn(tmp_path), GOOD, budget=Budget(turns=0))]).queries
    assert (query.why, query.unranked) == ("the query's budget was used up", True)
