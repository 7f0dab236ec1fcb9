"""Criterion (d), first half: a probe that gets the whole thumbnail and is not told where the label is.

It finds the label with the localiser and reads what lies there. Its reader starts from the one that reads plain ink
and takes the same course on windows displaced as the localiser's finds are, so it has teeth: its positive control
is plain ink in whole thumbnails.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vretrver.data.catalogue.glyphs import LabelKind

from .datasets import Pictures, load_set, picture_sets
from .networks import WINDOW, reader
from .pictures import window_corner
from .place import Places, find_labels, held_out_rows, load_localiser
from .plan import TWINS
from .settings import KINDS, Settings
from .told_where import MARGIN, Course, Steps, cut_windows, teach, weights_path
from .training import Batch, Source, seeded

Shifts = NDArray[np.int64]
"""[N, 2] thumbnail columns and rows by which a found window is off the true one."""


def run_not_told(settings: Settings, work: Path, kind: LabelKind) -> dict[str, object]:
    """Train and examine the probe of one kind; returns a JSON-ready result."""
    generator = seeded(settings.seed + 19)
    finder = load_localiser(work)
    sets = picture_sets(settings, kind)
    shifts = finder_shifts(settings, work)
    ink_test, test = load_set(work, sets["ink_test"]), load_set(work, sets["test"])
    course = Course(
        ink=displaced_source(load_set(work, sets["ink_train"]), shifts),
        relief=displaced_source(load_set(work, sets["train"]), shifts),
        ink_choice=_displaced(load_set(work, sets["ink_choice"]), shifts, generator),
        ink_test=found_windows(ink_test, find_labels(finder, ink_test.pixels)),
        relief_choice=_displaced(load_set(work, sets["choice"]), shifts, generator),
        relief_test=found_windows(test, find_labels(finder, test.pixels)),
    )
    steps = Steps(
        ink=settings.unplaced_ink_steps,
        mixed=settings.unplaced_mixed_steps,
        relief=settings.unplaced_relief_steps,
        checks=settings.checks // 2 or 1,
        batch=settings.batch,
    )
    net = reader(1, TWINS, native=False)
    net.load_state_dict(torch.load(weights_path(work, kind), weights_only=True))
    return teach(
        net, course, steps, generator, families=(ink_test.families, test.families), seed=settings.seed
    ).report


def finder_shifts(settings: Settings, work: Path) -> Shifts:
    """Return how far the localiser's windows are off in pictures it did not learn from, cut to the stored margin."""
    finder = load_localiser(work)
    shifts: list[Shifts] = []
    for kind in KINDS:
        drawn = load_set(work, picture_sets(settings, kind)["place_train"])
        rows = held_out_rows(len(drawn.pixels))
        found = find_labels(finder, drawn.pixels[rows])
        shifts.append(_corners(found) - _corners(drawn.centres[rows]))
    return np.clip(np.concatenate(shifts), -MARGIN, MARGIN)


def found_windows(pictures: Pictures, found: Places) -> Batch:
    """Return the reader's windows at the places found in whole thumbnails."""
    return cut_windows(pictures.pixels, _corners(found)), pictures.labels


def displaced_source(pictures: Pictures, shifts: Shifts) -> Source:
    """Return a source of windows displaced as the localiser's finds are."""

    def draw(generator: np.random.Generator, count: int) -> Batch:
        rows = generator.integers(0, len(pictures.pixels), count)
        corners = MARGIN + shifts[generator.integers(0, len(shifts), count)]
        return cut_windows(pictures.pixels[rows], corners), pictures.labels[rows]

    return draw


def _displaced(pictures: Pictures, shifts: Shifts, generator: np.random.Generator) -> Batch:
    corners = MARGIN + shifts[generator.integers(0, len(shifts), len(pictures.pixels))]
    return cut_windows(pictures.pixels, corners), pictures.labels


def _corners(places: Places) -> NDArray[np.int64]:
    return np.array([window_corner((x, y), WINDOW) for x, y in places], dtype=np.int64)
