"""Reranking for a person or a program at the terminal: each query as it finishes, failures, trace and report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .models import note_shipped
from .output import emit_json, emit_table, note, prepare_output, progress

if TYPE_CHECKING:
    from ..agent.dialect import Dialect
    from ..agent.reranked import Reranked
    from ..agent.reranker import Reranker
    from ..assembly.spec import AgentSpec
    from ..images import ImageStore
    from ..records import Hit, Query
    from ..run_folder import RunFolder


def rerank_and_print(
    pairs: Sequence[tuple[Query, Sequence[Hit]]],
    images: ImageStore,
    spec: AgentSpec,
    *,
    dialect: Dialect | None = None,
    trace: Path | None = None,
    windows: Path | None = None,
    report: Path | None = None,
    as_json: bool = False,
) -> None:
    """Rerank queries, print each as it finishes, and write trace and report where asked for.

    Args:
        pairs: queries with their hits.
        images: where their pictures are read.
        spec: the agent.
        dialect: what the model is told, where the spec does not say it.
        trace: file to go on with.
        windows: folder that keeps every window as it ends, to go on with.
        report: file of the evidence report.
        as_json: whether JSON is printed, one object a query.

    Raises:
        DataError: trace, report or journal cannot be written; nothing was ranked.
        PolicyError: no query was ranked, after everything was printed and written; or the server will not do.
    """
    from ..assembly.agent import open_agent
    from ..assembly.failures import ANY, failures_of

    for file in (trace, report, spec.journal):
        prepare_output(file)
    note_shipped([spec.policy], images)
    with _memo(windows, spec) as memo, open_agent(spec, images, dialect=dialect) as agent:
        fingerprint = agent.policy.fingerprint
        if agent.policy.scripted:
            note(f"{fingerprint} is a script, no model; for one: --policy local:FOLDER, or http:URL")
        finished = _rerank_all(agent.reranker(memo=memo), pairs, trace, as_json=as_json)
    if report is not None:
        from ..report.html import write_report

        order = {query.qid: place for place, (query, _) in enumerate(pairs)}
        shown = sorted(finished, key=lambda reranked: order[reranked.query.qid])
        write_report(report, shown, images, title="vretrver rerank", summary=[("policy", fingerprint)])
        note(f"the evidence report is {report}")
    failures = failures_of(finished)
    if failures.sentence:
        note(failures.sentence)
        note(
            f"`vretrver trace {trace}` shows all"
            if trace
            else "give --trace FILE to keep the record of what was said"
        )
    ANY.check(failures)


@contextmanager
def _memo(windows: Path | None, spec: AgentSpec) -> Iterator[RunFolder | None]:
    """Open the folder that keeps windows, where one is named."""
    if windows is None:
        yield None
        return
    from ..config import resolved
    from ..run_folder import RunFolder

    with RunFolder(windows, config=resolved(spec)) as folder:
        if len(folder):
            note(f"{windows} holds {len(folder)} windows; those of these queries are not asked again")
        yield folder


def _rerank_all(
    reranker: Reranker, pairs: Sequence[tuple[Query, Sequence[Hit]]], trace: Path | None, *, as_json: bool
) -> list[Reranked]:
    """Rerank what the trace does not hold, print everything, and return it in the order it was printed."""
    from ..assembly.resuming import done_before, rerank_into

    done = done_before(trace, pairs, reranker)
    if done:
        note(f"{len(done)} of {len(pairs)} queries are in {trace} and are not done again")
    finished = list(done.values())
    show = partial(_print, as_json=as_json, named=len(pairs) > 1)
    for reranked in finished:
        show(reranked)
    todo = [pair for pair in pairs if pair[0].qid not in done]
    with progress("reranking") as update:
        for count, reranked in enumerate(rerank_into(trace, reranker, todo), start=1):
            show(reranked)
            finished.append(reranked)
            update(count, len(todo))
    return finished


def _print(reranked: Reranked, *, as_json: bool, named: bool) -> None:
    """Print a query's ranking, its id in every row where there are several queries."""
    from ..assembly.failures import why

    _note_unseen(reranked)
    windows = [
        {
            "round": one.step.round,
            "places": one.step.places,
            "reason": one.stop.value,
            "looks": one.looks,
            "tokens": one.tokens,
            **({"error": why(one)} if one.ranking is None else {}),
        }
        for one in reranked.trajectories
    ]
    failed = len(reranked.failed)
    if as_json:
        emit_json(
            {
                "qid": reranked.query.qid,
                "verdict": reranked.verdict,
                "ended": reranked.ended,
                "ranking": [asdict(ranked) for ranked in reranked.ranking],
                "windows": windows,
                "failed_windows": failed,
            }
        )
        return
    looks = sum(trajectory.looks for trajectory in reranked.trajectories)
    said = [f"windows {len(windows)}{f', {failed} FAILED' if failed else ''}", f"looks {looks}"]
    if reranked.ended != "complete":
        said.append(f"ended early: {reranked.ended}")
    if reranked.verdict == "nothing_fits":
        said.append("the agent says that nothing fits")
    if failed:
        said.append(f"no answer: {'; '.join(dict.fromkeys(why(one) for one in reranked.failed))}")
    note(f"{reranked.query.qid}: {', '.join(said)}")
    rows = [(ranked.rank, ranked.did, ranked.coarse_rank, round(ranked.score, 4)) for ranked in reranked.ranking]
    header = ("rank", "candidate", "before", "score")
    if named:
        emit_table(("query", *header), [(reranked.query.qid, *row) for row in rows])
    else:
        emit_table(header, rows)


def _note_unseen(reranked: Reranked) -> None:
    """Name the pictures that could not be shown, each once."""
    unseen = {
        (cut.did or "the query", cut.image.path): shown.refused
        for trajectory in reranked.trajectories
        for shown in trajectory.pictures
        if shown.refused is not None
        for cut in shown.cuts
    }
    for (did, path), reason in unseen.items():
        note(f"{reranked.query.qid}: not shown: {did}, {path}: {reason}")
