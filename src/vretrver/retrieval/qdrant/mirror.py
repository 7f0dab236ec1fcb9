"""Copying an index directory into a Qdrant collection; nothing is encoded again.

After a run that was stopped, run it again: items that are there already with the same content are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ...records import Candidate
from .index import QdrantIndex, payload_of

_BATCH = 256  # items compared at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorReport:
    """The counts of a copy."""

    written: int
    """Items that were new or had changed."""
    unchanged: int
    """Items that were already there."""
    deleted: int
    """Items that the source does not have."""


def mirror(
    items: Iterable[Candidate],
    vectors_of: Callable[[Sequence[str]], Mapping[str, NDArray[np.float32]]],
    target: QdrantIndex,
    *,
    progress: Callable[[int], None] | None = None,
) -> MirrorReport:
    """Write items with their vectors to a collection and delete all others in it.

    Args:
        items: the source; pictures with their hashes, so that equal items have equal vectors.
        vectors_of: the vectors [D] of dids; an item without one is left out.
        target: the collection, of the same encoder.
        progress: called with the number of items done.

    Raises:
        ServiceError: the server failed; what was written is kept.
    """
    seen: set[str] = set()
    written = unchanged = 0
    for group in _groups(items):
        seen.update(item.did for item in group)
        stored = target.payloads([item.did for item in group])
        changed = [item for item in group if not _same(stored.get(item.did), item)]
        vectors = vectors_of([item.did for item in changed])
        ready = [item for item in changed if item.did in vectors]
        if ready:
            target.put(ready, np.stack([vectors[item.did] for item in ready]))
        written += len(ready)
        unchanged += len(group) - len(changed)
        if progress is not None:
            progress(len(seen))
    gone = [did for did in target.dids() if did not in seen]
    target.delete(gone)
    return MirrorReport(written=written, unchanged=unchanged, deleted=len(gone))


def _same(stored: Mapping[str, object] | None, item: Candidate) -> bool:
    return stored is not None and {key: stored.get(key) for key in ("did", "parts", "metadata")} == payload_of(item)


def _groups(items: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    source = iter(items)
    while group := list(islice(source, _BATCH)):
        yield group
