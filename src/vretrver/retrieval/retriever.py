"""The coarse stage: encode a corpus once, then find the best candidates of any number of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..errors import DataError, IndexMismatch, PictureError
from ..records import Candidate, Hit, Query
from .encoder import Encoder
from .index import VectorIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCandidate:
    """A candidate that could not be encoded and so cannot be found."""

    did: str
    """The candidate."""
    reason: str
    """One sentence."""


class Retriever:
    """Finds candidates of a corpus by the vectors of an encoder.

    Args:
        encoder: makes the vectors.
        index: holds them.
        corpus: all candidates; kept in memory.

    Raises:
        IndexMismatch: the index was made for another encoder.
        DataError: two candidates share a did, or there is none.
    """

    def __init__(self, encoder: Encoder, index: VectorIndex, corpus: Iterable[Candidate]) -> None:
        if index.fingerprint != encoder.fingerprint:
            raise IndexMismatch(
                f"the index was made by {index.fingerprint!r}, the encoder is {encoder.fingerprint!r}; index again"
            )
        self.encoder = encoder
        self.index = index
        self.corpus: dict[str, Candidate] = {}
        for candidate in corpus:
            if self.corpus.setdefault(candidate.did, candidate) is not candidate:
                raise DataError(f"did {candidate.did!r} stands twice in the corpus; dids must be unique")
        if not self.corpus:
            raise DataError("the corpus is empty; there is nothing to search")

    def encode(
        self, *, batch_size: int = 64, progress: Callable[[int, int], None] | None = None
    ) -> tuple[RefusedCandidate, ...]:
        """Encode the corpus into the index and return what could not be encoded, in the order of the corpus.

        Args:
            batch_size: candidates given to the encoder at once; at least 1.
            progress: called with (candidates done, candidates to do) after each batch.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        refused: list[RefusedCandidate] = []
        candidates = list(self.corpus.values())
        for start in range(0, len(candidates), batch_size):
            batch = candidates[start : start + batch_size]
            try:
                self._add(batch)
            except PictureError:  # one of them: find out which, and keep the others
                refused += self._add_singly(batch)
            if progress is not None:
                progress(start + len(batch), len(candidates))
        return tuple(refused)

    def search(self, queries: Sequence[Query], k: int) -> list[list[Hit]]:
        """Return the k best hits of each query, best first.

        Raises:
            DataError: the index is empty.
            PictureError: a query's picture cannot be read.
        """
        if not len(self.index):
            raise DataError("the index is empty; encode the corpus first")
        found = self.index.search(self.encoder.encode_queries(queries), k)
        return [[Hit(candidate=self.corpus[did], score=score) for did, score in row] for row in found]

    def _add(self, batch: Sequence[Candidate]) -> None:
        self.index.add([candidate.did for candidate in batch], self.encoder.encode_candidates(batch))

    def _add_singly(self, batch: Sequence[Candidate]) -> list[RefusedCandidate]:
        refused = []
        for candidate in batch:
            try:
                self._add([candidate])
            except PictureError as error:
                refused.append(RefusedCandidate(did=candidate.did, reason=str(error)))
        return refused
