"""The figures of `make demo`: the first run, which draws the catalogue, and a second one."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from measure.envelope import RESULTS, envelope, write_result
from vretrver.world.demo.run import run_demo


def measured(out: Path) -> dict[str, object]:
    """Run the demonstration with the defaults of the command and return what it says, with its whole wall time."""
    started = time.monotonic()
    result = run_demo(
        out,
        items=300,
        queries=210,
        seed=7,
        workers=os.cpu_count() or 1,
        progress=lambda _: lambda _done, _total: None,
        note=lambda _: None,
    )
    figures = result.to_json()
    figures["report"] = Path(str(figures["report"])).name
    return {**figures, "wall_seconds": round(time.monotonic() - started, 1)}


def main() -> None:
    """Measure and write the result file."""
    with tempfile.TemporaryDirectory() as folder:
        runs = {"first": measured(Path(folder)), "again": measured(Path(folder))}
    write_result(RESULTS / "demo.json", {**envelope("demo_figures"), **runs})
