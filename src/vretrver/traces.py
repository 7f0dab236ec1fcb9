"""Trace files: one reranked query a line, appended as it finishes, read back without loss.

A file cut short by a kill ends in part of a line; the writer drops that part and the run goes on with the queries
that are not in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import TypeAdapter, ValidationError

from .agent.reranked import Reranked
from .agent.trajectory import SCHEMA, Trajectory
from .errors import DataError
from .files import LineFile

_BEGINS = b'{"query":'
"""How a reranked query's line begins."""

_RERANKED = TypeAdapter(Reranked)
_TRAJECTORY = TypeAdapter(Trajectory)


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
    """Read one trajectory; raises DataError when it is no record of a schema this version knows."""
    try:
        trajectory = _TRAJECTORY.validate_json(data)
    except ValidationError as error:
        _refuse_other_schema(data, "trajectory")
        raise DataError(f"not a trajectory: {_first(error)}") from error
    _check_schema(trajectory.schema, "trajectory")
    return trajectory


def trajectories_from_json(line: bytes) -> tuple[Trajectory, ...]:
    """Read the trajectories of a line, one or those of a reranked query; raises DataError for other lines."""
    if line.startswith(_BEGINS):
        return _parse(line, "a line of a trace").trajectories
    return (trajectory_from_json(line),)


class TraceWriter:
    """Appends reranked queries to a file; use it as a context manager.

    Args:
        path: the file; its folder must exist. A torn last line of a trace is cut off.

    Raises:
        DataError: the file cannot be written, or ends in something that is no trace.
    """

    def __init__(self, path: Path) -> None:
        self._lines = LineFile(path, begins=_BEGINS)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        DataError: the file is missing, or a line is no trace; the message names path:line.
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
    try:
        reranked = _RERANKED.validate_json(line)
    except ValidationError as error:
        _refuse_other_schema(line, where)
        raise DataError(
            f"{where}: not a trace: {_first(error)}; write traces with `vretrver rerank --trace`"
        ) from error
    for trajectory in reranked.trajectories:
        _check_schema(trajectory.schema, where)
    return reranked


def _check_schema(schema: object, where: str) -> None:
    if schema != SCHEMA:
        raise DataError(f"{where}: trace schema {schema}, but this version reads {SCHEMA}; use the version it is of")


def _refuse_other_schema(data: bytes | str, where: str) -> None:
    """Say so when what could not be read is a record of another schema; anything else is left to the caller."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    records = value.get("trajectories", [value]) if isinstance(value, dict) else []
    for record in records if isinstance(records, list) else []:
        if isinstance(record, dict) and "schema" in record:
            _check_schema(record["schema"], where)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]
