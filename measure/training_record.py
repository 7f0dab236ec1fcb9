"""Keeps what the stages of `make models` measured, once they are done: `python -m measure training_record`.

It reads the runs under build/models and writes measure/results/training.json; nothing is computed anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from measure.envelope import RESULTS, envelope, write_result

RUNS = Path(__file__).parents[1] / "build" / "models"


def perception(run: Path) -> dict[str, Any]:
    """Return what a tower was told to do, how long its steps took, and how well it sees pictures it has not met."""
    metrics = _metrics(run)
    return {**_pace(metrics), "held_out": next(line["held_out"] for line in reversed(metrics) if "held_out" in line)}


def sft(run: Path) -> dict[str, Any]:
    """Return how long an agent's steps took, and the mean of its last noted losses."""
    metrics = _metrics(run)
    losses = [line["loss"] for line in metrics if "loss" in line][-5:]
    return {**_pace(metrics), "last_losses": round(sum(losses) / len(losses), 4)}


def _metrics(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def _pace(metrics: list[dict[str, Any]]) -> dict[str, Any]:
    paces = sorted(line["seconds"] for line in metrics if "seconds" in line)
    return {
        "noted_until_step": metrics[-1]["step"],
        "median_seconds_a_step": round(paces[len(paces) // 2], 3) if paces else None,
    }


def timed(runs: Path) -> dict[str, Any]:
    """Return the seconds of each stage of `make models`, and the minutes of all; nothing where it noted none."""
    log = runs / "stages.jsonl"
    if not log.is_file():
        return {}
    stages = {
        line["stage"]: line["seconds"] for line in map(json.loads, log.read_text(encoding="utf-8").splitlines())
    }
    return {"stage_seconds": stages, "minutes": round(sum(stages.values()) / 60, 1)}


def main() -> None:
    """Write the result file."""
    found: dict[str, Any] = {}
    for run in sorted(path.parent for path in RUNS.glob("*/metrics.jsonl")):
        kind = run.name.split("-")[0]
        found[run.name] = {"perception": perception, "sft": sft}.get(kind, lambda run: _pace(_metrics(run)))(run)
        if (run / "evaluation.json").is_file():
            found[run.name]["evaluation"] = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    result = {**envelope("training_record"), **timed(RUNS), "runs": found}
    write_result(RESULTS / "training.json", result)
