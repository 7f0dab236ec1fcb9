"""The experiment: every arm over every task shape and window size; each result is written as it is ready.

Cells are independent, so they are divided among processes. A process builds the catalogue once, and the shortlists of
a task shape once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import ConfigError
from ...files import replace_file
from ...models.folder import folder_digest, open_folder
from ...policies.local.policy import LocalPolicy
from ...processes import mapped
from ...training.computing import computing
from ...training.folder import TrainingFolder
from .arms import arm_named
from .cell import run_cell
from .config import ArmName, LooksConfig
from .world import AskedQuery, LooksWorld

WEIGHTS_FILE = "weights.json"
"""Digests of the models that an experiment's cells were made with."""

Note = Callable[[str], None]


class _Job(NamedTuple):
    """A result file to write: scores of the coarse stage where `arm` is None, else of a cell."""

    config: LooksConfig
    path: Path
    task: int
    arm: ArmName | None
    size: int


def run_looks(config: LooksConfig, out: Path, *, note: Note) -> dict[str, Any]:
    """Run what is missing of an experiment and return all results.

    Args:
        config: the experiment.
        out: folder; one JSON file a cell, written when the cell is done.
        note: called with lines of progress for a person.

    Raises:
        ConfigError: an arm needs a model that is not named or does not exist, or the folder holds another experiment,
            or one with other weights.
    """
    TrainingFolder(out, config)
    jobs = _jobs(config, out)
    for name in config.arms:
        arm_named(name, config, {})  # fails before any work where an arm lacks a model
    weights = _held_weights(config, out)
    missing = [job for job in jobs if not job.path.is_file()]
    for done in mapped(_work, missing, workers=config.workers):
        note(f"{done.stem}: {json.dumps(_read(done))}")
    results: dict[str, Any] = {"weights": weights, "coarse": {}, "arms": {}}
    for job in jobs:
        if job.arm is None:
            results["coarse"][str(job.task)] = _read(job.path)
        else:
            results["arms"].setdefault(job.arm, {}).setdefault(str(job.task), {})[str(job.size)] = _read(job.path)
    return results


def _held_weights(config: LooksConfig, out: Path) -> dict[str, str]:
    """Return model -> digest of its folder; cells made with other weights at the same place are refused."""
    named = {"agent": config.agent, "twin": config.twin, "taught": config.taught}
    weights = {name: folder_digest(open_folder(folder).path) for name, folder in named.items() if folder is not None}
    _, _, place = config.encoder.partition(":")
    if place and Path(place).is_dir():
        weights["encoder"] = folder_digest(Path(place))
    path = out / WEIGHTS_FILE
    if not path.is_file() and any(out.glob("*-window*.json")):
        raise ConfigError(f"{out}: holds results of weights that are not named; choose another folder or remove it")
    for name, digest in (_read(path) if path.is_file() else weights).items():
        if weights.get(name) != digest:
            raise ConfigError(
                f"{out}: holds a run with other weights of the {name}; choose another folder or remove it"
            )
    replace_file(path, (json.dumps(weights, indent=2) + "\n").encode())
    return weights


def _jobs(config: LooksConfig, out: Path) -> list[_Job]:
    """Return all files of an experiment, ordered so that a worker rarely switches task shape."""
    jobs = []
    for task in config.shapes:
        jobs.append(_Job(config, out / f"coarse-task{task}.json", task, None, 0))
        jobs += [
            _Job(config, out / f"{name}-task{task}-window{size}.json", task, name, size)
            for name in config.arms
            for size in sorted(config.windows, reverse=True)
        ]
    return jobs


def _work(job: _Job) -> Path:
    with computing(job.config.threads, subnormal=True):
        scores = _scores(job)
    replace_file(job.path, (json.dumps(scores, indent=2) + "\n").encode())
    return job.path


def _scores(job: _Job) -> dict[str, Any]:
    if job.arm is None:
        return coarse_scores(_asked(job.config, job.task))
    world = _world(job.config)
    arm = arm_named(job.arm, job.config, world.labels)
    config = job.config
    policy = LocalPolicy.of_folder(arm.folder, dtype="bfloat16", device=config.device, in_flight=config.in_flight)
    with closing(policy):
        return run_cell(arm, policy, world, job.task, _asked(config, job.task), job.size, config.seed)


# Both only depend on their arguments and take long; a process meets the jobs of one task shape in a row.
@lru_cache(maxsize=1)
def _world(config: LooksConfig) -> LooksWorld:
    return LooksWorld(config)


@lru_cache(maxsize=1)
def _asked(config: LooksConfig, task: int) -> list[AskedQuery]:
    return _world(config).asked(task)


def coarse_scores(asked: Sequence[AskedQuery]) -> dict[str, float]:
    """Return hit@k of the coarse stage for k of 1, 5, 10 and 20."""
    ranks = [one.coarse_rank for one in asked]
    return {
        f"hit@{k}": round(sum(rank is not None and rank <= k for rank in ranks) / len(ranks), 4)
        for k in (1, 5, 10, 20)
    }


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
