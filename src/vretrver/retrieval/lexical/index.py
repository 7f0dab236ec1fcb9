"""An index of words: BM25 over the tokens of items, in memory or in a file of an index directory.

Okapi BM25 (k1 = 1.2, b = 0.75; Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
2009) of SQLite's FTS5, whose rarity of a token, 0 from half of the items on, is replaced by
ln(1 + (N + 0.5) / (n + 0.5)), so that a word says something in a folder of three items too. Why FTS5:
docs/decisions/010-lexical.md.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Self

from ...errors import DataError
from ..directory.opening import Effort, error_class
from ..index import Found
from .database import new_in_memory, open_database
from .tokens import tokens, words_of

_BATCH = 256  # items looked at together for whether they may be found
_LARGE = 1000  # items from which words that most of them hold are left out of a search beside rarer ones
_MOST_TOKENS = 100  # SQLite joins at most 500 statements
_LEAST_RARITY = 1e-6  # FTS5's, of a token that half of the items hold

_EACH = "SELECT rowid AS row, -rank * ? AS score FROM words WHERE words MATCH ?"
_SUM = "SELECT row, sum(score) AS total FROM ({}) GROUP BY row"

Admits = Callable[[Sequence[str]], Container[str]]
"""Returns which of some dids may be found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryWords:
    """A query's words as an index knows them."""

    weights: Mapping[str, float]
    """Token -> how rare it is, above 0; tokens that stand in some item."""
    unknown: tuple[str, ...]
    """Words that stand in no item, as the query writes them."""
    factors: Mapping[str, float] = field(default_factory=dict)
    """Token to search for -> what FTS5's score of it is multiplied by; at most 100, common ones only where there are
    no others."""


class LexicalIndex:
    """Items by their words; threads may share one.

    Args:
        path: `words.sqlite` of an index directory; None for an empty index in memory.

    Raises:
        DataError: the file is missing, damaged or of another version, or SQLite has no full-text search.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._effort: Effort | None = None
        if path is None:
            self._connection = new_in_memory()
        else:
            self._connection, self._effort = open_database(path)

    def __enter__(self) -> Self:
        """Return the index."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the index."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def __len__(self) -> int:
        """Return the number of items."""
        with self._reading() as connection:
            return int(connection.execute("SELECT count(*) FROM items").fetchone()[0])

    @property
    def source(self) -> str:
        """What the index was last made of, see `update`; empty where an update is under way or was stopped."""
        with self._reading() as connection:
            return str(connection.execute("SELECT source FROM state").fetchone()[0])

    def set_source(self, source: str) -> None:
        """Record what the index is made of."""
        with self.writing() as connection:
            connection.execute("UPDATE state SET source = ?", (source,))

    def stamps(self) -> dict[str, bytes]:
        """Return did -> stamp of every item."""
        with self._reading() as connection:
            return dict(connection.execute("SELECT did, stamp FROM items"))

    def put(self, items: Iterable[tuple[str, str, bytes]]) -> None:
        """Store (did, text, stamp) of items in one commit; an item whose did is there is replaced."""
        rows = [(did, " ".join(tokens(text)), stamp) for did, text, stamp in items]
        with self.writing() as connection:
            self._remove(connection, [did for did, _, _ in rows])
            for did, words, stamp in rows:
                place = connection.execute("INSERT INTO items (did, stamp) VALUES (?, ?)", (did, stamp)).lastrowid
                connection.execute("INSERT INTO words (rowid, tokens) VALUES (?, ?)", (place, words))

    def remove(self, dids: Sequence[str]) -> None:
        """Delete items in one commit; dids that are not there are passed over."""
        with self.writing() as connection:
            self._remove(connection, dids)

    def ask(self, text: str) -> QueryWords:
        """Return the words of a query that stand in some item, and those that stand in none."""
        counts: dict[str, int] = {}
        unknown: list[str] = []
        with self._reading() as connection:
            total = int(connection.execute("SELECT count(*) FROM items").fetchone()[0])
            for word in words_of(text):
                known = next(filter(None, (_counts(connection, level) for level in word.levels)), {})
                counts |= known
                if not known:
                    unknown.append(word.text)
        weights = {token: _rarity(count, total) for token, count in counts.items()}
        return QueryWords(weights=weights, unknown=tuple(unknown), factors=_factors(counts, total))

    def search(self, texts: Sequence[str], k: int, *, admits: Admits | None = None) -> list[Found]:
        """Return for each text the k best (did, score), best first: items that hold a word of it.

        Args:
            texts: of queries.
            k: at least 1.
            admits: says which items may be found; None admits all.

        Returns:
            Scores above 0; equal ones in the order in which the items were stored.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        return [self._search(self.ask(text), k, admits) for text in texts]

    def check(self) -> None:
        """Raise DataError where the file does not hold what it was given."""
        with self.writing() as connection:
            connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")

    def _search(self, asked: QueryWords, k: int, admits: Admits | None) -> Found:
        if not asked.weights:
            return []
        each = " UNION ALL ".join([_EACH] * len(asked.factors))
        sql = f"SELECT items.did, total FROM ({_SUM.format(each)}) JOIN items USING (row) ORDER BY total DESC, row"  # noqa: S608
        values = [value for token, factor in asked.factors.items() for value in (factor, f'"{token}"')]
        found: Found = []
        with self._reading() as connection:
            if admits is None:
                return list(connection.execute(f"{sql} LIMIT ?", (*values, k)))
            rows = iter(connection.execute(sql, values))
            while batch := list(islice(rows, _BATCH)):
                admitted = admits([did for did, _ in batch])
                found += [(did, score) for did, score in batch if did in admitted]
                if len(found) >= k:
                    break
        return found[:k]

    @staticmethod
    def _remove(connection: sqlite3.Connection, dids: Sequence[str]) -> None:
        chosen = "SELECT row FROM items WHERE did IN (SELECT value FROM json_each(?))"
        rows = connection.execute(chosen, (json.dumps(list(dids)),)).fetchall()
        connection.executemany("DELETE FROM words WHERE rowid = ?", rows)
        connection.executemany("DELETE FROM items WHERE row = ?", rows)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change everything or nothing."""
        with self._reading() as connection:
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection, with SQLite's errors as ours."""
        with self._lock:
            if self._effort is not None:
                self._effort.begin()
            try:
                yield self._connection
            except sqlite3.Error as error:
                spent = self._effort is not None and self._effort.spent
                what = "takes more work to read than an intact index of words" if spent else str(error)
                remedy = "run `vretrver index` again, which makes it anew"
                kind = DataError if spent else error_class(error)
                raise kind(f"{self._path or 'words in memory'}: {what}; {remedy}") from error


def _counts(connection: sqlite3.Connection, level: Sequence[str]) -> dict[str, int]:
    """Return token -> number of items it stands in, for those that stand in any."""
    sql = "SELECT doc FROM known WHERE term = ?"
    found = ((token, connection.execute(sql, (token,)).fetchone()) for token in level)
    return {token: row[0] for token, row in found if row is not None}


def _rarity(count: int, total: int) -> float:
    """Return how rare a token is that `count` of `total` items hold; ln 2 where all do."""
    return math.log1p((total + 0.5) / (count + 0.5))


def _factors(counts: Mapping[str, int], total: int) -> dict[str, float]:
    """Return the tokens to search for, the rarest first, with what makes FTS5's score of each ours."""
    rare = [token for token, count in counts.items() if total <= _LARGE or count * 2 < total]
    chosen = sorted(rare or counts, key=counts.__getitem__)[:_MOST_TOKENS]
    return {token: _rarity(counts[token], total) / _rarity_of_fts5(counts[token], total) for token in chosen}


def _rarity_of_fts5(count: int, total: int) -> float:
    return max(math.log((total - count + 0.5) / (count + 0.5)), _LEAST_RARITY)
