"""Rows of JSONL, CSV, TSV and parquet files with the names of their columns; read as they are asked for.

A file that is not well formed is an error that names the line or the row; what a row means is for `columns`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..._optional import require
from ...errors import DataError
from ...lines import text_lines
from ..rows import read_objects

NamedRow = tuple[str, Mapping[str, object]]
"""(`path:line` or `path: row n`, column -> value)."""

DELIMITERS = {".csv": ",;\t|", ".tsv": "\t"}
"""Ending of a text table -> what may separate its cells; its first line says which does."""

MOST_CELL = 64 * 2**20
"""Longest cell of a text table in characters; the csv module's own limit is 128 KiB."""

PEEK = 100
"""Rows of a JSONL file that are looked at for the names of its columns."""

_BATCH = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table whose column names are known."""

    path: Path
    """The file."""
    names: tuple[str, ...]
    """Its columns, in order; of a JSONL file the keys of its first rows."""
    read: Callable[[Sequence[str]], Iterator[NamedRow]]
    """Yields the rows with at least the columns asked for, all of which must be there."""

    @property
    def listed(self) -> str:
        """The names for a message, written as options take them."""
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(self.names)
        return line.getvalue().replace(",", ", ") if not any("," in name for name in self.names) else line.getvalue()

    def check(self, wanted: Sequence[str]) -> None:
        """Raise DataError for a column that the table lacks; the message lists those it has."""
        for name in wanted:
            if name not in self.names:
                raise DataError(f"{self.path}: no column {name!r}; the columns are {self.listed}")


def kind_of_table(path: Path) -> str | None:
    """Return `.jsonl`, `.csv`, `.tsv` or `.parquet` by the file's ending, `.gz` aside, or None for any other file."""
    ending = Path(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix
    kind = {".ndjson": ".jsonl"}.get(ending.lower(), ending.lower())
    if kind == ".parquet" and path.suffix.lower() == ".gz":
        return None
    return kind if kind in (".jsonl", ".parquet", *DELIMITERS) else None


def open_table(path: Path) -> Table:
    """Open a table and find the names of its columns.

    Raises:
        DataError: it cannot be read, holds no row, or names a column twice.
        MissingDependency: it is a parquet file and pyarrow is not installed.
    """
    kind = kind_of_table(path)
    if kind == ".jsonl":
        return _open_jsonl(path)
    if kind == ".parquet":
        return _open_parquet(path)
    return _open_text(path, DELIMITERS[kind or ".csv"])


def _open_jsonl(path: Path) -> Table:
    names = dict.fromkeys(name for _, row in islice(read_objects(path), PEEK) for name in row)
    if not names:
        raise DataError(f"{path}: the file holds no row; give one JSON object a line")
    return Table(path=path, names=tuple(names), read=lambda _: read_objects(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """How the cells of a text table are written."""

    delimiter: str
    """What stands between two cells."""
    begins: int
    """Lines before the one that names the columns: 1 where a spreadsheet has left a line `sep=;`."""
    blanks: bool
    """Whether a blank follows every delimiter and belongs to no cell."""


def _dialect(path: Path, delimiters: str) -> _Dialect:
    """Return how a table is written, by its first line: quoted parts aside, the delimiter found most often."""
    begins = 0
    for _, line in text_lines(path):
        told = re.fullmatch(r"sep=(.)\s*", line, re.IGNORECASE)
        if told and not begins:
            delimiters, begins = told[1], 1
            continue
        bare = re.sub(r'"(?:[^"]|"")*"', "", line)
        delimiter = max(delimiters, key=bare.count)
        blanks = bare.count(delimiter) > 0 and bare.count(delimiter) == bare.count(f"{delimiter} ")
        return _Dialect(delimiter=delimiter, begins=begins, blanks=blanks)
    return _Dialect(delimiter=delimiters[0], begins=begins, blanks=False)


def _open_text(path: Path, delimiters: str) -> Table:
    dialect = _dialect(path, delimiters)
    _, names = next(_records(path, dialect), (0, []))
    if not names:
        raise DataError(f"{path}: the file is empty; its first line must name the columns")
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise DataError(f"{path}:1: column {twice!r} appears twice; rename one of them")
    return Table(path=path, names=tuple(names), read=lambda _: _text_rows(path, dialect, names))


def _text_rows(path: Path, dialect: _Dialect, names: list[str]) -> Iterator[NamedRow]:
    for line, cells in islice(_records(path, dialect), 1, None):
        if len(cells) != len(names):
            raise DataError(f"{path}:{line}: {len(cells)} cells, the first line has {len(names)}; repair the line")
        yield f"{path}:{line}", dict(zip(names, cells, strict=True))


def _records(path: Path, dialect: _Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a text table with the line each starts at; blank lines are skipped."""
    start = 1 + dialect.begins
    lines = islice((line for _, line in text_lines(path)), dialect.begins, None)
    csv.field_size_limit(MOST_CELL)
    reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.blanks, strict=True)
    try:
        for cells in reader:
            if cells:
                yield start, cells
            start = reader.line_num + 1 + dialect.begins
    except csv.Error as error:
        raise DataError(f"{path}:{start}: not a well-formed table ({error}); repair the line") from error


def _open_parquet(path: Path) -> Table:
    with _parquet(path) as file:
        names = tuple(file.schema_arrow.names)
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise DataError(f"{path}: column {twice!r} appears twice; rename one of them")
    return Table(path=path, names=names, read=lambda wanted: _parquet_rows(path, wanted))


def _parquet_rows(path: Path, wanted: Sequence[str]) -> Iterator[NamedRow]:
    number = 0
    with _parquet(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH, columns=list(wanted)):
            for row in batch.to_pylist():
                number += 1
                yield f"{path}: row {number}", row


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    arrow: Any = require("pyarrow", extra="sources")
    parquet: Any = require("pyarrow.parquet", extra="sources")
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except DataError:
        raise
    except (arrow.ArrowException, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read as parquet: {reason}") from error
