"""What a demonstration measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from ...evaluation.evaluate import evaluate
from ...evaluation.intervals import bootstrap, wilson
from ...runs import Qrels, Run

Figures = Mapping[str, Any]
"""Metric -> (value, low, high) with a 95 % interval, or a mean per query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What a demonstration measured."""

    queries: int
    """Queries asked."""
    pool: int
    """Pictures searched."""
    seconds: float
    """Whole run, drawing included."""
    policy: str
    """What wrote the agent's turns."""
    encoder: str
    """What made the vectors of the coarse stage."""
    coarse: Figures
    """hit@1, hit@20 and mrr of the coarse stage."""
    agent: Figures
    """hit@1, mrr; per query: executed looks, tokens, seconds; queries with a window without a usable answer."""
    agent_without_evidence: Figures
    """The same of the same agent when its looks show nothing new; of a script, when it may not look."""
    oracle: Figures
    """The same of the scripted oracle: the ceiling of what looking can bring here."""
    report: Path
    """The evidence report."""

    def to_json(self) -> dict[str, object]:
        """Return the result with plain values, in this order."""
        return {**asdict(self), "seconds": round(self.seconds, 2), "report": str(self.report)}


def scores(orders: Mapping[str, Sequence[str]], qrels: Qrels, metrics: Sequence[str]) -> dict[str, list[float]]:
    """Return metric -> [value, low, high]; the queries are taken to be independent.

    Args:
        orders: qid -> dids, best first.
        qrels: the judgements.
        metrics: names as in `evaluation`.
    """
    found = evaluate(Run.from_order(tag="demo", order=orders), qrels, metrics).per_query
    return {name: _interval(name, list(found[name].values())) for name in metrics}


def _interval(name: str, values: Sequence[float]) -> list[float]:
    share = name.startswith("hit@")
    low, high = wilson(round(sum(values)), len(values)) if share else bootstrap(values, seed=0, draws=2000)
    return [round(fmean(values), 4), round(low, 4), round(high, 4)]
