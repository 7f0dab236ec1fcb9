"""Criterion (b): the same network on native crops reads the twins that the thumbnail hides.

It reads mark by mark, trained on the arbitrary values of other families' twins; the five twins of an unseen family
are told apart by the product of their marks' probabilities. The crop is placed with a few pixels of error.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vretrver.world.draw.glyphs import MARKS, LabelKind

from .datasets import WIDE_REGION, Pictures, load_set, picture_sets
from .networks import REGION, log_probabilities, reader
from .plan import TWINS, VALUES
from .scoring import share_right
from .settings import Settings
from .training import Batch, Source, Stage, seeded, train

JITTER = WIDE_REGION - REGION
"""Corners are drawn from 0 to this, that is up to 4 native pixels off the middle."""


def run_native(settings: Settings, work: Path, kind: LabelKind) -> dict[str, object]:
    """Train and examine the native reader of one kind; returns a JSON-ready result."""
    generator = seeded(settings.seed + 13)
    sets = picture_sets(settings, kind)
    choice = jittered(load_set(work, sets["native_choice"]), generator)
    test_set = load_set(work, sets["native_test"])
    test = jittered(test_set, generator)
    net = reader(MARKS[kind], len(VALUES[kind]), sees="native")

    def check() -> tuple[float, float, float]:
        on_choice = told_apart(log_probabilities(net, choice[0]), choice[1])
        scores = log_probabilities(net, test[0])
        loss = -float(np.take_along_axis(scores, test[1][:, :, None], 2).mean())
        return float(on_choice.mean()), float(told_apart(scores, test[1]).mean()), loss

    source = crop_source(load_set(work, sets["native_train"]))
    stage = Stage(sources=(source,), steps=settings.native_steps, rate=2e-3, checks=4, batch=settings.batch)
    progress = train(net, stage, generator, check)
    scores = log_probabilities(net, test[0])
    marks = scores.argmax(-1) == test[1]
    return {
        "top1": asdict(share_right(told_apart(scores, test[1]), test_set.families, seed=settings.seed)),
        "all_marks_right": asdict(share_right(marks.all(axis=1), test_set.families, seed=settings.seed)),
        "curves": {"native": [asdict(point) for point in progress.curve]},
    }


def told_apart(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return [N] bool: whether each twin's own values are the likeliest among its family's five.

    Args:
        scores: [N, cells, values] log-probabilities, five consecutive rows per family.
        labels: [N, cells] values drawn.
    """
    by_family = labels.reshape(-1, TWINS, labels.shape[1])
    twins = np.repeat(by_family, TWINS, axis=0)
    totals = np.take_along_axis(scores, twins.transpose(0, 2, 1), axis=2).sum(axis=1)
    return np.asarray(totals.argmax(axis=1) == np.arange(len(labels)) % TWINS)


def jittered(pictures: Pictures, generator: np.random.Generator) -> Batch:
    """Return every crop of a set, each displaced once."""
    return _cut(pictures.pixels, generator), pictures.labels


def crop_source(pictures: Pictures) -> Source:
    """Return a source of crops, displaced anew each time."""

    def draw(generator: np.random.Generator, count: int) -> Batch:
        rows = generator.integers(0, len(pictures.pixels), count)
        return _cut(pictures.pixels[rows], generator), pictures.labels[rows]

    return draw


def _cut(pixels: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    corners = generator.integers(0, JITTER + 1, size=(len(pixels), 2))
    return np.stack([part[y : y + REGION, x : x + REGION] for part, (x, y) in zip(pixels, corners, strict=True)])
