"""The words of a corpus opened to be searched, and those of an index directory brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import ConfigError, DataError, IndexBusy, StorageError
from ..records import Candidate
from ..retrieval.directory.filtered import FilteredIndex
from ..retrieval.directory.index import DirectoryIndex
from ..retrieval.lexical.database import WORDS
from ..retrieval.lexical.index import LexicalIndex
from ..retrieval.lexical.lines import indexed_text
from ..retrieval.lexical.update import WordsReport, update_words
from ..retrieval.wordsearch import WordSearch
from .confirmed import Note

_BATCH = 1000  # items of a source indexed at once


def words_of_directory(
    directory: Path, view: DirectoryIndex | FilteredIndex, *, alone: bool, note: Note
) -> WordSearch | None:
    """Return the words of an index directory; None, with a note, where there are none that can be used.

    Args:
        directory: the index directory.
        view: says which items may be found.
        alone: whether vectors are left out.
        note: takes messages for a person.

    Raises:
        DataError: there are none, and they were to be searched alone.
    """
    try:
        index = LexicalIndex(directory / WORDS)
    except DataError as error:
        if alone:
            raise
        note(f"words are not searched: {error}")
        return None
    return WordSearch(index=index, admits=view.among, alone=alone)


def words_of_source(candidates: Iterable[Candidate], *, alone: bool, note: Note) -> WordSearch | None:
    """Return the words of candidates, indexed in memory; None, with a note, where SQLite cannot search texts.

    Raises:
        DataError: it cannot, and words were to be searched alone.
    """
    search: WordSearch | None = None
    try:
        search = WordSearch(index=LexicalIndex(), alone=alone)
    except DataError as error:
        if alone:
            raise
        note(str(error))
        return None
    batch: list[tuple[str, str, bytes]] = []
    for candidate in candidates:
        batch.append((candidate.did, indexed_text(candidate, search.lines), b""))
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


def bring_words(directory: Path, *, note: Note, progress: Callable[[int, int], None]) -> WordsReport:
    """Bring the words of an index directory up to date; what is in the way is said, and search goes on without them.

    Raises:
        StorageError: the disk is full.
    """
    try:
        return update_words(directory, progress=progress)
    except StorageError:
        raise
    except IndexBusy:
        note(f"{directory}: somebody else is writing it, who brings its words up to date at the end")
    except DataError as error:
        note(str(error))
    return WordsReport()
