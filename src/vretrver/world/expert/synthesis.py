"""Expert trajectories for the cold start: the real loop over practice windows, in shards written atomically."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from ...agent.dialects.vretrver import vretrver
from ...agent.driver import Driver
from ...agent.policy import Sampling
from ...agent.session import SessionSetup, rank_window
from ...agent.trajectory import Trajectory
from ...config import config_hash
from ...errors import DataError
from ...files import replace_file
from ...prng import Stream
from ...processes import mapped
from ...traces import trajectory_to_json
from ...training.book import PictureBook, RecordedPolicy
from ...training.folder import TrainingFolder
from ..draw.plan import shots_of
from ..draw.tasks import SHAPES, World, make_world
from ..drawn import DrawnStore
from ..gallery import Gallery
from ..tiny.views import VIEWS, shown_at
from .config import SynthesisConfig, WindowStage
from .policy import expert
from .windows import Practice, WindowSampler

Progress = Callable[[int, int], None]


def synthesize(config: SynthesisConfig, out: Path, *, progress: Progress) -> int:
    """Write the missing shards of a run and return the number of trajectories.

    Args:
        config: the run.
        out: folder; `shard-000.jsonl` holds trajectories, `shard-000.pictures` the bytes they showed.
        progress: called with (shards done, shards in all).

    Raises:
        ConfigError: the folder holds another run.
        DataError: there is no gallery.
    """
    Gallery(config.gallery).close()
    TrainingFolder(out, config)
    for part in out.glob("shard-*.pictures.*"):  # left by a killed run
        part.unlink()
    total, shards = sum(stage.windows for stage in config.stages), shard_count(config)
    missing = [n for n in range(shards) if not shard_path(out, n).is_file()]
    progress(shards - len(missing), shards)
    jobs = [(config, out, n, min(config.shard, total - n * config.shard)) for n in missing]
    for done, _ in enumerate(mapped(_shard, jobs, workers=config.workers), start=1):
        progress(shards - len(missing) + done, shards)
    return total


def shard_count(config: SynthesisConfig) -> int:
    """Return how many files a run leaves."""
    return -(-sum(stage.windows for stage in config.stages) // config.shard)


def shard_path(out: Path, number: int) -> Path:
    """Return the file of a shard's trajectories; its pictures are next to it, with the suffix `.pictures`."""
    return out / f"shard-{number:03d}.jsonl"


def practice(sampler: WindowSampler, config: SynthesisConfig, number: int) -> Practice:
    """Return window `number` of a run."""
    stream = Stream(config.seed, "stage", number)
    stage = _stage(config.stages, number)
    task, size = _weighted(stage.shapes, stream), _weighted(stage.sizes, stream)
    shape = next((s for s in SHAPES if s.task == task), None)
    if shape is None:
        raise DataError(f"the catalogue has no task shape {task}; there are {[s.task for s in SHAPES]}")
    return sampler.window(number, shape=shape, size=size, misprinted=stage.misprinted)


def _stage(stages: tuple[WindowStage, ...], number: int) -> WindowStage:
    for stage in stages:
        if number < stage.windows:
            return stage
        number -= stage.windows
    raise ValueError(f"window {number} is beyond the stages")


def _weighted(weights: dict[int, int], stream: Stream) -> int:
    place = stream.below(sum(weights.values()))
    for value, weight in weights.items():
        if place < weight:
            return value
        place -= weight
    raise ValueError(f"no weight in {weights}")


@lru_cache(maxsize=1)
def _world(path: Path) -> tuple[World, DrawnStore]:
    gallery = Gallery(path)
    world = make_world(gallery.seed, gallery.plan())
    return world, DrawnStore(shots_of(world.items), gallery=gallery)


def _shard(job: tuple[SynthesisConfig, Path, int, int]) -> None:
    config, out, number, count = job
    world, store = _world(config.gallery)
    sampler = WindowSampler(world, seed=config.seed)
    first = number * config.shard
    drawn = {n: practice(sampler, config, n) for n in range(first, first + count)}
    practices = {p.task.session: p for p in drawn.values()}
    path = shard_path(out, number)
    partial = path.with_suffix(f".pictures.{os.getpid()}")
    book = PictureBook(partial, write=True)
    policy = RecordedPolicy(expert(practices, seed=config.seed, whole=config.whole_tokens is not None), book)
    setup = SessionSetup(
        dialect=vretrver(tools=config.tools),
        images=store,
        views=shown_at(config.whole_tokens) if config.whole_tokens else VIEWS,
        sampling=Sampling(),
        policy=policy.fingerprint,
        policy_limits=policy.limits,
        config=config_hash(config),
    )
    driver: Driver[Trajectory] = Driver(policy)
    done = dict(driver.run(rank_window(p.task, _hurried(setup, config, n)) for n, p in drawn.items()))
    book.close()
    partial.replace(path.with_suffix(".pictures"))
    lines = [trajectory_to_json(done[n].without_timing()) for n in sorted(done)]
    replace_file(path, b"\n".join(lines) + b"\n")


def _hurried(setup: SessionSetup, config: SynthesisConfig, number: int) -> SessionSetup:
    """Return the rules of one window: a few have fewer turns than the expert needs, so that it must answer."""
    stream = Stream(config.seed, "turns", number)
    if stream.below(100) >= config.hurried:
        return setup
    return replace(setup, dialect=replace(setup.dialect, turns=stream.between(1, setup.dialect.turns)))
