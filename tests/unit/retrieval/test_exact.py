"""Pins that exact search equals scoring every pair, whatever the blocks, the mask and the number of queries."""

from __future__ import annotations

import numpy as np
import pytest

from vretrver.retrieval.encoder import Vectors
from vretrver.retrieval.exact import exact_search, longest_row, merged


def draw(count: int, *, seed: int, levels: int = 0) -> Vectors:
    generator = np.random.default_rng(seed)
    if levels:
        return generator.integers(-levels, levels + 1, size=(count, 6)).astype(np.float32)
    return generator.normal(size=(count, 6)).astype(np.float32)


def slow(matrix: Vectors, query: Vectors, k: int, rows: list[int]) -> list[int]:
    scores = {row: np.float32(np.dot(matrix[row].astype(float), query.astype(float))) for row in rows}
    return sorted(rows, key=lambda row: (-scores[row], row))[:k]


@pytest.mark.parametrize("levels", [0, 1])
@pytest.mark.parametrize("share", [None, 0.02, 0.5, 1.0, 0.0])
@pytest.mark.parametrize("block_bytes", [1, 24 * 7, 2**20])
def test_it_finds_what_scoring_every_pair_finds(levels: int, share: float | None, block_bytes: int):
    matrix, queries = draw(300, seed=1, levels=levels), draw(5, seed=2, levels=levels)
    allowed = None if share is None else np.random.default_rng(3).random(300) < share
    rows = [row for row in range(300) if allowed is None or allowed[row]]
    found = exact_search(matrix, queries, 9, longest=longest_row(matrix), allowed=allowed, block_bytes=block_bytes)
    for query, (slots, scores) in zip(queries, found, strict=True):
        assert slots.tolist() == slow(matrix, query, 9, rows)
        assert scores.tolist() == pytest.approx((matrix[slots] @ query).tolist(), abs=1e-5)


def test_rows_before_the_first_are_left_out():
    matrix = np.array([[3], [1], [2]], np.float32)
    ((slots, _),) = exact_search(matrix, np.ones((1, 1), np.float32), 3, longest=3.0, first=1)
    assert slots.tolist() == [2, 1]


def test_scores_that_32_bits_confuse_are_told_apart():
    # each row sums to the same in 32 bits when summed from the left; in 64 bits the second is larger
    matrix = np.array([[2**25, 0, 0, -(2**25)], [2**25, 1, 0, -(2**25)]], np.float32)
    ((slots, scores),) = exact_search(matrix, np.ones((1, 4), np.float32), 1, longest=longest_row(matrix))
    assert (slots.tolist(), scores.tolist()) == ([1], [1.0])


def test_more_queries_than_a_pass_takes():
    matrix, queries = draw(40, seed=1), draw(600, seed=2)
    together = exact_search(matrix, queries, 3, longest=longest_row(matrix))
    singly = [exact_search(matrix, query[None], 3, longest=longest_row(matrix))[0] for query in queries]
    assert [slots.tolist() for slots, _ in together] == [slots.tolist() for slots, _ in singly]
    assert [scores.tolist() for _, scores in together] == [scores.tolist() for _, scores in singly]


def test_no_rows_and_no_queries():
    nothing = np.zeros((0, 6), np.float32)
    ((slots, scores),) = exact_search(nothing, draw(1, seed=1), 3, longest=longest_row(nothing))
    assert (slots.tolist(), scores.tolist()) == ([], [])
    assert exact_search(draw(3, seed=1), nothing, 3, longest=9.0) == []


def test_merging_keeps_the_lower_row_first():
    left = (np.array([5, 0]), np.array([2, 1], np.float32))
    right = (np.array([3, 7]), np.array([2, 0], np.float32))
    slots, scores = merged([left, right], 3)
    assert (slots.tolist(), scores.tolist()) == ([3, 5, 0], [2.0, 2.0, 1.0])
