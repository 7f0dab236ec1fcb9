"""The whole gate with tiny counts: every stage runs, results are kept and reused, the files are written."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the gate's probes need the models extra")

from measure.gate.run import main


def test_quick_gate_writes_result_and_figure_and_reuses_its_work(tmp_path: Path) -> None:
    arguments = ["--quick", "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out"), "--workers", "0"]
    assert main(arguments) == 0
    record = json.loads((tmp_path / "out" / "catalogue_gate.json").read_text("utf-8"))
    assert record["command"].startswith("python -m measure gate --quick --work ")
    assert {"numpy", "pillow", "torch", "libjpeg_turbo"} <= set(record["versions"])
    assert record["results"]["aligned"] == {"compared": 6, "equal": 6}
    assert set(record["results"]["told_where-print"]["curves"]) == {"ink", "mixed", "relief"}
    assert (tmp_path / "out" / "catalogue_gate.png").stat().st_size > 10_000
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.json")}
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.json")} == kept
