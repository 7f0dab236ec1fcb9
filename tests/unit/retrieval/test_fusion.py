"""Pins how two orders become one."""

from __future__ import annotations

import pytest

from vretrver.retrieval.fusion import EQUAL, WORDS_FIRST, fused


def test_scores_are_sums_of_reciprocal_ranks():
    ranking = fused({"words": [("a", 3.0), ("b", 2.0)], "vectors": [("b", 0.9), ("c", 0.8)]}, weights=EQUAL)
    assert ranking == [
        ("b", pytest.approx(1 / 62 + 1 / 61)),
        ("a", pytest.approx(1 / 61)),
        ("c", pytest.approx(1 / 62)),
    ]


def test_equal_scores_share_a_rank_and_keep_the_order_of_the_first_ranking():
    ranking = fused({"words": [("a", 1.0), ("b", 1.0), ("c", 0.5)]}, weights=EQUAL)
    assert ranking == [("a", 1 / 61), ("b", 1 / 61), ("c", 1 / 63)]


def test_vectors_order_what_words_leave_equal_and_follow_behind():
    words = [("a", 2.0), ("b", 1.0), ("c", 1.0)]
    vectors = [("d", 0.9), ("c", 0.8), ("b", 0.7), ("a", 0.1)]
    assert [did for did, _ in fused({"words": words, "vectors": vectors}, weights=WORDS_FIRST)] == [
        "a",
        "c",
        "b",
        "d",
    ]


def test_the_last_of_a_thousand_by_words_stands_before_the_first_by_vectors():
    words = [(f"w{n}", 1000.0 - n) for n in range(1000)]
    assert fused({"words": words, "vectors": [("v", 1.0)]}, weights=WORDS_FIRST)[-1][0] == "v"


def test_one_may_be_trusted_more():
    ranking = fused(
        {"words": [("a", 1.0)], "vectors": [("b", 1.0)]}, weights={"words": 0.5, "vectors": 1.0}, constant=0
    )
    assert ranking == [("b", 1.0), ("a", 0.5)]
