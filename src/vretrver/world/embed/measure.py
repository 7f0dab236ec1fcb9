"""How well an encoder finds: hit@k over the whole pool of a catalogue, per task shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from ...retrieval.encoder import Encoder, Vectors
from ...retrieval.exact import exact_search, longest_row
from ..draw.world import TWINS
from .pairs import TrainingPairs

ItemT = TypeVar("ItemT")

DEPTHS = (1, 5, 20, 50)
"""Depths at which a hit counts."""

_BATCH = 256


def measure(
    encoder: Encoder, pairs: TrainingPairs, *, queries: int, note: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """Return per task shape hit@k of the answer and of any twin of it.

    Args:
        encoder: the encoder.
        pairs: the catalogue; all its items are the pool.
        queries: most queries of each task shape, spread over the items.
        note: called with one line per task shape, for a person.
    """
    found: dict[str, dict[str, float]] = {}
    pools: dict[str, Vectors] = {}
    for task, asked in pairs.asked.items():
        key = asked.candidates[0].did
        if key not in pools:
            pools[key] = _in_batches(encoder.encode_candidates, asked.candidates)
        found[str(task)] = _hits(encoder, pairs, task, pools[key], queries)
        note(f"task {task}: " + " ".join(f"{name} {value:.3f}" for name, value in found[str(task)].items()))
    return found


def mean_of(found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the means over task shapes."""
    names = list(next(iter(found.values())))
    return {name: round(float(np.mean([row[name] for row in found.values()])), 4) for name in names}


def _hits(encoder: Encoder, pairs: TrainingPairs, task: int, pool: Vectors, queries: int) -> dict[str, float]:
    """Return the shares of queries whose answer (`hit`), or any twin of it (`family`), is among the k best."""
    places = np.unique(np.linspace(0, len(pool) - 1, min(queries, len(pool))).astype(int)).tolist()
    asked = [pairs.query(task, place, 0) for place in places]
    vectors = _in_batches(encoder.encode_queries, asked)
    depth = min(max(DEPTHS), len(pool))
    ranked = [slots.tolist() for slots, _ in exact_search(pool, vectors, depth, longest=longest_row(pool))]
    rows = list(zip(places, ranked, strict=True))
    hits = {f"hit@{k}": _share([place in row[:k] for place, row in rows]) for k in DEPTHS}
    families = {
        f"family@{k}": _share([any(slot // TWINS == place // TWINS for slot in row[:k]) for place, row in rows])
        for k in DEPTHS[:2]
    }
    return hits | families


def _share(right: Sequence[bool]) -> float:
    return round(sum(right) / len(right), 4)


def _in_batches(encode: Callable[[Sequence[ItemT]], Vectors], items: Sequence[ItemT]) -> Vectors:
    """Return the vectors of items, encoded a few hundred at a time so that their pictures fit into memory."""
    return np.concatenate([encode(items[start : start + _BATCH]) for start in range(0, len(items), _BATCH)])
