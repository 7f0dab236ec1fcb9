"""A network that estimates a label's pose from the thumbnail around the place where the localiser found it.

It serves the probe that is not told where: what lies at the found place is turned upright along the estimated pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .datasets import Pictures, load_set, picture_sets
from .networks import WINDOW, outputs, reader
from .pictures import SCALE, window_corner
from .place import Places, find_labels, held_out_rows, load_localiser
from .settings import KINDS, Settings
from .told_where import stored_corners
from .training import Batch, Stage, seeded, train

UNITS = np.array([SCALE, SCALE, 10.0, 0.05])
"""Size of one output: native pixels, native pixels, degrees, scale."""

MIDDLE = np.array([0.0, 0.0, 0.0, 1.025])
"""Pose that all outputs at zero mean, relative to the window's middle."""

REACH = 3
"""Thumbnail pixels by which a stored window allows a found one to be off."""

Poses = NDArray[np.float64]
Corners = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Finds labels in whole thumbnails and estimates their poses."""

    localiser: nn.Module
    """Says where."""
    estimator: nn.Module
    """Says how it lies."""
    shifts: Corners
    """[K, 2] thumbnail columns and rows by which found windows were off in pictures not learnt from."""

    def poses_in(self, thumbnails: NDArray[np.uint8]) -> Poses:
        """Return [N, 4] estimated poses of the labels in whole thumbnails."""
        return estimated(self.estimator, thumbnails, found_corners(find_labels(self.localiser, thumbnails)))


def estimator_path(work: Path) -> Path:
    """Return where the estimator is kept."""
    return work / "estimator.pt"


def run_pose(settings: Settings, work: Path) -> dict[str, object]:
    """Train the estimator on all kinds and examine it at the places found; returns a JSON-ready result."""
    generator = seeded(settings.seed + 23)
    shifts = found_shifts(settings, work)
    drawn = [load_set(work, picture_sets(settings, kind)["train"]) for kind in KINDS]
    pixels, poses = np.concatenate([p.pixels for p in drawn]), np.concatenate([p.poses for p in drawn])
    corners = np.concatenate([stored_corners(p) for p in drawn])
    tests = [load_set(work, picture_sets(settings, kind)["ink_test"]) for kind in KINDS]
    thumbnails, truth = np.concatenate([t.pixels for t in tests]), np.concatenate([t.poses for t in tests])
    localiser = load_localiser(work)
    test_corners = found_corners(find_labels(localiser, thumbnails))
    net = reader(1, len(UNITS), sees="window")

    def draw(source: np.random.Generator, count: int) -> Batch:
        rows = source.integers(0, len(pixels), count)
        off = REACH + shifts[source.integers(0, len(shifts), count)]
        return cut_windows(pixels[rows], off), in_units(poses[rows], corners[rows] + off).astype(np.float32)

    def check() -> tuple[float, float, float]:
        errors = np.abs(estimated(net, thumbnails, test_corners) - truth)
        return -float(np.median(errors[:, 2])), float(np.median(errors[:, :2])), float(np.median(errors[:, 2]))

    stage = Stage(
        sources=(draw,), steps=settings.pose_steps, rate=1e-3, checks=3, batch=settings.batch, loss=_pose_loss
    )
    train(net, stage, generator, check)
    torch.save(net.state_dict(), estimator_path(work))
    errors = np.median(np.abs(estimated(net, thumbnails, test_corners) - truth), axis=0)
    names = ("x", "y", "degrees", "scale")
    return {"thumbnails": len(truth), "median_error": dict(zip(names, errors.tolist(), strict=True))}


def load_finder(settings: Settings, work: Path) -> Finder:
    """Return the trained localiser and estimator."""
    estimator = reader(1, len(UNITS), sees="window")
    estimator.load_state_dict(torch.load(estimator_path(work), weights_only=True))
    return Finder(localiser=load_localiser(work), estimator=estimator, shifts=found_shifts(settings, work))


def found_shifts(settings: Settings, work: Path) -> Corners:
    """Return how far the localiser's windows are off in pictures it did not learn from, cut to the stored margin."""
    localiser = load_localiser(work)
    shifts: list[Corners] = []
    for kind in KINDS:
        drawn = load_set(work, picture_sets(settings, kind)["place_train"])
        rows = held_out_rows(len(drawn.pixels))
        found = find_labels(localiser, drawn.pixels[rows])
        shifts.append(found_corners(found) - found_corners(drawn.poses[rows, :2]))
    return np.clip(np.concatenate(shifts), -REACH, REACH)


def displaced_poses(finder: Finder, pictures: Pictures, generator: np.random.Generator) -> Poses:
    """Return poses estimated in stored windows whose place is off as the localiser's finds are."""
    off = REACH + finder.shifts[generator.integers(0, len(finder.shifts), len(pictures.pixels))]
    corners = stored_corners(pictures)
    return _estimated_in(finder.estimator, cut_windows(pictures.pixels, off), corners + off)


def estimated(net: nn.Module, thumbnails: NDArray[np.uint8], corners: Corners) -> Poses:
    """Return [N, 4] poses estimated from windows at [N, 2] corners of whole thumbnails."""
    return _estimated_in(net, cut_windows(thumbnails, corners), corners)


def in_units(poses: Poses, corners: Corners) -> Poses:
    """Return [N, 1, 4] what the estimator should say of poses in windows that start at [N, 2] corners."""
    return np.asarray((poses - _window_middles(corners) - MIDDLE) / UNITS)[:, None]


def found_corners(places: Places) -> Corners:
    """Return [N, 2] the thumbnail corners of windows around native places."""
    return np.array([window_corner((x, y), WINDOW) for x, y in places], dtype=np.int64)


def cut_windows(pixels: NDArray[np.uint8], corners: Corners) -> NDArray[np.uint8]:
    """Return [N, 13, 13, 3] windows that start at [N, 2] corners (column, row) of [N, H, W, 3] pictures."""
    reach = np.arange(WINDOW)
    rows = (corners[:, 1, None] + reach)[:, :, None]
    columns = (corners[:, 0, None] + reach)[:, None, :]
    return np.asarray(pixels[np.arange(len(pixels))[:, None, None], rows, columns])


def _estimated_in(net: nn.Module, windows: NDArray[np.uint8], corners: Corners) -> Poses:
    said: Poses = outputs(net, windows)[:, 0].numpy()
    return np.asarray(said * UNITS + MIDDLE + _window_middles(corners))


def _window_middles(corners: Corners) -> Poses:
    """Return [N, 4]: native x and y of the windows' middles, and zeros."""
    return np.concatenate([(corners + WINDOW / 2) * SCALE, np.zeros((len(corners), 2))], axis=1)


def _pose_loss(said: Tensor, truth: Tensor) -> Tensor:
    return nn.functional.smooth_l1_loss(said, truth)
