"""Vectors computed elsewhere, as an encoder that looks them up by did.

They come as a NumPy file with a list of ids beside it, or as two columns of a parquet file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..._optional import require
from ...errors import ConfigError, DataError
from ...lines import text_lines
from ...records import Candidate, Query
from ..encoder import Encoder, Vectors
from ..retriever import RefusedCandidate
from .entries import content_hash

TOLERANCE = 1e-3
"""How far from 1 the length of a vector may be."""


@dataclass(slots=True, kw_only=True)
class PrecomputedVectors:
    """An `Encoder` for candidates only; `having_vectors` leaves out candidates without a vector."""

    fingerprint: str
    """Fingerprint of the encoder that made them."""
    matrix: NDArray[np.floating]
    """[N, D], of any float type."""
    places: dict[str, int]
    """did -> row."""
    normalise: bool = False
    """Bring every vector to length 1; otherwise those of another length are refused."""
    missing: list[RefusedCandidate] = field(default_factory=list)
    """Candidates that have no vector, filled by `having_vectors`."""

    @property
    def dimension(self) -> int:
        """Length D of a vector."""
        return int(self.matrix.shape[1])

    def having_vectors(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Yield the candidates that have a vector, and note the others."""
        for candidate in candidates:
            if candidate.did in self.places:
                yield candidate
            else:
                self.missing.append(RefusedCandidate(did=candidate.did, reason="it has no vector"))

    def content(self, candidate: Candidate) -> bytes:
        """Return the hash of an item and of its vector: either may change."""
        digest = hashlib.sha256(content_hash(candidate))
        digest.update(np.ascontiguousarray(self.matrix[self.places[candidate.did]]).tobytes())
        return digest.digest()

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        """Raise ConfigError: there is no model to encode with."""
        raise ConfigError(f"{len(queries)} queries: imported vectors have no encoder; name it with --encoder")

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        """Return [N, D] float32, L2-normalised.

        Raises:
            DataError: a vector is not finite, is zero, or is not of length 1 and `normalise` is off.
        """
        vectors = self.matrix[[self.places[candidate.did] for candidate in candidates]].astype(np.float32)
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        good = np.isfinite(lengths) & (lengths > 0)
        if not self.normalise:
            good &= np.abs(lengths - 1) <= TOLERANCE
        if not good.all():
            place = int(np.flatnonzero(~good)[0])
            remedy = "correct it" if self.normalise or not 0 < lengths[place] < np.inf else "give --normalise"
            raise DataError(
                f"{candidates[place].did!r}: its vector has length {lengths[place]:.6g} instead of 1; {remedy}"
            )
        return vectors / lengths[:, None].astype(np.float32) if self.normalise else vectors


def read_vectors(
    file: Path,
    *,
    ids: str | None,
    column: str = "vector",
    encoder: Encoder | None = None,
    made_by: str = "elsewhere",
    normalise: bool = False,
) -> PrecomputedVectors:
    """Read vectors and their ids.

    Args:
        file: `.npy` of [N, D] floats, or `.parquet`.
        ids: for `.npy` a text file with one did a line; for `.parquet` the column of dids, `did` by default.
        column: for `.parquet` the column of vectors.
        encoder: the encoder that made them, if it is known here; its dimension must fit.
        made_by: name of the vectors when it is not.
        normalise: see `PrecomputedVectors`.

    Raises:
        DataError: a file cannot be read or the counts differ; the message says where.
        ConfigError: an option is missing, or the encoder has another dimension.
    """
    matrix, dids = _from_parquet(file, ids or "did", column) if file.suffix == ".parquet" else _from_npy(file, ids)
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.floating) or matrix.shape[1] == 0:
        raise DataError(f"{file}: holds {matrix.dtype} of shape {list(matrix.shape)}; give floats of shape [N, D]")
    if len(dids) != len(matrix):
        raise DataError(f"{file}: {len(matrix)} vectors, but {len(dids)} ids; give one id for each vector")
    places = {did: place for place, did in enumerate(dids)}
    if len(places) < len(dids):
        twice = next(did for place, did in enumerate(dids) if places[did] != place)
        raise DataError(f"{file}: id {twice!r} appears twice; ids must be unique")
    if encoder is not None and encoder.dimension != matrix.shape[1]:
        raise ConfigError(f"{file}: vectors of {matrix.shape[1]} numbers, but the encoder makes {encoder.dimension}")
    fingerprint = encoder.fingerprint if encoder is not None else f"imported {made_by}"
    return PrecomputedVectors(fingerprint=fingerprint, matrix=matrix, places=places, normalise=normalise)


def _from_npy(file: Path, ids: str | None) -> tuple[NDArray[np.floating], list[str]]:
    if ids is None:
        raise ConfigError(f"{file}: whose vectors are these? give --ids FILE with one id a line")
    try:
        matrix = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read as a NumPy file: {error}") from error
    return matrix, [line.rstrip("\r\n") for _, line in text_lines(Path(ids))]


def _from_parquet(file: Path, ids: str, column: str) -> tuple[NDArray[np.floating], list[str]]:
    parquet = require("pyarrow.parquet", extra="sources")
    arrow, compute = require("pyarrow", extra="sources"), require("pyarrow.compute", extra="sources")
    try:
        names = parquet.read_schema(file).names
        for name in (ids, column):
            if name not in names:
                raise DataError(f"{file}: no column {name!r}; the columns are {', '.join(names)}")
        table = parquet.read_table(file, columns=list({ids, column}))
    except (OSError, arrow.ArrowException) as error:
        raise DataError(f"{file}: cannot be read as parquet: {error}") from error
    lists = table[column].combine_chunks()
    kind = lists.type
    if not (arrow.types.is_list(kind) or arrow.types.is_large_list(kind) or arrow.types.is_fixed_size_list(kind)):
        raise DataError(f"{file}: column {column!r} must hold lists of numbers, it holds {kind}")
    lengths = set(compute.list_value_length(lists).unique().to_pylist())
    if len(lengths) != 1 or None in lengths:
        found = ", ".join(sorted(map(str, lengths))) or "none"
        raise DataError(f"{file}: column {column!r} must hold lists of one length; its lengths are {found}")
    values = lists.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(lists), -1), [str(did) for did in table[ids].to_pylist()]
