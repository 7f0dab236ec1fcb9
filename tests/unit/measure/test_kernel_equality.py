"""Pins what two captures are compared by, and that an earlier commit's code is the one that runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from measure.before import KERNEL_BEFORE, ROOT, code_of, run_child
from measure.kernel_equality import compared, is_equal


def record(qid: str, *turns: str, run: str = "demo/agent", **changes: Any) -> dict[str, Any]:
    known = {"ranking": ["1:1", "1:2"], "stop": "answered", "prompt_sha256": "a"}
    return {"run": run, "session": f"{qid}/w0", "turns": [*turns], **known, **changes}


def test_equal_captures_are_equal_in_any_order() -> None:
    runs = compared([record("1", "a", "b"), record("2", "c")], [record("2", "c"), record("1", "a", "b")])
    assert is_equal(runs)
    run = runs["demo/agent"]
    assert (run["sessions"], run["turns"], run["turns_equal"], run["first_differences"]) == (2, 3, 2, [])


def test_the_first_turn_that_differs_is_told() -> None:
    old = [record("1", "a", "b"), record("2", "c"), record("3", "d")]
    new = [record("1", "a", "x", "y"), record("2", "c", ranking=["1:2", "1:1"])]
    runs = compared(old, new)
    assert not is_equal(runs)
    run = runs["demo/agent"]
    assert (run["sessions"], run["only_before"], run["turns_equal"], run["ranking_equal"]) == (2, 1, 1, 1)
    assert run["first_differences"] == [
        {"qid": "1", "turns": {"number": 1, "texts": [["b"], ["x"]]}},
        {"qid": "2", "ranking": [["1:1", "1:2"], ["1:2", "1:1"]]},
    ]


def test_a_turn_that_one_side_lacks_is_a_difference() -> None:
    run = compared([record("1", "a")], [record("1", "a", "b")])["demo/agent"]
    assert run["first_differences"] == [{"qid": "1", "turns": {"number": 1, "texts": [[], ["b"]]}}]


def test_runs_of_one_side_alone_are_left_out_and_nothing_is_not_equal() -> None:
    runs = compared([record("1", "a", run="looks/agent/0")], [record("1", "a")])
    assert runs == {}
    assert not is_equal(runs)


def test_a_script_runs_with_the_code_of_an_earlier_commit(tmp_path: Path) -> None:
    asked = ["git", "-C", str(ROOT), "cat-file", "-e", KERNEL_BEFORE]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("this copy has no history")
    script = tmp_path / "script.py"
    script.write_text(
        "import importlib.util as u, json\nprint(json.dumps(bool(u.find_spec('vretrver.agent.schedule'))))\n"
    )
    with code_of(KERNEL_BEFORE) as code:
        assert json.loads(run_child(script, [], code=code)) is True
    assert not code.exists()
    assert json.loads(run_child(script, [])) is False
