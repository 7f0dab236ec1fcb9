"""A small world for tests of the index directory: texts encoded by their letters, and a writer for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vretrver.errors import PictureError
from vretrver.images import ImageStore
from vretrver.records import Candidate, Query, TextPart
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.manifest import Manifest
from vretrver.retrieval.directory.update import UpdateReport, update_index
from vretrver.retrieval.directory.writer import IndexWriter
from vretrver.retrieval.encoder import Vectors

ALPHABET = "abcdefgh"


class LetterEncoder:
    """Counts letters; keeps what it was given. A text with `!` cannot be read."""

    dimension = len(ALPHABET)

    def __init__(self, fingerprint: str = "letters v=1") -> None:
        self.fingerprint = fingerprint
        self.given: list[str] = []

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        return self._rows([query.text for query in queries])

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        if any("!" in candidate.text for candidate in candidates):
            raise PictureError("a.png", "it cannot be read")
        self.given += [candidate.text for candidate in candidates]
        return self._rows([candidate.text for candidate in candidates])

    @staticmethod
    def _rows(texts: list[str]) -> Vectors:
        counts = np.array([[text.count(letter) for letter in ALPHABET] for text in texts], np.float32)
        counts = counts.reshape(-1, len(ALPHABET)) + np.float32(0.01)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def texts(items: Mapping[str, str], metadata: Mapping[str, Mapping[str, object]] | None = None) -> list[Candidate]:
    """Return candidates did -> text, with metadata by did."""
    told = metadata or {}
    return [
        Candidate(did=did, parts=(TextPart(text=text),), metadata=told.get(did, {})) for did, text in items.items()
    ]


def open_writer(directory: Path, encoder: LetterEncoder | None = None) -> IndexWriter:
    """Return a writer, over a new index when there is none."""
    used = encoder or LetterEncoder()
    return IndexWriter(directory, new=Manifest(fingerprint=used.fingerprint, dimension=used.dimension))


def update(directory: Path, candidates: list[Candidate], encoder: LetterEncoder, **options: object) -> UpdateReport:
    """Bring an index up to date."""
    with open_writer(directory, encoder) as writer:
        return update_index(writer, candidates, encoder, ImageStore({"": directory}), **options)  # type: ignore[arg-type]


def found(directory: Path, text: str, k: int = 10, where: str | None = None) -> list[str]:
    """Return the dids found for a text, best first."""
    with DirectoryIndex(directory) as index:
        vectors = LetterEncoder().encode_queries([Query(qid="q", parts=(TextPart(text=text),))])
        return [did for did, _ in index.search(vectors, k, where=where)[0]]


def anything(did: str) -> bool:
    """Let everything be deleted."""
    return True
