"""`vretrver trace`: read back what was done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError, DataError
from .facts import facts_of
from .output import emit_table, harmless_json, note, prepare_output

if TYPE_CHECKING:
    from ..agent.reranked import Reranked


def trace(
    file: Annotated[
        Path, typer.Argument(help="What `vretrver rerank` wrote with --trace, or the folder of --windows.")
    ],
    qid: Annotated[str | None, typer.Option(help="Only this query.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the evidence report here.")] = None,
    root: Annotated[
        list[str] | None, typer.Option(help="Folder of pictures, FOLDER or NAME=FOLDER; may be given several times.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON lines.")] = False,
) -> None:
    """Show the queries of a trace or a run folder: what came of them, what was looked at, what moved, what failed."""
    from ..assembly.failures import why
    from ..assembly.resuming import read_run
    from ..traces import reranked_to_json

    if root and html is None:
        raise ConfigError("--root says where the report's pictures lie; give --html too, or leave it out")
    prepare_output(html)
    roots = _roots(root or ["."])
    latest = {reranked.query.qid: reranked for reranked in read_run(file)}  # a query done again counts once
    found = [reranked for reranked in latest.values() if qid is None or reranked.query.qid == qid]
    if not found:
        if qid is None:
            raise DataError(f"{file}: it holds no finished query; name a trace written by `vretrver rerank --trace`")
        raise DataError(f"{file}: query {qid!r} is not in it; `vretrver trace {file}` lists what is there")
    if as_json:
        for reranked in found:
            typer.echo(harmless_json(reranked_to_json(reranked).decode()))
    else:
        header = ("query", "windows", "failed", "looks", "turns", "tokens", "first", "before", "result")
        emit_table(header, [_row(reranked) for reranked in found])
        for reranked in found:
            for trajectory in reranked.failed:
                note(f"{reranked.query.qid}: no answer for {_places(trajectory.step.places)}: {why(trajectory)}")
    if html is not None:
        from ..images import ImageStore
        from ..report.html import write_report

        write_report(html, found, ImageStore(roots), title=file.name, facts=facts_of(found))
        for name in sorted(_roots_named(found) - set(roots)):
            option = f"--root {name}=FOLDER" if name else "--root FOLDER"
            note(f"pictures of the root {name!r} are not shown; say where they lie with {option}")
        note(f"the evidence report is {html}")


def _row(reranked: Reranked) -> tuple[object, ...]:
    from ..report.words import outcome

    trajectories = reranked.trajectories
    first = next(iter(reranked.ranking), None)
    return (
        reranked.query.qid,
        len(trajectories),
        len(reranked.failed),
        sum(trajectory.looks for trajectory in trajectories),
        sum(len(trajectory.turns) for trajectory in trajectories),
        sum(trajectory.tokens for trajectory in trajectories),
        first.did if first else "",
        first.coarse_rank if first else "",
        outcome(reranked).value,
    )


def _places(places: Sequence[int]) -> str:
    """Return places of the order, which count from 0 here and from 1 for people, as `places 1 to 20`."""
    first, last = places[0], places[-1]
    if list(places) == list(range(first, last + 1)):
        return f"places {first + 1} to {last + 1}"
    return f"places {', '.join(str(place + 1) for place in places)}"


def _roots_named(found: list[Reranked]) -> set[str]:
    """Return the roots that pictures of queries and candidates were read from."""
    of_queries = {picture.root for reranked in found for picture in reranked.query.pictures}
    of_hits = {picture.root for reranked in found for hit in reranked.hits for picture in hit.candidate.pictures}
    return of_queries | of_hits


def _roots(options: list[str]) -> dict[str, Path]:
    roots: dict[str, Path] = {}
    for option in options:
        name, equals, folder = option.partition("=") if not Path(option).is_dir() else ("", "", option)
        path = Path(folder if equals else option)
        if not path.is_dir():
            raise ConfigError(f"--root {option}: no such folder")
        roots[name if equals else ""] = path
    return roots
