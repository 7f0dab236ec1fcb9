"""Pins how words and vectors are searched together, and that nothing is ranked with nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vretrver.images import ImageStore
from vretrver.records import Candidate, ImageRef, Query, parts_of
from vretrver.retrieval.encoder import Vectors
from vretrver.retrieval.hash_encoder import HashEncoder
from vretrver.retrieval.index import MemoryIndex
from vretrver.retrieval.lexical.index import LexicalIndex
from vretrver.retrieval.lexical.lines import NoTexts, indexed_text
from vretrver.retrieval.retriever import Retriever
from vretrver.retrieval.wordsearch import WordSearch


class LengthEncoder:
    """Encodes a text by how long it is: knows every query, and nothing of words."""

    fingerprint = "length"
    dimension = 2

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        return self._rows([query.text for query in queries])

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        return self._rows([candidate.text for candidate in candidates])

    @staticmethod
    def _rows(texts: list[str]) -> Vectors:
        angle = np.array([len(text) / 50 for text in texts], np.float32)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def words_over(candidates: Sequence[Candidate], *, alone: bool = False) -> WordSearch:
    index = LexicalIndex()
    index.put([(item.did, indexed_text(item, NoTexts()), b"") for item in candidates])
    return WordSearch(index=index, alone=alone)


def texts(items: Mapping[str, str]) -> list[Candidate]:
    return [Candidate(did=did, parts=parts_of(text=text)) for did, text in items.items()]


def opened(encoder: object, items: Sequence[Candidate], words: WordSearch | None) -> Retriever:
    index = MemoryIndex(dimension=encoder.dimension, fingerprint=encoder.fingerprint)
    retriever = Retriever(encoder, index, items, words=words)
    retriever.encode()
    return retriever


def asked(text: str | None = None, image: str | None = None) -> Query:
    return Query(qid="q", parts=parts_of(text=text, images=[ImageRef(path=image)] if image else []))


SHOP = texts({"s1": "a red mug", "s2": "blue mug, 0.3 l", "s3": "wooden spoon of a long name"})


@pytest.fixture
def photos(tmp_path: Path) -> tuple[HashEncoder, list[Candidate]]:
    """Three pictures of one colour each, and what encodes them."""
    for name, colour in {"dog": "brown", "car": "red", "IMG_20190612": "blue"}.items():
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{name}.png")
    store = ImageStore({"": tmp_path})
    names = sorted(path.name for path in tmp_path.iterdir())
    refs = [store.pin(ImageRef(path=name)) for name in names]
    return HashEncoder(store), [Candidate(did=ref.path, parts=parts_of(images=[ref])) for ref in refs]


def test_without_words_a_search_is_that_of_vectors():
    retriever = opened(LengthEncoder(), SHOP, None)
    (hits,) = retriever.search([asked("0123456789")], 3)
    (found,) = retriever.find([asked("0123456789")], 3)
    assert list(found.hits) == hits
    assert [hit.candidate.did for hit in hits] == ["s1", "s2", "s3"]
    assert hits[0].score == pytest.approx(1.0, abs=0.01)
    assert hits[0].citation is None


def test_words_and_vectors_are_fused_where_the_encoder_knows_words():
    retriever = opened(LengthEncoder(), SHOP, words_over(SHOP))
    (found,) = retriever.find([asked("spoon")], 3)
    assert [(hit.candidate.did, hit.citation and hit.citation.text) for hit in found.hits] == [
        ("s3", "wooden spoon of a long name"),
        ("s1", None),
        ("s2", None),
    ]
    assert [hit.score for hit in found.hits] == [
        pytest.approx(1 / 61 + 1 / 63),
        pytest.approx(1 / 61),
        pytest.approx(1 / 62),
    ]
    assert [hit.candidate.did for hit in retriever.search([asked("spoon")], 1)[0]] == ["s3"]


def test_a_word_that_no_item_holds_is_left_to_an_encoder_that_knows_words():
    (found,) = opened(LengthEncoder(), SHOP, words_over(SHOP)).find([asked("crockery")], 1)
    assert ([hit.candidate.did for hit in found.hits], found.reason, found.unknown) == (["s1"], None, ())
    assert found.hits[0].score == pytest.approx(1.0, abs=0.01)


def test_words_come_first_where_the_encoder_knows_colours_only(photos: tuple[HashEncoder, list[Candidate]]):
    encoder, items = photos
    (found,) = opened(encoder, items, words_over(items)).find([asked("red dog on a beach")], 3)
    assert [hit.candidate.did for hit in found.hits][:2] == ["dog.png", "car.png"]
    assert found.hits[0].citation is not None
    assert found.unknown == ("beach",)


def test_a_query_of_unknown_words_finds_nothing_and_says_why(photos: tuple[HashEncoder, list[Candidate]]):
    encoder, items = photos
    (found,) = opened(encoder, items, words_over(items)).find([asked("a unicorn on the beach")], 3)
    assert found.hits == ()
    assert found.reason == (
        'no item holds "unicorn" or "beach", and of pictures the encoder hash knows colours only; name a model with '
        "--encoder"
    )
    assert found.unknown == ("unicorn", "beach")


def test_a_colour_is_found_by_vectors_alone(photos: tuple[HashEncoder, list[Candidate]]):
    encoder, items = photos
    (found,) = opened(encoder, items, words_over(items)).find([asked("something blue")], 1)
    assert [hit.candidate.did for hit in found.hits] == ["IMG_20190612.png"]


def test_a_picture_with_a_text_is_searched_by_both(photos: tuple[HashEncoder, list[Candidate]]):
    encoder, items = photos
    (found,) = opened(encoder, items, words_over(items)).find([asked("June 2019", "car.png")], 2)
    assert [hit.candidate.did for hit in found.hits] == ["IMG_20190612.png", "car.png"]
    assert found.hits[0].citation is not None
    (found,) = opened(encoder, items, words_over(items)).find([asked(image="car.png")], 1)
    assert [hit.candidate.did for hit in found.hits] == ["car.png"]


def test_the_encoder_without_a_model_says_when_it_knows_nothing_of_a_query(
    photos: tuple[HashEncoder, list[Candidate]],
):
    encoder, items = photos
    (found,) = opened(encoder, items, None).find([asked("unicorn")], 2)
    assert found.hits == ()
    assert found.reason == 'the encoder hash knows colours and shared words, and finds none of "unicorn"'
    shop = opened(encoder, SHOP, None)
    assert [hit.candidate.did for hit in shop.find([asked("spoon")], 1)[0].hits] == ["s3"]
    assert shop.find([asked("unicorn")], 1)[0].hits == ()
    assert shop.find([asked("the")], 1)[0].hits == ()


def test_items_that_all_score_alike_are_not_ranked():
    items = texts({"a": "one", "b": "two", "c": "six"})
    (found,) = opened(LengthEncoder(), items, None).find([asked("any")], 2)
    assert (found.hits, found.reason) == ((), "all items score alike, so that their order would say nothing")


def test_pictures_that_all_show_the_colour_asked_for_are_found(tmp_path: Path):
    for place in range(3):
        Image.new("RGB", (60 + place, 60), (210, 25, 25)).save(tmp_path / f"{place}.png")
    store = ImageStore({"": tmp_path})
    refs = [store.pin(ImageRef(path=f"{place}.png")) for place in range(3)]
    items = [Candidate(did=ref.path, parts=parts_of(images=[ref])) for ref in refs]
    red, blue = opened(HashEncoder(store), items, None).find([asked("red"), asked("blue")], 3)
    assert [hit.candidate.did for hit in red.hits] == ["0.png", "1.png", "2.png"]
    assert (blue.hits, blue.reason) == ((), "all items score alike, so that their order would say nothing")


def test_a_few_items_that_score_alike_are_ranked_before_the_others():
    items = texts({"a": "one", "b": "two", "c": "quite another text"})
    (found,) = opened(LengthEncoder(), items, None).find([asked("any")], 1)
    assert [hit.candidate.did for hit in found.hits] == ["a"]


def test_copies_of_one_item_score_alike_and_are_found():
    items = texts({"a": "one", "b": "one", "c": "quite another text"})
    (found,) = opened(LengthEncoder(), items, None).find([asked("any")], 2)
    assert [hit.candidate.did for hit in found.hits] == ["a", "b"]


def test_what_vectors_find_below_a_score_is_left_out_and_words_are_not():
    retriever = opened(LengthEncoder(), SHOP, words_over(SHOP))
    (found,) = retriever.find([asked("crockery")], 3, min_score=0.95)
    assert [hit.candidate.did for hit in found.hits] == ["s1", "s2"]
    (found,) = retriever.find([asked("crockery")], 3, min_score=1.5)
    assert (found.hits, found.reason) == ((), "nothing reaches --min-score 1.5; the best score is 0.9998")
    (found,) = retriever.find([asked("spoon")], 3, min_score=1.5)
    assert [hit.candidate.did for hit in found.hits] == ["s3"]


def test_words_alone_rank_by_their_own_scores_and_need_no_vectors():
    words = words_over(SHOP, alone=True)
    index = MemoryIndex(dimension=2, fingerprint="length")
    retriever = Retriever(LengthEncoder(), index, SHOP, words=words)
    found, other, picture = retriever.find([asked("mug of wood"), asked("jug"), asked(image="a.png")], 3)
    assert [hit.candidate.did for hit in found.hits] == ["s1", "s2"]
    assert found.unknown == ("wood",)
    assert (other.hits, other.reason) == ((), 'no item holds "jug"')
    assert picture.reason == "only words are searched, and the query has none"


def test_a_corpus_without_items_says_so():
    retriever = Retriever(LengthEncoder(), MemoryIndex(dimension=2, fingerprint="length"), _NoStore())
    assert retriever.find([asked("mug")], 3)[0].reason == "there are no items"


class _NoStore:
    """A store without items; it cannot be iterated over, as a corpus in memory could."""

    def candidates(self, dids: Sequence[str]) -> dict[str, Candidate]:
        """Return nothing."""
        del dids
        return {}
