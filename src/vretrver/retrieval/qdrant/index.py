"""A `VectorIndex` over a Qdrant collection that this package wrote; each point carries its item.

A point's id is made from the did, so that writing the same item again replaces it. The collection's own metadata
names the encoder that made the vectors. Equal scores keep the order added, as in the other indexes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any, TypeVar

from ..._optional import require
from ...errors import DataError, IndexMismatch, ServiceError
from ...records import Candidate
from ..directory.entries import candidate_from_row, kind_with, parts_to_json
from ..directory.manifest import FieldKind
from ..encoder import Vectors
from ..index import Found, check_ids, check_vectors
from .address import speaking_to
from .filters import qdrant_filter

_SPACE = uuid.UUID("6f6c3a0e-2b8e-5e0c-9d55-5f1d6f0a7c11")
_MANIFEST = "vretrver"
_BATCH = 64  # points in a request: below the server's limit of 32 MB even with 4,096 numbers and long texts
_SCROLL = 1000
_TIES = 16_384  # vectors with one score that are fetched to order them

T = TypeVar("T")


class QdrantIndex:
    """Searches a collection and writes to it.

    Args:
        client: a `qdrant_client.QdrantClient`, as from `connect`.
        collection: name of the collection.
        name: what the collection is called in messages, such as its address.
        exact: compare with every vector; otherwise Qdrant searches as the collection is set up, approximately.

    Raises:
        DataError: there is no such collection; the message lists the collections.
        IndexMismatch: it was not written by this package.
        ServiceError: the server cannot be reached or refuses.
    """

    def __init__(self, client: Any, collection: str, *, name: str | None = None, exact: bool = False) -> None:
        self._client = client
        self._models = require("qdrant_client.models", extra="qdrant")
        self.collection = collection
        self.name = name or collection
        self.exact = exact
        self._wanted: Any = None
        with speaking_to(self.name):
            if not client.collection_exists(collection):
                known = ", ".join(sorted(item.name for item in client.get_collections().collections)) or "none"
                raise DataError(f"{self.name}: no collection {collection!r}; its collections: {known}")
            manifest = (client.get_collection(collection).config.metadata or {}).get(_MANIFEST)
        if not isinstance(manifest, dict) or manifest.get("format") != 1:
            raise IndexMismatch(
                f"{self.name}: the collection was not written by vretrver, so its encoder is not known; "
                "examples/qdrant_hits.py reranks what your own search finds in it"
            )
        self._fingerprint = str(manifest["fingerprint"])
        self.dimension = int(manifest["dimension"])
        self.encoder = str(manifest["encoder"])
        self.fields: dict[str, FieldKind] = dict(manifest["fields"])

    @classmethod
    def create(
        cls,
        client: Any,
        collection: str,
        *,
        dimension: int,
        fingerprint: str,
        encoder: str = "",
        name: str | None = None,
    ) -> QdrantIndex:
        """Return the index of a collection, created if there is none yet.

        Args:
            client: as for the class.
            collection: name of the collection.
            dimension: length D of a vector.
            fingerprint: fingerprint of the encoder that makes the vectors.
            encoder: name of that encoder, as in `encoder_named`.
            name: what the collection is called in messages.

        Raises:
            IndexMismatch: the collection belongs to another encoder.
            ServiceError: the server cannot be reached, refuses, or is too old to keep metadata of collections.
        """
        shown = name or collection
        models = require("qdrant_client.models", extra="qdrant")
        with speaking_to(shown):
            if not client.collection_exists(collection):
                client.create_collection(
                    collection,
                    vectors_config=models.VectorParams(size=dimension, distance=models.Distance.DOT),
                    metadata=_manifest(fingerprint, dimension, encoder, {}),
                )
                if not (client.get_collection(collection).config.metadata or {}).get(_MANIFEST):
                    client.delete_collection(collection)  # made a moment ago, still empty
                    raise ServiceError(f"{shown}: this server keeps no metadata of collections; Qdrant 1.16 does")
        index = cls(client, collection, name=name)
        if (index.fingerprint, index.dimension) != (fingerprint, dimension):
            raise IndexMismatch(
                f"{shown}: made by {index.fingerprint!r} with {index.dimension} numbers, the encoder is "
                f"{fingerprint!r} with {dimension}; choose another collection"
            )
        return index

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder that made the vectors."""
        return self._fingerprint

    def __len__(self) -> int:
        """Return the number of vectors that can be found."""
        with speaking_to(self.name):
            return int(self._client.count(self.collection, count_filter=self._wanted, exact=True).count)

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors [N, D] under N new ids, without items; see `VectorIndex.add`."""
        check_vectors(vectors, self.dimension)
        check_ids(ids, vectors, self.payloads(ids))
        self._write([{"did": did} for did in ids], vectors)

    def put(self, candidates: Sequence[Candidate], vectors: Vectors) -> None:
        """Write candidates with their vectors [N, D], in place of those of the same did; dids must be unique.

        Raises:
            IndexMismatch: another D than the collection has.
            DataError: a did appears twice, the numbers are not finite, or a metadata field changes its kind.
            ServiceError: the server failed; some of the candidates may have been written.
        """
        check_vectors(vectors, self.dimension)
        check_ids([candidate.did for candidate in candidates], vectors, ())
        self._declare(candidates)
        self._write([payload_of(candidate) for candidate in candidates], vectors)

    def delete(self, dids: Sequence[str]) -> None:
        """Remove items; unknown dids are ignored."""
        with speaking_to(self.name):
            for some in _groups(dids):
                ids = self._models.PointIdsList(points=[_point(did) for did in some])
                self._client.delete(self.collection, points_selector=ids, wait=True)

    def candidates(self, dids: Sequence[str]) -> dict[str, Candidate]:
        """Return the items of dids; what is not in the collection, or has no item, is left out."""
        return {
            did: candidate_from_row(did, json.dumps(payload["parts"]), json.dumps(payload["metadata"]))
            for did, payload in self.payloads(dids).items()
            if "parts" in payload
        }

    def dids(self) -> Iterator[str]:
        """Yield all dids, in no particular order."""
        following = None
        while True:
            with speaking_to(self.name):
                points, following = self._client.scroll(
                    self.collection, limit=_SCROLL, offset=following, with_payload=["did"]
                )
            yield from (point.payload["did"] for point in points)
            if following is None:
                return

    def payloads(self, dids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what is stored with dids; what is not in the collection is left out."""
        found: dict[str, dict[str, Any]] = {}
        with speaking_to(self.name):
            for some in _groups(list(dict.fromkeys(dids))):
                points = self._client.retrieve(self.collection, ids=[_point(did) for did in some], with_payload=True)
                found.update((point.payload["did"], point.payload) for point in points)
        return found

    def narrowed(self, expression: str) -> QdrantIndex:
        """Return the same index, finding only what a filter over metadata matches; nothing can be written to it.

        Raises:
            ConfigError: the filter is wrong, or cannot be expressed in Qdrant; see `filters`.
        """
        view = copy(self)
        view._wanted = qdrant_filter(expression, self.fields)
        return view

    def search(self, queries: Vectors, k: int) -> list[Found]:
        """Return the k best (did, score) of each query, best first; see `VectorIndex.search`.

        Where more than 16,384 vectors tie with the last one, it is undefined which of them are left out.
        """
        check_vectors(queries, self.dimension)
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        with speaking_to(self.name):
            return [self._best(query, k) for query in queries.tolist()]

    def _best(self, query: list[float], k: int) -> Found:
        """Fetch one more than k, and more as long as the last one is tied with the k-th."""
        limit = k + 1
        while True:
            points = self._client.query_points(
                self.collection,
                query=query,
                query_filter=self._wanted,
                limit=limit,
                with_payload=["did", "place"],
                search_params=self._models.SearchParams(exact=self.exact),
            ).points
            cut_short = len(points) == limit and points[-1].score == points[k - 1].score
            if not cut_short or limit > k + _TIES:
                break
            limit *= 2
        points.sort(key=lambda point: (-point.score, point.payload["place"], point.payload["did"]))
        return [(point.payload["did"], float(point.score)) for point in points[:k]]

    def _declare(self, candidates: Sequence[Candidate]) -> None:
        """Add new metadata fields to the manifest of the collection; every field keeps one kind."""
        fields = dict(self.fields)
        for candidate in candidates:
            for field, value in candidate.metadata.items():
                if value is None:
                    continue
                kind = kind_with(fields.get(field), value)
                if kind is None:
                    raise DataError(
                        f"{candidate.did!r}: metadata {field!r} is {value!r}, but elsewhere in {self.name} of kind "
                        f"{fields[field]}; give each field one kind"
                    )
                fields[field] = kind
        if fields != self.fields:
            manifest = _manifest(self.fingerprint, self.dimension, self.encoder, fields)
            with speaking_to(self.name):
                self._client.update_collection(self.collection, metadata=manifest)
            self.fields = fields

    def _write(self, payloads: Sequence[dict[str, Any]], vectors: Vectors) -> None:
        """Write points; an existing one keeps its place in the order, new ones come after all others."""
        if self._wanted is not None:
            raise DataError(f"{self.name}: write to the index, not to a filtered view of it")
        known = self.payloads([payload["did"] for payload in payloads])
        following = len(self)
        for number, payload in enumerate(payloads):
            before = known.get(payload["did"])
            payload["place"] = following + number if before is None else before["place"]
        with speaking_to(self.name):
            for some in _groups(list(zip(payloads, vectors, strict=True))):
                points = [
                    self._models.PointStruct(id=_point(payload["did"]), vector=vector.tolist(), payload=payload)
                    for payload, vector in some
                ]
                self._client.upsert(self.collection, points=points, wait=True)


def payload_of(candidate: Candidate) -> dict[str, Any]:
    """Return what is stored with a candidate's vector, but for its place."""
    return {
        "did": candidate.did,
        "parts": json.loads(parts_to_json(candidate.parts)),
        "metadata": dict(candidate.metadata),
    }


def _manifest(fingerprint: str, dimension: int, encoder: str, fields: Mapping[str, FieldKind]) -> dict[str, Any]:
    """Return the metadata that identifies a collection of ours."""
    own = {
        "format": 1,
        "fingerprint": fingerprint,
        "dimension": dimension,
        "encoder": encoder,
        "fields": dict(fields),
    }
    return {_MANIFEST: own}


def _groups(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items of one request after another."""
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _point(did: str) -> str:
    return str(uuid.uuid5(_SPACE, did))
