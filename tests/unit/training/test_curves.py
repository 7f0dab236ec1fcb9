"""The plot of a run's metrics: one panel a number, its last value in words."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from vretrver.training.curves import write_curves


def test_each_number_that_is_noted_twice_has_a_panel(tmp_path: Path):
    metrics = [
        {"step": 10, "loss": 4.0, "held": {"hit@1": 0.25}, "note": "text"},
        {"step": 20, "loss": 2.0, "held": {"hit@1": 0.5}, "once": 1},
        {"step": 30, "loss": 1.0},
    ]
    write_curves(tmp_path / "m.svg", metrics, title="a < b")
    root = ElementTree.fromstring((tmp_path / "m.svg").read_text())  # noqa: S314 - we wrote it
    name = "{http://www.w3.org/2000/svg}"
    lines = root.findall(f"{name}polyline")
    texts = [text.text for text in root.findall(f"{name}text")]
    assert [line.get("points") for line in lines] == [
        "60.0,64.0 210.0,164.0 360.0,214.0",
        "420.0,214.0 720.0,64.0",
    ]
    assert "a < b" in texts
    assert "loss: 1" in texts
    assert "held.hit@1: 0.5" in texts


def test_a_run_without_metrics_gives_a_plot_without_panels(tmp_path: Path):
    write_curves(tmp_path / "m.svg", [], title="empty")
    assert "polyline" not in (tmp_path / "m.svg").read_text()
