"""The SQLite file of a lexical index: one row an item with its tokens, and full-text search over them.

The file is made of others and can be made again: whatever is wrong with it, an index directory without it still finds
by vectors, and the next `vretrver index` makes it anew.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...errors import DataError
from ..directory.opening import SIDE_FILES, Effort, connect, errors_of
from .tokens import VERSION

WORDS = "words.sqlite"
"""Name of the file in an index directory."""

_WORDS = "CREATE VIRTUAL TABLE words USING fts5(tokens, tokenize = \"ascii tokenchars '-./_:#='\")"
SCHEMA = (
    "CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), tokens INTEGER NOT NULL, source TEXT NOT NULL)",
    "CREATE TABLE items (row INTEGER PRIMARY KEY, did TEXT NOT NULL UNIQUE, stamp BLOB NOT NULL)",
    _WORDS,
)
"""What a new database holds; the tokenizer takes tokens apart at blanks only, beyond ASCII too."""

_PARTS = frozenset(f"words_{part}" for part in ("data", "idx", "content", "docsize", "config"))
"""Tables in which full-text search keeps what it knows."""

_KNOWN = "CREATE VIRTUAL TABLE temp.known USING fts5vocab(main, words, row)"


def open_database(path: Path) -> tuple[sqlite3.Connection, Effort]:
    """Open the words of an index directory; several threads may use the connection, one at a time.

    Raises:
        DataError: it is damaged, of another version, or holds what this package does not write; nothing of it ran.
    """
    if not path.is_file():
        raise DataError(f"{path}: no words are indexed yet; run `vretrver index` again")
    connection, effort = connect(path, path.parent, is_ours=_of_words, threads=True)
    try:
        with errors_of(path):
            connection.execute(_KNOWN)
            state = connection.execute("SELECT tokens FROM state").fetchone()
        if state is None or state[0] != VERSION:
            raise DataError(f"{path}: made by another version; run `vretrver index` again")
    except DataError:
        connection.close()
        raise
    return connection, effort


def new_in_memory() -> sqlite3.Connection:
    """Return an empty database without a file; raises DataError where SQLite has no full-text search."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _create(connection)
    connection.execute(_KNOWN)
    return connection


def create_database(path: Path) -> None:
    """Put an empty database in the place of whatever is there, which is removed; a link is removed, not followed.

    Raises:
        DataError: SQLite has no full-text search.
        StorageError: the folder cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    with errors_of(path):
        for suffix in ("", *SIDE_FILES):
            draft.with_name(f"{draft.name}{suffix}").unlink(missing_ok=True)
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            _create(connection)
        finally:
            connection.close()
        for suffix in SIDE_FILES:
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        draft.replace(path)


def _create(connection: sqlite3.Connection) -> None:
    try:
        for statement in SCHEMA:
            connection.execute(statement)
    except sqlite3.OperationalError as error:
        if "no such module" in str(error):
            raise DataError(
                f"words are not searched: this Python's SQLite {sqlite3.sqlite_version} has no FTS5; use a Python "
                "built with it, as those of python.org and of the distributions are"
            ) from error
        raise
    connection.execute("INSERT INTO state (one, tokens, source) VALUES (1, ?, '')", (VERSION,))


def _of_words(kind: object, name: object, statement: object) -> bool:
    """Say whether an entry of a schema is of `SCHEMA`, or a plain table that full-text search keeps."""
    if statement in SCHEMA:
        return True
    if kind == "index":
        return statement is None and name in ("sqlite_autoindex_items_1", "sqlite_autoindex_words_config_1")
    return kind == "table" and name in _PARTS and str(statement).startswith(f"CREATE TABLE '{name}'(")
