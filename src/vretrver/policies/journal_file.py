"""The journal's file: one JSON line for each turn that was paid for, appended and synced, never changed.

It knows keys and completions, no conversations; `journal.JournaledPolicy` makes the keys.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..agent.policy import Completion
from ..errors import DataError
from ..files import append_durably, check_torn, open_regular

VERSION = 1
"""Version of a line; it grows when the meaning of a field changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_inf_nan="strings", extra="forbid")

    version: int = VERSION
    """Version of the line."""
    key: str
    """Hash of everything that was sent in the session up to this turn."""
    ordinal: int
    """Entries of the same key before it, from 0: equal conversations draw several turns."""
    completion: Completion
    """The turn."""


_ENTRY = TypeAdapter(Entry)
_BEGINS = b'{"version":'


class JournalFile:
    """Entries on disk, held by one process at a time.

    Args:
        path: the file, made when it is missing; its folder must exist. A torn last line is cut off.

    Raises:
        DataError: the file cannot be used, another process holds it, or a line is no entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, deque[tuple[str, int, int]]] = {}
        self._counts: Counter[str] = Counter()
        try:
            self._file = FileIO(open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), "ab+")
        except OSError as error:
            raise DataError(f"{path}: the journal cannot be opened: {error.strerror}; choose another file") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read()
        except BlockingIOError as error:
            self._file.close()
            raise DataError(f"{path}: another process writes this journal; wait for it, or choose another") from error
        except DataError:
            self._file.close()
            raise

    def __len__(self) -> int:
        """Return the number of entries."""
        return self._counts.total()

    def take(self, key: str, session: str) -> Entry | None:
        """Return an entry of a key that was not taken yet: the session's own where there is one, else the oldest."""
        places = self._places.get(key)
        if not places:
            return None
        place = next((place for place in places if place[0] == session), places[0])
        places.remove(place)
        return _ENTRY.validate_json(os.pread(self._file.fileno(), place[2], place[1]))

    def append(self, paid: Sequence[tuple[str, Completion]]) -> list[Entry]:
        """Write (key, completion) pairs and return their entries; when this returns they are on disk.

        Raises:
            DataError: they cannot be written, and no part of them is left in the file.
        """
        if not paid:
            return []
        entries = []
        for key, completion in paid:
            entries.append(Entry(key=key, ordinal=self._counts[key], completion=completion))
            self._counts[key] += 1
        lines = b"".join(_ENTRY.dump_json(entry) + b"\n" for entry in entries)
        append_durably(self._file, lines, what=f"{self.path}: the journal")
        return entries

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _read(self) -> None:
        """Note where every entry lies, and cut off a torn last line."""
        offset = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    check_torn(line, _BEGINS, name=str(self.path))
                    self._file.truncate(offset)
                    return
                entry = self._parse(line, number)
                place = entry.completion.session, offset, len(line)
                self._places.setdefault(entry.key, deque()).append(place)
                self._counts[entry.key] += 1
                offset += len(line)

    def _parse(self, line: bytes, number: int) -> Entry:
        try:
            entry = _ENTRY.validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise DataError(f"{self.path}:{number}: no journal entry ({problem}); choose another file") from error
        if entry.version != VERSION:
            raise DataError(
                f"{self.path}:{number}: journal version {entry.version}, this program reads {VERSION}; "
                "choose another file"
            )
        return entry
