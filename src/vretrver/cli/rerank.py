"""`vretrver rerank`: the agent over candidates somebody found; `hits` has the forms in which they may be given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from .models import POLICIES, DeviceOption, DtypeOption, local_options, note_shipped, recipe_of, views_of
from .output import emit_json, emit_table, note, progress

if TYPE_CHECKING:
    from ..agent.dialect import Dialect
    from ..agent.plans import Planner
    from ..agent.reranked import Reranked
    from ..agent.reranker import Reranker
    from ..images import ImageStore
    from ..policies.named import LocalOptions
    from ..records import Hit, Query


def rerank(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="A JSONL of queries with candidates (- for stdin), a published evaluation file (parquet), "
            "or one query's candidates."
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="Text of one query.")] = None,
    image: Annotated[Path | None, typer.Option(help="Picture of one query.")] = None,
    policy: Annotated[str, typer.Option(help=POLICIES)] = "first-k",
    model: Annotated[str | None, typer.Option(help="The server's model, unless VRETRVER_MODEL names it.")] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Keep every turn here; a run that was killed pays for none of them twice.")
    ] = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    dialect: Annotated[
        str | None, typer.Option(help="vretrver (default), or released for the published checkpoints.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="A TREC run or a LamRA result, with --queries and --corpus.")
    ] = None,
    queries: Annotated[Path | None, typer.Option(help="The queries of --run: M-BEIR's, or a JSONL.")] = None,
    corpus: Annotated[Path | None, typer.Option(help="The candidates of --run: M-BEIR's pool, or a JSONL.")] = None,
    root: Annotated[Path | None, typer.Option(help="Folder the files' picture paths start from.")] = None,
    path_map: Annotated[
        list[str] | None,
        typer.Option("--map", help="OLD=NEW: where a published file's pictures lie now; may be given several times."),
    ] = None,
    depth: Annotated[int, typer.Option(help="Candidates reranked per query.", min=1)] = 50,
    window: Annotated[int, typer.Option(help="Candidates in a window.", min=1)] = 20,
    stride: Annotated[
        int | None, typer.Option(help="Places a window moves; 10, or the window's size.", min=1)
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(help="Append the record here; what it holds is not done again.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the evidence report here (HTML).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a query.")] = False,
) -> None:
    """Rerank candidates with the agent, and show what it looked at."""
    from ..agent.plans import ReferencePlanner
    from .hits import what_to_rerank

    planner = ReferencePlanner(depth=depth, size=window, stride=min(10, window) if stride is None else stride)
    given = what_to_rerank(
        files or [], text=text, image=image, run=run, queries=queries, corpus=corpus, root=root,
        path_map=path_map or [], depth=depth,
    )  # fmt: skip
    rerank_and_print(
        given.pairs,
        given.images,
        policy=policy,
        model=model,
        local=local_options(dtype, device),
        journal=journal,
        dialect=given.dialect(dialect or (recipe.dialect if (recipe := recipe_of(policy)) else "vretrver")),
        planner=planner,
        trace=trace,
        report=report,
        as_json=as_json,
    )


def rerank_and_print(
    pairs: Sequence[tuple[Query, Sequence[Hit]]],
    images: ImageStore,
    *,
    policy: str,
    model: str | None = None,
    local: LocalOptions | None = None,
    journal: Path | None = None,
    dialect: Dialect | None = None,
    planner: Planner | None = None,
    trace: Path | None = None,
    report: Path | None = None,
    as_json: bool = False,
) -> None:
    """Rerank queries, print each as it finishes, and write trace and report where asked for."""
    from ..agent.config import AgentConfig
    from ..agent.dialects import dialect_named
    from ..agent.plans import ReferencePlanner
    from ..agent.reranker import Reranker
    from ..policies.named import opened

    chosen = dialect or dialect_named("vretrver")
    views = views_of(policy, chosen)
    config = AgentConfig(dialect=chosen, views=views, planner=planner or ReferencePlanner())
    note_shipped([policy], images)
    with opened(policy, model=model, journal=journal, shown=views.candidate, local=local) as opened_policy:
        if opened_policy.fingerprint.startswith("scripted:"):
            note(f"{opened_policy.fingerprint} is a script, no model; for one: --policy local:FOLDER, or http:URL")
        reranker = Reranker(opened_policy, images, config)
        finished = _rerank_all(reranker, pairs, trace, as_json=as_json)
    failed = [reranked.query.qid for reranked in finished if reranked.failed]
    if failed:
        note(f"queries with windows that gave no answer: {len(failed)} of {len(finished)}, {failed[0]} among them;")
        note("there the order is the one given, not confirmed; `vretrver trace` shows why")
    if report is not None:
        from ..report.html import write_report

        order = {query.qid: place for place, (query, _) in enumerate(pairs)}
        shown = sorted(finished, key=lambda reranked: order[reranked.query.qid])
        write_report(
            report, shown, images, title="vretrver rerank", summary=[("policy", reranker.policy.fingerprint)]
        )
        note(f"the evidence report is {report}")


def _rerank_all(
    reranker: Reranker, pairs: Sequence[tuple[Query, Sequence[Hit]]], trace: Path | None, *, as_json: bool
) -> list[Reranked]:
    """Rerank what the trace does not hold, print everything, and return it in the order it was printed."""
    done = _done_before(trace, pairs, reranker)
    finished = list(done.values())
    for reranked in finished:
        _print(reranked, as_json=as_json)
    todo = [pair for pair in pairs if pair[0].qid not in done]
    with _writer(trace) as write, progress("reranking") as update:
        for count, reranked in enumerate(reranker.rerank_many(todo), start=1):
            write(reranked)
            _print(reranked, as_json=as_json)
            finished.append(reranked)
            update(count, len(todo))
    return finished


def _done_before(
    trace: Path | None, pairs: Sequence[tuple[Query, Sequence[Hit]]], reranker: Reranker
) -> dict[str, Reranked]:
    """Return what a trace holds of these queries; interrupted ones are done again.

    Another query, other hits or another agent under a known id are an error: results would be mixed.
    """
    from ..traces import read_traces

    if trace is None or not trace.is_file():
        return {}
    wanted = {query.qid: (query, tuple(hits)) for query, hits in pairs}
    agent = (reranker.policy.fingerprint, reranker.config.sha256)
    done: dict[str, Reranked] = {}
    for reranked in read_traces(trace):
        qid = reranked.query.qid
        if qid not in wanted:
            continue
        if (reranked.query, reranked.hits) != wanted[qid]:
            raise ConfigError(f"{trace}: query {qid} is in it with other content; choose another --trace file")
        if any((t.policy, t.config) != agent for t in reranked.trajectories):
            raise ConfigError(f"{trace}: query {qid} was ranked by another agent; choose another --trace file")
        if not reranked.interrupted:
            done[qid] = reranked
    if done:
        note(f"{len(done)} of {len(pairs)} queries are in {trace} and are not done again")
    return done


@contextmanager
def _writer(trace: Path | None) -> Iterator[Callable[[Reranked], None]]:
    from ..traces import TraceWriter

    if trace is None:
        yield lambda _: None
        return
    with TraceWriter(trace) as writer:
        yield writer.write


def _print(reranked: Reranked, *, as_json: bool) -> None:
    unseen = {
        (cut.did or "the query", cut.image.path): shown.refused
        for trajectory in reranked.trajectories
        for shown in trajectory.pictures
        if shown.refused is not None
        for cut in shown.cuts
    }
    for (did, path), reason in unseen.items():
        note(f"{reranked.query.qid}: not shown: {did}, {path}: {reason}")
    windows = [
        {
            "start": min(t.step.places),
            "stop": max(t.step.places) + 1,
            "reason": t.stop.value,
            "looks": t.looks,
            "tokens": t.tokens,
        }
        for t in reranked.trajectories
    ]
    if as_json:
        ranking = [asdict(ranked) for ranked in reranked.ranking]
        failed = len(reranked.failed)
        emit_json({"qid": reranked.query.qid, "ranking": ranking, "windows": windows, "failed_windows": failed})
        return
    looks = sum(trajectory.looks for trajectory in reranked.trajectories)
    verdict = f", {len(reranked.failed)} FAILED" if reranked.failed else ""
    note(f"{reranked.query.qid}: windows {len(windows)}{verdict}, looks {looks}")
    rows = [(ranked.rank, ranked.did, ranked.coarse_rank, round(ranked.score, 4)) for ranked in reranked.ranking]
    emit_table(("rank", "candidate", "before", "score"), rows)
