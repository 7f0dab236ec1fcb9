"""A run scored against relevance judgements, query by query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial

from ..errors import ConfigError, DataError
from ..runs import Qrels, Run
from .metrics import hit_at_k, recall_at_k, reciprocal_rank

Metric = Callable[[Sequence[str], AbstractSet[str]], float]
"""Scores one query's ranking, best first, against its relevant dids; 0..1, higher is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Scores of a run, and the queries that were left out."""

    per_query: Mapping[str, Mapping[str, float]]
    """Metric name -> qid -> score, in the order of the judgements."""
    without_relevant: tuple[str, ...]
    """Judged queries to which nothing is relevant: metrics are undefined for them, and means leave them out."""
    unjudged: tuple[str, ...]
    """Queries of the run without judgements; means leave them out."""

    @property
    def queries(self) -> int:
        """Number of queries in each mean."""
        return len(next(iter(self.per_query.values())))

    @property
    def means(self) -> dict[str, float]:
        """Metric name -> mean over the queries."""
        return {name: sum(scores.values()) / len(scores) for name, scores in self.per_query.items()}


def metric_named(name: str) -> Metric:
    """Return the metric `hit@k`, `recall@k` (k a whole number) or `mrr`; raises ConfigError for any other name."""
    if name == "mrr":
        return reciprocal_rank
    kind, at, depth = name.partition("@")
    known = {"hit": hit_at_k, "recall": recall_at_k}
    if kind not in known or not at or not depth.isdecimal() or not depth.isascii() or int(depth) < 1:
        raise ConfigError(f"unknown metric {name!r}; known are hit@k, recall@k and mrr, as in hit@5")
    return partial(known[kind], k=int(depth))


def evaluate(run: Run, qrels: Qrels, metrics: Sequence[str] = ("hit@1", "hit@5", "hit@10", "mrr")) -> Evaluation:
    """Score a run.

    A judged query that the run lacks is an error, not a zero: a run that lost a shard must not look like a bad one.

    Args:
        run: rankings; queries without judgements are listed and left out.
        qrels: judgements; queries to which nothing is relevant are listed and left out.
        metrics: names as in `metric_named`; at least one.

    Raises:
        DataError: the run lacks judged queries, or no query can be scored.
        ConfigError: there is no metric, or one is unknown.
    """
    scorers = {name: metric_named(name) for name in metrics}
    if not scorers:
        raise ConfigError("name at least one metric, as in hit@5")
    relevant = {qid: qrels.relevant(qid) for qid in qrels}
    scored = [qid for qid in relevant if relevant[qid]]
    missing = [qid for qid in scored if qid not in run.rankings]
    if missing:
        raise DataError(
            f"run {run.tag!r} lacks {len(missing)} of {len(scored)} judged queries (first: {missing[0]}); "
            "finish the run or evaluate against the judgements of the queries it has"
        )
    if not scored:
        raise DataError("no judged query has a relevant item; evaluation needs at least one")
    rankings = {qid: [did for did, _ in run.rankings[qid]] for qid in scored}
    return Evaluation(
        per_query={
            name: {qid: scorer(rankings[qid], relevant[qid]) for qid in scored} for name, scorer in scorers.items()
        },
        without_relevant=tuple(qid for qid in relevant if not relevant[qid]),
        unjudged=tuple(qid for qid in run.rankings if qid not in relevant),
    )
