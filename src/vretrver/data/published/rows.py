"""Rows of published files: parquet read row by row, typed access to nested values, picture paths that are re-rooted.

Every error names the row, and the field where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NoReturn

from ..._optional import require
from ...errors import ConfigError, DataError
from ...records import ImageRef
from ..rows import picture_path

PublishedRow = Mapping[str, object]
"""A row, or an object inside one."""

_BATCH = 256


def read_parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield (`path: row n`, row) for each row with all of its columns; rows count from 1.

    Args:
        path: the file; read batch by batch.
        columns: columns that must be there.

    Raises:
        DataError: the file cannot be read, or lacks a column; the message lists those it has.
        MissingDependency: pyarrow is not installed.
    """
    pyarrow = require("pyarrow", extra="sources")
    parquet = require("pyarrow.parquet", extra="sources")
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            missing = [column for column in columns if column not in names]
            if missing:
                raise DataError(f"{path}: there is no column {missing[0]!r}; its columns are {', '.join(names)}")
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", row
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read as parquet after row {number}: {reason}") from error


def object_in(row: PublishedRow, field: str, where: str) -> PublishedRow:
    """Return an object."""
    value = row.get(field)
    return value if isinstance(value, Mapping) else refuse(where, field, value, "an object")


def objects_in(row: PublishedRow, field: str, where: str) -> list[PublishedRow]:
    """Return a list of objects."""
    value = row.get(field)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        refuse(where, field, value, "a list of objects")
    return value


def texts_in(row: PublishedRow, field: str, where: str) -> list[str]:
    """Return a list of texts; null is an empty list."""
    value = row.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        refuse(where, field, value, "a list of texts")
    return value


def text_in(row: PublishedRow, field: str, where: str) -> str:
    """Return a text without the white space around it; null and a missing field are the empty text."""
    value = row.get(field)
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else refuse(where, field, value, "a text")


def whole_in(row: PublishedRow, field: str, where: str) -> int:
    """Return a whole number."""
    value = row.get(field)
    return value if type(value) is int else refuse(where, field, value, "a whole number")


def number_in(row: PublishedRow, field: str, where: str) -> float | None:
    """Return a finite number; null and a missing field are None."""
    value = row.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        refuse(where, field, value, "a finite number")
    return float(value)


def refuse(where: str, field: str, value: object, wanted: str) -> NoReturn:
    """Raise the DataError for a field that is not what it must be."""
    raise DataError(f"{where}: {field} must be {wanted}, got {str(value)[:80]!r}")


class PathMap:
    """Turns a published path into a reference below a named root.

    A path below a prefix lies under the root of that prefix's name; the longest prefix wins, and only whole folder
    names match. Any other relative path lies under the default root. Which folder a root is, the `ImageStore` knows.

    Args:
        prefixes: leading folders as the files spell them, such as `/data/mbeir`; none may be empty.
    """

    def __init__(self, prefixes: Iterable[str] = ()) -> None:
        self.prefixes = sorted(prefixes, key=lambda prefix: -len(PurePosixPath(prefix).parts))
        if not all(PurePosixPath(prefix).parts for prefix in self.prefixes):
            raise ConfigError("a path map has an empty prefix; write OLD=NEW with the folder to be replaced as OLD")

    def ref(self, path: str, where: str) -> ImageRef:
        """Return the reference of a published path; raises DataError for one that no folder can hold."""
        if "://" in path or path.startswith("data:"):
            raise DataError(f"{where}: picture {path[:60]!r} is not the path of a file; save it as one")
        pure = PurePosixPath(path)
        for prefix in self.prefixes:
            if pure.is_relative_to(prefix):
                return ImageRef(path=picture_path(str(pure.relative_to(prefix)), where), root=prefix)
        if pure.is_absolute():
            known = ", ".join(self.prefixes) or "none"
            raise DataError(f"{where}: picture path {path!r} is absolute; map its folder to yours (mapped: {known})")
        return ImageRef(path=picture_path(path, where))
