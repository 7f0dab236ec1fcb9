"""Pins which queries a mean is over, and that a judged query missing from a run is an error."""

from __future__ import annotations

import pytest

from vretrver.errors import ConfigError, DataError
from vretrver.evaluation.evaluate import evaluate, metric_named
from vretrver.runs import Qrels, Run

QRELS = Qrels(judged={"q1": {"a": 1, "b": 0}, "q2": {"c": 1, "d": 2}, "q3": {"a": 0}})


def run(**order: list[str]) -> Run:
    return Run.from_order(tag="t", order=order)


def test_scores_and_means_by_hand():
    evaluation = evaluate(run(q1=["b", "a"], q2=["c", "x", "d"]), QRELS, ["hit@1", "hit@2", "recall@2", "mrr"])
    assert evaluation.per_query["hit@1"] == {"q1": 0.0, "q2": 1.0}
    assert evaluation.means == {"hit@1": 0.5, "hit@2": 1.0, "recall@2": 0.75, "mrr": 0.75}
    assert evaluation.queries == 2


def test_queries_without_relevant_items_and_unjudged_ones_are_listed_and_in_no_mean():
    evaluation = evaluate(run(q1=["a"], q2=["c"], q9=["a"]), QRELS, ["hit@1"])
    assert (evaluation.without_relevant, evaluation.unjudged) == (("q3",), ("q9",))
    assert list(evaluation.per_query["hit@1"]) == ["q1", "q2"]


def test_a_missing_query_is_an_error_and_not_a_zero():
    with pytest.raises(DataError, match=r"run 't' lacks 1 of 2 judged queries \(first: q2\)"):
        evaluate(run(q1=["a"]), QRELS, ["hit@1"])


def test_an_empty_ranking_is_a_zero():
    assert evaluate(run(q1=[], q2=["c"]), QRELS, ["hit@1"]).means == {"hit@1": 0.5}


def test_judgements_without_any_relevant_item_are_an_error():
    with pytest.raises(DataError, match="no judged query has a relevant item"):
        evaluate(run(q3=["a"]), Qrels(judged={"q3": {"a": 0}}), ["hit@1"])


@pytest.mark.parametrize("name", ["hit", "hit@", "hit@0", "hit@-1", "hit@x", "map@5", "MRR", "", "hit@\u0665"])
def test_unknown_metrics_are_refused(name: str):
    with pytest.raises(ConfigError, match="unknown metric"):
        metric_named(name)


def test_at_least_one_metric_is_needed():
    with pytest.raises(ConfigError, match="at least one metric"):
        evaluate(run(q1=["a"], q2=["c"]), QRELS, [])
