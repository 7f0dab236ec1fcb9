"""Label windows turned upright: a probe that is told where the label is gets its pose taken out, too.

The thumbnail is sampled along the label's own axes with a cubic filter, so that every mark lies in the same place
whatever the label's sub-pixel position, turn and size. In the trials this made the probe's task easier.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pictures import SCALE

ROWS, COLUMNS = 12, 16
"""Samples of an upright window."""

STEP = 4.8
"""Native pixels between samples on a label of scale 1; a sample is .6 of a thumbnail pixel."""

Numbers = NDArray[np.float64]


def upright_windows(pixels: NDArray[np.uint8], corners: NDArray[np.int64], poses: Numbers) -> NDArray[np.uint8]:
    """Return [N, 12, 16, 3] uint8 windows along the labels' axes.

    Args:
        pixels: [N, S, S, 3] thumbnails or parts of them.
        corners: [N, 2] thumbnail (column, row) of each picture's first pixel.
        poses: [N, 4] native x and y of the label's middle, its turn in degrees clockwise, its scale.
    """
    across = (np.arange(COLUMNS) - (COLUMNS - 1) / 2)[None, None, :] * STEP
    down = (np.arange(ROWS) - (ROWS - 1) / 2)[None, :, None] * STEP
    angle, scale = np.deg2rad(poses[:, 2])[:, None, None], poses[:, 3][:, None, None]
    x = poses[:, 0][:, None, None] + scale * (across * np.cos(angle) - down * np.sin(angle))
    y = poses[:, 1][:, None, None] + scale * (across * np.sin(angle) + down * np.cos(angle))
    column = x / SCALE - 0.5 - corners[:, 0][:, None, None]
    row = y / SCALE - 0.5 - corners[:, 1][:, None, None]
    return _sampled(pixels, column, row)


def _sampled(pixels: NDArray[np.uint8], column: Numbers, row: Numbers) -> NDArray[np.uint8]:
    """Return [N, rows, columns, 3] samples of each picture at fractional places; beyond its edge the edge goes on."""
    left, top = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
    weights_x, weights_y = _cubic(column - left), _cubic(row - top)
    which = np.arange(len(pixels))[:, None, None]
    total = np.zeros((*column.shape, 3), dtype=np.float32)
    for down in range(4):
        rows = np.clip(top + down - 1, 0, pixels.shape[1] - 1)
        for across in range(4):
            columns = np.clip(left + across - 1, 0, pixels.shape[2] - 1)
            weight = (weights_x[across] * weights_y[down]).astype(np.float32)
            total += weight[..., None] * pixels[which, rows, columns]
    return np.clip(np.rint(total), 0, 255).astype(np.uint8)


def _cubic(t: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return Catmull and Rom's weights of the samples at -1, 0, 1 and 2 for a place t in 0 .. 1."""
    return (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )
