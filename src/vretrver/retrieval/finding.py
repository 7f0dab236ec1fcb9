"""The coarse stage with words: what is found by vectors and by words as one order, or the reason why nothing is.

Nothing is ranked with nothing: a query of which no word is known, or for which all items score alike, gives a reason
instead of an arbitrary order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..records import Candidate, Hit, ImagePart, Query
from .encoder import Encoder
from .fusion import EQUAL, WORDS_FIRST, fused
from .hash_encoder import HashEncoder
from .index import Found, VectorIndex
from .lexical.index import QueryWords
from .searched import Searched
from .wordsearch import WordSearch

_DEPTH = 100  # how far each ranking is read at least before two are fused
_NAMED = 6  # words that a reason names
_TIED = 20  # items that are looked at for whether all score alike: a few may show the same in other files
_ALIKE = 1e-5  # relative difference of scores that says nothing
_OF_THE_COLOUR = 0.25  # score of `hash` from which items show the colour asked for: a plain picture of it has 0.5

NO_ITEMS = "there are no items"
"""Reason where a corpus holds nothing."""


class CandidateStore(Protocol):
    """Where candidates are kept when they are not in memory, such as an index directory."""

    def candidates(self, dids: Sequence[str]) -> Mapping[str, Candidate]:
        """Return the candidates of dids; what is not there is left out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a query is searched in."""

    encoder: Encoder
    """Makes the vectors of queries."""
    index: VectorIndex
    """Finds by vectors."""
    store: CandidateStore
    """Has the candidates."""
    words: WordSearch | None
    """Finds by words; None where only vectors do."""


def find(
    stage: Stage, queries: Sequence[Query], k: int, *, min_score: float | None = None, empty: str = NO_ITEMS
) -> list[Searched]:
    """Return at most k hits for each query, best first, or the reason why there are none.

    Where the encoder knows words, both orders are fused with equal weights; where it knows none, as `hash`, words
    rank first and vectors order what they leave equal, and follow for the colours and pictures that it knows.

    Args:
        stage: what is searched.
        queries: what is asked.
        k: at least 1.
        min_score: what vectors find below this is left out; None keeps all.
        empty: reason where the vectors hold nothing at all.
    """
    asked = [_ask(stage.words, query) for query in queries]
    by_vectors = _by_vectors(stage, queries, k)
    return [
        _One(stage, query, k, asked=words, min_score=min_score, empty=empty).searched(vectors)
        for query, words, vectors in zip(queries, asked, by_vectors, strict=True)
    ]


def _ask(words: WordSearch | None, query: Query) -> QueryWords:
    return words.ask(query) if words is not None and query.text else QueryWords(weights={}, unknown=())


def _by_vectors(stage: Stage, queries: Sequence[Query], k: int) -> list[Found | None]:
    """Return what vectors find; None for queries that they say nothing about."""
    asked = [place for place, query in enumerate(queries) if _vectors_know(stage, query)]
    found: list[Found | None] = [None] * len(queries)
    if asked:
        depth = max(k + 1, _TIED) if stage.words is None else max(2 * k, _DEPTH)
        vectors = stage.encoder.encode_queries([queries[place] for place in asked])
        for place, row in zip(asked, stage.index.search(vectors, depth), strict=True):
            found[place] = row
    return found


def _vectors_know(stage: Stage, query: Query) -> bool:
    if stage.words is None or not isinstance(stage.encoder, HashEncoder):
        return stage.words is None or not stage.words.alone
    return not stage.words.alone and stage.encoder.knows(query)


@dataclass(frozen=True, slots=True)
class _One:
    """One query being searched."""

    stage: Stage
    query: Query
    k: int
    asked: QueryWords
    min_score: float | None
    empty: str

    def searched(self, by_vectors: Found | None) -> Searched:
        """Return the hits of both orders, or why there are none."""
        words = self.stage.words
        by_words: Found = []
        if words is not None and self.asked.weights:
            by_words = words.search(self.query, max(2 * self.k, _DEPTH))
        kept = [pair for pair in by_vectors or () if self.min_score is None or pair[1] >= self.min_score]
        if by_words and kept:
            weights = WORDS_FIRST if isinstance(self.stage.encoder, HashEncoder) else EQUAL
            return self._hits(fused({"words": by_words, "vectors": kept}, weights=weights), by_vectors=True)
        if by_words:
            return self._hits(by_words)
        reason = self._reason(by_vectors, kept)
        return self._nothing(reason) if reason else self._hits(kept, by_vectors=True)

    def _hits(self, ranking: Found, *, by_vectors: bool = False) -> Searched:
        best = ranking[: self.k]
        known = self.stage.store.candidates([did for did, _ in best])
        words = self.stage.words
        hits = tuple(  # what was deleted from a store since the search is left out
            Hit(
                candidate=known[did],
                score=score,
                citation=None if words is None else words.cite(known[did], self.asked),
            )
            for did, score in best
            if did in known
        )
        if not hits:
            return self._nothing(self.empty)
        return Searched(hits=hits, by_vectors=by_vectors, unknown=self._unknown())

    def _nothing(self, reason: str) -> Searched:
        return Searched(hits=(), reason=reason, unknown=self._unknown())

    def _unknown(self) -> tuple[str, ...]:
        """Return the words that neither an item holds nor the encoder knows."""
        encoder = self.stage.encoder
        if self.stage.words is not None and self.stage.words.alone:
            return self.asked.unknown
        if not isinstance(encoder, HashEncoder):
            return ()
        return tuple(word for word in self.asked.unknown if not encoder.knows_word(word))

    def _reason(self, by_vectors: Found | None, kept: Found) -> str:
        """Return why vectors alone rank nothing; empty where they do."""
        if by_vectors is None:
            return self._words_reason()
        if not by_vectors:
            return self.empty
        best = by_vectors[0][1]
        encoder = self.stage.encoder
        if isinstance(encoder, HashEncoder) and not encoder.is_telling(self.query, best):
            return f"the encoder hash knows colours and shared words, and finds none of {_quoted([self.query.text])}"
        if not kept:
            return f"nothing reaches --min-score {self.min_score}; the best score is {best:.4f}"
        if isinstance(encoder, HashEncoder) and best >= _OF_THE_COLOUR:
            return ""  # all of them fit, though none better than the others
        if self._is_tie(by_vectors[: max(self.k + 1, _TIED)]):
            return "all items score alike, so that their order would say nothing"
        return ""

    def _words_reason(self) -> str:
        words = self.stage.words
        if not len(self.stage.index) and (words is None or not words.alone):
            return self.empty
        if not self.query.text:
            return "only words are searched, and the query has none"
        if self.asked.weights:
            return "every item that holds a word of the query is left out by --filter, or deleted"
        if not self.asked.unknown:
            return "the query holds no word, number or code"
        said = f"no item holds {_quoted(self.asked.unknown)}"
        if words is not None and not words.alone:
            said += ", and of pictures the encoder hash knows colours only; name a model with --encoder"
        if words is not None and words.unread:
            pictures = "picture" if words.unread == 1 else "pictures"
            said += f"; the text on {words.unread} {pictures} was not read, `vretrver index` reads it (--read-text)"
        return said

    def _is_tie(self, found: Found) -> bool:
        """Return whether three or more items that differ all score alike; copies of one item do, and mean it."""
        if len(found) < 3 or not math.isclose(found[0][1], found[-1][1], rel_tol=_ALIKE):
            return False
        known = self.stage.store.candidates([did for did, _ in found])
        return len({tuple(_contents(candidate)) for candidate in known.values()}) > 1


def _contents(candidate: Candidate) -> Iterator[tuple[str, int]]:
    for part in candidate.parts:
        if isinstance(part, ImagePart):
            yield part.image.sha256 or str(part.image), part.image.page
        else:
            yield part.text, 0


def _quoted(words: Sequence[str]) -> str:
    """Return words in quotation marks, the first of many."""
    shown = [f'"{word[:60]}"' for word in words[:_NAMED]]
    if len(words) > _NAMED:
        return f"{', '.join(shown)} and {len(words) - _NAMED} more words"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
