"""What passes the filter of a corpus, listed without a query."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigError
from ..records import Hit
from ..retrieval.directory.filtered import FilteredIndex
from ..retrieval.directory.listing import DAY
from .corpus import Corpus


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredHits:
    """What passes."""

    hits: tuple[Hit, ...]
    """In their order; a score says nothing but the place: n for the first of n, 1 for the last."""
    passed: int
    """How many pass, those that are not among the hits included."""
    order: str
    """How they are ordered, in words."""


def listed(corpus: Corpus, most: int) -> FilteredHits:
    """Return what passes the filter of a corpus: newest first by `taken`, else in the order of the index.

    Args:
        corpus: an index directory, opened with a filter.
        most: how many at most; at least 1.

    Raises:
        ConfigError: it is no index directory, or was opened without a filter.
    """
    view = corpus.retriever.index
    if not isinstance(view, FilteredIndex):
        raise ConfigError("only an index directory lists what passes --filter; give --text, --image or --queries")
    found = view.listed(most)
    count = len(found.items)
    return FilteredHits(
        hits=tuple(Hit(candidate=item, score=float(count - place)) for place, item in enumerate(found.items)),
        passed=len(view),
        order=f"newest first by {DAY}" if found.newest_first else "in the order of the index",
    )
