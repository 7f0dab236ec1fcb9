"""Command line of the gate: draws the pictures, runs every stage, judges, and writes result file and figure.

Exit code 1 when a criterion fails. With --quick the counts are tiny, the numbers mean nothing and the code is 0.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from PIL import features

from measure.envelope import RESULTS, envelope, write_result

from .metadata import run_metadata
from .native import run_native
from .not_told import run_not_told
from .observer import run_decoding, run_observer
from .place import run_place
from .plot import draw_figure
from .pose import run_pose
from .settings import CODES, KINDS, Settings, quick_settings
from .stages import Result, Task, aligned_check, drawing_tasks, fingerprint, run_tasks
from .told_where import run_told_where
from .verdict import Criterion, judge

NAME = "catalogue_gate"
"""Stem of the result files."""


def main(arguments: list[str] | None = None) -> int:
    """Run the gate; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="tiny counts: shows that every stage runs, proves nothing"
    )
    parser.add_argument("--work", type=Path, default=Path("build/gate"), help="where stages keep their results")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the result is written")
    parser.add_argument("--workers", type=int, default=2, help="worker processes; 0 works in this one")
    options = parser.parse_args(arguments)
    settings = quick_settings() if options.quick else Settings()
    results = run_gate(settings, options.work, workers=options.workers)
    criteria = judge(results)
    path = options.out / f"{NAME}.json"
    write_result(path, describe_run(settings, criteria, results, arguments))
    draw_figure(results, options.out / f"{NAME}.png")
    for criterion in criteria:
        sign = "ok  " if criterion.passed else "FAIL"
        print(f"{sign} {criterion.kind:8} {criterion.name}: {criterion.measured:.3f} (limit {criterion.limit:g})")
    print(f"written to {path}")
    return 0 if options.quick or all(criterion.passed for criterion in criteria) else 1


def run_gate(settings: Settings, work: Path, *, workers: int) -> dict[str, Result]:
    """Run all stages that have no result yet and return every result by name."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    tasks: list[Task] = []
    drawn: frozenset[str] = frozenset()
    for kind in KINDS:
        drawing = drawing_tasks(settings, kind)
        ready = frozenset(task.name for task in drawing)
        tasks += drawing
        tasks += [
            Task(name=f"{stage}-{kind}", run=run, arguments=(kind,), after=ready)
            for stage, run in (("told_where", run_told_where), ("observer", run_observer), ("native", run_native))
        ]
        drawn |= ready
    tasks += [Task(name=f"decoding-{kind}", run=run_decoding, arguments=(kind,)) for kind in KINDS]
    tasks += [Task(name="place", run=run_place, after=drawn), Task(name="aligned", run=aligned_check)]
    tasks.append(Task(name="pose", run=run_pose, after=drawn | {"place"}))
    tasks += [
        Task(
            name=f"not_told-{kind}",
            run=run_not_told,
            arguments=(kind,),
            after=frozenset({"pose", f"told_where-{kind}"}),
        )
        for kind in KINDS
    ]
    tasks.append(Task(name="metadata", run=run_metadata, after=drawn))
    results = run_tasks(settings, work / fingerprint(settings), tasks, workers=workers, say=say)
    return {name: result for name, result in results.items() if name not in drawn}


def describe_run(
    settings: Settings, criteria: list[Criterion], results: dict[str, Result], arguments: list[str] | None
) -> Result:
    """Return the result file's content: what was run where, every verdict and every number."""
    return {
        **envelope(
            "gate", arguments=arguments, libraries={"libjpeg_turbo": features.version_feature("libjpeg_turbo")}
        ),
        "passed": all(criterion.passed for criterion in criteria),
        "criteria": [asdict(criterion) for criterion in criteria],
        "settings": asdict(settings),
        "codes": {kind: list(codes) for kind, codes in CODES.items()},
        "results": results,
    }


def say(line: str) -> None:
    """Write one line of progress to stderr."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
