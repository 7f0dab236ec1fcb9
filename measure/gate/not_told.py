"""Criterion (d), first half: a probe that gets the whole thumbnail and is not told where the label is.

It finds the label, estimates its pose and reads what lies there. Its reader starts from the one that reads plain ink
and takes the same course on windows cut along estimated poses, so it has teeth: its positive control is plain ink in
whole thumbnails.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from vretrver.world.draw.glyphs import LabelKind

from .datasets import Pictures, load_set, picture_sets
from .networks import reader
from .plan import TWINS
from .pose import Finder, displaced_poses, load_finder
from .settings import Settings
from .told_where import Course, Steps, batch_source, stored_corners, teach, weights_path
from .training import Batch, seeded
from .upright import upright_windows


def run_not_told(settings: Settings, work: Path, kind: LabelKind) -> dict[str, object]:
    """Train and examine the probe of one kind; returns a JSON-ready result."""
    generator = seeded(settings.seed + 19)
    finder = load_finder(settings, work)
    sets = picture_sets(settings, kind)
    ink_test, test = load_set(work, sets["ink_test"]), load_set(work, sets["test"])

    def displaced(name: str) -> Batch:
        return _along_displaced(finder, load_set(work, sets[name]), generator)

    course = Course(
        ink=batch_source(displaced("ink_train")),
        relief=batch_source(displaced("train")),
        ink_choice=displaced("ink_choice"),
        ink_test=_along_found(finder, ink_test),
        relief_choice=displaced("choice"),
        relief_test=_along_found(finder, test),
    )
    steps = Steps(
        ink=settings.unplaced_ink_steps,
        mixed=settings.unplaced_mixed_steps,
        relief=settings.unplaced_relief_steps,
        checks=settings.checks // 2 or 1,
        batch=settings.batch,
    )
    net = reader(1, TWINS, sees="upright")
    net.load_state_dict(torch.load(weights_path(work, kind), weights_only=True))
    return teach(
        net, course, steps, generator, families=(ink_test.families, test.families), seed=settings.seed
    ).report


def _along_found(finder: Finder, pictures: Pictures) -> Batch:
    """Return the reader's windows in whole thumbnails, knowing nothing but the thumbnails."""
    corners = np.zeros((len(pictures.pixels), 2), dtype=np.int64)
    return upright_windows(pictures.pixels, corners, finder.poses_in(pictures.pixels)), pictures.labels


def _along_displaced(finder: Finder, pictures: Pictures, generator: np.random.Generator) -> Batch:
    """Return windows to learn from, cut along poses estimated where the localiser might have looked."""
    poses = displaced_poses(finder, pictures, generator)
    return upright_windows(pictures.pixels, stored_corners(pictures), poses), pictures.labels
