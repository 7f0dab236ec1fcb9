"""The database of an index directory: one row an item, the manifest, and the slots that are dead.

Changes are made inside `writing`, and reads that must be consistent inside `reading`; a process that dies in between
leaves the last commit. SQL is written here and in `filter_sql` only, and never holds a name or a value from outside.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...records import Candidate
from ..exact import Slots
from .entries import Entry, candidate_from_row, kind_with
from .manifest import DATABASE, Field, Manifest, manifest_from_json
from .opening import DatabaseLayout, connect, create
from .transactions import Transactions

ITEMS = DatabaseLayout(
    schema="""
CREATE TABLE manifest (one INTEGER PRIMARY KEY CHECK (one = 1), value TEXT NOT NULL);
CREATE TABLE items (
    slot INTEGER PRIMARY KEY, did TEXT NOT NULL UNIQUE, content BLOB, parts TEXT, metadata TEXT NOT NULL
);
CREATE INDEX items_content ON items (content);
CREATE TABLE fields (slot INTEGER PRIMARY KEY);
CREATE TABLE dead (slot INTEGER PRIMARY KEY);
""",
    grown=r"CREATE TABLE fields \(slot INTEGER PRIMARY KEY(, f[0-9]+)*\)",
    by_sqlite=frozenset({"sqlite_autoindex_items_1"}),
)
"""The database of an index directory; `fields` gets columns f0, f1 and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """What is stored of an item."""

    slot: int
    """Place of its vector."""
    content: bytes | None
    """Hash of what was encoded; None for a vector without an item."""
    parts: str | None
    """Parts as JSON."""
    metadata: str
    """Metadata as JSON."""


class ItemDatabase:
    """The SQLite file of an index directory, by one connection: any thread may use it, one at a time; see `commits`.

    Args:
        directory: the index directory; it must hold the file, see `create_database`.

    Raises:
        DataError: there is no index, or it is damaged.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / DATABASE
        if not self.path.is_file():
            raise DataError(f"{directory}: no index; make one with `vretrver index SOURCE -o {directory}`")
        self._connection, effort = connect(self.path, directory, ITEMS, threads=True)
        self._transactions = Transactions(self._connection, effort, self.path)
        try:
            self.manifest()
        except DataError:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read one consistent state, whatever is written meanwhile."""
        with self._transactions.run("BEGIN"):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Change everything or nothing; the change is on disk when this ends."""
        with self._transactions.run("BEGIN IMMEDIATE"):
            yield

    def manifest(self) -> Manifest:
        """Return the manifest of the state that is read."""
        with self._transactions.errors():
            row = self._connection.execute("SELECT value FROM manifest WHERE one = 1").fetchone()
        if row is None:
            raise DataError(f"{self.path}: it has no manifest, so it is not an index of this package; index again")
        return manifest_from_json(row[0], where=self.path)

    def store_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest."""
        self._connection.execute("UPDATE manifest SET value = ?", (manifest.to_json(),))

    def rows(self, dids: Sequence[str]) -> dict[str, StoredItem]:
        """Return what is stored under some dids."""
        sql = "SELECT did, slot, content, parts, metadata FROM items WHERE did IN (SELECT value FROM json_each(?))"
        found = self._connection.execute(sql, (json.dumps(list(dids)),))
        return {did: StoredItem(slot=slot, content=c, parts=p, metadata=m) for did, slot, c, p, m in found}

    def slots_of_contents(self, contents: Iterable[bytes]) -> dict[bytes, int]:
        """Return for each content that is stored one slot whose vector was made of it."""
        sql = "SELECT slot FROM items WHERE content = ? LIMIT 1"
        found = ((content, self._connection.execute(sql, (content,)).fetchone()) for content in contents)
        return {content: row[0] for content, row in found if row is not None}

    def dids_of_slots(self, slots: Iterable[int]) -> dict[int, str]:
        """Return the dids of slots."""
        sql = "SELECT slot, did FROM items WHERE slot IN (SELECT value FROM json_each(?))"
        return dict(self._connection.execute(sql, (json.dumps(list(slots)),)))

    def candidates(self, dids: Sequence[str]) -> dict[str, Candidate]:
        """Return the items of dids; vectors without an item and unknown dids are left out."""
        return {
            did: candidate_from_row(did, row.parts, row.metadata)
            for did, row in self.rows(dids).items()
            if row.parts is not None
        }

    def all_candidates(self) -> Iterator[Candidate]:
        """Yield every item in the order of slots."""
        for did, parts, metadata in self._connection.execute("SELECT did, parts, metadata FROM items ORDER BY slot"):
            if parts is not None:
                yield candidate_from_row(did, parts, metadata)

    def picture_hashes(self) -> set[str]:
        """Return the hashes of the files of all pictures."""
        return {image.sha256 for item in self.all_candidates() for image in item.pictures if image.sha256 is not None}

    def has_pictures(self) -> bool:
        """Return whether any item has a picture."""
        sql = "SELECT 1 FROM items WHERE parts LIKE '%{\"path\": %' LIMIT 1"  # texts have their quotes escaped
        return self._connection.execute(sql).fetchone() is not None

    def all_dids(self) -> Iterator[str]:
        """Yield every did in the order of slots."""
        for (did,) in self._connection.execute("SELECT did FROM items ORDER BY slot"):
            yield did

    def dead_count(self) -> int:
        """Return the number of slots whose vectors are deleted or replaced."""
        return int(self._connection.execute("SELECT count(*) FROM dead").fetchone()[0])

    def dead_slots(self) -> Slots:
        """Return those slots, ascending."""
        return self.slots_where("SELECT slot FROM dead ORDER BY slot", ())

    def slots_where(self, sql: str, values: Sequence[object]) -> Slots:
        """Return the slots a statement of `filters` or of this module selects."""
        cursor = self._connection.execute(sql, tuple(values))
        try:
            return np.fromiter((row[0] for row in cursor), dtype=np.int64)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"{self.path}: a slot is not a whole number; the index is damaged, index again"
            ) from error

    def dids_where(self, sql: str, values: Sequence[object], *, newest: str | None, most: int) -> list[str]:
        """Return the dids of the items among the slots that a statement of `filters` selects.

        Args:
            sql: the statement.
            values: its values.
            newest: column of `fields` with the dates to order by, newest first, what has none last; None keeps the
                order of slots, which those of one date have among themselves.
            most: how many at most.
        """
        order = "" if newest is None else f"{newest} IS NULL, replace({newest}, ' ', 'T') DESC, "
        chosen = f"SELECT did FROM items JOIN fields USING (slot) WHERE parts IS NOT NULL AND slot IN ({sql})"  # noqa: S608
        found = self._connection.execute(f"{chosen} ORDER BY {order}slot LIMIT ?", (*values, most))
        return [did for (did,) in found]

    def insert(self, entries: Sequence[Entry], first: int, manifest: Manifest) -> Manifest:
        """Store entries at the slots from `first` on; older rows of the same dids are deleted.

        Returns:
            The manifest with any new fields.
        """
        manifest = self._with_fields(entries, manifest)
        self.remove([entry.did for entry in entries])
        self._connection.executemany(
            "INSERT INTO items (slot, did, content, parts, metadata) VALUES (?, ?, ?, ?, ?)",
            ((first + n, e.did, e.content, e.parts, e.metadata) for n, e in enumerate(entries)),
        )
        self._store_values(((first + n, entry) for n, entry in enumerate(entries)), manifest)
        return manifest

    def change(self, entries: Sequence[tuple[int, Entry]], manifest: Manifest) -> Manifest:
        """Replace the rows at slots, which keep their vectors; returns the manifest with any new fields."""
        manifest = self._with_fields([entry for _, entry in entries], manifest)
        self._connection.executemany(
            "UPDATE items SET content = ?, parts = ?, metadata = ? WHERE slot = ?",
            ((entry.content, entry.parts, entry.metadata, slot) for slot, entry in entries),
        )
        self._store_values(entries, manifest)
        return manifest

    def remove(self, dids: Sequence[str]) -> int:
        """Delete the rows of dids and mark their slots dead; returns the number of rows."""
        chosen = "SELECT slot FROM items WHERE did IN (SELECT value FROM json_each(?))"
        slots = self._connection.execute(chosen, (json.dumps(list(dids)),)).fetchall()
        if slots:
            self._connection.executemany("INSERT INTO dead (slot) VALUES (?)", slots)
            self._connection.executemany("DELETE FROM items WHERE slot = ?", slots)
            self._connection.executemany("DELETE FROM fields WHERE slot = ?", slots)
        return len(slots)

    def renumber(self, live: Slots) -> None:
        """Give the live rows, whose slots come in ascending order, the slots 0, 1, ...; then no slot is dead."""
        moves = [(place, slot) for place, slot in enumerate(live.tolist()) if place != slot]
        for table in ("items", "fields"):  # in ascending order, so that a row moves only to a free slot
            self._connection.executemany(f"UPDATE {table} SET slot = ? WHERE slot = ?", moves)  # noqa: S608
        self._connection.execute("DELETE FROM dead")

    def shrink(self) -> None:
        """Return the space of deleted rows to the disk."""
        with self._transactions.alone():
            self._connection.execute("VACUUM")

    def _with_fields(self, entries: Sequence[Entry], manifest: Manifest) -> Manifest:
        """Declare new fields; raises DataError for a value that is not of its field's kind."""
        fields = dict(manifest.fields)
        for entry in entries:
            for name, value in entry.values.items():
                if value is None:
                    continue
                kind = kind_with(fields[name].kind if name in fields else None, value)
                if kind is None:
                    raise DataError(
                        f"{entry.did!r}: metadata {name!r} is {value!r}, but its values are of kind "
                        f"{fields[name].kind}; correct it, or index again"
                    )
                if name not in fields:
                    fields[name] = Field(column=f"f{len(fields)}", kind=kind)
                    self._connection.execute(f"ALTER TABLE fields ADD COLUMN {fields[name].column}")
                elif fields[name].kind != kind:
                    fields[name] = replace(fields[name], kind=kind)
        return manifest if fields == dict(manifest.fields) else replace(manifest, fields=fields)

    def _store_values(self, entries: Iterable[tuple[int, Entry]], manifest: Manifest) -> None:
        columns = ", ".join(["slot", *(field.column for field in manifest.fields.values())])
        marks = ", ".join("?" * (1 + len(manifest.fields)))
        self._connection.executemany(
            f"INSERT OR REPLACE INTO fields ({columns}) VALUES ({marks})",  # noqa: S608 - columns are f0, f1, ...
            ((slot, *(entry.values.get(name) for name in manifest.fields)) for slot, entry in entries),
        )


def create_database(directory: Path, manifest: Manifest) -> None:
    """Create the database of an empty index."""
    row = ("INSERT INTO manifest (one, value) VALUES (1, ?)", (manifest.to_json(),))
    create(directory / DATABASE, ITEMS, row)
