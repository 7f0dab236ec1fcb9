"""A run on disk, window by window: what was ranked is kept as it ends, found again, and never asked twice.

    config.yaml         the resolved configuration; another one is refused
    hits-000.jsonl      the queries with their candidates, once each; one file per shard
    windows-000.jsonl   one line per window: its key and its record; one file per shard
    ended-000.jsonl     one line per query that ended: why, and the keys of its windows; one file per shard

A reranked query is a view of its windows (`agent.reranked.reranked`), so a run that is resumed, or only read, comes
to the same as one that was not interrupted. Each shard has one writer; any number of processes may read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ..agent.memo import WindowKey
from ..agent.plans import Planner
from ..agent.reranked import Ended, Reranked, interrupted, outcome_of, reranked
from ..agent.trajectory import Trajectory
from ..errors import ConfigError, DataError
from ..files import LineFile, replace_file
from ..records import Hit, Query
from .lines import BEGINS, EndedQuery, KeptQuery, KeptWindow, LinePlace, line_of, lines_of, parsed, read_line
from .shards import Shard

CONFIG_FILE = "config.yaml"
"""The resolved configuration."""

_FILES = {KeptWindow: "windows", KeptQuery: "hits", EndedQuery: "ended"}


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
        self._windows: dict[WindowKey, LinePlace] = {}
        self._newest: dict[tuple[str, str, int], WindowKey] = {}
        self._last_agent: dict[str, str] = {}
        self._asked: dict[str, LinePlace] = {}
        self._ended: dict[tuple[str, str], LinePlace] = {}
        self._files: dict[Path, LineFile] = {}
        self._check_config(config)
        try:
            if config is not None:
                for kind in _FILES:
                    self._files[self._file(kind)] = LineFile(self._file(kind), begins=BEGINS[kind], lock=True)
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
        if place is None:
            return None
        with self._writes:
            self._note_newest(key)
        return read_line(KeptWindow, place).trajectory

    def keep(self, key: WindowKey, trajectory: Trajectory) -> None:
        """Keep a record; it is on disk when this returns.

        Raises:
            ConfigError: the folder was opened to read.
            DataError: it cannot be written, and no part of it is left in the file.
        """
        self._append(KeptWindow(key=key, trajectory=trajectory), f"session {trajectory.session}")

    def keep_hits(self, query: Query, hits: Sequence[Hit]) -> None:
        """Keep a query's candidates, once; they are on disk when this returns.

        Raises:
            ConfigError: the folder was opened to read.
            DataError: other candidates are kept for the query already, or these cannot be written.
        """
        asked = KeptQuery(query=query, hits=tuple(hits))
        place = self._asked.get(query.qid)
        if place is None:
            self._append(asked, f"query {query.qid}")
        elif read_line(KeptQuery, place) != asked:
            raise DataError(f"{place.path}: query {query.qid} is kept with other candidates; choose a new folder")

    def keep_end(self, result: Reranked, planner: Planner) -> None:
        """Keep how a query ended, after its windows and hits; it is on disk when this returns.

        Raises:
            ConfigError: the folder was opened to read.
            DataError: it cannot be written, and no part of it is left in the file.
        """
        keys = [self._newest_key(result.query.qid, planner.name, one.step.index) for one in result.trajectories]
        kept = [not interrupted(one) and key is not None for one, key in zip(result.trajectories, keys, strict=True)]
        end = EndedQuery(
            qid=result.query.qid,
            plan=planner.name,
            ended=result.ended,
            reached=result.reached,
            seconds=result.seconds,
            windows=tuple(key for key, there in zip(keys, kept, strict=True) if key is not None and there),
            broken=tuple(one for one, there in zip(result.trajectories, kept, strict=True) if not there),
        )
        before = self._ended.get((end.qid, end.plan))
        if before is None or replace(read_line(EndedQuery, before), seconds=end.seconds) != end:
            self._append(end, f"query {end.qid}")

    def queries(self) -> Iterator[tuple[Query, tuple[Hit, ...]]]:
        """Yield the queries that were asked with their candidates, in the order they were kept."""
        for place in [*self._asked.values()]:
            asked = read_line(KeptQuery, place)
            yield asked.query, asked.hits

    def reranked(self, query: Query, hits: Sequence[Hit], planner: Planner) -> Reranked:
        """Return what a query came to, as it was when the query ended.

        One that never ended is the view of the windows that are kept of it, marked as UNFINISHED.
        """
        place = self._ended.get((query.qid, planner.name))
        end = None if place is None else read_line(EndedQuery, place)
        if end is None or not all(key in self._windows for key in end.windows):
            return reranked(query, hits, planner, self._walk(query, hits, planner), ended=Ended.UNFINISHED)
        records = [read_line(KeptWindow, self._windows[key]).trajectory for key in end.windows]
        windows = {one.step.index: one for one in (*records, *end.broken)}
        return reranked(query, hits, planner, windows, seconds=end.seconds, ended=end.ended, reached=end.reached)

    def _walk(self, query: Query, hits: Sequence[Hit], planner: Planner) -> dict[int, Trajectory]:
        """Follow a query's plan as far as windows are kept, those of the agent that came last."""
        plan, found = planner.plan(len(hits)), dict[int, Trajectory]()
        while due := plan.due():
            for window in due:
                key = self._newest_key(query.qid, planner.name, window.index)
                if key is None or key.agent != self._last_agent[query.qid]:
                    continue
                trajectory = read_line(KeptWindow, self._windows[key]).trajectory
                if trajectory.candidates == tuple(hits[place].candidate.did for place in window.candidates):
                    found[window.index] = trajectory
                    plan.told(window, outcome_of(trajectory))
        return found

    def _newest_key(self, qid: str, plan: str, index: int) -> WindowKey | None:
        return self._newest.get((qid, plan, index))

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

    def _file(self, kind: type[KeptWindow | KeptQuery | EndedQuery]) -> Path:
        return self.path / f"{_FILES[kind]}-{self.shard.index:03d}.jsonl"

    def _append(self, value: KeptWindow | KeptQuery | EndedQuery, what: str) -> None:
        """Write a line, and then note where it is."""
        path = self._file(type(value))
        file = self._files.get(path)
        if file is None:
            raise ConfigError(f"{self.path}: this folder was opened to read; open it with a configuration to write")
        line = line_of(value, what)
        with self._writes:
            place = LinePlace(path, path.stat().st_size, len(line))
            file.append(line)
            self._note(value, place)

    def _read(self) -> None:
        """Note where every line of every shard is; a torn last line of another writer's file is left out."""
        for kind, name in _FILES.items():
            for path in sorted(self.path.glob(f"{name}-*.jsonl")):
                for place, line in lines_of(path):
                    self._note(parsed(kind, line, place), place)

    def _note(self, value: KeptWindow | KeptQuery | EndedQuery, place: LinePlace) -> None:
        if isinstance(value, KeptQuery):
            self._asked[value.query.qid] = place
        elif isinstance(value, EndedQuery):
            self._ended[(value.qid, value.plan)] = place
        else:
            self._windows[value.key] = place
            self._note_newest(value.key)

    def _note_newest(self, key: WindowKey) -> None:
        """Note that no record of this window was kept or found later than that under this key."""
        self._newest[(key.qid, key.plan, key.index)] = key
        self._last_agent[key.qid] = key.agent


def _difference(before: str, after: str) -> str:
    """Return the first line that two configurations differ in."""
    pairs = zip([*before.splitlines(), ""], [*after.splitlines(), ""], strict=False)
    old, new = next(((one, other) for one, other in pairs if one != other), ("", ""))
    return f"{old.strip() or 'nothing'} there, {new.strip() or 'nothing'} here"
