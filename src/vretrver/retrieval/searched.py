"""What a search gave for one query: hits, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What was found for a query."""

    hits: tuple[Hit, ...]
    """Best first. Scores are those of the encoder where vectors alone rank, of BM25 where words alone do, and sums of
    reciprocal ranks where both do; see `fusion`."""
    reason: str | None = None
    """Why there are no hits, one sentence; None where there are some."""
    by_vectors: bool = False
    """Whether the encoder had a say in the hits; words alone gave them where not."""
    unknown: tuple[str, ...] = ()
    """The query's words that stand in no item, where words were searched."""
