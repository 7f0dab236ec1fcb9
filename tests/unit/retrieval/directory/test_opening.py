"""Pins which of our errors an error of SQLite or of the system becomes: busy, storage, or wrong data."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from vretrver.errors import DataError, IndexBusy, StorageError
from vretrver.retrieval.directory.opening import error_class, errors_of


def test_a_database_that_another_connection_writes_is_busy(tmp_path: Path):
    path = tmp_path / "a.sqlite"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    other = sqlite3.connect(path, isolation_level=None, timeout=0)
    with pytest.raises(IndexBusy, match=r"a\.sqlite: database is locked"), errors_of(path):
        other.execute("BEGIN IMMEDIATE")
    other.close()
    writer.close()


def test_a_place_that_cannot_be_written_is_a_storage_error(tmp_path: Path):
    with pytest.raises(StorageError, match="unable to open"), errors_of(tmp_path):
        sqlite3.connect(tmp_path / "none" / "a.sqlite")
    assert error_class(OSError(errno.ENOSPC, "No space left on device")) is StorageError


def test_a_file_that_is_not_a_database_is_wrong_data(tmp_path: Path):
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"x" * 4096)
    connection = sqlite3.connect(path)
    with pytest.raises(DataError, match="file is not a database") as caught, errors_of(path):
        connection.execute("SELECT * FROM sqlite_master")
    assert type(caught.value) is DataError
    connection.close()
    assert error_class(sqlite3.OperationalError("made by hand, without a code")) is DataError
