"""The interface of everything that turns queries and candidates into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..records import Candidate, Query

Vectors = NDArray[np.float32]
"""[N, D] float32, each row of length 1."""


class Encoder(Protocol):
    """Turns items into vectors whose inner product says how well they match.

    Both methods are called with batches; an empty batch gives an array of shape [0, D]. They raise `PictureError`
    when a picture of the batch cannot be read; the caller then encodes the items one by one to keep the others.
    """

    @property
    def fingerprint(self) -> str:
        """Name of everything the vectors depend on; vectors of different fingerprints are never compared."""
        ...

    @property
    def dimension(self) -> int:
        """Length D of a vector."""
        ...

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        """Return [N, D] float32, L2-normalised, row n for query n."""
        ...

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        """Return [N, D] float32, L2-normalised, row n for candidate n."""
        ...


class NoEncoder:
    """Stands where vectors are not searched, so that no model need be opened.

    Args:
        dimension: length of the vectors of the index.
        fingerprint: of the encoder that made them.
    """

    def __init__(self, *, dimension: int, fingerprint: str) -> None:
        self.dimension = dimension
        self.fingerprint = fingerprint

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        """Raise ConfigError."""
        raise self._unopened(len(queries))

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        """Raise ConfigError."""
        raise self._unopened(len(candidates))

    def _unopened(self, count: int) -> ConfigError:
        return ConfigError(f"{count} items to encode, but only words are searched; open the corpus with its encoder")
