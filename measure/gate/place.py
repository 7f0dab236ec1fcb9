"""Criterion (c): a small convolutional localiser finds the label in the thumbnail that does not show what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .datasets import Pictures, load_set, picture_sets
from .networks import HEAT_CELL, localiser, log_probabilities
from .pictures import SCALE, THUMBNAIL
from .plan import TWINS
from .scoring import wilson_bounds
from .settings import KINDS, PLACE_RADIUS, Settings
from .training import Batch, Stage, seeded, train

SIDE = THUMBNAIL // HEAT_CELL
"""Cells of the heat map a side."""

RADII = (12, 16, 24)
"""Native pixels within which a label counts as found."""

BATCH = 32
"""Thumbnails per step."""

HELD_OUT = 8
"""One in so many training pictures is kept to choose the checkpoint and to measure the errors of the finds."""

Places = NDArray[np.float64]
"""[N, 2] native x and y."""


def place_weights(work: Path) -> Path:
    """Return where the localiser is kept."""
    return work / "localiser.pt"


def run_place(settings: Settings, work: Path) -> dict[str, object]:
    """Train one localiser for all kinds and examine it on unseen families; returns a JSON-ready result."""
    generator = seeded(settings.seed + 17)
    drawn = [load_set(work, picture_sets(settings, kind)["place_train"]) for kind in KINDS]
    pixels, places = np.concatenate([p.pixels for p in drawn]), np.concatenate([p.poses[:, :2] for p in drawn])
    held_out = np.concatenate([held_out_rows(len(p.pixels)) for p in drawn])
    tests = {kind: every_family_once(load_set(work, picture_sets(settings, kind)["test"])) for kind in KINDS}
    test_pixels = np.concatenate([test[0] for test in tests.values()])
    test_places = np.concatenate([test[1] for test in tests.values()])
    net = localiser()

    def check() -> tuple[float, float, float]:
        choice = distances(find_labels(net, pixels[held_out]), places[held_out])
        test = distances(find_labels(net, test_pixels), test_places)
        return float((choice <= PLACE_RADIUS).mean()), float((test <= PLACE_RADIUS).mean()), float(np.median(test))

    def draw(source: np.random.Generator, count: int) -> Batch:
        rows = source.choice(np.flatnonzero(~held_out), count)
        return pixels[rows], cells_of(places[rows])

    stage = Stage(sources=(draw,), steps=settings.place_steps, rate=3e-3, checks=4, batch=BATCH)
    progress = train(net, stage, generator, check)
    torch.save(net.state_dict(), place_weights(work))
    errors = {kind: distances(find_labels(net, test[0]), test[1]) for kind, test in tests.items()}
    return {
        "by_kind": {kind: _summary(error) for kind, error in errors.items()},
        "all": _summary(np.concatenate(list(errors.values()))),
        "curves": {
            "place": [
                {"step": p.step, "train_loss": p.train_loss, "found_choice": p.choice, "found_test": p.test}
                for p in progress.curve
            ]
        },
    }


def held_out_rows(count: int) -> NDArray[np.bool_]:
    """Return which of a kind's training pictures the localiser does not learn from."""
    return np.asarray(np.arange(count) % HELD_OUT == HELD_OUT - 1)


def every_family_once(pictures: Pictures) -> tuple[NDArray[np.uint8], Places]:
    """Return one picture of each family, its twins taken in turn, and where their labels are."""
    families = len(pictures.pixels) // TWINS
    rows = np.arange(families) * TWINS + np.arange(families) % TWINS
    return pictures.pixels[rows], pictures.poses[rows, :2]


def load_localiser(work: Path) -> nn.Module:
    """Return the trained localiser."""
    net = localiser()
    net.load_state_dict(torch.load(place_weights(work), weights_only=True))
    return net


def find_labels(net: nn.Module, pixels: NDArray[np.uint8]) -> Places:
    """Return the native x and y where the localiser sees a label in each [N, 96, 96, 3] thumbnail.

    The place is the mean over the best cell and its neighbours, weighted by their probabilities.
    """
    heat = np.exp(log_probabilities(net, pixels)[:, 0]).reshape(-1, SIDE, SIDE)
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)))
    best = heat.reshape(len(heat), -1).argmax(axis=1)
    rows, columns = best // SIDE, best % SIDE
    near = np.stack(
        [padded[np.arange(len(heat)), rows + dy, columns + dx] for dy in range(3) for dx in range(3)], axis=1
    )
    near /= near.sum(axis=1, keepdims=True)
    steps = np.array([(dx - 1, dy - 1) for dy in range(3) for dx in range(3)], dtype=np.float64)
    cells = np.stack([columns, rows], axis=1) + near @ steps + 0.5
    return np.asarray(cells * HEAT_CELL * SCALE)


def cells_of(places: Places) -> NDArray[np.int64]:
    """Return [N, 1] the number of the heat map's cell of each native place."""
    cells = np.clip(places // (HEAT_CELL * SCALE), 0, SIDE - 1).astype(np.int64)
    return (cells[:, 1] * SIDE + cells[:, 0])[:, None]


def distances(found: Places, places: Places) -> NDArray[np.float64]:
    """Return [N] native pixels between two places."""
    return np.asarray(np.hypot(*(found - places).T))


def _summary(errors: NDArray[np.float64]) -> dict[str, object]:
    return {
        "thumbnails": len(errors),
        "median_error": float(np.median(errors)),
        "within": {str(radius): float((errors <= radius).mean()) for radius in RADII},
        "within_lower_bound": {
            str(radius): wilson_bounds(int((errors <= radius).sum()), len(errors))[0] for radius in RADII
        },
    }
