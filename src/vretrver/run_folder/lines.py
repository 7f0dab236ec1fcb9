"""The lines of a run folder: what each holds, and how they are read and written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from .._validation import first_problem
from ..agent.budget import Limit
from ..agent.memo import WindowKey
from ..agent.reranked import Ended
from ..agent.trajectory import STORED, Trajectory
from ..errors import DataError
from ..records import Hit, Query

T = TypeVar("T", "KeptWindow", "KeptQuery", "EndedQuery")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWindow:
    """A line of `windows-*.jsonl`."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED
    key: WindowKey
    """What it is found by."""
    trajectory: Trajectory
    """Its record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptQuery:
    """A line of `hits-*.jsonl`."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED
    query: Query
    """What was asked."""
    hits: tuple[Hit, ...]
    """The candidates as given, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedQuery:
    """A line of `ended-*.jsonl`: how a query ended, without what its windows say already."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED
    qid: str
    """The query."""
    plan: str
    """Name and parameters of the plan."""
    ended: Ended
    """Why it ended."""
    reached: tuple[Limit, ...]
    """Limits that something was refused or ended for."""
    seconds: float
    """What it took."""
    windows: tuple[WindowKey, ...]
    """Keys of its windows that are kept."""
    broken: tuple[Trajectory, ...] = ()
    """Records of windows that are not kept, because asking again may come to more."""


BEGINS = {KeptWindow: b'{"key":', KeptQuery: b'{"query":', EndedQuery: b'{"qid":'}
"""How every line of a kind begins."""

_ADAPTERS: dict[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in BEGINS}


@dataclass(frozen=True, slots=True)
class LinePlace:
    """Where a line is."""

    path: Path
    """The file."""
    offset: int
    """Where it begins, in bytes."""
    length: int
    """Its bytes, newline included."""


def lines_of(path: Path) -> Iterator[tuple[LinePlace, bytes]]:
    """Yield the whole lines of a file with their places; a torn last one is left out. Raises DataError."""
    offset = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield LinePlace(path, offset, len(line)), line
                offset += len(line)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def read_line(kind: type[T], place: LinePlace) -> T:
    """Read the line at a place; raises DataError when it is damaged or cannot be read."""
    try:
        with place.path.open("rb") as file:
            return parsed(kind, os.pread(file.fileno(), place.length, place.offset), place)
    except OSError as error:
        raise DataError(f"{place.path}: cannot be read: {error.strerror}") from error


def parsed(kind: type[T], line: bytes, place: LinePlace) -> T:
    """Return what a line holds; raises DataError when it is damaged."""
    try:
        value: T = _ADAPTERS[kind].validate_json(line)
    except ValidationError as error:
        raise DataError(
            f"{place.path}: the line at byte {place.offset} is damaged ({first_problem(error)}); remove that line, "
            "and the run asks again for what it held"
        ) from error
    return value


def line_of(value: KeptWindow | KeptQuery | EndedQuery, what: str) -> bytes:
    """Return a line with its newline; raises DataError, beginning with `what`, for texts that have no UTF-8 form."""
    try:
        return _ADAPTERS[type(value)].dump_json(value) + b"\n"
    except ValueError as error:
        raise DataError(f"{what}: cannot be stored: {error}; repair its texts") from error
