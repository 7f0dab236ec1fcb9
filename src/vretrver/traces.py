"""Trace files: one reranked query a line, appended as it finishes, read back without loss.

An interrupted file may end in part of a line; the writer drops that part, and the run continues with the queries that
are not in the file. Records are written in the current schema; those of schema 1 are read too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from ._validation import first_problem
from .agent.reranked import Reranked
from .agent.trajectory import SCHEMA, Trajectory
from .agent.trajectory_v1 import reranked_from_v1, trajectory_from_v1
from .errors import DataError
from .files import LineFile

_BEGINS = b'{"query":'
"""How a reranked query's line begins."""

_KEPT_BEGINS = b'{"key":'
"""How a window's line in a run folder begins; what it is found by is of no use here."""

_RERANKED = TypeAdapter(Reranked)
_TRAJECTORY = TypeAdapter(Trajectory)

R = TypeVar("R", Reranked, Trajectory)


def reranked_to_json(reranked: Reranked) -> bytes:
    """Return one line, without the newline; raises DataError for texts that have no UTF-8 form."""
    try:
        return _RERANKED.dump_json(reranked)
    except ValueError as error:
        raise DataError(f"query {reranked.query.qid!r}: cannot be stored: {error}; repair its texts") from error


def trajectory_to_json(trajectory: Trajectory, *, indent: int | None = None) -> bytes:
    """Return one trajectory as JSON."""
    return _TRAJECTORY.dump_json(trajectory, indent=indent)


def trajectory_from_json(data: bytes | str) -> Trajectory:
    """Read one trajectory; raises DataError when it is not a record of a schema this version knows."""
    return _read(data, _TRAJECTORY, trajectory_from_v1, where="trajectory", refusal="not a trajectory")


def trajectories_from_json(line: bytes) -> tuple[Trajectory, ...]:
    """Read the trajectories of a line: one, that of a run folder's window, or those of a reranked query.

    Raises:
        DataError: it is another line.
    """
    if line.startswith(_BEGINS):
        return _parse(line, "a line of a trace").trajectories
    if line.startswith(_KEPT_BEGINS):
        return (_of_window(line),)
    return (trajectory_from_json(line),)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    trajectory: Trajectory


_WINDOW = TypeAdapter(_Window)


def _of_window(line: bytes) -> Trajectory:
    try:
        return _WINDOW.validate_json(line).trajectory
    except ValidationError as error:
        raise DataError(f"not a window of a run folder: {first_problem(error)}") from error


class TraceWriter:
    """Appends reranked queries to a file; use it as a context manager.

    Args:
        path: the file; its folder must exist. A torn last line of a trace is cut off.

    Raises:
        DataError: the file cannot be written, or ends in something that is not a trace.
    """

    def __init__(self, path: Path) -> None:
        self._lines = LineFile(path, begins=_BEGINS, lock=True)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def write(self, reranked: Reranked) -> None:
        """Append one query; when this returns the line is on disk.

        Raises:
            DataError: the line cannot be written, and no part of it is left in the file.
        """
        self._lines.append(reranked_to_json(reranked) + b"\n")


def read_traces(path: Path) -> Iterator[Reranked]:
    """Yield the queries of a trace file in file order; a torn last line is left out.

    Raises:
        DataError: the file is missing, or a line is not a trace; the message names path:line.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                if line.strip():
                    yield _parse(line, f"{path}:{number}")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _parse(line: bytes, where: str) -> Reranked:
    remedy = "; write traces with `vretrver rerank --trace`"
    return _read(line, _RERANKED, reranked_from_v1, where=where, refusal=f"{where}: not a trace", remedy=remedy)


def _read(
    data: bytes | str,
    today: TypeAdapter[R],
    from_v1: Callable[[bytes | str], R],
    *,
    where: str,
    refusal: str,
    remedy: str = "",
) -> R:
    """Read a record of any schema this version knows; raises DataError with one sentence.

    Args:
        data: the record as JSON.
        today: reads records of the current schema.
        from_v1: reads those of schema 1.
        where: begins the sentence on a record of an unknown schema.
        refusal: begins the sentence on anything else.
        remedy: ends that sentence.
    """
    try:
        return today.validate_json(data)
    except ValidationError as error:
        other, problem = _other_schema(data), error
    if other == 1:
        try:
            return from_v1(data)
        except ValueError as error:
            raise DataError(f"{refusal}: {_said(error)}{remedy}") from error
    if other is not None:
        named = f"trace schema {other}" if isinstance(other, int) and 0 < other < 1000 else "an unknown trace schema"
        raise DataError(
            f"{where}: {named}, but this version reads 1 and {SCHEMA}; read it with the version that wrote it"
        )
    raise DataError(f"{refusal}: {first_problem(problem)}{remedy}") from problem


def _said(error: ValueError) -> str:
    return first_problem(error) if isinstance(error, ValidationError) else str(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """What says the schema of a record, or of a line of records."""

    schema: Any = None
    """The schema; lines of schema 1 have none."""
    trajectories: Any = ()
    """A line's records."""


_MARKS = TypeAdapter(_Marks)


def _other_schema(data: bytes | str) -> object:
    """Return the first schema that a record or a line names and is not current; None when there is none."""
    try:
        marks = _MARKS.validate_json(data)
    except ValidationError:
        return None
    records = marks.trajectories if isinstance(marks.trajectories, list) else []
    named = [marks.schema, *(record.get("schema") for record in records if isinstance(record, dict))]
    return next((schema for schema in named if schema is not None and schema != SCHEMA), None)
