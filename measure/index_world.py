"""Clustered vectors and items for measurements of indexes; the same for a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vretrver.records import Candidate, TextPart

Vectors = NDArray[np.float32]

CLUSTERS, SUBSPACE, SPREAD, NOISE = 2000, 48, 0.5, 0.02
"""Centres, dimensions they lie in, noise inside the subspace per unit of theirs, and noise in all dimensions."""

COLOURS = ("red", "green", "blue", "white", "black")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where vectors are drawn from."""

    centres: Vectors
    basis: Vectors

    def draw(self, count: int, generator: np.random.Generator) -> Vectors:
        """Return vectors [count, D] of length 1."""
        chosen = self.centres[generator.integers(len(self.centres), size=count)]
        inner = chosen + SPREAD * generator.standard_normal(chosen.shape, dtype=np.float32)
        noise = NOISE * generator.standard_normal((count, self.basis.shape[1]), dtype=np.float32)
        vectors = inner @ self.basis / SUBSPACE**0.5 + noise
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def world_of(dimension: int, seed: int) -> World:
    """Return the world of a seed."""
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.standard_normal((dimension, SUBSPACE)))[0].T.astype(np.float32)
    return World(centres=generator.standard_normal((CLUSTERS, SUBSPACE), dtype=np.float32), basis=basis)


def candidates(count: int) -> Iterator[Candidate]:
    """Yield items with three fields of metadata."""
    for n in range(count):
        metadata = {"price": n * 7919 % 1000 / 10, "colour": COLOURS[n % 5], "shop": f"shop {n // 1000 % 10}"}
        yield Candidate(did=f"1:{n}", parts=(TextPart(text=f"item {n} of the collection"),), metadata=metadata)
