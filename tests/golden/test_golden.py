"""Pins, byte by byte, what a model is shown under each dialect and what is recorded of a session.

After a change that was meant, `make golden` writes the files again; the difference is part of the review.
"""

from __future__ import annotations

import json

import pytest
from tests.golden.cases import CONVERSATIONS, GOLDEN, golden_files

from vretrver.traces import trajectory_from_json, trajectory_to_json

NAMES = [*CONVERSATIONS, "trajectory.json"]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """What the code makes now."""
    return golden_files()


@pytest.mark.parametrize("name", NAMES)
def test_golden_file_is_what_the_code_makes(made: dict[str, str], name: str) -> None:
    assert (GOLDEN / name).read_text(encoding="utf-8") == made[name], "run `make golden` if the change was meant"


def test_there_is_no_golden_file_that_nothing_makes() -> None:
    assert {path.name for path in GOLDEN.iterdir() if path.suffix in {".txt", ".json"}} == set(NAMES)


def test_the_golden_record_is_read_and_written_back_the_same() -> None:
    stored = (GOLDEN / "trajectory.json").read_text(encoding="utf-8")
    record = trajectory_from_json(stored)
    assert json.loads(trajectory_to_json(record)) == json.loads(stored)
    assert (record.ranking, record.looks, record.repairs.out_of_range) == (("1:2", "1:1", "1:4", "1:3"), 2, (9,))
