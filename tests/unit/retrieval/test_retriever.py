"""Pins that a corpus is encoded in batches, that what cannot be encoded is reported, and that indexes do not mix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vretrver.errors import DataError, IndexMismatch, PictureError
from vretrver.images import ImageStore
from vretrver.records import Candidate, ImageRef, Query, parts_of
from vretrver.retrieval.encoder import Vectors
from vretrver.retrieval.hash_encoder import HashEncoder
from vretrver.retrieval.index import MemoryIndex
from vretrver.retrieval.retriever import Retriever


class LetterEncoder:
    """Encodes a text by the first of the letters a, b, c in it."""

    fingerprint = "letters"
    dimension = 3

    def __init__(self) -> None:
        self.batches: list[int] = []

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        return self._rows([query.text for query in queries])

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        self.batches.append(len(candidates))
        return self._rows([candidate.text for candidate in candidates])

    @staticmethod
    def _rows(texts: list[str]) -> Vectors:
        return np.eye(3, dtype=np.float32)[["abc".index(text[0]) for text in texts]]


def text_candidate(did: str, text: str) -> Candidate:
    return Candidate(did=did, parts=parts_of(text=text))


def letters(encoder: LetterEncoder, *texts: str) -> Retriever:
    corpus = [text_candidate(f"d{n}", text) for n, text in enumerate(texts)]
    return Retriever(encoder, MemoryIndex(dimension=3, fingerprint="letters"), corpus)


def test_hits_carry_their_candidates_best_first():
    retriever = letters(LetterEncoder(), "a", "b", "c", "b")
    assert retriever.encode() == ()
    queries = [Query(qid="1", parts=parts_of(text="b")), Query(qid="2", parts=parts_of(text="c"))]
    found = retriever.search(queries, 2)
    assert [[hit.candidate.did for hit in hits] for hits in found] == [["d1", "d3"], ["d2", "d0"]]
    assert [hit.score for hit in found[0]] == [1.0, 1.0]


def test_the_corpus_is_encoded_in_batches_with_progress():
    encoder = LetterEncoder()
    steps: list[tuple[int, int]] = []
    letters(encoder, *"abcab").encode(batch_size=2, progress=lambda done, total: steps.append((done, total)))
    assert encoder.batches == [2, 2, 1]
    assert steps == [(2, 5), (4, 5), (5, 5)]


def test_a_picture_that_cannot_be_read_is_reported_and_the_rest_is_found(tmp_path: Path):
    for name in ("0.png", "2.png", "3.png"):
        Image.new("RGB", (8, 8), (200, 0, 0)).save(tmp_path / name)
    (tmp_path / "1.png").write_text("no picture")
    encoder = HashEncoder(ImageStore({"": tmp_path}))
    corpus = [Candidate(did=f"d{n}", parts=parts_of(images=[ImageRef(path=f"{n}.png")])) for n in range(5)]
    index = MemoryIndex(dimension=encoder.dimension, fingerprint=encoder.fingerprint)
    retriever = Retriever(encoder, index, corpus)
    refused = retriever.encode(batch_size=3)
    assert [item.did for item in refused] == ["d1", "d4"]
    assert "picture 1.png: not a picture" in refused[0].reason
    assert "picture 4.png: cannot be read" in refused[1].reason
    (hits,) = retriever.search([Query(qid="1", parts=parts_of(text="red"))], 10)
    assert [hit.candidate.did for hit in hits] == ["d0", "d2", "d3"]
    with pytest.raises(PictureError):
        retriever.search([Query(qid="1", parts=parts_of(images=[ImageRef(path="1.png")]))], 1)


def test_an_index_of_another_encoder_is_a_mismatch():
    with pytest.raises(IndexMismatch, match="made by 'numbers', the encoder is 'letters'; index again"):
        Retriever(LetterEncoder(), MemoryIndex(dimension=3, fingerprint="numbers"), [text_candidate("d", "a")])


def test_a_did_that_comes_twice_is_refused():
    corpus = [text_candidate("d", "a"), text_candidate("d", "a")]
    with pytest.raises(DataError, match="did 'd' appears twice"):
        Retriever(LetterEncoder(), MemoryIndex(dimension=3, fingerprint="letters"), corpus)


def test_an_empty_corpus_is_refused():
    with pytest.raises(DataError, match="corpus is empty"):
        letters(LetterEncoder())


def test_searching_before_encoding_is_an_error():
    with pytest.raises(DataError, match="encode the corpus first"):
        letters(LetterEncoder(), "a").search([Query(qid="1", parts=parts_of(text="a"))], 1)


def test_a_batch_holds_at_least_one():
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        letters(LetterEncoder(), "a").encode(batch_size=0)
