"""Rows of parquet files, each with the place it came from; needs the extra `sources`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..._optional import require
from ...errors import DataError

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
