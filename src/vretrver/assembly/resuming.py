"""Going on with a trace or a run folder, and reading a folder back.

One rule says what is done and not asked again, of a query in a trace as of a window in a folder: what is shown of
query and candidates is the same, in the same order (metadata, scores and citations are not shown), no picture
shown has changed, configuration, budget, policy, weights and limits are the same, and it did not end for a reason
outside the agent that may pass. A folder has all of it in the key of a window (`agent.memo.WindowKey`); of a trace it
is looked up in the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..agent.reranked import Reranked
from ..agent.reranker import Reranker
from ..config import load_config
from ..errors import ConfigError, PictureError
from ..images import Pictures
from ..records import Hit, Query
from ..run_folder import CONFIG_FILE, RunFolder
from ..traces import TraceWriter, read_traces
from .spec import AgentSpec

Pairs = Sequence[tuple[Query, Sequence[Hit]]]
"""Queries with their hits."""


def done_before(trace: Path | None, pairs: Pairs, reranker: Reranker, *, strict: bool = True) -> dict[str, Reranked]:
    """Return what a trace holds of these queries, by id; interrupted ones are left out, to be done again.

    Query and hits of a result are those given, whose metadata, scores and citations may be newer than the trace's.

    Args:
        trace: the file; None, or one that is not there, holds nothing.
        pairs: what is asked.
        reranker: what would answer it.
        strict: refuse a known id with another query, other hits or another agent, where results would be mixed in a
            file that a person named; otherwise it is done again. Where a picture has changed it always is.

    Raises:
        ConfigError: as `strict` says.
        DataError: the file is damaged.
    """
    if trace is None or not trace.is_file():
        return {}
    wanted = {query.qid: (query, tuple(hits)) for query, hits in pairs}
    agent = reranker.setup.agent
    done: dict[str, Reranked] = {}
    for reranked in read_traces(trace):
        qid = reranked.query.qid
        if qid not in wanted:
            continue
        other = _other(reranked, wanted[qid], agent)
        if other and strict:
            raise ConfigError(f"{trace}: query {qid} {other}; choose another --trace file, or remove this one")
        if not other and not reranked.interrupted and not _changed(reranked, reranker.images):
            query, hits = wanted[qid]
            done[qid] = replace(reranked, query=query, hits=hits)
    return done


def rerank_into(
    trace: Path | None, reranker: Reranker, pairs: Pairs, *, folder: RunFolder | None = None
) -> Iterator[Reranked]:
    """Rerank queries together and yield each as it finishes, after it was written to trace and folder.

    Args:
        trace: the file; None writes none.
        reranker: does it; its memo is the folder where there is one.
        pairs: what is asked.
        folder: keeps candidates before anything is asked, and how each query ended.

    Raises:
        DataError: trace or folder cannot be written, or hold something else.
    """
    if folder is not None:
        for query, hits in pairs:
            folder.keep_hits(query, hits)
    writer = None if trace is None else TraceWriter(trace)
    try:
        for reranked in reranker.rerank_many(pairs):
            if folder is not None:
                folder.keep_end(reranked, reranker.config.planner)
            if writer is not None:
                writer.write(reranked)
            yield reranked
    finally:
        if writer is not None:
            writer.close()


def read_run(path: Path) -> Iterator[Reranked]:
    """Yield the queries of a run, as they ended, from what `--trace` or `--windows` wrote.

    Of a folder each query is there once, in the order asked; one that did not end is marked as unfinished. Of a trace
    each line is there: the last one of a query counts.

    Args:
        path: a trace file, or a run folder.

    Raises:
        ConfigError: the folder holds no run.
        DataError: something in it is damaged.
    """
    if not path.is_dir():
        yield from read_traces(path)
        return
    with RunFolder(path) as folder:
        planner = load_config(path / CONFIG_FILE, AgentSpec, environ={}).plan.planner()
        for query, hits in folder.queries():
            yield folder.reranked(query, hits, planner)


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


def _other(reranked: Reranked, wanted: tuple[Query, tuple[Hit, ...]], agent: str) -> str:
    """Return how a record differs from what is asked; empty where it does not."""
    query, hits = wanted
    if (reranked.query.parts, reranked.query.instruction) != (query.parts, query.instruction):
        return "asks for something else in it"
    if [hit.candidate.did for hit in reranked.hits] != [hit.candidate.did for hit in hits]:
        return "has other candidates in it, or another order of them"
    for before, now in zip(reranked.hits, hits, strict=True):
        if before.candidate.parts != now.candidate.parts:
            return f"has candidate {now.candidate.did} in it with another text or picture"
    if any(one.agent != agent for one in reranked.trajectories):
        return "was ranked by another agent"
    return ""


def _changed(reranked: Reranked, images: Pictures) -> bool:
    """Say whether a picture of a prompt is another one now, or cannot be read any more."""
    pinned = {shown.cuts[0].image for window in reranked.trajectories for shown in window.pictures}
    for image in pinned:
        try:
            if image.sha256 is not None and images.pin(replace(image, sha256=None)).sha256 != image.sha256:
                return True
        except PictureError:
            return True
    return False
