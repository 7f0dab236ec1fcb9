"""LamRA's first-stage result: three JSON files of query ids, ordered candidate ids and scores, as one ranking.

Its per-task evaluation writes inner products, each row in one more pair of brackets than its candidates; its global
evaluation writes squared distances of unit vectors, smaller being better, which become inner products here.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

from ...errors import DataError
from ...runs import Run

_ENDINGS = ("_query_names.json", "_cand_names.json", "_scores.json")


def is_lamra_result(path: Path) -> bool:
    """Say whether a file is named like one of the three."""
    return path.name.endswith(_ENDINGS)


def read_lamra(path: Path) -> Run:
    """Read the three files of a result, given any one of them.

    Returns:
        The rankings in the order of the files. Equal scores are kept as they are: the order decides.

    Raises:
        DataError: a file is missing or malformed, the three do not agree, or a ranking is not best first.
    """
    queries, candidates, scores = (_lists(file) for file in files_of(path))
    names, ranked, scored = files_of(path)
    if not len(queries) == len(candidates) == len(scores):
        raise DataError(
            f"{names}: {len(queries)} queries, {len(candidates)} rankings in {ranked.name} and {len(scores)} in "
            f"{scored.name}; they must be as many"
        )
    rankings: dict[str, tuple[tuple[str, float], ...]] = {}
    for number, (query, dids, row) in enumerate(zip(queries, candidates, scores, strict=True), start=1):
        qid = _id(query, f"{names}: query {number}")
        if qid in rankings:
            raise DataError(f"{names}: query {number}: {qid!r} came before; make qids unique")
        rankings[qid] = _ranking(dids, row, f"{ranked}: ranking {number}", f"{scored}: row {number}")
    values = [[score for _, score in ranking] for ranking in rankings.values()]
    if all(_falls(row) for row in values):
        return Run(tag="lamra", rankings=rankings)
    if all(_falls([-score for score in row]) for row in values):
        products = {qid: tuple((did, 1.0 - distance / 2.0) for did, distance in row) for qid, row in rankings.items()}
        return Run(tag="lamra", rankings=products)
    number = next(n for n, row in enumerate(values, start=1) if not _falls(row))
    raise DataError(f"{scored}: row {number}: scores are neither all falling (products) nor all rising (distances)")


def place_in_lamra(path: Path, qid: str, did: str | None = None) -> str:
    """Return where a query, or a did in its ranking, stands in the files; they must have been read before."""
    names, ranked, _ = files_of(path)
    row = [str(query) for query in _lists(names)].index(qid)
    if did is None:
        return f"{names}: query {row + 1}"
    dids = _lists(ranked)[row]
    place = [str(item) for item in dids].index(did) if isinstance(dids, list) else 0
    return f"{ranked}: ranking {row + 1}, place {place + 1}"


def files_of(path: Path) -> tuple[Path, Path, Path]:
    """Return the three files of a result: query ids, candidate ids, scores.

    Raises DataError when the name ends like none of them.
    """
    for ending in _ENDINGS:
        if path.name.endswith(ending):
            stem = path.name.removesuffix(ending)
            queries, candidates, scores = (path.with_name(stem + one) for one in _ENDINGS)
            return queries, candidates, scores
    raise DataError(f"{path}: a LamRA result ends in {', '.join(_ENDINGS)}")


def _lists(path: Path) -> list[object]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path}: cannot be read: {reason}; the three files of a result lie together") from error
    if not isinstance(value, list):
        raise DataError(f"{path}: must hold a JSON list, got a {type(value).__name__}")
    return value


def _ranking(dids: object, row: object, ranked: str, scored: str) -> tuple[tuple[str, float], ...]:
    if isinstance(row, list) and len(row) == 1 and isinstance(row[0], list):
        row = row[0]
    if not isinstance(dids, list) or not dids:
        raise DataError(f"{ranked}: must be a list of candidate ids, got {str(dids)[:60]!r}")
    if not isinstance(row, list) or len(row) != len(dids):
        raise DataError(f"{scored}: must be a list of {len(dids)} scores, as many as there are candidates")
    names = [_id(did, ranked) for did in dids]
    if len(set(names)) < len(names):
        raise DataError(f"{ranked}: a candidate stands in it twice")
    return tuple((name, _score(score, scored)) for name, score in zip(names, row, strict=True))


def _id(value: object, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise DataError(f"{where}: an id is a text or a whole number, got {str(value)[:60]!r}")
    return str(value)


def _score(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{where}: a score is a finite number, got {str(value)[:60]!r}")
    return float(value)


def _falls(row: list[float]) -> bool:
    return all(first >= second for first, second in pairwise(row))
