"""Pins the random numbers: SplitMix64's published sequence, independence of streams, words equal to single draws."""

from __future__ import annotations

import pytest

from vretrver.prng import Stream


def test_the_stream_of_seed_zero_is_the_published_sequence_of_splitmix64():
    stream = Stream(0)
    assert [stream.word() for _ in range(3)] == [0xE220A839, 0x6E789E6A, 0x06C45D18]


def test_literal_draws_of_a_named_stream():
    stream = Stream(1, "family", 12)
    assert [stream.word() for _ in range(3)] == [0x101780FA, 0x2678588F, 0xFF16BE6E]
    assert Stream(5, "p").permutation(8) == [3, 6, 4, 5, 1, 0, 7, 2]
    assert Stream(-1, "x").below(1000) == 857


def test_words_are_the_single_draws_and_move_the_stream_on():
    one, many = Stream(9, "a"), Stream(9, "a")
    singles = [one.word() for _ in range(7)]
    assert many.words(3).tolist() + many.words(4).tolist() == singles
    assert one.word() == many.word()


def test_a_child_does_not_depend_on_what_its_parent_drew():
    fresh, used = Stream(3, "a"), Stream(3, "a")
    used.words(100)
    assert fresh.child("b", 2).word() == used.child("b", 2).word() == Stream(3, "a", "b", 2).word()


def test_paths_seeds_and_long_names_give_different_streams():
    paths = [("a",), ("b",), ("a", 0), ("a", 1), ("aa",), ("a" * 8,), ("a" * 7 + "b",), (0,), (1,), (-1,), ("",)]
    first = {Stream(seed, *path).word() for seed in (0, 1, 2**40) for path in paths}
    assert len(first) == 33


def test_draws_stay_in_range_and_reach_all_of_it():
    stream = Stream(4)
    assert {stream.below(3) for _ in range(200)} == {0, 1, 2}
    assert {stream.between(-2, 2) for _ in range(200)} == {-2, -1, 0, 1, 2}
    assert {stream.choice("xyz") for _ in range(200)} == {"x", "y", "z"}
    assert sorted(stream.permutation(50)) == list(range(50))


@pytest.mark.parametrize("limit", [0, -1, 2**32 + 1])
def test_an_impossible_limit_is_refused(limit: int):
    with pytest.raises(ValueError, match="limit must be 1"):
        Stream(0).below(limit)
