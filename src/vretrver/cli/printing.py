"""Reranking for a person or a program at the terminal: queries in the order asked, failures, trace and report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, compress, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from .facts import facts_of
from .models import READER, note_shipped
from .output import note, prepare_output
from .progress import progress

if TYPE_CHECKING:
    from ..agent.dialect import Dialect
    from ..agent.reranked import Reranked
    from ..agent.reranker import Reranker
    from ..agent.texts import TextProvider
    from ..assembly.spec import AgentSpec
    from ..images import ImageStore
    from ..records import Hit, Query
    from ..run_folder import RunFolder, Shard
    from .formats import Printer


def rerank_and_print(
    pairs: Sequence[tuple[Query, Sequence[Hit]]],
    images: ImageStore,
    spec: AgentSpec,
    *,
    texts: TextProvider | None = None,
    dialect: Dialect | None = None,
    trace: Path | None = None,
    windows: Path | None = None,
    shard: Shard | None = None,
    report: Path | None = None,
    printer: Printer,
    reasons: Sequence[str] = (),
) -> None:
    """Rerank queries, print them in the order asked, and write trace and report where asked for.

    Args:
        pairs: queries with their hits; one without hits is printed as such.
        images: where their pictures are read.
        spec: the agent.
        texts: what reads the text of pictures; None reads it from their files, or by OCR.
        dialect: what the model is told, where the spec does not say it.
        trace: file to go on with.
        windows: folder that keeps queries, and every window as it ends, to go on with.
        shard: the part of the queries that is done; None is all.
        report: file of the evidence report.
        printer: prints the results, or writes them.
        reasons: why each query without hits has none, one for each of `pairs`.

    Raises:
        DataError: trace, report or journal cannot be written; nothing was ranked.
        PolicyError: no query was ranked, after everything was printed and written; or the server will not do.
    """
    from ..assembly.agent import open_agent
    from ..assembly.failures import ANY, failures_of

    for file in (trace, report, spec.journal):
        prepare_output(file)
    if shard is not None:
        kept = [shard.holds(query.qid) for query, _ in pairs]
        note(f"shard {shard}: {sum(kept)} of {len(pairs)} queries")
        reasons = [*compress(reasons, kept)]
        pairs = [*compress(pairs, kept)]
    printer.check(pairs)
    note_shipped([spec.policy], images)
    with _memo(windows, spec, shard) as memo, open_agent(spec, images, texts=texts, dialect=dialect) as agent:
        fingerprint = agent.policy.fingerprint
        if agent.policy.scripted and spec.policy != READER:
            note(f"{fingerprint} is a script, no model; for one: --policy local:FOLDER, or http:URL")
        show = _Shown(pairs, printer, images.roots, reasons)
        asked = [pair for pair in pairs if pair[1]]
        finished = _rerank_all(agent.reranker(memo=memo), asked, trace, memo, show.take)
    show.close()
    if report is not None:
        from ..report.html import write_report

        summary = [("policy", fingerprint)]
        write_report(report, finished, images, title="vretrver rerank", summary=summary, facts=facts_of(finished))
        note(f"the evidence report is {report}")
    failures = failures_of(finished)
    if failures.sentence:
        note(failures.sentence)
        note(
            f"`vretrver trace {trace or windows}` shows all"
            if trace or windows
            else "give --trace FILE to keep the record of what was said"
        )
    ANY.check(failures)


class _Shown:
    """Shows queries in their order, those without hits at their places."""

    def __init__(
        self,
        pairs: Sequence[tuple[Query, Sequence[Hit]]],
        printer: Printer,
        roots: Mapping[str, Path | str],
        reasons: Sequence[str],
    ) -> None:
        self._left = zip_longest(pairs, reasons)
        self._printer, self._roots = printer, roots

    def take(self, reranked: Reranked) -> None:
        """Show a query, after those before it that have no hits."""
        from ..assembly.results import ranked

        self._empty_until(reranked.query.qid)
        if self._printer.form == "table":
            _note_outcome(reranked)
        else:
            _note_unseen(reranked)
        self._printer.show(ranked(reranked, self._roots, top=self._printer.top))

    def close(self) -> None:
        """Show what is left, and let the printer write."""
        self._empty_until(None)
        self._printer.close()

    def _empty_until(self, qid: str | None) -> None:
        from ..assembly.results import found

        for (query, hits), reason in self._left:
            if query.qid == qid:
                return
            if not hits:
                self._printer.show(found(query, (), self._roots, reason=reason))


@contextmanager
def _memo(windows: Path | None, spec: AgentSpec, shard: Shard | None) -> Iterator[RunFolder | None]:
    """Open the folder that keeps windows, where one is named."""
    if windows is None:
        yield None
        return
    from ..config import resolved
    from ..run_folder import RunFolder

    with RunFolder(windows, config=resolved(spec), shard=shard) as folder:
        if len(folder):
            note(f"{windows} holds {len(folder)} windows; those of these queries are not asked again")
        yield folder


def _rerank_all(
    reranker: Reranker,
    pairs: Sequence[tuple[Query, Sequence[Hit]]],
    trace: Path | None,
    folder: RunFolder | None,
    show: Callable[[Reranked], None],
) -> list[Reranked]:
    """Rerank what the trace does not hold, show everything in the order asked, and return it in that order."""
    from ..assembly.resuming import done_before, in_order, rerank_into

    done = done_before(trace, pairs, reranker)
    if done:
        note(f"{len(done)} of {len(pairs)} queries are in {trace} and are not done again")
    todo = [pair for pair in pairs if pair[0].qid not in done]
    finished: list[Reranked] = []
    with progress("reranking", unit="queries") as update:
        counted = _counted(rerank_into(trace, reranker, todo, folder=folder), lambda count: update(count, len(todo)))
        for reranked in in_order([query.qid for query, _ in pairs], chain(done.values(), counted)):
            show(reranked)
            finished.append(reranked)
    return finished


def _counted(finished: Iterator[Reranked], tell: Callable[[int], None]) -> Iterator[Reranked]:
    for count, reranked in enumerate(finished, start=1):
        tell(count)
        yield reranked


def _note_outcome(reranked: Reranked) -> None:
    """Say on stderr what became of a query."""
    from ..assembly.failures import why
    from ..assembly.verdicts import remarks_on

    _note_unseen(reranked)
    for remark in remarks_on(reranked):
        note(f"{reranked.query.qid}: {remark}")
    failed = len(reranked.failed)
    looks = sum(trajectory.looks for trajectory in reranked.trajectories)
    said = [f"windows {len(reranked.trajectories)}{f', {failed} FAILED' if failed else ''}", f"looks {looks}"]
    if reranked.ended != "complete":
        said.append(f"ended early: {reranked.ended}")
    if reranked.verdict == "nothing_fits":
        said.append("the agent says that nothing fits")
    if failed:
        said.append(f"no answer: {'; '.join(dict.fromkeys(why(one) for one in reranked.failed))}")
    note(f"{reranked.query.qid}: {', '.join(said)}")


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
