"""Pins what `vretrver trace` prints of a trace, also of one that an older version wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vretrver.cli.trace import trace
from vretrver.errors import DataError

OLD = Path(__file__).parents[2] / "golden" / "v1" / "trace.jsonl"
"""One query of schema 1 with a window that failed."""


def test_a_query_is_listed_with_what_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    trace(OLD)
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["query", "windows", "failed", "looks", "turns", "tokens", "first", "before", "result"]
    assert row.split() == ["9:1", "2", "1", "2", "7", "2801", "1:2", "2", "partly", "failed"]


def test_records_are_printed_in_the_schema_of_today(capsys: pytest.CaptureFixture[str]) -> None:
    trace(OLD, qid="9:1", as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    value = json.loads(line)
    assert [value["schema"], *(one["schema"] for one in value["trajectories"])] == [2, 2, 2]


def test_a_query_without_candidates_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = json.loads(OLD.read_bytes()) | {"hits": [], "ranking": [], "trajectories": [], "schema": 2}
    (tmp_path / "t.jsonl").write_text(json.dumps(value) + "\n")
    trace(tmp_path / "t.jsonl")
    assert capsys.readouterr().out.splitlines()[1].split() == ["9:1", "0", "0", "0", "0", "0", "failed"]


def test_a_query_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="query '9:2' is not in it"):
        trace(OLD, qid="9:2")
