"""The words of a corpus opened to be searched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from ..errors import ConfigError, DataError
from ..images import ImageStore
from ..records import Candidate
from ..retrieval.directory.filtered import FilteredIndex
from ..retrieval.directory.index import DirectoryIndex
from ..retrieval.directory.texts import TextStore
from ..retrieval.lexical.database import WORDS
from ..retrieval.lexical.index import LexicalIndex
from ..retrieval.lexical.lines import NoTexts, indexed_text
from ..retrieval.wordsearch import WordSearch
from ..text.reader import Texts
from ..text.reading import texts_in_memory
from .confirmed import Note

_BATCH = 1000  # items of a source indexed at once


def words_of_directory(
    directory: Path, view: DirectoryIndex | FilteredIndex, *, alone: bool, note: Note, held: ExitStack
) -> WordSearch | None:
    """Return the words of an index directory; None, with a note, where there are none that can be used.

    Args:
        directory: the index directory.
        view: says which items may be found.
        alone: whether vectors are left out.
        note: takes messages for a person.
        held: closes their files.

    Raises:
        DataError: there are none, and they were to be searched alone.
    """
    try:
        index = held.enter_context(LexicalIndex(directory / WORDS))
    except DataError as error:
        if alone:
            raise
        note(f"words are not searched: {error}")
        return None
    return WordSearch(index=index, texts=_texts(directory, note, held), admits=view.among, alone=alone)


def _texts(directory: Path, note: Note, held: ExitStack) -> Texts:
    """Return the texts read on the pictures of an index; none, with a note, where they cannot be used."""
    try:
        return held.enter_context(TextStore(directory))
    except DataError as error:
        note(f"lines of pictures are not cited: {error}")
        return NoTexts()


def words_of_source(
    candidates: Sequence[Candidate],
    images: ImageStore,
    *,
    alone: bool,
    note: Note,
    progress: Callable[[int, int], None] | None = None,
) -> WordSearch | None:
    """Return the words of candidates, indexed in memory; None, with a note, where SQLite cannot search texts.

    Args:
        candidates: what may be found.
        images: opens their documents, whose text layers are read; pictures are read into an index only.
        alone: whether vectors are left out.
        note: takes messages for a person.
        progress: called with (pages done, pages to do).

    Raises:
        DataError: SQLite cannot search texts, and words were to be searched alone.
    """
    try:
        index = LexicalIndex()
    except DataError as error:
        if alone:
            raise
        note(str(error))
        return None
    pages = (image for candidate in candidates for image in candidate.pictures)
    texts, report = texts_in_memory(pages, images, progress=progress)
    search = WordSearch(index=index, texts=texts, alone=alone, unread=report.waiting)
    batch: list[tuple[str, str, bytes]] = []
    for candidate in candidates:
        batch.append((candidate.did, indexed_text(candidate, search.texts), b""))
        if len(batch) == _BATCH:
            search.index.put(batch)
            batch = []
    search.index.put(batch)
    return search


def no_words_of_collection(url: str, *, alone: bool, note: Note) -> None:
    """Say that the words of a collection are not searched; raises ConfigError where they were to be alone."""
    if alone:
        raise ConfigError(f"{url}: --words only needs an index directory or a source; a collection holds no words")
    note(f"{url}: vectors alone rank; words are searched in index directories and sources")
