"""The texts of an index's pictures: read where they have none yet, and dropped with their pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ..images import ImageStore
from ..records import ImageRef
from ..retrieval.directory.database import ItemDatabase
from ..retrieval.directory.lock import WriterLock
from ..retrieval.directory.manifest import LOCK
from ..retrieval.directory.texts import TextStore
from ..retrieval.directory.writer import IndexWriter
from ..text.files import ReadTextMode
from ..text.reading import TextReport, read_texts, wanted_of
from .confirmed import Note
from .corpus import Progress

_MANY = 50  # pages whose reading may take minutes


def read_index_texts(
    directory: Path,
    images: ImageStore,
    *,
    mode: ReadTextMode,
    ocr: bool,
    words: Callable[[], object],
    note: Note,
    progress: Progress,
) -> TextReport | None:
    """Read the texts of the pictures of an index that have none yet; None where the mode reads none.

    Args:
        directory: the index directory; nobody may be writing it.
        images: opens the pictures.
        mode: how much is read.
        ocr: whether OCR is at hand.
        words: called before texts are read, if any are due: brings the words of names and metadata up to date, so
            that they are found while reading goes on, and after it was stopped.
        note: is told when this may take minutes.
        progress: shows how far it is, as `reading text`.

    Raises:
        IndexBusy: another process is writing.
        DataError: the texts that are kept are damaged.
        StorageError: the disk is full. After any error, what was read before is kept.
    """
    if mode == "never":
        return None
    reader, incomplete = wanted_of(mode, ocr=ocr)
    if _any_due(directory, reader, incomplete=incomplete):
        words()
    lock = WriterLock(directory / LOCK)
    try:
        with TextStore(directory) as store, progress("reading text") as update:
            due = list(store.missing(_pictures(directory), reader=reader, incomplete=incomplete))
            if ocr and len(due) >= _MANY:
                note(
                    f"reading the text of {len(due)} pages and pictures; the index can be searched meanwhile, Ctrl-C "
                    "keeps what was read, --read-text never leaves it out"
                )
            return read_texts(due, images, mode=mode, ocr=ocr, keep=store.keep, progress=update)
    finally:
        lock.close()


def _any_due(directory: Path, reader: str | None, *, incomplete: bool) -> bool:
    with TextStore(directory) as store:
        return next(iter(store.missing(_pictures(directory), reader=reader, incomplete=incomplete)), None) is not None


def prune_texts(writer: IndexWriter) -> None:
    """Remove the texts of pictures that the index has no longer."""
    with TextStore(writer.directory) as store:
        store.prune(_of(writer.database))


def _pictures(directory: Path) -> list[ImageRef]:
    database = ItemDatabase(directory)
    try:
        with database.reading():
            return list(_of(database))
    finally:
        database.close()


def _of(database: ItemDatabase) -> Iterator[ImageRef]:
    return (image for item in database.all_candidates() for image in item.pictures)
