"""Trace files: one reranked query a line, appended as it finishes, read back without loss.

A file cut short by a kill ends in part of a line; the writer drops that part and the run goes on with the queries
that are not in the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pydantic import TypeAdapter, ValidationError

from .agent.reranker import Reranked
from .agent.trajectory import SCHEMA, Trajectory
from .errors import DataError

_RERANKED = TypeAdapter(Reranked)
_TRAJECTORY = TypeAdapter(Trajectory)


def reranked_to_json(reranked: Reranked) -> bytes:
    """Return one line, without the newline."""
    return _RERANKED.dump_json(reranked)


def trajectory_to_json(trajectory: Trajectory, *, indent: int | None = None) -> bytes:
    """Return one trajectory as JSON."""
    return _TRAJECTORY.dump_json(trajectory, indent=indent)


def trajectory_from_json(data: bytes | str) -> Trajectory:
    """Read one trajectory; raises DataError when it is no record of a schema this version knows."""
    try:
        trajectory = _TRAJECTORY.validate_json(data)
    except ValidationError as error:
        raise DataError(f"not a trajectory: {_first(error)}") from error
    _check_schema(trajectory, "trajectory")
    return trajectory


class TraceWriter:
    """Appends reranked queries to a file; use it as a context manager.

    Args:
        path: the file; its folder must exist. A torn last line is cut off.

    Raises:
        DataError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            _drop_torn_line(path)
            self._file: IO[bytes] = path.open("ab")
        except OSError as error:
            raise DataError(f"{path}: cannot be written: {error.strerror}; choose another file") from error

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def write(self, reranked: Reranked) -> None:
        """Append one query; when this returns the line is on disk."""
        try:
            self._file.write(reranked_to_json(reranked) + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise DataError(
                f"{self.path}: cannot be written: {error.strerror}; what was written is kept, run again to go on"
            ) from error


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
        raise DataError(
            f"{where}: not a trace: {_first(error)}; write traces with `vretrver rerank --trace`"
        ) from error
    for trajectory in reranked.trajectories:
        _check_schema(trajectory, where)
    return reranked


def _check_schema(trajectory: Trajectory, where: str) -> None:
    if trajectory.schema != SCHEMA:
        raise DataError(f"{where}: trace schema {trajectory.schema}, but this version reads {SCHEMA}")


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]


def _drop_torn_line(path: Path) -> None:
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
