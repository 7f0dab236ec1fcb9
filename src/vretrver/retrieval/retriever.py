"""The coarse stage: encode a corpus once, then find the best candidates of any number of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import DataError, IndexMismatch, PictureError
from ..records import Candidate, Hit, Query
from .encoder import Encoder
from .finding import NO_ITEMS, CandidateStore, Stage, find
from .index import VectorIndex
from .searched import Searched
from .wordsearch import WordSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCandidate:
    """A candidate that could not be encoded, so that searches do not find it."""

    did: str
    """The candidate."""
    reason: str
    """One sentence."""


class Retriever:
    """Finds candidates of a corpus by the vectors of an encoder, and by their words where those are given.

    Args:
        encoder: makes the vectors.
        index: holds them.
        corpus: all candidates, which are then kept in memory, or the store that has them.
        words: finds candidates by their words; None leaves words to the encoder.

    Raises:
        IndexMismatch: the index was made for another encoder.
        DataError: two candidates share a did, or there are no candidates.
    """

    def __init__(
        self,
        encoder: Encoder,
        index: VectorIndex,
        corpus: Iterable[Candidate] | CandidateStore,
        *,
        words: WordSearch | None = None,
    ) -> None:
        if index.fingerprint != encoder.fingerprint:
            raise IndexMismatch(
                f"the index was made by {index.fingerprint!r}, the encoder is {encoder.fingerprint!r}; index again"
            )
        self.encoder = encoder
        self.index = index
        self.words = words
        self._store: CandidateStore = _Corpus(corpus) if isinstance(corpus, Iterable) else corpus
        self._corpus = self._store if isinstance(self._store, _Corpus) else None

    def encode(
        self, *, batch_size: int = 64, progress: Callable[[int, int], None] | None = None
    ) -> tuple[RefusedCandidate, ...]:
        """Encode a corpus in memory into the index and return what could not be encoded, in the order of the corpus.

        Args:
            batch_size: candidates given to the encoder at once; at least 1.
            progress: called with (candidates done, candidates to do) after each batch.

        Raises:
            DataError: the corpus is a store; `directory.update` brings an index directory up to date.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        refused: list[RefusedCandidate] = []
        if self._corpus is None:
            raise DataError("the candidates are kept in a store; bring its index up to date instead of encoding here")
        candidates = list(self._corpus.by_did.values())
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
        """Return the k best hits of each query, best first: of vectors, or of `find` where words are given.

        Raises:
            DataError: a corpus in memory was not encoded.
            PictureError: a query's picture cannot be read.
        """
        if self.words is not None:
            return [list(found.hits) for found in self.find(queries, k)]
        self._check_encoded()
        found = self.index.search(self.encoder.encode_queries(queries), k)
        known = self._store.candidates(list({did for row in found for did, _ in row}))
        return [  # what was deleted from a store since the search is left out
            [Hit(candidate=known[did], score=score) for did, score in row if did in known] for row in found
        ]

    def find(
        self, queries: Sequence[Query], k: int, *, min_score: float | None = None, empty: str = NO_ITEMS
    ) -> list[Searched]:
        """Return at most k hits of each query, best first, or the reason why there are none; see `finding.find`.

        Raises:
            DataError: a corpus in memory was not encoded.
            PictureError: a query's picture cannot be read.
        """
        if self.words is None or not self.words.alone:
            self._check_encoded()
        stage = Stage(encoder=self.encoder, index=self.index, store=self._store, words=self.words)
        return find(stage, queries, k, min_score=min_score, empty=empty)

    def _check_encoded(self) -> None:
        if self._corpus is not None and not len(self.index):
            raise DataError("the index is empty; encode the corpus first")

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


class _Corpus:
    """A store in memory."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.by_did: dict[str, Candidate] = {}
        for candidate in candidates:
            if self.by_did.setdefault(candidate.did, candidate) is not candidate:
                raise DataError(f"did {candidate.did!r} appears twice in the corpus; dids must be unique")
        if not self.by_did:
            raise DataError("the corpus is empty; there is nothing to search")

    def candidates(self, dids: Sequence[str]) -> Mapping[str, Candidate]:
        return {did: self.by_did[did] for did in dids if did in self.by_did}
