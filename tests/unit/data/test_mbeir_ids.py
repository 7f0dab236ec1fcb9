"""Pins M-BEIR's ids as text and as one number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.data.mbeir_ids import hash_did, hash_qid, split_id, unhash_did, unhash_qid
from vretrver.errors import DataError


def test_ids_as_one_number():
    assert hash_qid("8:417") == 4_000_417
    assert hash_did("8:9031") == 80_009_031
    assert (unhash_qid(4_000_417), unhash_did(80_009_031)) == ("8:417", "8:9031")


@given(dataset=st.integers(0, 99), number=st.integers(0, 499_999))
def test_the_number_gives_the_id_back(dataset: int, number: int):
    text = f"{dataset}:{number}"
    assert unhash_qid(hash_qid(text)) == text
    assert unhash_did(hash_did(text)) == text


def test_a_number_that_would_run_into_the_next_data_set_is_refused():
    with pytest.raises(DataError, match="ends at 499999"):
        hash_qid("1:500000")
    with pytest.raises(DataError, match="ends at 9999999"):
        hash_did("1:10000000")


@pytest.mark.parametrize("text", ["", "1", "1:", ":1", "1:2:3", "a:1", "1: 2", "-1:2", "1:2\n", "\u0661:\u0662"])
def test_other_texts_are_no_ids(text: str):
    with pytest.raises(DataError, match="dataset:number"):
        split_id(text)
