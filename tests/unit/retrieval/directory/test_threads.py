"""Pins what several threads may share: an index, its filtered views, its texts and its words, while one writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.unit.retrieval.directory.letters import LetterEncoder, open_writer, texts

from vretrver.errors import DataError
from vretrver.geometry import Box
from vretrver.images import ImageStore
from vretrver.records import ImageRef, Query, TextLine, TextPart
from vretrver.retrieval.directory.commits import Commits
from vretrver.retrieval.directory.database import ItemDatabase
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.texts import TextStore
from vretrver.retrieval.directory.update import update_index
from vretrver.retrieval.lexical.database import WORDS
from vretrver.retrieval.lexical.index import LexicalIndex
from vretrver.retrieval.lexical.update import update_words
from vretrver.retrieval.retriever import Retriever
from vretrver.retrieval.wordsearch import WordSearch
from vretrver.text.reader import PageText

THREADS = 8
ITEMS = {f"i{number}": "abcdefgh"[number % 8] * 3 for number in range(64)}
"""Id -> text: eight of each letter, so that a query for one letter has eight equal best items."""

LINE = TextLine(text="cab", box=Box(left=0, top=0, right=9, bottom=9))
PICTURE = ImageRef(path="a.png", sha256="ab" * 32)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "idx"
    store(folder, ITEMS)
    update_words(folder)
    with TextStore(folder) as kept:
        kept.keep([(PICTURE, PageText(lines=(LINE,), reader="hand"))])
    return folder


def store(folder: Path, items: dict[str, str]) -> None:
    told = {did: {"size": int(did[1:])} for did in items}
    with open_writer(folder) as writer:
        update_index(writer, texts(items, told), LetterEncoder(), ImageStore({"": folder}))


@pytest.fixture
def retriever(made: Path) -> Iterator[Retriever]:
    with DirectoryIndex(made) as index, LexicalIndex(made / WORDS) as words, TextStore(made) as kept:
        yield Retriever(LetterEncoder(), index, index, words=WordSearch(index=words, texts=kept, admits=index.among))


def together(work: Callable[[int], object], times: int = 20) -> None:
    """Run `work(thread)` a number of times on each thread, all starting at once; the first error is raised."""
    start = threading.Barrier(THREADS)

    def one(thread: int) -> None:
        start.wait()
        for _ in range(times):
            work(thread)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(THREADS)))


def test_threads_find_what_one_finds_while_another_writes(retriever: Retriever, made: Path) -> None:
    queries = [Query(qid=letter, parts=(TextPart(text=letter * 3),)) for letter in "abcdefgh"]
    alone = [[hit.candidate.did for hit in retriever.find([query], 8)[0].hits] for query in queries]
    assert alone[0] == ["i0", "i8", "i16", "i24", "i32", "i40", "i48", "i56"]

    def work(thread: int) -> None:
        (found,) = retriever.find([queries[thread]], 8)
        assert [hit.candidate.did for hit in found.hits] == alone[thread]
        assert found.hits[0].citation is not None

    writing = threading.Thread(target=store, args=(made, {"i64": "abab", "i65": "cdcd"}))
    writing.start()
    together(work)
    writing.join()


def test_filtered_views_and_their_masks_are_shared(made: Path) -> None:
    with DirectoryIndex(made) as index:
        vector = LetterEncoder().encode_queries([Query(qid="q", parts=(TextPart(text="aaa"),))])

        def work(thread: int) -> None:
            for least in range(10):  # more filters than masks are kept for
                found = index.where(f"size >= {least}").search(vector, 1)[0][0][0]
                assert found == ["i0", *["i8"] * 8, "i16"][least], (thread, least)

        together(work, times=3)


def test_items_are_gone_through_while_the_same_thread_searches(made: Path) -> None:
    with DirectoryIndex(made) as index:
        dids = [item.did for item in index.items() if index.candidates([item.did])]
    assert len(dids) == 64


def test_texts_are_read_by_threads(made: Path) -> None:
    with TextStore(made) as kept:
        found: list[object] = []
        together(lambda _: found.append(kept.lines(PICTURE)))
    assert found == [(LINE,)] * (THREADS * 20)


def test_a_reading_takes_a_connection_of_those_that_are_idle(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    real = ItemDatabase.__init__

    def counted(self: ItemDatabase, directory: Path) -> None:
        opened.append(directory)
        real(self, directory)

    monkeypatch.setattr(ItemDatabase, "__init__", counted)
    commits = Commits(made)
    for _ in range(3):
        with commits.rows():
            pass
    assert len(opened) == 1
    with commits.rows(), commits.rows():
        pass
    assert len(opened) == 2
    commits.close()


def test_a_closed_index_says_so_and_a_reading_under_way_ends(made: Path) -> None:
    index = DirectoryIndex(made)
    items = index.items()
    first = next(items)
    index.close()
    assert [first.did, *(item.did for item in items)] == list(ITEMS)
    with pytest.raises(DataError, match="this index was closed; open it again"):
        index.candidates(["i0"])
