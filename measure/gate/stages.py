"""Runs the gate's stages in worker processes and keeps every result, so that a killed run goes on where it was.

Results lie in a directory named after the settings and after the pixels the catalogue draws: when either changes,
nothing old is taken for new.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from vretrver.world.draw.glyphs import LabelKind
from vretrver.world.draw.render import render

from .datasets import WIDE_WINDOW, chunks_of, draw_chunk, picture_sets
from .pictures import file_bytes, label_centre, shown_thumbnail, thumbnail_window, window_corner
from .plan import coded, shot_of, split_families
from .settings import KINDS, Settings

Result = dict[str, object]
"""JSON-ready outcome of a stage."""

Report = Callable[[str], None]
"""Receives one line of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One unit of work for a worker process; its result is a file."""

    name: str
    """Name of the result file, without ending."""
    run: Callable[..., Result]
    """Called with the settings, the work directory and `arguments`; must be importable."""
    arguments: tuple[object, ...] = ()
    """Further arguments."""
    after: frozenset[str] = frozenset()
    """Names of the tasks whose results it reads."""


def fingerprint(settings: Settings) -> str:
    """Return a short hash of the settings and of three drawn shots per kind, as files and as thumbnails."""
    digest = hashlib.sha256(settings.digest().encode())
    for kind in KINDS:
        family = split_families(settings, kind).test[:1]
        for sample in (*coded(family)[:2], *coded(family, ink="plain")[:1]):
            data = file_bytes(render(shot_of(settings, kind, sample)))
            digest.update(data)
            digest.update(shown_thumbnail(data)[0].tobytes())
    return digest.hexdigest()[:12]


def drawing_tasks(settings: Settings, kind: LabelKind) -> list[Task]:
    """Return one task per chunk of every set of a kind."""
    return [
        Task(name=f"drawn-{kind}-{name}-{start}", run=draw_one_chunk, arguments=(kind, name, start))
        for name, whole in picture_sets(settings, kind).items()
        for start, _ in chunks_of(whole)
    ]


def draw_one_chunk(settings: Settings, work: Path, kind: LabelKind, name: str, start: int) -> Result:
    """Draw one chunk of one set."""
    whole = picture_sets(settings, kind)[name]
    draw_chunk(settings, work, whole, start)
    return {}


def run_tasks(
    settings: Settings, work: Path, tasks: Sequence[Task], *, workers: int, say: Report
) -> dict[str, Result]:
    """Run tasks in their order, each once those it comes after are done; returns results by name.

    Tasks whose result is there are skipped. An error of a task ends the run; what was done stays.
    """
    work.mkdir(parents=True, exist_ok=True)
    done = {task.name for task in tasks if _result_path(work, task.name).exists()}
    waiting = [task for task in tasks if task.name not in done]
    running: dict[Future[None], Task] = {}
    with _pool(workers) as pool:
        while waiting or running:
            ready = [task for task in waiting if done.issuperset(task.after)][: max(workers, 1) - len(running)]
            running |= {pool.submit(run_and_keep, settings, work, task): task for task in ready}
            waiting = [task for task in waiting if task not in ready]
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                done.add(running[future].name)
                say(f"{running.pop(future).name} ({len(done)} of {len(tasks)})")
    return {task.name: json.loads(_result_path(work, task.name).read_text("utf-8")) for task in tasks}


def _pool(workers: int) -> Executor:
    """Return worker processes, or for no workers a thread of this process, which suits tiny counts."""
    if workers:
        return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    return ThreadPoolExecutor(1)


def run_and_keep(settings: Settings, work: Path, task: Task) -> None:
    """Run one task and keep its result; called in a worker process."""
    result = task.run(settings, work, *task.arguments)
    path = _result_path(work, task.name)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(result), encoding="utf-8")
    os.replace(partial, path)


def _result_path(work: Path, name: str) -> Path:
    return work / f"{name}.json"


def aligned_check(settings: Settings, work: Path) -> Result:
    """Compare thumbnail windows cut the short way with those of whole pictures, pixel by pixel."""
    del work
    per_kind = settings.aligned_samples // len(KINDS)
    equal = tried = 0
    for kind in KINDS:
        for sample in coded(split_families(settings, kind).test[: -(-per_kind // 5)])[:per_kind]:
            shot = shot_of(settings, kind, sample)
            column, row = window_corner(label_centre(shot), WIDE_WINDOW)
            whole, _ = shown_thumbnail(file_bytes(render(shot)))
            expected = whole[row : row + WIDE_WINDOW, column : column + WIDE_WINDOW]
            equal += int(np.array_equal(thumbnail_window(shot, WIDE_WINDOW), expected))
            tried += 1
    return {"compared": tried, "equal": equal}
