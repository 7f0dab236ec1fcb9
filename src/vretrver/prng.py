"""Counter-based random numbers in 64-bit integer arithmetic (SplitMix64), the same on every machine.

A stream is named by a seed and a path; streams of different paths are independent, so adding a draw in one
place never changes a draw in another. Not for cryptography.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")

_MASK = 2**64 - 1
# SplitMix64 (Steele, Lea and Flood 2014): the increment, 2**64 over the golden ratio, and the two multipliers.
_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


def _mixed(word: int) -> int:
    """Return SplitMix64's finaliser of a 64-bit word."""
    word = ((word ^ (word >> 30)) * _MIX_1) & _MASK
    word = ((word ^ (word >> 27)) * _MIX_2) & _MASK
    return word ^ (word >> 31)


def _folded(key: int, part: int | str) -> int:
    """Return a new key that depends on the old one and on one element of a path."""
    if isinstance(part, str):
        data = part.encode()
        key = _mixed((key ^ _MIX_1) + len(data) & _MASK)
        for start in range(0, len(data), 7):
            key = _mixed((key ^ int.from_bytes(data[start : start + 7], "little")) + _GOLDEN & _MASK)
        return key
    return _mixed((key ^ (part & _MASK)) + _GOLDEN & _MASK)


class Stream:
    """An endless sequence of 32-bit words, determined by a seed and a path.

    Args:
        seed: any integer; its low 64 bits are used.
        *path: integers and strings that name the stream.
    """

    __slots__ = ("_counter", "_key")

    def __init__(self, seed: int, *path: int | str) -> None:
        self._key = _mixed(seed & _MASK)
        for part in path:
            self._key = _folded(self._key, part)
        self._counter = 0

    def child(self, *path: int | str) -> Stream:
        """Return the stream of a longer path; it does not depend on what was drawn from this one."""
        stream = Stream(0)
        stream._key = self._key
        for part in path:
            stream._key = _folded(stream._key, part)
        return stream

    def word(self) -> int:
        """Return the next word, 0 <= word < 2**32."""
        self._counter += 1
        return _mixed(self._key + self._counter * _GOLDEN & _MASK) >> 32

    def below(self, limit: int) -> int:
        """Return an integer in 0 <= n < limit, 1 <= limit <= 2**32; the bias is under limit / 2**32."""
        if not 1 <= limit <= 2**32:
            raise ValueError(f"cannot draw below {limit}: the limit must be 1 to 2**32")
        return self.word() * limit >> 32

    def between(self, low: int, high: int) -> int:
        """Return an integer in low <= n <= high."""
        return low + self.below(high - low + 1)

    def choice(self, items: Sequence[T]) -> T:
        """Return one of the items, all equally likely."""
        return items[self.below(len(items))]

    def words(self, count: int) -> npt.NDArray[np.uint32]:
        """Return the next `count` words, the same ones that `word` would give."""
        counters = np.arange(self._counter + 1, self._counter + count + 1, dtype=np.uint64)
        self._counter += count
        word = counters * np.uint64(_GOLDEN) + np.uint64(self._key)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(_MIX_1)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(_MIX_2)
        return ((word ^ (word >> np.uint64(31))) >> np.uint64(32)).astype(np.uint32)

    def permutation(self, count: int) -> list[int]:
        """Return the integers 0 .. count - 1 in random order."""
        order: list[int] = np.argsort(self.words(count), kind="stable").tolist()
        return order
