"""Pins that every measurement is found by its name, and what a result file says of its origin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from measure.__main__ import measurements
from measure.envelope import RESULTS, envelope

ROOT = Path(__file__).parents[3]


def test_what_the_makefile_runs_is_known_and_children_are_not_offered() -> None:
    known = measurements()
    assert {"agent_fuzz", "gate", "looks", "demo_figures", "results_page", "index_kill"} <= set(known)
    assert not {"index_measure", "slow_server", "envelope"} & set(known)
    assert all(known.values())


def test_without_a_name_all_are_listed() -> None:
    done = subprocess.run([sys.executable, "-m", "measure"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert [line.split()[0] for line in done.stderr.splitlines()] == [*measurements()]


def test_the_envelope_says_command_date_versions_and_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["python -m measure looks", "--name", "a b"])
    said = envelope("looks", libraries={"libjpeg_turbo": "3.1"})
    assert said["command"] == "python -m measure looks --name 'a b'"
    assert set(said) == {"command", "date", "versions", "machine"}
    assert {"python", "vretrver", "torch", "libjpeg_turbo"} <= set(said["versions"])  # type: ignore[call-overload]
    assert envelope("gate", arguments=["--quick"])["command"] == "python -m measure gate --quick"
    assert RESULTS.is_dir()
