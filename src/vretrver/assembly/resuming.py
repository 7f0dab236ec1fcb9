"""Going on with a trace: what it holds of these very queries by this very agent is not asked again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..agent.reranked import Reranked
from ..agent.reranker import Reranker
from ..errors import ConfigError
from ..records import Hit, Query
from ..traces import TraceWriter, read_traces

Pairs = Sequence[tuple[Query, Sequence[Hit]]]
"""Queries with their hits."""


def done_before(trace: Path | None, pairs: Pairs, reranker: Reranker, *, strict: bool = True) -> dict[str, Reranked]:
    """Return what a trace holds of these queries, by id; interrupted ones are left out, to be done again.

    Args:
        trace: the file; None, or one that is not there, holds nothing.
        pairs: what is asked.
        reranker: what would answer it.
        strict: refuse a known id with another query, other hits or another agent, where results would be mixed in a
            file that a person named; otherwise it is left out and done again.

    Raises:
        ConfigError: as `strict` says.
        DataError: the file is damaged.
    """
    if trace is None or not trace.is_file():
        return {}
    wanted = {query.qid: (query, tuple(hits)) for query, hits in pairs}
    done: dict[str, Reranked] = {}
    for reranked in read_traces(trace):
        qid = reranked.query.qid
        if qid not in wanted:
            continue
        other = _other(reranked, wanted[qid], reranker)
        if other and strict:
            raise ConfigError(f"{trace}: query {qid} {other}; choose another --trace file")
        if not other and not reranked.interrupted:
            done[qid] = reranked
    return done


def rerank_into(trace: Path | None, reranker: Reranker, pairs: Pairs) -> Iterator[Reranked]:
    """Rerank queries together and yield each as it finishes, after it was written to the trace.

    Raises:
        DataError: the trace cannot be written, or is none.
    """
    if trace is None:
        yield from reranker.rerank_many(pairs)
        return
    with TraceWriter(trace) as writer:
        for reranked in reranker.rerank_many(pairs):
            writer.write(reranked)
            yield reranked


def in_order(qids: Sequence[str], finished: Iterable[Reranked]) -> Iterator[Reranked]:
    """Yield finished queries in the order of their ids; one waits for those before it.

    When `finished` ends early or raises, those that still wait are yielded before the error goes on.
    """
    waiting: dict[str, Reranked] = {}
    todo = list(reversed(qids))
    try:
        for reranked in finished:
            waiting[reranked.query.qid] = reranked
            while todo and todo[-1] in waiting:
                yield waiting.pop(todo.pop())
    except Exception:
        yield from (waiting[qid] for qid in reversed(todo) if qid in waiting)
        raise
    yield from (waiting[qid] for qid in reversed(todo) if qid in waiting)


def _other(reranked: Reranked, wanted: tuple[Query, tuple[Hit, ...]], reranker: Reranker) -> str:
    """Return how a record differs from what is asked; empty where it does not."""
    if (reranked.query, reranked.hits) != wanted:
        return "is in it with other content"
    agent = (reranker.policy.fingerprint, reranker.config.sha256)
    if any((one.policy, one.config) != agent for one in reranked.trajectories):
        return "was ranked by another agent"
    return ""
