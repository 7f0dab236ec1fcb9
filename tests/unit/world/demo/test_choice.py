"""Pins which queries the demonstration's report shows: successes and failures, and how they are said to be chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.report.reranks import LOOKED, drawn, reranked

from vretrver.agent.reranked import Reranked
from vretrver.images import ImageStore
from vretrver.records import Query, parts_of
from vretrver.world.demo.choice import chosen

KEPT = ["<answer>[1, 2, 3, 4]</answer>"]


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return drawn(tmp_path)


def asked(images: ImageStore, qid: str, turns: list[str]) -> Reranked:
    query = Query(qid=qid, parts=parts_of(text="the one with the square"))
    return reranked(images, {f"{qid}/w0": turns}, query=query)


def test_right_ones_that_changed_come_first_and_wrong_ones_are_not_left_out(images: ImageStore) -> None:
    done = [asked(images, f"t{n}", LOOKED) for n in range(13)]  # 5:2 moves to the top
    done += [asked(images, "k", KEPT), asked(images, "w0", LOOKED), asked(images, "w1", KEPT)]
    wanted = {**{f"t{n}": {"5:2"} for n in range(13)}, "k": {"5:0"}, "w0": {"5:0"}, "w1": {"5:3"}}
    choice = chosen(done, wanted)
    assert [one.query.qid for one in choice.shown] == ["t0", "t2", "t4", "t6", "t8", "t10", "w0", "w1"]
    counts, how = choice.lead
    assert counts == "14 of 16 first places are right; 2 were before the agent ranked."
    assert how == (
        "Shown: 6 of the 13 that are right and changed their first place after looks, and 2 of the 2 that are wrong; "
        "at even distances in the order they were asked."
    )


def test_where_nothing_is_wrong_that_is_said(images: ImageStore) -> None:
    choice = chosen([asked(images, "k", KEPT)], {"k": {"5:0"}})
    assert [one.query.qid for one in choice.shown] == ["k"]
    assert choice.lead[1] == (
        "Shown: 1 of the 1 that are right, and none that is wrong, as there is none; "
        "at even distances in the order they were asked."
    )


def test_a_query_that_failed_counts_as_wrong(images: ImageStore) -> None:
    choice = chosen([asked(images, "f", ["nothing"] * 5)], {"f": {"5:1"}})
    assert [one.query.qid for one in choice.shown] == ["f"]
    assert choice.lead[0] == "0 of 1 first places are right; 0 were before the agent ranked."
