"""Pins the metrics against hand-worked cases and against slow independent versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.evaluation.metrics import hit_at_k, recall_at_k, reciprocal_rank

RANKING = ["d3", "d1", "d7", "d2", "d9"]


@pytest.mark.parametrize(
    ("relevant", "k", "hit", "recall"),
    [
        ({"d3"}, 1, 1.0, 1.0),
        ({"d1"}, 1, 0.0, 0.0),
        ({"d1", "d2"}, 2, 1.0, 0.5),
        ({"d1", "d2"}, 4, 1.0, 1.0),
        ({"d1", "d2", "gone"}, 5, 1.0, 2 / 3),
        ({"gone"}, 5, 0.0, 0.0),
        ({"d9"}, 100, 1.0, 1.0),
    ],
)
def test_hit_and_recall_by_hand(relevant: set[str], k: int, hit: float, recall: float):
    assert hit_at_k(RANKING, relevant, k) == hit
    assert recall_at_k(RANKING, relevant, k) == pytest.approx(recall)


@pytest.mark.parametrize(
    ("relevant", "value"), [({"d3"}, 1.0), ({"d7", "d9"}, 1 / 3), ({"d9"}, 0.2), ({"gone"}, 0.0)]
)
def test_reciprocal_rank_by_hand(relevant: set[str], value: float):
    assert reciprocal_rank(RANKING, relevant) == pytest.approx(value)


def test_an_empty_ranking_scores_zero():
    assert hit_at_k([], {"a"}, 5) == recall_at_k([], {"a"}, 5) == reciprocal_rank([], {"a"}) == 0.0


IDS = [f"d{n}" for n in range(12)]


@given(st.permutations(IDS), st.sets(st.sampled_from(IDS), min_size=1), st.integers(1, 15))
def test_metrics_agree_with_slow_versions(ranking: list[str], relevant: set[str], k: int):
    ranks = sorted(ranking.index(did) + 1 for did in relevant)
    assert hit_at_k(ranking, relevant, k) == (1.0 if ranks[0] <= k else 0.0)
    assert recall_at_k(ranking, relevant, k) == pytest.approx(len([r for r in ranks if r <= k]) / len(ranks))
    assert reciprocal_rank(ranking, relevant) == pytest.approx(1 / ranks[0])


@given(st.permutations(IDS), st.sets(st.sampled_from(IDS), min_size=1), st.integers(1, 11))
def test_deeper_is_never_worse_and_recall_never_above_hit(ranking: list[str], relevant: set[str], k: int):
    assert hit_at_k(ranking, relevant, k) <= hit_at_k(ranking, relevant, k + 1)
    assert recall_at_k(ranking, relevant, k) <= recall_at_k(ranking, relevant, k + 1)
    assert recall_at_k(ranking, relevant, k) <= hit_at_k(ranking, relevant, k)


def test_a_query_without_relevant_items_has_no_score():
    with pytest.raises(ValueError, match="undefined"):
        hit_at_k(RANKING, set(), 5)
    with pytest.raises(ValueError, match="undefined"):
        recall_at_k(RANKING, set(), 5)
    with pytest.raises(ValueError, match="undefined"):
        reciprocal_rank(RANKING, set())


@pytest.mark.parametrize("k", [0, -1])
def test_k_must_be_positive(k: int):
    with pytest.raises(ValueError, match="k must be at least 1"):
        hit_at_k(RANKING, {"d1"}, k)
