"""Pins that values are dropped in the order of use, and that a lock of one key neither stays nor keeps others out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vretrver.pictures.cache import BoundedCache, KeyedLocks


def test_what_was_not_used_for_longest_is_dropped_first() -> None:
    cache: BoundedCache[str] = BoundedCache(10)
    for key, size in (("a", 4), ("b", 4), ("large", 11)):
        cache.put(key, key, size=size)
    assert cache.get("a") == "a"
    cache.put("c", "c", size=4)
    assert [cache.get(key) for key in ("a", "b", "c", "large")] == ["a", None, "c", None]
    assert cache.size == 8


def test_one_key_is_held_by_one_thread_at_a_time_and_nothing_is_left() -> None:
    locks = KeyedLocks()
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with locks.hold("key"):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(400)))
    assert max(most) == 1
    assert locks._turnstiles == {}


def test_different_keys_are_held_at_the_same_time() -> None:
    locks, both = KeyedLocks(), threading.Barrier(2)

    def work(key: str) -> int:
        with locks.hold(key):
            return both.wait(timeout=10)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, "ab")) == [0, 1]


def test_a_failure_lets_the_next_thread_in() -> None:
    locks = KeyedLocks()
    with pytest.raises(ZeroDivisionError), locks.hold("key"):
        _ = 1 / 0
    with locks.hold("key"):
        assert len(locks._turnstiles) == 1
