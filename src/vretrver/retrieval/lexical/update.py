"""Bringing the words of an index directory up to date with its items: only what is new or changed is read again.

The file is committed item by item and remembers of each what it was made of, so that a run that was stopped goes on
where it was. A file that is damaged or of another version is made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from ...errors import DataError, StorageError
from ...records import Candidate
from ...text.reader import Texts
from ..directory.database import ItemDatabase
from ..directory.lock import WriterLock
from ..directory.manifest import LOCK
from .database import WORDS, create_database
from .index import LexicalIndex
from .lines import NoTexts, indexed_text, stamp_of

_BATCH = 512  # items committed together


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsReport:
    """What an update of the words did."""

    indexed: int = 0
    """Items whose words are new or changed."""
    removed: int = 0
    """Items that the index holds no longer."""
    anew: bool = False
    """Whether the file was made anew, because there was none that could be used."""

    def joined(self, later: WordsReport) -> WordsReport:
        """Return the report of two updates, before and after texts were read; `indexed` is that of the larger one."""
        return WordsReport(
            indexed=max(self.indexed, later.indexed),
            removed=self.removed + later.removed,
            anew=self.anew or later.anew,
        )


def update_words(
    directory: Path,
    *,
    texts: Texts | None = None,
    version: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> WordsReport:
    """Make `words.sqlite` hold the words of the items of an index directory.

    Args:
        directory: the index directory; nobody may be writing it.
        texts: where the lines that were read on pictures are; None where none were.
        version: changes whenever a line does; with it and the items unchanged, nothing is looked at.
        progress: called with (items done, items in all).

    Raises:
        IndexBusy: another process is writing.
        DataError: the items are damaged, or SQLite has no full-text search.
        StorageError: the disk is full. What was committed is kept.
    """
    lock = WriterLock(directory / LOCK)
    try:
        database = ItemDatabase(directory)
        try:
            words, anew = _opened(directory / WORDS)
            with words, database.reading():
                manifest = database.manifest()
                source = f"{manifest.created} {manifest.version} {version}"
                if words.source == source:
                    return WordsReport()
                total = manifest.slots - database.dead_count()
                report = _updated(words, database.all_candidates(), texts or NoTexts(), total, progress)
                words.set_source(source)
        finally:
            database.close()
    finally:
        lock.close()
    return replace(report, anew=anew)


def _opened(path: Path) -> tuple[LexicalIndex, bool]:
    """Return the words of an index directory, and whether they had to be begun anew."""
    try:
        words = LexicalIndex(path)
        try:
            words.check()
        except DataError:
            words.close()
            raise
    except StorageError:
        raise
    except DataError:
        create_database(path)
        return LexicalIndex(path), True
    return words, False


def _updated(
    words: LexicalIndex,
    items: Iterator[Candidate],
    texts: Texts,
    total: int,
    progress: Callable[[int, int], None] | None,
) -> WordsReport:
    before = words.stamps()
    indexed = done = 0
    while group := list(islice(items, _BATCH)):
        read = ((item.did, indexed_text(item, texts)) for item in group)
        stamped = [(did, text, stamp_of(text)) for did, text in read]
        changed = [row for row in stamped if before.pop(row[0], None) != row[2]]
        if changed:
            words.put(changed)
        indexed += len(changed)
        done += len(group)
        if progress is not None:
            progress(done, total)
    gone = list(before)
    for start in range(0, len(gone), _BATCH):
        words.remove(gone[start : start + _BATCH])
    return WordsReport(indexed=indexed, removed=len(gone))
