"""A run on disk, window by window: what was ranked is kept as it ends, found again, and never asked twice.

    config.yaml         the resolved configuration; another one is refused
    hits-000.jsonl      the queries with their candidates, once each; one file per shard
    windows-000.jsonl   one line per window: its key and its record; one file per shard

A reranked query is a view of its windows (`agent.reranked.reranked`), so a run that is resumed, or only read, comes
to the same as one that was not interrupted. Each shard has one writer; any number of processes may read.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ._validation import first_problem
from .agent.memo import WindowKey
from .agent.plans import Planner
from .agent.reranked import Reranked, outcome_of, reranked
from .agent.trajectory import STORED, Trajectory
from .errors import ConfigError, DataError
from .files import LineFile, replace_file
from .records import Hit, Query

T = TypeVar("T")

CONFIG_FILE = "config.yaml"
"""The resolved configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A part of the queries: those whose id falls to it."""

    index: int = 0
    """Number of the shard, from 0."""
    count: int = 1
    """Shards in all."""

    def __post_init__(self) -> None:
        """Refuse a shard outside its count with ConfigError."""
        if not 0 <= self.index < self.count:
            raise ConfigError(f"there is no shard {self.index} of {self.count}; shards count from 0")

    def holds(self, qid: str) -> bool:
        """Say whether a query falls to this shard, the same on every machine."""
        digest = hashlib.blake2b(qid.encode("utf-8", "replace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    __pydantic_config__: ClassVar[ConfigDict] = STORED
    key: WindowKey
    trajectory: Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    __pydantic_config__: ClassVar[ConfigDict] = STORED
    query: Query
    hits: tuple[Hit, ...]


_KEPT, _ASKED = TypeAdapter(_Kept), TypeAdapter(_Asked)
_BEGINS = {_Kept: b'{"key":', _Asked: b'{"query":'}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a line is."""

    path: Path
    offset: int
    length: int


class RunFolder:
    """A folder of windows; use it as a context manager. `known` and `keep` may be called from any thread.

    Args:
        path: the folder; made when it is missing and `config` is given.
        config: the resolved configuration as YAML; None opens the folder to read.
        shard: the part of the queries that this process writes.

    Raises:
        ConfigError: the folder holds a run of another configuration, or none.
        DataError: a file of it is damaged, or another process writes the shard.
    """

    def __init__(self, path: Path, *, config: str | None = None, shard: Shard | None = None) -> None:
        self.path = path
        self.shard = shard or Shard()
        self._writes = threading.Lock()
        self._windows: dict[WindowKey, _Place] = {}
        self._by_window: dict[tuple[str, str, int], list[WindowKey]] = {}
        self._asked: dict[str, _Place] = {}
        self._files: dict[Path, LineFile] = {}
        self._check_config(config)
        try:
            if config is not None:
                for file, kind in ((self._file("windows"), _Kept), (self._file("hits"), _Asked)):
                    self._files[file] = LineFile(file, begins=_BEGINS[kind], lock=True)
            self._read()
        except DataError:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the folder."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the files back."""
        self.close()

    def __len__(self) -> int:
        """Return how many windows are kept."""
        return len(self._windows)

    def close(self) -> None:
        """Give the files back."""
        for file in self._files.values():
            file.close()

    def known(self, key: WindowKey) -> Trajectory | None:
        """Return the record of a window that was kept."""
        place = self._windows.get(key)
        return None if place is None else _read_kept(place).trajectory

    def keep(self, key: WindowKey, trajectory: Trajectory) -> None:
        """Keep a record; it is on disk when this returns.

        Raises:
            DataError: it cannot be written, and no part of it is left in the file.
        """
        path = self._file("windows")
        line = _line(_KEPT, _Kept(key=key, trajectory=trajectory), f"session {trajectory.session}")
        with self._writes:
            place = _Place(path, path.stat().st_size, len(line))
            self._files[path].append(line)
            self._note(key, place)

    def keep_hits(self, query: Query, hits: Sequence[Hit]) -> None:
        """Keep a query's candidates, once; they are on disk when this returns.

        Raises:
            DataError: other candidates are kept for the query already, or these cannot be written.
        """
        asked = _Asked(query=query, hits=tuple(hits))
        path = self._file("hits")
        with self._writes:
            place = self._asked.get(query.qid)
            if place is not None:
                if _read_asked(place) != asked:
                    raise DataError(
                        f"{place.path}: query {query.qid} is kept with other candidates; choose a new folder"
                    )
                return
            line = _line(_ASKED, asked, f"query {query.qid}")
            self._asked[query.qid] = _Place(path, path.stat().st_size, len(line))
            self._files[path].append(line)

    def queries(self) -> Iterator[tuple[Query, tuple[Hit, ...]]]:
        """Yield the queries that were asked with their candidates, in the order they were kept."""
        for place in [*self._asked.values()]:
            asked = _read_asked(place)
            yield asked.query, asked.hits

    def reranked(self, query: Query, hits: Sequence[Hit], planner: Planner) -> Reranked:
        """Return the view of a query's windows; those that are missing leave the order they would have changed."""
        return reranked(query, hits, planner, self._walk(query, hits, planner)[0])

    def missing(
        self, queries: Iterable[tuple[Query, Sequence[Hit]]], planner: Planner
    ) -> Iterator[tuple[Query, Sequence[Hit]]]:
        """Yield the queries of this shard that lack a window, in order."""
        for query, hits in queries:
            if self.shard.holds(query.qid) and not self._walk(query, hits, planner)[1]:
                yield query, hits

    def _walk(self, query: Query, hits: Sequence[Hit], planner: Planner) -> tuple[dict[int, Trajectory], bool]:
        """Follow a query's plan as far as windows are kept; say whether none is missing."""
        plan, found, whole = planner.plan(len(hits)), dict[int, Trajectory](), True
        while due := plan.due():
            for window in due:
                dids = tuple(hits[place].candidate.did for place in window.candidates)
                trajectory = self._kept_for((query.qid, planner.name, window.index), dids)
                whole = whole and trajectory is not None
                if trajectory is not None:
                    found[window.index] = trajectory
                    plan.told(window, outcome_of(trajectory))
        return found, whole

    def _kept_for(self, window: tuple[str, str, int], dids: tuple[str, ...]) -> Trajectory | None:
        """Return the newest record of a window over these candidates in this order."""
        for key in reversed(self._by_window.get(window, [])):
            trajectory = _read_kept(self._windows[key]).trajectory
            if trajectory.candidates == dids:
                return trajectory
        return None

    def _check_config(self, config: str | None) -> None:
        path = self.path / CONFIG_FILE
        try:
            before = path.read_text(encoding="utf-8") if path.is_file() else None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read ({error})") from error
        if config is None and before is None:
            raise ConfigError(f"{self.path}: holds no run; name the folder that one was written to")
        if config is None:
            return
        if before is not None and before != config:
            raise ConfigError(
                f"{self.path}: holds a run of another configuration ({_difference(before, config)}); "
                "choose another folder"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            replace_file(path, config.encode())
        except OSError as error:
            raise DataError(f"{self.path}: cannot be written: {error.strerror}; choose another folder") from error

    def _file(self, what: str) -> Path:
        return self.path / f"{what}-{self.shard.index:03d}.jsonl"

    def _read(self) -> None:
        """Note where every line of every shard is; a torn last line of another writer's file is left out."""
        for path in sorted(self.path.glob("windows-*.jsonl")):
            for place, line in _lines(path):
                self._note(_parsed(_KEPT, line, place).key, place)
        for path in sorted(self.path.glob("hits*.jsonl")):
            for place, line in _lines(path):
                self._asked[_parsed(_ASKED, line, place).query.qid] = place

    def _note(self, key: WindowKey, place: _Place) -> None:
        self._windows[key] = place
        self._by_window.setdefault((key.qid, key.plan, key.index), []).append(key)


def _lines(path: Path) -> Iterator[tuple[_Place, bytes]]:
    offset = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield _Place(path, offset, len(line)), line
                offset += len(line)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _read_kept(place: _Place) -> _Kept:
    return _parsed(_KEPT, _bytes(place), place)


def _read_asked(place: _Place) -> _Asked:
    return _parsed(_ASKED, _bytes(place), place)


def _bytes(place: _Place) -> bytes:
    try:
        with place.path.open("rb") as file:
            return os.pread(file.fileno(), place.length, place.offset)
    except OSError as error:
        raise DataError(f"{place.path}: cannot be read: {error.strerror}") from error


def _parsed(adapter: TypeAdapter[T], line: bytes, place: _Place) -> T:
    try:
        return adapter.validate_json(line)
    except ValidationError as error:
        raise DataError(
            f"{place.path}: the line at byte {place.offset} is damaged ({first_problem(error)}); remove that line, "
            "and the run asks again for what it held"
        ) from error


def _line(adapter: TypeAdapter[T], value: T, what: str) -> bytes:
    try:
        return adapter.dump_json(value) + b"\n"
    except ValueError as error:
        raise DataError(f"{what}: cannot be stored: {error}; repair its texts") from error


def _difference(before: str, after: str) -> str:
    """Return the first line that two configurations differ in."""
    pairs = zip([*before.splitlines(), ""], [*after.splitlines(), ""], strict=False)
    old, new = next(((one, other) for one, other in pairs if one != other), ("", ""))
    return f"{old.strip() or 'nothing'} there, {new.strip() or 'nothing'} here"
