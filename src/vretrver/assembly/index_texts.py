"""The texts of an index's pictures: read where they have none yet, then its words; dropped with their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ..errors import DataError, IndexBusy, StorageError
from ..images import ImageStore
from ..records import ImageRef
from ..retrieval.directory.database import ItemDatabase
from ..retrieval.directory.lock import WriterLock
from ..retrieval.directory.manifest import LOCK
from ..retrieval.directory.texts import TEXTS, TextStore
from ..retrieval.directory.writer import IndexWriter
from ..retrieval.lexical.update import WordsReport, update_words
from ..text.files import ReadTextMode
from ..text.reading import TextReport, ocr_at_hand, read_texts, wanted_of
from .confirmed import Note
from .corpus import Progress

_MANY = 50  # pages whose reading may take minutes


def bring_texts_and_words(
    directory: Path, images: ImageStore, *, mode: ReadTextMode, note: Note, progress: Progress
) -> tuple[TextReport | None, WordsReport]:
    """Read the texts of the pictures of an index that have none yet, and bring its words up to date.

    Where texts are due, the words of names and metadata come first, so that they are found while reading goes on, and
    after it was stopped.

    Args:
        directory: the index directory; nobody may be writing it.
        images: opens the pictures.
        mode: how much is read.
        note: is told when this may take minutes, and what is in the way of the words.
        progress: shows how far it is, as `reading text` and `words`.

    Returns:
        Pages and pictures by how their text was read, None where the mode reads none; items whose words changed.

    Raises:
        MissingDependency: mode `always` without the extra `ocr`.
        IndexBusy: another process is writing.
        DataError: the texts that are kept are damaged.
        StorageError: the disk is full. After any error, what was read before is kept.
    """
    texts, words = None, WordsReport()
    if mode != "never":
        ocr = ocr_at_hand(mode)
        reader, incomplete = wanted_of(mode, ocr=ocr)
        with TextStore(directory) as store:
            due = list(store.missing(_pictures(directory), reader=reader, incomplete=incomplete))
        if due:
            words = bring_words(directory, note=note, progress=progress)
        if ocr and len(due) >= _MANY:
            note(
                f"reading the text of {len(due)} pages and pictures; the index can be searched meanwhile, Ctrl-C "
                "keeps what was read, --read-text never leaves it out"
            )
        with closing(WriterLock(directory / LOCK)), TextStore(directory) as store, progress("reading text") as update:
            texts = read_texts(due, images, mode=mode, ocr=ocr, keep=store.keep, progress=update)
    return texts, words.joined(bring_words(directory, note=note, progress=progress))


def bring_words(directory: Path, *, note: Note, progress: Progress) -> WordsReport:
    """Bring the words of an index directory up to date; what is in the way is said, and search goes on without them.

    Args:
        directory: the index directory.
        note: takes what is in the way.
        progress: shows how far it is, as `words`.

    Raises:
        StorageError: the disk is full.
    """
    try:
        with TextStore(directory) as texts, progress("words") as update:
            return update_words(directory, texts=texts, version=_version(directory), progress=update)
    except StorageError:
        raise
    except IndexBusy:
        note(f"{directory}: somebody else is writing it, who brings its words up to date at the end")
    except DataError as error:
        note(str(error))
    return WordsReport()


def prune_texts(writer: IndexWriter) -> None:
    """Remove the texts of pictures that the index has no longer."""
    with TextStore(writer.directory) as store:
        store.prune(_of(writer.database))


def _version(directory: Path) -> str:
    """Return what changes whenever the texts of an index do."""
    stats = [path.stat() for path in (directory / TEXTS, directory / f"{TEXTS}-wal") if path.is_file()]
    return " ".join(f"{stat.st_size}@{stat.st_mtime_ns}" for stat in stats)


def _pictures(directory: Path) -> list[ImageRef]:
    with closing(ItemDatabase(directory)) as database, database.reading():
        return list(_of(database))


def _of(database: ItemDatabase) -> Iterator[ImageRef]:
    return (image for item in database.all_candidates() for image in item.pictures)
