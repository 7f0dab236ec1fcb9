"""Pins reading the evidence file: what is returned, and errors that name the line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vretrver.errors import DataError
from vretrver.world.draw.truth import EvidenceRow, load_evidence

ROW = {"img_path": "images/000/000001.jpg", "did": "30:7", "family": 3, "twin": 1, "detail": "code A7K"}


def write(path: Path, *rows: dict[str, object]) -> Path:
    file = path / "evidence.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_evidence_is_keyed_by_path(tmp_path: Path):
    query = {**ROW, "img_path": "images/000/000002.jpg", "did": None}
    loaded = load_evidence(write(tmp_path, {**ROW, "box": [1, 2, 60, 40]}, {**query, "box": [0, 0, 5, 5]}))
    assert list(loaded) == ["images/000/000001.jpg", "images/000/000002.jpg"]
    assert loaded["images/000/000001.jpg"] == EvidenceRow(
        path="images/000/000001.jpg", did="30:7", family=3, twin=1, detail="code A7K", box=(1, 2, 60, 40)
    )
    assert loaded["images/000/000002.jpg"].did is None


@pytest.mark.parametrize(
    "row",
    [
        {**ROW},
        {**ROW, "box": [1, 2, 3]},
        {**ROW, "box": [9, 2, 3, 8]},
        {**ROW, "box": [1, 2, 3, 4.5]},
        {**ROW, "twin": "1", "box": [1, 2, 3, 4]},
        {**ROW, "img_path": "../x.jpg", "box": [1, 2, 3, 4]},
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: dict[str, object]):
    with pytest.raises(DataError, match=r"evidence\.jsonl:2"):
        load_evidence(write(tmp_path, {**ROW, "img_path": "a.jpg", "box": [1, 2, 3, 4]}, row))


def test_a_picture_that_stands_twice_is_refused(tmp_path: Path):
    row = {**ROW, "box": [1, 2, 3, 4]}
    with pytest.raises(DataError, match=r"evidence\.jsonl:2: picture 'images/000/000001.jpg' appears twice"):
        load_evidence(write(tmp_path, row, row))
