"""Opening the database of an index directory that may come from a stranger.

SQLite follows links, runs views and triggers that are stored in a file, and deletes files that a journal names. A
directory in which that could happen is refused before a row is read.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import DataError, IndexBusy, StorageError
from ...files import open_own, refuse_foreign

SCHEMA = """
CREATE TABLE manifest (one INTEGER PRIMARY KEY CHECK (one = 1), value TEXT NOT NULL);
CREATE TABLE items (
    slot INTEGER PRIMARY KEY, did TEXT NOT NULL UNIQUE, content BLOB, parts TEXT, metadata TEXT NOT NULL
);
CREATE INDEX items_content ON items (content);
CREATE TABLE fields (slot INTEGER PRIMARY KEY);
CREATE TABLE dead (slot INTEGER PRIMARY KEY);
"""
"""What a new database holds; `fields` gets columns f0, f1 and so on."""

SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database."""

_WAIT_SECONDS = 30.0
_STATEMENTS = frozenset(" ".join(statement.split()) for statement in SCHEMA.split(";") if statement.strip())
_FIELDS = re.compile(r"CREATE TABLE fields \(slot INTEGER PRIMARY KEY(, f[0-9]+)*\)")
_OF_SQLITE = ("index", "sqlite_autoindex_items_1", None)
_MOST_ENTRIES = 16  # an index has six
_MOST_STATEMENT = 2**16

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_STORAGE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})

_JOURNAL_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")
"""How a rollback journal ends that names a further file; SQLite may delete that file, wherever it is."""


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


IsOurs = Callable[[object, object, object], bool]
"""Says whether an entry of a schema (type, name, statement with its blanks folded) was made by this package."""


def of_an_index(kind: object, name: object, statement: object) -> bool:
    """Say whether an entry of a schema was made by `SCHEMA`."""
    made = statement in _STATEMENTS or (kind, name, statement) == _OF_SQLITE
    return made or (isinstance(statement, str) and _FIELDS.fullmatch(statement) is not None)


def connect(
    path: Path, directory: Path, *, is_ours: IsOurs = of_an_index, threads: bool = False
) -> tuple[sqlite3.Connection, Effort]:
    """Open a database; in a folder that cannot be written, as a file that does not change.

    Args:
        path: the database.
        directory: the folder it lies in.
        is_ours: says what its schema may hold.
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
            _check_schema(connection, path, is_ours)
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


def _check_schema(connection: sqlite3.Connection, path: Path, is_ours: IsOurs) -> None:
    """Refuse views, triggers, virtual tables and whatever else is not ours; none of it has run yet."""
    sql = "SELECT type, name, substr(sql, 1, ?) FROM sqlite_master LIMIT ?"
    for kind, name, statement in connection.execute(sql, (_MOST_STATEMENT, _MOST_ENTRIES)):
        found = " ".join(statement.split()) if isinstance(statement, str) else statement
        if not is_ours(kind, name, found):
            raise DataError(
                f"{path}: holds the {kind} {str(name)[:60]!r}, which an index does not have; do not open it, make "
                "your own of its source"
            )
