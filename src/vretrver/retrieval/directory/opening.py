"""Opening the database of an index directory that may come from a stranger.

SQLite follows links, runs views and triggers that are stored in a file, and deletes files that a journal names. A
directory in which that could happen is refused before a row is read.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError, IndexBusy, StorageError
from ...files import open_own, refuse_foreign
from .vectors import sync_folder

SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database."""

_WAIT_SECONDS = 30.0
_MOST_ENTRIES = 16  # a database of ours has at most six
_MOST_STATEMENT = 2**16

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_STORAGE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})

_JOURNAL_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")
"""How a rollback journal ends that names a further file; SQLite may delete that file, wherever it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLayout:
    """What a database of ours holds; anything else in it was put there by somebody else."""

    schema: str
    """The statements that make it, one after another."""
    grown: str = "(?!)"
    """Pattern of further statements that it may hold after it was made; default none."""
    by_sqlite: frozenset[str] = frozenset()
    """Names of the indexes that SQLite makes by itself."""

    def knows(self, kind: str, name: str, statement: str | None) -> bool:
        """Say whether an entry of `sqlite_master` belongs to this layout; white space makes no difference."""
        if statement is None:
            return kind == "index" and name in self.by_sqlite
        made = {" ".join(one.split()) for one in self.schema.split(";")}
        return bool(statement) and (statement in made or re.fullmatch(self.grown, statement) is not None)


class Effort:
    """Ends statements that take more work than an intact database of this size needs: a damaged tree may loop.

    Args:
        connection: whose statements are counted.
        path: the database.
    """

    STEP = 100_000
    """Instructions of SQLite between two checks of the count."""
    BASE = 50_000_000
    """Instructions that are always allowed, a second or two."""
    PER_BYTE = 64
    """Instructions allowed for each byte of the database and its log; a filtered scan takes one or two."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._files = (path, path.with_name(f"{path.name}-wal"))
        self._left = 0
        self.begin()
        connection.set_progress_handler(self._spend, self.STEP)

    @property
    def spent(self) -> bool:
        """Whether a statement ran out of its allowance and was ended."""
        return self._left < 0

    def begin(self) -> None:
        """Start a new allowance."""
        size = 0
        for path in self._files:
            with suppress(OSError):
                size += path.stat().st_size
        self._left = (self.BASE + self.PER_BYTE * size) // self.STEP

    def _spend(self) -> bool:
        self._left -= 1
        return self._left < 0


def connect(
    path: Path, directory: Path, layout: DatabaseLayout, *, threads: bool = False
) -> tuple[sqlite3.Connection, Effort]:
    """Open a database; in a folder that cannot be written, as a file that does not change.

    Args:
        path: the database.
        directory: the folder it lies in.
        layout: what it may hold.
        threads: whether several threads use the connection, one at a time.

    Raises:
        DataError: one of its files is not a regular file, it holds more than our tables, or it is not a database.
        StorageError: SQLite cannot open it.
    """
    writable = os.access(directory, os.W_OK)
    check_files(path, writable=writable)
    fixed = "" if writable else "?immutable=1"
    with errors_of(path):
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}{fixed}",
            uri=True,
            isolation_level=None,
            timeout=_WAIT_SECONDS,
            check_same_thread=not threads,
        )
    try:
        with errors_of(path):
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            effort = Effort(connection, path)
            _check_schema(connection, path, layout)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -65536")
    except DataError:
        connection.close()
        raise
    return connection, effort


def check_files(path: Path, *, writable: bool) -> None:
    """Refuse a database with a file that is not regular, or with a journal that names a file elsewhere."""
    for suffix in ("", *SIDE_FILES):
        refuse_foreign(path.with_name(f"{path.name}{suffix}"), single=writable)
    with suppress(FileNotFoundError):
        descriptor = open_own(path.with_name(f"{path.name}-journal"), os.O_RDONLY)
        try:
            end = os.pread(descriptor, 8, max(0, os.fstat(descriptor).st_size - 8))
        finally:
            os.close(descriptor)
        if end == _JOURNAL_NAMES_ANOTHER:
            raise DataError(
                f"{path}-journal: names another file, which this program never writes; do not open this index, make "
                "your own of its source"
            )


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Turn errors of the system and of SQLite into ours, one sentence each."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise error_class(error)(f"{path}: {error}; give a folder that can be written") from error


def error_class(error: OSError | sqlite3.Error) -> type[DataError]:
    """Return which of our errors an error of the system or of SQLite is: IndexBusy, StorageError or DataError."""
    if isinstance(error, OSError):
        return StorageError
    code = (
        getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    )  # extended codes keep the primary one there
    if code in _BUSY:
        return IndexBusy
    return StorageError if code in _STORAGE else DataError


def _check_schema(connection: sqlite3.Connection, path: Path, layout: DatabaseLayout) -> None:
    """Refuse views, triggers, virtual tables and whatever else the layout does not have; none of it has run yet."""
    sql = "SELECT type, name, substr(sql, 1, ?) FROM sqlite_master LIMIT ?"
    for kind, name, statement in connection.execute(sql, (_MOST_STATEMENT, _MOST_ENTRIES)):
        if not layout.knows(kind, name, " ".join(statement.split()) if isinstance(statement, str) else statement):
            raise DataError(
                f"{path}: holds the {kind} {str(name)[:60]!r}, which an index does not have; do not open it, make "
                "your own of its source"
            )


def create(path: Path, layout: DatabaseLayout, *rows: tuple[str, tuple[object, ...]]) -> None:
    """Create a database under a draft name; it is renamed once it is complete, and on disk when this returns.

    Args:
        path: where it goes; nothing is there yet.
        layout: what it holds.
        rows: statements that fill it, with their values.

    Raises:
        DataError: it cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    with errors_of(path):
        for suffix in ("", *SIDE_FILES):  # of a process that died, or links that SQLite would follow
            draft.with_name(f"{draft.name}{suffix}").unlink(missing_ok=True)
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(layout.schema)
            for statement, values in rows:
                connection.execute(statement, values)
        finally:
            connection.close()
        draft.rename(path)
        sync_folder(path.parent)
