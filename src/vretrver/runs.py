"""Relevance judgements and rankings of many queries, and their TREC files; the only module that knows their format.

Qrels lines are `qid 0 did relevance` with M-BEIR's fifth column, the task, accepted. Run lines are
`qid Q0 did rank score tag`. Files may be compressed (`.gz`) for reading. Runs are scored in
`evaluation`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import DataError
from .files import replace_file
from .lines import text_lines

ScoredDids = tuple[tuple[str, float], ...]
"""(did, score) pairs of one query, best first."""

_WORD = re.compile(r"[^ \t\r\n\v\f]+")
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Qrels:
    """The relevance judgements of many queries."""

    judged: Mapping[str, Mapping[str, int]]
    """qid -> did -> relevance; only relevance above 0 counts as relevant."""

    def relevant(self, qid: str) -> frozenset[str]:
        """Return the relevant dids of a query; raises DataError for a query without judgements."""
        if qid not in self.judged:
            raise DataError(f"query {qid} has no relevance judgements; evaluate only queries of the qrels file")
        return frozenset(did for did, relevance in self.judged[qid].items() if relevance > 0)

    def __len__(self) -> int:
        """Return the number of judged queries."""
        return len(self.judged)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the judged qids in the order of the file."""
        return iter(self.judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Rankings of many queries by one system."""

    tag: str
    """Name of the system, without white space."""
    rankings: Mapping[str, ScoredDids]
    """qid -> (did, score) pairs, best first."""

    @classmethod
    def from_order(cls, *, tag: str, order: Mapping[str, Sequence[str]]) -> Run:
        """Return a run of rankings without scores: the best of n gets n, the next n-1, the last 1."""
        rankings = {
            qid: tuple((did, float(len(dids) - place)) for place, did in enumerate(dids))
            for qid, dids in order.items()
        }
        return cls(tag=tag, rankings=rankings)

    @classmethod
    def from_scores(cls, *, tag: str, scored: Mapping[str, Sequence[tuple[str, float]]]) -> Run:
        """Return a run of scored rankings, best first; scores are rounded to 32 bits, ties lowered by one step.

        Raises DataError when a ranking is not best first or a score is not finite in 32 bits.
        """
        return cls(tag=tag, rankings={qid: _untied(qid, ranking) for qid, ranking in scored.items()})

    def __len__(self) -> int:
        """Return the number of ranked queries."""
        return len(self.rankings)


def read_qrels(path: Path) -> Qrels:
    """Read a qrels file of four or five columns.

    Raises DataError naming path:line for a malformed line or for a pair judged twice with different relevance.
    """
    judged: dict[str, dict[str, int]] = {}
    for where, fields in _fields(path):
        if len(fields) not in (4, 5):
            raise DataError(
                f"{where}: a qrels line has 4 or 5 columns (qid 0 did relevance [task]), got {len(fields)}"
            )
        qid, _, did, relevance = fields[:4]
        try:
            value = int(relevance)
        except ValueError as error:
            raise DataError(f"{where}: relevance {relevance!r} is not a whole number") from error
        known = judged.setdefault(qid, {})
        if known.setdefault(did, value) != value:
            raise DataError(
                f"{where}: {did} is judged {known[did]} and {value} for query {qid}; keep one of the lines"
            )
    if not judged:
        raise DataError(f"{path}: the qrels file is empty")
    return Qrels(judged=judged)


def read_run(path: Path) -> Run:
    """Read a TREC run of six columns (a seventh, the task, is accepted), each ranking sorted by score.

    Equal scores keep the order of the file; the rank column is checked to be a number and otherwise ignored, as
    trec_eval does. Raises DataError naming path:line.
    """
    rankings: dict[str, dict[str, float]] = {}
    tag = ""
    for where, fields in _fields(path):
        if len(fields) not in (6, 7):
            raise DataError(f"{where}: a run line has 6 columns (qid Q0 did rank score tag), got {len(fields)}")
        qid, _, did, rank, score = fields[:5]
        tag = tag or fields[5]
        if did in rankings.setdefault(qid, {}):
            raise DataError(f"{where}: {did} appears twice in the ranking of query {qid}")
        rankings[qid][did] = _score(where, rank, score)
    if not rankings:
        raise DataError(f"{path}: the run file is empty")
    best_first = {qid: tuple(sorted(row.items(), key=lambda pair: -pair[1])) for qid, row in rankings.items()}
    return Run(tag=tag, rankings=best_first)


def place_in_run(path: Path, qid: str, did: str | None = None) -> str:
    """Return `path:line` of a query's first line in a run file, or of a did in its ranking; reads the file again."""
    for where, fields in _fields(path):
        if fields[0] == qid and did in (None, fields[2]):
            return where
    return str(path)


def write_run(run: Run, path: Path) -> None:
    """Write a TREC run; the file is written completely or not at all. Raises DataError as `run_text` does."""
    replace_file(path, run_text(run).encode("utf-8"))


def run_text(run: Run) -> str:
    """Return a run as the lines of a TREC file.

    Raises DataError for an empty ranking (the query would be missing from the file), an id or tag with white space, a
    did that appears twice, and scores that are not finite or not strictly decreasing as 32-bit floats: trec_eval
    stores them so, and breaks ties by did.
    """
    check_word(run.tag, "tag")
    lines: list[str] = []
    for qid, ranking in run.rankings.items():
        _check_ranking(qid, ranking)
        lines += [
            f"{qid} Q0 {did} {rank} {score!r} {run.tag}\n" for rank, (did, score) in enumerate(ranking, start=1)
        ]
    return "".join(lines)


def _fields(path: Path) -> Iterator[tuple[str, list[str]]]:
    for number, line in text_lines(path):
        if fields := _words(line):
            yield f"{path}:{number}", fields


def _words(text: str) -> list[str]:
    """Split at blanks and tabs, as trec_eval does; other white space, as no-break spaces, can be part of an id."""
    return _WORD.findall(text)


def _score(where: str, rank: str, score: str) -> float:
    try:
        int(rank)
        value = float(score)
    except ValueError as error:
        raise DataError(f"{where}: rank {rank!r} and score {score!r} must be numbers") from error
    if not math.isfinite(value):
        raise DataError(f"{where}: score {score!r} is not a finite number")
    return value


def _untied(qid: str, ranking: Sequence[tuple[str, float]]) -> ScoredDids:
    result: list[tuple[str, float]] = []
    given = math.inf
    last = np.float32(np.inf)
    for did, score in ranking:
        if not abs(score) <= _LARGEST or score > given:  # a NaN fails the comparison
            raise DataError(f"query {qid}: score {score!r} of {did} is not finite in 32 bits or not best first")
        given = score
        last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
        result.append((did, float(last)))
    return tuple(result)


def _check_ranking(qid: str, ranking: ScoredDids) -> None:
    check_word(qid, "qid")
    if not ranking:
        raise DataError(f"query {qid}: its ranking is empty and would be missing from the run file")
    if len({did for did, _ in ranking}) < len(ranking):
        raise DataError(f"query {qid}: a did appears twice in its ranking")
    scores = np.array([score for _, score in ranking], dtype=np.float32)
    if not np.isfinite(scores).all() or (np.diff(scores) >= 0).any():
        raise DataError(f"query {qid}: scores must be finite and strictly decreasing; see Run.from_scores")
    for did, _ in ranking:
        check_word(did, "did")


def check_word(word: str, what: str) -> None:
    """Raise DataError for an id or a tag that a TREC file cannot hold."""
    if _words(word) != [word]:
        raise DataError(f"{what} {word!r} cannot be written to a TREC run file: it is empty or holds white space")
