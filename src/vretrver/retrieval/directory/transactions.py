"""Transactions over a database that may be a stranger's: each with a bound of work, errors as our sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import DataError
from .opening import Effort, error_class


class Transactions:
    """Runs transactions on a connection.

    Args:
        connection: as of `opening.connect`, with its effort.
        effort: ends statements that take too much work.
        path: the database, for messages.
        damaged: what to do about a damaged one, for messages.
    """

    def __init__(
        self, connection: sqlite3.Connection, effort: Effort, path: Path, *, damaged: str = "index again"
    ) -> None:
        self._connection = connection
        self._effort = effort
        self._path = path
        self._damaged = damaged

    @contextmanager
    def run(self, begin: str) -> Iterator[None]:
        """Begin with a statement, commit at the end; after an error nothing is changed."""
        with self.alone():
            self._connection.execute(begin)
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Run statements with a new allowance of work and without a transaction."""
        self._effort.begin()
        with self.errors():
            yield

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ours, one sentence each."""
        try:
            yield
        except sqlite3.Error as error:
            if self._effort.spent:
                raise DataError(
                    f"{self._path}: takes more work to read than an intact index of its size, so it is damaged; "
                    f"{self._damaged}"
                ) from error
            sentence = f"{self._path}: {error}; what was indexed is kept, run again to go on"
            raise error_class(error)(sentence) from error
