"""The SQLite file of a lexical index: one row an item with its tokens, and full-text search over them.

The file is made of others and can be made again: whatever is wrong with it, an index directory without it still finds
by vectors, and the next `vretrver index` makes it anew.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...errors import DataError
from ..directory.opening import SIDE_FILES, DatabaseLayout, Effort, connect, create, errors_of
from .tokens import VERSION

WORDS = "words.sqlite"
"""Name of the file in an index directory."""

_PARTS = "words_(data|idx|content|docsize|config)"
"""Tables in which full-text search keeps what it knows."""

LAYOUT = DatabaseLayout(
    schema="""
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), tokens INTEGER NOT NULL, source TEXT NOT NULL);
CREATE TABLE items (row INTEGER PRIMARY KEY, did TEXT NOT NULL UNIQUE, stamp BLOB NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(tokens, tokenize = "ascii tokenchars '-./_:#='");
""",
    grown=rf"CREATE TABLE '{_PARTS}'\([^()]*(\([^()]*\))?\)( WITHOUT ROWID)?",
    by_sqlite=frozenset({"sqlite_autoindex_items_1", "sqlite_autoindex_words_config_1"}),
)
"""What the database holds; its tokenizer takes tokens apart at blanks only, beyond ASCII too."""

_KNOWN = "CREATE VIRTUAL TABLE temp.known USING fts5vocab(main, words, row)"
_FIRST = "INSERT INTO state (one, tokens, source) VALUES (1, ?, '')"


def open_database(path: Path) -> tuple[sqlite3.Connection, Effort]:
    """Open the words of an index directory; several threads may use the connection, one at a time.

    Raises:
        DataError: it is damaged, of another version, or holds what this package does not write; nothing of it ran.
    """
    if not path.is_file():
        raise DataError(f"{path}: no words are indexed yet; run `vretrver index` again")
    connection, effort = connect(path, path.parent, LAYOUT, threads=True)
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
    try:
        connection.executescript(LAYOUT.schema)
    except sqlite3.OperationalError as error:
        raise _explained(error) from error
    connection.execute(_FIRST, (VERSION,))
    connection.execute(_KNOWN)
    return connection


def create_database(path: Path) -> None:
    """Put an empty database in the place of whatever is there, which is removed; a link is removed, not followed.

    Raises:
        DataError: SQLite has no full-text search.
        StorageError: the folder cannot be written.
    """
    with errors_of(path):
        for suffix in ("", *SIDE_FILES):
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    try:
        create(path, LAYOUT, (_FIRST, (VERSION,)))
    except DataError as error:
        raise _explained(error) from error


def _explained(error: Exception) -> Exception:
    """Return an error, or the sentence that says that SQLite has no full-text search where that is its cause."""
    if "no such module" not in str(error):
        return error
    return DataError(
        f"words are not searched: this Python's SQLite {sqlite3.sqlite_version} has no FTS5; use a Python built with "
        "it, as those of python.org and of the distributions are"
    )
