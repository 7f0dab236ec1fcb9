"""Searching an index directory while others may be writing to it.

Every call reads one commit: the manifest, the vectors it counts, and the rows. Vectors and candidates stay on disk
until they are needed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError, IndexMismatch
from ...records import Candidate
from ..encoder import Encoder, Vectors
from ..exact import Best, exact_search
from ..index import Found, check_ids, check_vectors
from .accelerate import Accelerator, accelerated_search
from .check import sampled
from .database import ItemDatabase
from .entries import bare_entry
from .filtered import FilteredIndex
from .filters import parse_filter
from .lock import Holder, holder_of
from .manifest import LOCK, Manifest
from .vectors import map_vectors
from .writer import IndexWriter, check_slots

_MASKS = 8  # filters whose masks are kept; each takes a byte per slot
_TRIES = 5  # a compaction between reading the manifest and mapping is rare
_FEW = 20_000  # vectors: reading so few is faster than faiss with a mask, and exact

Mask = NDArray[np.bool_]


class DirectoryIndex:
    """A `VectorIndex` over an index directory; use it from the thread that opened it.

    Args:
        directory: the index directory.
        writer: the writer of the same directory when vectors are to be added through this object; closed with it.

    Raises:
        DataError: there is no index, or it is damaged.
    """

    def __init__(self, directory: Path, *, writer: IndexWriter | None = None) -> None:
        self.directory = directory
        self._writer = writer
        self._database = ItemDatabase(directory)
        self._manifest = self._database.manifest()
        self._vectors: Vectors | None = None
        self._masks: OrderedDict[str | None, tuple[int, Mask | None]] = OrderedDict()
        self._accelerator: Accelerator | None = None

    @classmethod
    def create(cls, directory: Path, *, dimension: int, fingerprint: str) -> Self:
        """Return an index that takes vectors through `add`, created if there is none yet."""
        manifest = Manifest(fingerprint=fingerprint, dimension=dimension)
        return cls(directory, writer=IndexWriter(directory, new=manifest))

    def __enter__(self) -> Self:
        """Return the index."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the index."""
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._database.close()
        if self._writer is not None:
            self._writer.close()

    @property
    def manifest(self) -> Manifest:
        """What the index says of itself now."""
        return self._database.manifest()

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder that made the vectors."""
        return self._manifest.fingerprint

    @property
    def dimension(self) -> int:
        """Length D of a vector."""
        return self._manifest.dimension

    @property
    def holder(self) -> Holder | None:
        """Who is writing, None when nobody is."""
        return holder_of(self.directory / LOCK)

    def __len__(self) -> int:
        """Return the number of vectors that can be found."""
        with self._database.reading():
            return max(0, self._database.manifest().slots - self._database.dead_count())

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors [N, D] under N new ids; see `VectorIndex.add`. On return they are on disk.

        They have no item: `candidates` leaves them out. Items come in through `update_index`.
        """
        if self._writer is None:
            raise DataError(f"{self.directory}: opened for reading; open it with `DirectoryIndex.create` to add")
        check_vectors(vectors, self.dimension)
        check_ids(ids, vectors, self._writer.database.rows(ids))
        self._writer.put([bare_entry(did) for did in ids], vectors)

    def candidates(self, dids: Sequence[str]) -> dict[str, Candidate]:
        """Return the items of dids; what is not in the index is left out."""
        with self._database.reading():
            return self._database.candidates(dids)

    def items(self, sample: int | None = None) -> Iterator[Candidate]:
        """Yield the items in the order of slots: all of them, or a random sample."""
        with self._database.reading():
            if sample is None:
                yield from self._database.all_candidates()
            else:
                yield from self._database.candidates(sampled(self._database.all_dids(), sample)).values()

    def use(self, accelerator: Accelerator | None) -> None:
        """Search through an accelerator from now on; None searches the memory map."""
        self._accelerator = accelerator

    def where(self, expression: str) -> FilteredIndex:
        """Return the index narrowed to what a filter over metadata matches; see `filters`.

        Raises:
            ConfigError: the filter cannot be parsed or names an unknown field.
        """
        with self._state() as manifest:
            parse_filter(expression, manifest.fields)
        return FilteredIndex(self, expression)

    def search(self, queries: Vectors, k: int, *, where: str | None = None) -> list[Found]:
        """Return the k best (did, score) of each query, best first; see `VectorIndex.search`.

        Args:
            queries: [Q, D] float32.
            k: at least 1.
            where: a filter; only what it matches is found.
        """
        check_vectors(queries, self.dimension)
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        with self._state() as manifest:
            best = self._best(manifest, queries, k, self._allowed(manifest, where))
            wanted = {slot for slots, _ in best for slot in slots.tolist()}
            names = self._database.dids_of_slots(wanted)
            if len(names) < len(wanted):
                raise DataError(f"{self.directory}: slot {min(wanted - set(names))} has no item; index again")
        return [
            [(names[slot], float(score)) for slot, score in zip(slots.tolist(), scores, strict=True)]
            for slots, scores in best
        ]

    def count(self, where: str | None = None) -> int:
        """Return how many vectors a filter matches."""
        with self._state() as manifest:
            allowed = self._allowed(manifest, where)
            return manifest.slots if allowed is None else int(allowed.sum())

    def among(self, dids: Sequence[str], where: str | None = None) -> set[str]:
        """Return which of some dids are items of the index that a filter matches."""
        with self._state() as manifest:
            allowed = self._allowed(manifest, where)
            rows = [(did, row.slot) for did, row in self._database.rows(dids).items() if row.parts is not None]
            check_slots(self.directory, np.array([slot for _, slot in rows], np.int64), manifest.slots)
            return {did for did, slot in rows if allowed is None or allowed[slot]}

    def vectors_of(self, dids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors [D] of dids; what is not in the index is left out."""
        with self._state() as manifest:
            rows = self._database.rows(dids)
            check_slots(self.directory, np.array([row.slot for row in rows.values()], np.int64), manifest.slots)
            return {did: np.array(self._mapped()[row.slot]) for did, row in rows.items()}

    def mapped(self) -> tuple[Manifest, Vectors]:
        """Return the manifest and the vectors [slots, D] of one commit, dead ones included."""
        with self._state() as manifest:
            return manifest, self._mapped()

    def live(self) -> Mask | None:
        """Return the mask [slots] of what can be found; None when that is everything."""
        with self._state() as manifest:
            return self._allowed(manifest, None)

    def _best(self, manifest: Manifest, queries: Vectors, k: int, allowed: Mask | None) -> list[Best]:
        accelerator = self._accelerator
        if accelerator is None or accelerator.generation != manifest.generation:
            return exact_search(self._mapped(), queries, k, longest=manifest.longest, allowed=allowed)
        if allowed is not None and int(allowed.sum()) <= max(k, _FEW):  # reading those few is faster, and exact
            return exact_search(self._mapped(), queries, k, longest=manifest.longest, allowed=allowed)
        return accelerated_search(accelerator, self._mapped(), queries, k, longest=manifest.longest, allowed=allowed)

    def _mapped(self) -> Vectors:
        if self._vectors is None:
            raise RuntimeError("vectors are mapped inside _state only")
        return self._vectors

    def _allowed(self, manifest: Manifest, where: str | None) -> Mask | None:
        """Return the mask of a filter at this commit, kept for the next time; None allows everything."""
        known = self._masks.get(where)
        if known is not None and known[0] == manifest.version:
            self._masks.move_to_end(where)
            return known[1]
        if where is None:
            dead = self._database.dead_slots()
            mask = None if not len(dead) else np.ones(manifest.slots, np.bool_)
            if mask is not None:
                check_slots(self.directory, dead, manifest.slots)
                mask[dead] = False
        else:
            condition = parse_filter(where, manifest.fields)
            mask = np.zeros(manifest.slots, np.bool_)
            matching = self._database.slots_where(condition.sql, condition.values)
            check_slots(self.directory, matching, manifest.slots)
            mask[matching] = True
        self._masks[where] = (manifest.version, mask)
        if len(self._masks) > _MASKS:
            self._masks.popitem(last=False)
        return mask

    @contextmanager
    def _state(self) -> Iterator[Manifest]:
        """Read one commit: its manifest, with its vectors mapped."""
        for left in reversed(range(_TRIES)):
            with self._database.reading():
                manifest = self._database.manifest()
                try:
                    self._map(manifest)
                except FileNotFoundError as error:  # compacted since the manifest was read: read again
                    if left:
                        continue
                    raise DataError(f"{self.directory}: {manifest.vector_file} is gone; index again") from error
                yield manifest
                return

    def _map(self, manifest: Manifest) -> None:
        same = self._manifest.generation == manifest.generation and self._vectors is not None
        if not same or len(self._mapped()) != manifest.slots:
            path = self.directory / manifest.vector_file
            self._vectors = map_vectors(path, slots=manifest.slots, dimension=manifest.dimension)
        self._manifest = manifest


def check_encoder(directory: Path, manifest: Manifest, encoder: Encoder) -> None:
    """Raise IndexMismatch, saying what differs, unless the encoder is the one the index was made with."""
    if encoder.fingerprint == manifest.fingerprint and encoder.dimension == manifest.dimension:
        return
    theirs, ours = _facts(manifest.fingerprint, manifest.dimension), _facts(encoder.fingerprint, encoder.dimension)
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    differences = [f"{name} {theirs.get(name, 'none')} there, {ours.get(name, 'none')} here" for name in names]
    raise IndexMismatch(
        f"{directory}: made by an encoder other than the one in use: "
        f"{'; '.join(differences) or 'the order of its settings'}; use the encoder it was made with, or index again"
    )


def _facts(fingerprint: str, dimension: int) -> Mapping[str, str]:
    """Return the facts in a fingerprint: its `name=value` pairs by name, the rest together as `encoder`."""
    words = fingerprint.replace("(", " ").replace(")", " ").replace(",", " ").split()
    pairs = dict(word.split("=", 1) for word in words if "=" in word)
    rest = " ".join(word for word in words if "=" not in word)
    return {"encoder": rest, **pairs, "dimension": str(dimension)}
