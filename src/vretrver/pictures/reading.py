"""Reading a file once for as long as it stays what it is: its hash is remembered, its bytes are held within a limit.

A file is known again by its `Identity`, which costs no reading. Nothing is remembered of a file that was written so
recently that another write could leave the same times: it is read each time, until it has settled.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..records import ImageRef
from .cache import BoundedCache, KeyedLocks
from .roots import Identity, Root

SETTLING_NS = 3 * 10**9
"""Nanoseconds after a change during which another may leave the same times: FAT counts in steps of two seconds, and
the clock that stamps files may lag a little behind."""

_KNOWN = 65_536
"""Most files whose hashes are remembered, a few hundred bytes each."""


def sha256_of(data: bytes) -> str:
    """Return the hash of a file's bytes, in hexadecimal; every hash of a picture file is made here."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBytes:
    """A file that was read."""

    sha256: str
    """Hash of `data`."""
    data: bytes
    """All bytes."""

    @classmethod
    def of(cls, data: bytes) -> FileBytes:
        """Return bytes with their hash."""
        return cls(sha256=sha256_of(data), data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A file as it is now."""

    sha256: str
    """Hash of its bytes."""
    data: bytes | None
    """The bytes where they were at hand; None where they would have to be read."""


class FileReader:
    """Reads files and remembers them; threads may share it, and two that want a settled file at once read it once.

    Args:
        max_bytes: largest file.
        held_bytes: most bytes of files held; 0 holds none.
        clock: nanoseconds since 1970; a test may set it.
    """

    def __init__(self, *, max_bytes: int, held_bytes: int, clock: Callable[[], int] = time.time_ns) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._hashes: BoundedCache[str] = BoundedCache(_KNOWN)
        self._held: BoundedCache[bytes] = BoundedCache(held_bytes)
        self._busy = KeyedLocks()

    def look(self, root: Root, ref: ImageRef) -> Sighting:
        """Return what a file is now, read only when it is not known; raises PictureError when it cannot be read."""
        with self._busy.hold((ref.root, ref.path)):
            identity = root.identity(ref)
            known = self._known(identity)
            if known is not None:
                return Sighting(sha256=known, data=self._held.get(known))
            file = self._fetch(root, ref, identity, known=None)
            return Sighting(sha256=file.sha256, data=file.data)

    def read(self, root: Root, ref: ImageRef) -> FileBytes:
        """Return the bytes of a file, those held where it is still the same; raises PictureError."""
        with self._busy.hold((ref.root, ref.path)):
            identity = root.identity(ref)
            known = self._known(identity)
            if known is not None and (data := self._held.get(known)) is not None:
                return FileBytes(sha256=known, data=data)
            return self._fetch(root, ref, identity, known=known)

    def _known(self, identity: Identity | None) -> str | None:
        return None if identity is None else self._hashes.get(identity.mark)

    def _fetch(self, root: Root, ref: ImageRef, identity: Identity | None, *, known: str | None) -> FileBytes:
        """Read a file; it is remembered when it was the same before and after, and no write can hide in its times."""
        now = self._clock()
        data = root.read(ref, max_bytes=self._max_bytes)
        same = identity is not None and root.identity(ref) == identity
        sha256 = known if same and known is not None else sha256_of(data)
        if identity is not None and same and _settled(identity, now):
            self._hashes.put(identity.mark, sha256, size=1)
            self._held.put(sha256, data, size=len(data))
        return FileBytes(sha256=sha256, data=data)


def _settled(identity: Identity, now: int) -> bool:
    return identity.changed_ns is None or now - identity.changed_ns >= SETTLING_NS
