"""Criterion (a), first half: a reader told the label's pose, taught on plain ink before it sees relief.

The order matters: started on relief it learns nothing, which proves nothing. So it must first read plain ink
through the same thumbnail (the positive control), then gets half ink and half relief, then relief alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vretrver.world.draw.glyphs import LabelKind

from .datasets import Pictures, load_set, picture_sets
from .networks import log_probabilities, reader
from .pictures import window_corner
from .plan import TWINS
from .scoring import assigned_jointly, share_right
from .settings import Settings
from .training import Batch, Check, Source, Stage, seeded, train
from .upright import upright_windows

RATES = {"ink": 2e-3, "mixed": 1.4e-3, "relief": 1e-3}
"""Peak learning rate of each stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a reader is taught and examined on."""

    ink: Source
    """Plain ink to learn from."""
    relief: Source
    """The catalogue's own details to learn from."""
    ink_choice: Batch
    """Plain ink for choosing a checkpoint."""
    ink_test: Batch
    """Plain ink for the positive control."""
    relief_choice: Batch
    """Relief for choosing a checkpoint."""
    relief_test: Batch
    """Relief of unseen families, for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Steps per stage of a course."""

    ink: int
    """Plain ink alone."""
    mixed: int
    """Half ink, half relief."""
    relief: int
    """Relief alone."""
    checks: int
    """Points on each stage's curve."""
    batch: int
    """Samples per step."""


def weights_path(work: Path, kind: LabelKind) -> Path:
    """Return where the reader of plain ink is kept for the probe that is not told where."""
    return work / f"{kind}-ink-reader.pt"


def run_told_where(settings: Settings, work: Path, kind: LabelKind) -> dict[str, object]:
    """Train and examine the told reader of one kind; returns a JSON-ready result."""
    generator = seeded(settings.seed + 11)
    sets = picture_sets(settings, kind)
    ink_test, test = load_set(work, sets["ink_test"]), load_set(work, sets["test"])
    course = Course(
        ink=batch_source(upright(load_set(work, sets["ink_train"]))),
        relief=batch_source(upright(load_set(work, sets["train"]))),
        ink_choice=upright(load_set(work, sets["ink_choice"])),
        ink_test=upright(ink_test),
        relief_choice=upright(load_set(work, sets["choice"])),
        relief_test=upright(test),
    )
    steps = Steps(
        ink=settings.ink_steps,
        mixed=settings.mixed_steps,
        relief=settings.relief_steps,
        checks=settings.checks,
        batch=settings.batch,
    )
    net = reader(1, TWINS, sees="upright")
    result = teach(net, course, steps, generator, families=(ink_test.families, test.families), seed=settings.seed)
    torch.save(result.ink_weights, weights_path(work, kind))
    return result.report


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """Outcome of a course."""

    report: dict[str, object]
    """Curves, control and shares, JSON-ready."""
    ink_weights: dict[str, torch.Tensor]
    """The reader as it was after plain ink."""


def teach(
    net: nn.Module,
    course: Course,
    steps: Steps,
    generator: np.random.Generator,
    *,
    families: tuple[NDArray[np.int64], NDArray[np.int64]],
    seed: int,
) -> Taught:
    """Take a reader through ink, ink with relief, and relief; examine it after each stage.

    Args:
        net: from windows to logits [B, 1, 5]; trained in place.
        course: what to learn from and be examined on.
        steps: how long.
        generator: draws the batches.
        families: family of every picture of `course.ink_test` and of `course.relief_test`.
        seed: seed of the bounds' resampling.
    """

    def stage(sources: tuple[Source, ...], count: int, name: str) -> Stage:
        return Stage(sources=sources, steps=count, rate=RATES[name], checks=steps.checks, batch=steps.batch)

    curves: dict[str, list[Check]] = {}
    on_ink = examiner(net, course.ink_choice, course.ink_test)
    on_relief = examiner(net, course.relief_choice, course.relief_test)
    ink = train(net, stage((course.ink,), steps.ink, "ink"), generator, on_ink)
    curves["ink"] = ink.curve
    control_scores = log_probabilities(net, course.ink_test[0])[:, 0]
    control = share_right(control_scores.argmax(1) == course.ink_test[1][:, 0], families[0], seed=seed)
    untrained = log_probabilities(net, course.relief_test[0])[:, 0].argmax(1) == course.relief_test[1][:, 0]
    mixed = train(net, stage((course.ink, course.relief), steps.mixed, "mixed"), generator, on_relief)
    still_ink = log_probabilities(net, course.ink_test[0])[:, 0].argmax(1) == course.ink_test[1][:, 0]
    relief = train(net, stage((course.relief,), steps.relief, "relief"), generator, on_relief)
    curves |= {"mixed": mixed.curve, "relief": relief.curve}
    chosen = max((mixed, relief), key=lambda progress: max(point.choice for point in progress.curve))
    net.load_state_dict(chosen.best)
    scores = log_probabilities(net, course.relief_test[0])[:, 0]
    report: dict[str, object] = {
        "control_plain_ink": asdict(control),
        "control_after_mixed_stage": float(still_ink.mean()),
        "relief_read_by_ink_reader": float(untrained.mean()),
        **examined(scores, course.relief_test[1][:, 0], families[1], seed=seed),
        "highest_point_of_curve": max(point.test for point in (*mixed.curve, *relief.curve)),
        "curves": {name: [asdict(point) for point in curve] for name, curve in curves.items()},
    }
    return Taught(report=report, ink_weights=ink.best)


def examined(
    scores: NDArray[np.float64], codes: NDArray[np.int64], families: NDArray[np.int64], *, seed: int
) -> dict[str, object]:
    """Return the share of twins told apart one by one, and jointly within each family.

    Args:
        scores: [N, 5] log-probabilities.
        codes: [N] the code drawn; all five once among each five consecutive rows.
        families: [N] family of each row, five consecutive rows each.
        seed: seed of the bounds' resampling.
    """
    right = scores.argmax(1) == codes
    jointly = assigned_jointly(scores.reshape(-1, TWINS, TWINS)).ravel() == codes
    return {
        "top1": asdict(share_right(right, families, seed=seed)),
        "top1_assigned_within_family": asdict(share_right(jointly, families, seed=seed)),
    }


def examiner(net: nn.Module, choice: Batch, test: Batch) -> Callable[[], tuple[float, float, float]]:
    """Return a check for a learning curve: share right on choice, on test, and cross-entropy on test."""

    def check() -> tuple[float, float, float]:
        on_choice = log_probabilities(net, choice[0])[:, 0].argmax(1) == choice[1][:, 0]
        scores = log_probabilities(net, test[0])[:, 0]
        truth = test[1][:, 0]
        loss = -float(scores[np.arange(len(truth)), truth].mean())
        return float(on_choice.mean()), float((scores.argmax(1) == truth).mean()), loss

    return check


def upright(pictures: Pictures) -> Batch:
    """Return the reader's windows, cut along the labels' true poses out of stored windows or whole thumbnails."""
    return upright_windows(pictures.pixels, stored_corners(pictures), pictures.poses), pictures.labels


def stored_corners(pictures: Pictures) -> NDArray[np.int64]:
    """Return [N, 2] the thumbnail (column, row) at which each stored picture starts."""
    size = pictures.pixels.shape[1]
    return np.array([window_corner((x, y), size) for x, y in pictures.poses[:, :2]], dtype=np.int64)


def batch_source(pictures: Batch) -> Source:
    """Return a source that draws rows of a set."""
    pixels, labels = pictures

    def draw(generator: np.random.Generator, count: int) -> Batch:
        rows = generator.integers(0, len(pixels), count)
        return pixels[rows], labels[rows]

    return draw
