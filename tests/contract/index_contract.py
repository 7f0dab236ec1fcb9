"""What every vector index must do; a test module subclasses `IndexContract` and makes the index."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vretrver.errors import DataError, IndexMismatch
from vretrver.retrieval.index import VectorIndex

D = 8


def vectors(count: int, *, seed: int, levels: int = 0) -> NDArray[np.float32]:
    """Return [count, D] vectors; with few levels many of them are equal."""
    generator = np.random.default_rng(seed)
    if levels:
        return generator.integers(-levels, levels + 1, size=(count, D)).astype(np.float32)
    return generator.normal(size=(count, D)).astype(np.float32)


def slow_search(stored: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> list[list[tuple[str, float]]]:
    """Score one pair at a time and sort, equal scores in the order added."""
    found = []
    for query in queries:
        scores = [float(np.float32(np.dot(row.astype(float), query.astype(float)))) for row in stored]
        order = sorted(range(len(stored)), key=lambda place: (-scores[place], place))[:k]
        found.append([(f"d{place}", scores[place]) for place in order])
    return found


class IndexContract(ABC):
    """Tests over one implementation."""

    @abstractmethod
    def make(self, dimension: int) -> VectorIndex:
        """Return an empty index."""

    def filled(self, stored: NDArray[np.float32], *, at_once: int) -> VectorIndex:
        index = self.make(D)
        for start in range(0, len(stored), at_once):
            block = stored[start : start + at_once]
            index.add([f"d{start + n}" for n in range(len(block))], block)
        return index

    def test_the_best_come_first_with_their_scores(self):
        index = self.make(2)
        index.add(["x", "y", "xy"], np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32))
        found = index.search(np.array([[1, 0], [0, 1]], dtype=np.float32), 2)
        assert [[did for did, _ in row] for row in found] == [["x", "xy"], ["y", "xy"]]
        assert [score for _, score in found[0]] == pytest.approx([1.0, 0.6])

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.differing_executors],  # one suite, several implementations
    )
    @given(st.integers(1, 60), st.integers(1, 70), st.integers(1, 7), st.sampled_from([0, 1]), st.integers(0, 999))
    def test_it_finds_what_a_slow_search_finds(self, count: int, k: int, at_once: int, levels: int, seed: int):
        stored, queries = vectors(count, seed=seed, levels=levels), vectors(3, seed=seed + 1, levels=levels)
        found = self.filled(stored, at_once=at_once).search(queries, k)
        slow = slow_search(stored, queries, k)
        assert [[did for did, _ in row] for row in found] == [[did for did, _ in row] for row in slow]
        for row, slow_row in zip(found, slow, strict=True):
            assert [score for _, score in row] == pytest.approx([score for _, score in slow_row], abs=1e-5)

    def test_equal_scores_keep_the_order_added_across_many_blocks(self):
        stored = np.tile(vectors(1, seed=5), (9000, 1))
        found = self.filled(stored, at_once=997).search(stored[:2], 9000)
        assert [[did for did, _ in row] for row in found] == [[f"d{n}" for n in range(9000)]] * 2

    def test_searching_between_adds_changes_nothing(self):
        stored, queries = vectors(50, seed=1), vectors(2, seed=2)
        index = self.filled(stored[:20], at_once=7)
        index.search(queries, 3)
        index.add([f"d{n}" for n in range(20, 50)], stored[20:])
        assert index.search(queries, 50) == self.filled(stored, at_once=50).search(queries, 50)

    def test_later_changes_of_the_callers_array_do_not_reach_the_index(self):
        stored, queries = vectors(5, seed=1), vectors(1, seed=2)
        index = self.filled(stored, at_once=5)
        before = index.search(queries, 5)
        stored[:] = 0
        assert index.search(queries, 5) == before

    def test_length_counts_vectors_and_no_query_gives_no_row(self):
        index = self.filled(vectors(5, seed=1), at_once=2)
        assert len(index) == 5
        assert index.search(vectors(0, seed=1), 3) == []

    def test_an_empty_index_finds_nothing(self):
        index = self.make(D)
        assert len(index) == 0
        assert index.search(vectors(2, seed=1), 3) == [[], []]

    def test_k_must_be_positive(self):
        with pytest.raises(ValueError, match="k must be at least 1"):
            self.filled(vectors(2, seed=1), at_once=2).search(vectors(1, seed=1), 0)

    @pytest.mark.parametrize("shape", [(1, D + 1), (1, D - 1), (D,), (1, 1, D)])
    def test_another_dimension_is_a_mismatch(self, shape: tuple[int, ...]):
        index = self.filled(vectors(2, seed=1), at_once=2)
        wrong = np.zeros(shape, dtype=np.float32)
        with pytest.raises(IndexMismatch, match=f"dimension {D}"):
            index.search(wrong, 1)
        with pytest.raises(IndexMismatch, match=f"dimension {D}"):
            index.add(["x"], wrong)

    @pytest.mark.parametrize(
        ("ids", "count"), [(["d0"], 1), (["x", "x"], 2), (["x", "d1", "y"], 3), (["x"], 2), (["x", "y"], 1)]
    )
    def test_wrong_ids_are_refused_and_nothing_is_added(self, ids: list[str], count: int):
        index = self.filled(vectors(2, seed=1), at_once=2)
        with pytest.raises(DataError):
            index.add(ids, vectors(count, seed=3))
        assert len(index) == 2
        index.add(["x", "y"], vectors(2, seed=3))
        assert len(index) == 4

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_numbers_that_are_not_finite_are_refused(self, value: float):
        wrong = vectors(1, seed=1)
        wrong[0, 3] = value
        index = self.make(D)
        with pytest.raises(DataError, match="not finite"):
            index.add(["x"], wrong)
        assert len(index) == 0
