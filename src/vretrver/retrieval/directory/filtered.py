"""An index directory narrowed to what a filter over metadata matches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import DataError
from ..encoder import Vectors
from ..index import Found
from .listing import FilteredItems

if TYPE_CHECKING:
    from .index import DirectoryIndex


class FilteredIndex:
    """A `VectorIndex` that finds only what a filter matches; nothing can be added to it.

    Args:
        index: what is narrowed.
        expression: the filter.
    """

    def __init__(self, index: DirectoryIndex, expression: str) -> None:
        self._index = index
        self._expression = expression

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder that made the vectors."""
        return self._index.fingerprint

    def __len__(self) -> int:
        """Return the number of vectors that match."""
        return self._index.count(self._expression)

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Raise DataError: a vector that is added might not match the filter."""
        raise DataError(f"{len(ids)} of {len(vectors)} vectors: add to the index, not to a filtered view of it")

    def among(self, dids: Sequence[str]) -> set[str]:
        """Return which of some dids match; see `DirectoryIndex.among`."""
        return self._index.among(dids, self._expression)

    def listed(self, most: int) -> FilteredItems:
        """Return what matches, without a query; see `DirectoryIndex.listed`."""
        return self._index.listed(self._expression, most)

    def search(self, queries: Vectors, k: int) -> list[Found]:
        """Return the k best that match; see `DirectoryIndex.search`."""
        return self._index.search(queries, k, where=self._expression)
