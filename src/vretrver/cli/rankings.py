"""`vretrver rerank --run`: a ranking of ids joined with its queries and the corpus that knows the candidates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.named import QUERY
from ..data.queries import read_query_file
from ..data.trec_hits import PlaceOf, join_hits, named_in, root_of
from ..errors import ConfigError, DataError
from ..records import Hit, Query
from ..runs import Run, place_in_run, read_run
from .output import note

if TYPE_CHECKING:
    from ..assembly.known import KnownCorpus


def from_ranking(
    file: Path, *, queries: Path | None, known: KnownCorpus, root: Path | None, depth: int
) -> tuple[list[tuple[Query, Sequence[Hit]]], dict[str, Path | str]]:
    """Return the queries of a ranking with their hits, and where pictures are read.

    Args:
        file: a TREC run, a result of LamRA, or results that `vretrver search` wrote as JSONL.
        queries: the file of the queries; None where the results hold them.
        known: knows the candidates.
        root: folder of the queries' pictures; None is that of their file.
        depth: hits of a query that are kept.

    Raises:
        ConfigError: the queries are not given, and the ranking does not hold them.
        DataError: a file cannot be read, or names what is not there.
    """
    if not file.is_file():
        raise DataError(f"{file}: no such file; --run takes a TREC run, or what --format jsonl wrote")
    run, place, asked = _read(file)
    if queries is not None:
        asked = read_query_file(queries, root=QUERY)
    elif not asked:
        raise ConfigError(f"{file}: it holds no texts of queries; name their file with --queries")
    candidates = known.candidates(named_in(run, depth=depth))
    found = join_hits(run, place=place, queries=asked, corpus=candidates.values(), depth=depth)
    if found.unranked:
        note(f"{len(found.unranked)} queries are not in {file}, {found.unranked[0]} among them; they are left out")
    folder = root or (Path() if queries is None else root_of(queries))
    return [(request.query, request.hits) for request in found.requests], {**known.roots, QUERY: folder}


def _read(file: Path) -> tuple[Run, PlaceOf, list[Query]]:
    """Return a ranking, where its parts stand, and the queries it holds itself."""
    from ..data.published.lamra import is_lamra_result, place_in_lamra, read_lamra
    from ..data.results_file import is_results_file, read_results

    if is_lamra_result(file):
        return read_lamra(file), lambda qid, did: place_in_lamra(file, qid, did), []
    if is_results_file(file):
        run, queries = read_results(file)
        return run, lambda _qid, _did: str(file), queries
    return read_run(file), lambda qid, did: place_in_run(file, qid, did), []
