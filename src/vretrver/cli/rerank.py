"""`vretrver rerank`: the agent over candidates somebody found; `hits` has the forms in which they may be given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from .models import POLICIES, DeviceOption, DtypeOption, local_options, note_shipped, recipe_of, views_of
from .output import emit_json, emit_table, note, prepare_output, progress

if TYPE_CHECKING:
    from ..agent.dialect import Dialect
    from ..agent.reranker import Reranked, Reranker
    from ..agent.schedule import Schedule
    from ..agent.trajectory import Trajectory
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
    from ..agent.schedule import ReferenceSchedule
    from .hits import what_to_rerank

    schedule = ReferenceSchedule(depth=depth, size=window, stride=min(10, window) if stride is None else stride)
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
        schedule=schedule,
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
    schedule: Schedule | None = None,
    trace: Path | None = None,
    report: Path | None = None,
    as_json: bool = False,
) -> None:
    """Rerank queries, print each as it finishes, and write trace and report where asked for."""
    from ..agent.dialects import dialect_named
    from ..agent.reranker import AgentConfig, Reranker
    from ..agent.schedule import ReferenceSchedule
    from ..policies.named import opened

    for file in (trace, report, journal):
        prepare_output(file)
    chosen = dialect or dialect_named("vretrver")
    views = views_of(policy, chosen)
    config = AgentConfig(dialect=chosen, views=views, schedule=schedule or ReferenceSchedule())
    note_shipped([policy], images)
    with opened(policy, model=model, journal=journal, shown=views.candidate, local=local) as opened_policy:
        if opened_policy.fingerprint.startswith("scripted:"):
            note(f"{opened_policy.fingerprint} is a script, no model; for one: --policy local:FOLDER, or http:URL")
        reranker = Reranker(opened_policy, images, config)
        finished = _rerank_all(reranker, pairs, trace, as_json=as_json)
    failed = [reranked for reranked in finished if reranked.failed]
    if failed:
        note(_failures(failed, len(finished), trace))
    if report is not None:
        from ..report.html import write_report

        order = {query.qid: place for place, (query, _) in enumerate(pairs)}
        shown = sorted(finished, key=lambda reranked: order[reranked.query.qid])
        write_report(
            report, shown, images, title="vretrver rerank", summary=[("policy", reranker.policy.fingerprint)]
        )
        note(f"the evidence report is {report}")
    if finished and all(len(reranked.failed) == len(reranked.trajectories) for reranked in finished):
        raise typer.Exit(1)


def _failures(failed: Sequence[Reranked], count: int, trace: Path | None) -> str:
    """Return the sentence about queries with windows that gave no answer, with the reason met most often."""
    reasons = Counter(why_failed(trajectory) for reranked in failed for trajectory in reranked.failed)
    (reason, times), *others = reasons.most_common()
    more = f" ({times} windows; {len(others)} other reasons)" if others else ""
    shown = (
        f"`vretrver trace {trace}` shows all" if trace else "give --trace FILE to keep the record of what was said"
    )
    what = "1 query has" if len(failed) == 1 else f"{len(failed)} queries have"
    return (
        f"{what} windows without an answer, of {count}; first {failed[0].query.qid}. There the order is the one "
        f"given, not confirmed. Reason: {reason}{more}; {shown}"
    )


def why_failed(trajectory: Trajectory) -> str:
    """Return why a window has no answer: what the policy or the server said, else why it stopped."""
    return trajectory.error or trajectory.stop.value


def _rerank_all(
    reranker: Reranker, pairs: Sequence[tuple[Query, Sequence[Hit]]], trace: Path | None, *, as_json: bool
) -> list[Reranked]:
    """Rerank what the trace does not hold, print everything, and return it in the order it was printed."""
    done = _done_before(trace, pairs, reranker)
    finished = list(done.values())
    show = partial(_print, as_json=as_json, named=len(pairs) > 1)
    for reranked in finished:
        show(reranked)
    todo = [pair for pair in pairs if pair[0].qid not in done]
    with _writer(trace) as write, progress("reranking") as update:
        for count, reranked in enumerate(reranker.rerank_many(todo), start=1):
            write(reranked)
            show(reranked)
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


def _print(reranked: Reranked, *, as_json: bool, named: bool) -> None:
    """Print a query's ranking, its id in every row where there are several queries."""
    unseen = {(p.did or "the query", p.image): p.refused for t in reranked.trajectories for p in t.pictures}
    for (did, image), reason in unseen.items():
        if reason is not None:
            note(f"{reranked.query.qid}: not shown: {did}, {image.path}: {reason}")
    windows = [
        {
            "start": t.step.start,
            "stop": t.step.stop,
            "reason": t.stop.value,
            "looks": t.looks,
            "tokens": t.tokens,
            **({"error": t.error} if t.error else {}),
        }
        for t in reranked.trajectories
    ]
    if as_json:
        ranking = [asdict(ranked) for ranked in reranked.ranking]
        failed = len(reranked.failed)
        emit_json({"qid": reranked.query.qid, "ranking": ranking, "windows": windows, "failed_windows": failed})
        return
    looks = sum(trajectory.looks for trajectory in reranked.trajectories)
    reasons = "; ".join(dict.fromkeys(why_failed(trajectory) for trajectory in reranked.failed))
    verdict = f", {len(reranked.failed)} FAILED ({reasons})" if reranked.failed else ""
    note(f"{reranked.query.qid}: windows {len(windows)}{verdict}, looks {looks}")
    rows = [(ranked.rank, ranked.did, ranked.coarse_rank, round(ranked.score, 4)) for ranked in reranked.ranking]
    header = ("rank", "candidate", "before", "score")
    if named:
        emit_table(("query", *header), [(reranked.query.qid, *row) for row in rows])
    else:
        emit_table(header, rows)
