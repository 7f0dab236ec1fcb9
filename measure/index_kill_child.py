"""The process that `measure.index_kill` kills: it indexes texts, and may kill itself at a chosen point."""

from __future__ import annotations

import hashlib
import os
import random
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from vretrver.images import ImageStore
from vretrver.records import Candidate, Query, TextPart
from vretrver.retrieval.directory.manifest import Manifest
from vretrver.retrieval.directory.update import update_index
from vretrver.retrieval.directory.writer import IndexWriter
from vretrver.retrieval.encoder import Vectors

DIMENSION = 64
BATCH = 64


class CheapEncoder:
    """Hashes texts into vectors and says which items it was given.

    Args:
        pipe: told the number of the first item and of the one after the last; None tells nobody.
    """

    fingerprint = "cheap"
    dimension = DIMENSION

    def __init__(self, pipe: Connection | None = None) -> None:
        self._pipe = pipe

    def encode_queries(self, queries: Sequence[Query]) -> Vectors:
        """Return [N, D]."""
        return self._rows([query.text for query in queries])

    def encode_candidates(self, candidates: Sequence[Candidate]) -> Vectors:
        """Return [N, D]."""
        if self._pipe is not None and candidates:
            self._pipe.send(("encode", int(candidates[0].did), int(candidates[-1].did) + 1))
        return self._rows([candidate.text for candidate in candidates])

    @staticmethod
    def _rows(texts: Sequence[str]) -> Vectors:
        digests = b"".join(hashlib.blake2b(text.encode(), digest_size=DIMENSION).digest() for text in texts)
        rows = np.frombuffer(digests, np.int8).reshape(-1, DIMENSION) + np.float32(0.5)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def items(count: int) -> list[Candidate]:
    """Return texts with metadata; dids are their numbers."""
    return [
        Candidate(did=str(n), parts=(TextPart(text=f"item {n} of many"),), metadata={"place": n, "even": n % 2 == 0})
        for n in range(count)
    ]


def index_all(directory: Path, count: int, pipe: Connection | None, points: int | None, seed: int) -> None:
    """Bring an index up to date; the work of a child.

    Args:
        directory: the index.
        count: items of the source.
        pipe: told of encoded and committed items.
        points: system calls and statements after which to die; None lives.
        seed: where a write is cut.
    """
    with IndexWriter(directory, new=Manifest(fingerprint="cheap", dimension=DIMENSION)) as writer:
        if points is not None:
            _die_after(points, writer, random.Random(seed))

        def committed(dids: Sequence[str]) -> None:
            if pipe is not None:
                pipe.send(("committed", 0, int(dids[-1]) + 1))

        images = ImageStore({"": directory})
        update_index(writer, items(count), CheapEncoder(pipe), images, batch_size=BATCH, committed=committed)


def thin_out(directory: Path, count: int, points: int | None, seed: int) -> None:
    """Delete every third item and compact; the work of a child."""
    with IndexWriter(directory) as writer:
        if points is not None:
            _die_after(points, writer, random.Random(seed))
        writer.delete([str(n) for n in range(0, count, 3)])
        writer.compact()


def _die_after(points: int, writer: IndexWriter, chance: random.Random) -> None:
    """Kill this process at the n-th write, sync or SQL statement from now on; a write may be cut first."""
    left = points
    write, sync = os.pwrite, os.fsync

    def point() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying_write(descriptor: int, data: memoryview, offset: int) -> int:
        if left == 1:
            write(descriptor, data[: chance.randrange(len(data) + 1)], offset)
        point()
        return write(descriptor, data, offset)

    def dying_sync(descriptor: int) -> None:
        point()
        sync(descriptor)
        point()

    os.pwrite, os.fsync = dying_write, dying_sync
    writer.database._connection.set_trace_callback(lambda _: point())
