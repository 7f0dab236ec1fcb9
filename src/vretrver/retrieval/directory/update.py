"""Bringing an index up to date with a source: only new and changed items are encoded, and committed in batches.

Items are recognised by their content: a renamed item takes the vector that its content already has. After a run that
was stopped, run it again; what was committed is found unchanged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from ...errors import DataError, PictureError
from ...images import ImageStore
from ...records import Candidate, ImagePart
from ..encoder import Encoder, Vectors
from ..retriever import RefusedCandidate
from .database import StoredItem
from .entries import Entry, content_hash, entry_of
from .index import check_encoder
from .writer import IndexWriter

_LOOK_UP = 512  # candidates looked up in the database at a time
_DELETE = 1000  # items deleted in one commit, so that a long deletion can be stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReport:
    """What an update did."""

    encoded: int = 0
    """Items given to the encoder: new ones and those whose content changed."""
    copied: int = 0
    """New or changed items that took the vector of an item with the same content."""
    described: int = 0
    """Items whose content stayed and whose metadata or paths changed."""
    unchanged: int = 0
    """Items that stayed as they were."""
    deleted: int = 0
    """Items removed because the source no longer has them."""
    refused: tuple[RefusedCandidate, ...] = ()
    """Items that could not be read; where the index had them already, they stay as they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """An item that needs a vector."""

    candidate: Candidate
    entry: Entry
    slot: int | None
    """Slot to copy the vector from; None to encode."""


def update_index(
    writer: IndexWriter,
    candidates: Iterable[Candidate],
    encoder: Encoder,
    images: ImageStore,
    *,
    batch_size: int = 64,
    content: Callable[[Candidate], bytes] = content_hash,
    delete: Callable[[str], bool] | None = None,
    may_delete: Callable[[int, int], bool] | None = None,
    progress: Callable[[int], None] | None = None,
    committed: Callable[[Sequence[str]], None] | None = None,
) -> UpdateReport:
    """Make an index hold the candidates of a source.

    Args:
        writer: the writer of the index.
        candidates: the source; dids must be unique.
        encoder: the one the index was made with.
        images: reads the pictures that have no hash yet.
        batch_size: items encoded and committed at once; at least 1.
        content: hash of all that an item's vector depends on.
        delete: called at the end with each did that the source does not have; items for which it returns True are
            deleted. None deletes nothing.
        may_delete: asked once with (items to delete, items in the index) before any is; None agrees.
        progress: called with the number of items done.
        committed: called with the dids of a batch once they are on disk.

    Raises:
        IndexMismatch: the index was made by another encoder.
        DataError: a did appears twice, or metadata cannot be stored.
        StorageError: the disk is full. After any error, what was committed is kept.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    check_encoder(writer.directory, writer.manifest, encoder)
    update = _Update(writer, encoder, images, content, batch_size, committed)
    done = 0
    for group in _groups(candidates):
        update.take(group)
        done += len(group)
        if progress is not None:
            progress(done)
    update.flush()
    if delete is not None:
        update.delete_missing(delete, may_delete)
    return UpdateReport(**update.counts, refused=tuple(update.refused))


@dataclass(slots=True)
class _Update:
    """An update under way."""

    writer: IndexWriter
    encoder: Encoder
    images: ImageStore
    content: Callable[[Candidate], bytes]
    batch_size: int
    committed: Callable[[Sequence[str]], None] | None
    counts: Counter[str] = field(default_factory=Counter)
    """By the fields of `UpdateReport`."""
    refused: list[RefusedCandidate] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    pending: list[_Work] = field(default_factory=list)

    def take(self, group: Sequence[Candidate]) -> None:
        """Divide a group into unchanged items, items whose row changed, and items that need a vector."""
        entries = list(self._entries(group))
        with self.writer.database.reading():
            rows = self.writer.database.rows([entry.did for _, entry in entries])
            unknown = [e.content for _, e in entries if e.content and not _same_content(rows.get(e.did), e)]
            slots = self.writer.database.slots_of_contents(unknown)
        changed: list[tuple[int, Entry]] = []
        for candidate, entry in entries:
            row = rows.get(entry.did)
            if row is None or not _same_content(row, entry):
                slot = slots.get(entry.content) if entry.content else None
                self.pending.append(_Work(candidate=candidate, entry=entry, slot=slot))
            elif (row.parts, row.metadata) != (entry.parts, entry.metadata):
                changed.append((row.slot, entry))
            else:
                self.counts["unchanged"] += 1
        self._change(changed)
        while len(self.pending) >= self.batch_size:
            self._store(self.pending[: self.batch_size])
            del self.pending[: self.batch_size]

    def flush(self) -> None:
        """Store what is left."""
        if self.pending:
            self._store(self.pending)
            self.pending = []

    def delete_missing(self, delete: Callable[[str], bool], may_delete: Callable[[int, int], bool] | None) -> None:
        """Delete the items that the source did not have and `delete` agrees to."""
        with self.writer.database.reading():
            before = list(self.writer.database.all_dids())
        gone = [did for did in before if did not in self.seen and delete(did)]
        if gone and may_delete is not None and not may_delete(len(gone), len(before)):
            return
        for start in range(0, len(gone), _DELETE):
            self.counts["deleted"] += self.writer.delete(gone[start : start + _DELETE])

    def _entries(self, group: Sequence[Candidate]) -> Iterator[tuple[Candidate, Entry]]:
        for candidate in group:
            if candidate.did in self.seen:
                raise DataError(f"did {candidate.did!r} appears twice in the source; dids must be unique")
            self.seen.add(candidate.did)
            try:
                pinned = _pinned(candidate, self.images)
            except PictureError as error:
                self.refused.append(RefusedCandidate(did=candidate.did, reason=str(error)))
            else:
                yield pinned, entry_of(pinned, self.content(pinned))

    def _change(self, changed: Sequence[tuple[int, Entry]]) -> None:
        if changed:
            self.writer.change(changed)
            self.counts["described"] += len(changed)
            self._tell([entry.did for _, entry in changed])

    def _store(self, works: Sequence[_Work]) -> None:
        """Encode or copy, and commit."""
        new = [work for work in works if work.slot is None]
        try:
            vectors = self.encoder.encode_candidates([work.candidate for work in new])
        except PictureError:  # one of them: find out which, and keep the others
            new, vectors = self._encoded_singly(new)
        ready = {work.entry.did: vector for work, vector in zip(new, vectors, strict=True)}
        kept = [work for work in works if work.slot is not None or work.entry.did in ready]
        if not kept:
            return
        stored = self.writer.vectors()
        rows = [stored[work.slot] if work.slot is not None else ready[work.entry.did] for work in kept]
        self.writer.put([work.entry for work in kept], np.stack(rows).astype(np.float32))
        self.counts["encoded"] += len(new)
        self.counts["copied"] += len(kept) - len(new)
        self._tell([work.entry.did for work in kept])

    def _encoded_singly(self, works: Sequence[_Work]) -> tuple[list[_Work], Vectors]:
        kept, rows = [], [np.zeros((0, self.encoder.dimension), np.float32)]
        for work in works:
            try:
                rows.append(self.encoder.encode_candidates([work.candidate]))
                kept.append(work)
            except PictureError as error:
                self.refused.append(RefusedCandidate(did=work.entry.did, reason=str(error)))
        return kept, np.concatenate(rows)

    def _tell(self, dids: Sequence[str]) -> None:
        if self.committed is not None:
            self.committed(dids)


def _groups(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    source = iter(candidates)
    while group := list(islice(source, _LOOK_UP)):
        yield group


def _same_content(row: StoredItem | None, entry: Entry) -> bool:
    return row is not None and row.content is not None and row.content == entry.content


def _pinned(candidate: Candidate, images: ImageStore) -> Candidate:
    """Return the candidate with the hash and size of every picture."""
    if all(image.sha256 is not None for image in candidate.pictures):
        return candidate
    parts = tuple(
        ImagePart(image=images.pin(part.image)) if isinstance(part, ImagePart) and part.image.sha256 is None else part
        for part in candidate.parts
    )
    return replace(candidate, parts=parts)
