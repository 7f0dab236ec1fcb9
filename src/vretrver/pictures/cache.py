"""What threads share: values kept up to a size, and a lock per key so that no two of them do the same work."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")


class BoundedCache(Generic[V]):
    """Keeps the values used last, up to a total size; safe to share between threads.

    Args:
        limit: largest total of the sizes given to `put`; bytes, or a number of values where each has size 1.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._values: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        """Return the value, now the one used last, or None."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: V, *, size: int) -> None:
        """Keep a value of `size` and drop what was not used for longest; larger ones are not kept."""
        with self._lock:
            if size > self.limit or key in self._values:
                return
            self._values[key] = (value, size)
            self.size += size
            while self.size > self.limit:
                _, (_, dropped) = self._values.popitem(last=False)
                self.size -= dropped


@dataclass(slots=True)
class _Turnstile:
    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


class KeyedLocks:
    """One lock per key, which exists only while a thread holds it or waits for it."""

    def __init__(self) -> None:
        self._turnstiles: dict[Hashable, _Turnstile] = {}
        self._guard = threading.Lock()

    @contextmanager
    def hold(self, key: Hashable) -> Iterator[None]:
        """Keep other threads out of the same key; not reentrant."""
        with self._guard:
            turnstile = self._turnstiles.setdefault(key, _Turnstile())
            turnstile.users += 1
        try:
            with turnstile.lock:
                yield
        finally:
            with self._guard:
                turnstile.users -= 1
                if turnstile.users == 0:
                    del self._turnstiles[key]
