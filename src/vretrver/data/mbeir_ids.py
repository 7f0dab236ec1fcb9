"""M-BEIR's ids: texts `dataset:number`, and the one number its index and run files use for them."""

from __future__ import annotations

import re

from ..errors import DataError

QUERIES_PER_DATASET = 500_000
"""A qid `ds:n` as one number is ds * 500,000 + n."""

CANDIDATES_PER_DATASET = 10_000_000
"""A did `ds:n` as one number is ds * 10,000,000 + n."""

_ID = re.compile(r"[0-9]{1,9}:[0-9]{1,9}")


def is_id(value: str) -> bool:
    """Say whether a text is an id `dataset:number`."""
    return _ID.fullmatch(value) is not None


def split_id(value: str) -> tuple[int, int]:
    """Return (dataset, number) of an id `dataset:number`; raises DataError for any other text."""
    if not is_id(value):
        raise DataError(f"id {value!r} is not of M-BEIR's form dataset:number, as in 9:42")
    dataset, _, number = value.partition(":")
    return int(dataset), int(number)


def hash_qid(qid: str) -> int:
    """Return a qid as M-BEIR's one number; raises DataError where the number would be ambiguous."""
    return _hash(qid, QUERIES_PER_DATASET)


def hash_did(did: str) -> int:
    """Return a did as M-BEIR's one number; raises DataError where the number would be ambiguous."""
    return _hash(did, CANDIDATES_PER_DATASET)


def unhash_qid(number: int) -> str:
    """Return the qid of M-BEIR's one number."""
    return "{}:{}".format(*divmod(number, QUERIES_PER_DATASET))


def unhash_did(number: int) -> str:
    """Return the did of M-BEIR's one number."""
    return "{}:{}".format(*divmod(number, CANDIDATES_PER_DATASET))


def _hash(value: str, size: int) -> int:
    dataset, number = split_id(value)
    if number >= size:
        raise DataError(f"id {value!r}: M-BEIR's numbering ends at {size - 1} for each data set")
    return dataset * size + number
