"""Searching an index directory, from any number of threads, while others may be writing to it.

Every call reads one commit: the manifest, the vectors it counts, and the rows. Vectors and candidates stay on disk
until they are needed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
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
from .commits import Commit, Commits
from .entries import bare_entry
from .filtered import FilteredIndex
from .filters import parse_filter
from .listing import FilteredItems, listing
from .lock import Holder, holder_of
from .manifest import LOCK, Manifest
from .writer import IndexWriter, check_slots

_MASKS = 8  # filters whose masks are kept; each takes a byte per slot
_FEW = 20_000  # vectors: reading so few is faster than faiss with a mask, and exact

Mask = NDArray[np.bool_]


class DirectoryIndex:
    """A `VectorIndex` over an index directory; threads may share one, its filtered views included.

    Args:
        directory: the index directory.
        writer: the writer of the same directory when vectors are to be added through this object; closed with it.

    Raises:
        DataError: there is no index, or it is damaged.
    """

    def __init__(self, directory: Path, *, writer: IndexWriter | None = None) -> None:
        self.directory = directory
        self._writer = writer
        self._commits = Commits(directory)
        self._lock = threading.Lock()  # over the masks, and the writer
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
        self._commits.close()
        if self._writer is not None:
            self._writer.close()

    @property
    def manifest(self) -> Manifest:
        """What the index says of itself now."""
        with self._commits.rows() as database:
            return database.manifest()

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder that made the vectors."""
        return self._commits.latest.fingerprint

    @property
    def dimension(self) -> int:
        """Length D of a vector."""
        return self._commits.latest.dimension

    @property
    def holder(self) -> Holder | None:
        """Who is writing, None when nobody is."""
        return holder_of(self.directory / LOCK)

    def __len__(self) -> int:
        """Return the number of vectors that can be found."""
        with self._commits.rows() as database:
            return max(0, database.manifest().slots - database.dead_count())

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors [N, D] under N new ids; see `VectorIndex.add`. On return they are on disk.

        They have no item: `candidates` leaves them out. Items come in through `update_index`.
        """
        if self._writer is None:
            raise DataError(f"{self.directory}: opened for reading; open it with `DirectoryIndex.create` to add")
        check_vectors(vectors, self.dimension)
        with self._lock:
            check_ids(ids, vectors, self._writer.database.rows(ids))
            self._writer.put([bare_entry(did) for did in ids], vectors)

    def candidates(self, dids: Sequence[str]) -> dict[str, Candidate]:
        """Return the items of dids; what is not in the index is left out."""
        with self._commits.rows() as database:
            return database.candidates(dids)

    def items(self) -> Iterator[Candidate]:
        """Yield the items in the order of slots."""
        with self._commits.rows() as database:
            yield from database.all_candidates()

    def listed(self, where: str, most: int) -> FilteredItems:
        """Return the items that a filter matches, without a query, and at most so many of them; see `listing`."""
        with self._commits.read() as commit:
            return listing(commit.database, commit.manifest, where, most)

    def use(self, accelerator: Accelerator | None) -> None:
        """Search through an accelerator from now on; None searches the memory map."""
        self._accelerator = accelerator

    def where(self, expression: str) -> FilteredIndex:
        """Return the index narrowed to what a filter over metadata matches; see `filters`.

        Raises:
            ConfigError: the filter cannot be parsed or names an unknown field.
        """
        parse_filter(expression, self.manifest.fields)
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
        with self._commits.read() as commit:
            best = self._best(commit, queries, k, self._allowed(commit, where))
            wanted = {slot for slots, _ in best for slot in slots.tolist()}
            names = commit.database.dids_of_slots(wanted)
            if len(names) < len(wanted):
                raise DataError(f"{self.directory}: slot {min(wanted - set(names))} has no item; index again")
        return [
            [(names[slot], float(score)) for slot, score in zip(slots.tolist(), scores, strict=True)]
            for slots, scores in best
        ]

    def count(self, where: str | None = None) -> int:
        """Return how many vectors a filter matches."""
        with self._commits.read() as commit:
            allowed = self._allowed(commit, where)
            return commit.manifest.slots if allowed is None else int(allowed.sum())

    def among(self, dids: Sequence[str], where: str | None = None) -> set[str]:
        """Return which of some dids are items of the index that a filter matches."""
        with self._commits.read() as commit:
            allowed = self._allowed(commit, where)
            rows = [(did, row.slot) for did, row in commit.database.rows(dids).items() if row.parts is not None]
            check_slots(self.directory, np.array([slot for _, slot in rows], np.int64), commit.manifest.slots)
            return {did for did, slot in rows if allowed is None or allowed[slot]}

    def vectors_of(self, dids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors [D] of dids; what is not in the index is left out."""
        with self._commits.read() as commit:
            rows = commit.database.rows(dids)
            check_slots(
                self.directory, np.array([row.slot for row in rows.values()], np.int64), commit.manifest.slots
            )
            return {did: np.array(commit.vectors[row.slot]) for did, row in rows.items()}

    def mapped(self) -> tuple[Manifest, Vectors]:
        """Return the manifest and the vectors [slots, D] of one commit, dead ones included."""
        with self._commits.read() as commit:
            return commit.manifest, commit.vectors

    def live(self) -> Mask | None:
        """Return the mask [slots] of what can be found; None when that is everything."""
        with self._commits.read() as commit:
            return self._allowed(commit, None)

    def _best(self, commit: Commit, queries: Vectors, k: int, allowed: Mask | None) -> list[Best]:
        accelerator, vectors, longest = self._accelerator, commit.vectors, commit.manifest.longest
        if accelerator is None or accelerator.generation != commit.manifest.generation:
            return exact_search(vectors, queries, k, longest=longest, allowed=allowed)
        if allowed is not None and int(allowed.sum()) <= max(k, _FEW):  # reading those few is faster, and exact
            return exact_search(vectors, queries, k, longest=longest, allowed=allowed)
        return accelerated_search(accelerator, vectors, queries, k, longest=longest, allowed=allowed)

    def _allowed(self, commit: Commit, where: str | None) -> Mask | None:
        """Return the mask of a filter at this commit, kept for the next time; None allows everything."""
        version = commit.manifest.version
        with self._lock:
            known = self._masks.get(where)
            if known is not None and known[0] == version:
                self._masks.move_to_end(where)
                return known[1]
        mask = self._mask(commit, where)
        with self._lock:
            self._masks[where] = version, mask
            if len(self._masks) > _MASKS:
                self._masks.popitem(last=False)
        return mask

    def _mask(self, commit: Commit, where: str | None) -> Mask | None:
        """Return the mask of a filter; without one of all that is not dead, None where nothing is."""
        database, manifest = commit.database, commit.manifest
        if where is None:
            chosen = database.dead_slots()
            if not len(chosen):
                return None
        else:
            condition = parse_filter(where, manifest.fields)
            chosen = database.slots_where(condition.sql, condition.values)
        check_slots(self.directory, chosen, manifest.slots)
        mask = np.full(manifest.slots, where is None, np.bool_)
        mask[chosen] = where is not None
        return mask


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
