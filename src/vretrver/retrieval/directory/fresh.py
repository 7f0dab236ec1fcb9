"""A first run that indexes nothing leaves nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .database import ItemDatabase
from .manifest import DATABASE, LOCK


@contextmanager
def no_empty_index(directory: Path) -> Iterator[None]:
    """Remove an index that a failed run has made and put nothing into; what was in the folder before stays."""
    fresh = not directory.is_dir() or {path.name for path in directory.iterdir()} <= {LOCK}
    try:
        yield
    except BaseException:
        if fresh and (directory / DATABASE).is_file() and _holds_nothing(directory):
            shutil.rmtree(directory)
        raise


def _holds_nothing(directory: Path) -> bool:
    database = ItemDatabase(directory)
    try:
        with database.reading():
            return database.manifest().slots == 0
    finally:
        database.close()
