"""The probes' networks: a reader of label windows and a localiser over whole thumbnails.

The reader is the one that read plain ink and native crops in the trials (conv 3x3 48-96-pool-128-128-dense 256,
batch norm). A reader started from random weights never leaves the uniform loss on relief; see README.md.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

WINDOW = 13
"""Thumbnail pixels a side of the window that a label's pose is estimated from."""

REGION = 72
"""Native pixels a side of the reader's crop."""

TRUNK_CELLS = {"upright": 48, "native": 81, "window": 49}
"""Cells that the trunk leaves of an upright window (12 x 16), of a native crop and of a thumbnail window."""

HEAT_CELL = 2
"""Thumbnail pixels a side of one cell of the localiser's map."""


def _block(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


def reader(cells: int, values: int, *, sees: Literal["upright", "native", "window"]) -> nn.Sequential:
    """Return a network from pictures [B, 3, H, W] to [B, cells, values].

    Args:
        cells: marks read one by one; 1 when a whole code is one value.
        values: values per cell.
        sees: upright windows, native crops (first layer 5x5 stride 2, then pool 2), or thumbnail windows.
    """
    stem = [_block(3, 48, kernel=5, stride=2), nn.MaxPool2d(2)] if sees == "native" else [_block(3, 48)]
    trunk = [_block(48, 96), nn.MaxPool2d(2, ceil_mode=True), _block(96, 128), _block(128, 128)]
    head = [nn.Flatten(), nn.Linear(128 * TRUNK_CELLS[sees], 256), nn.ReLU(), nn.Linear(256, cells * values)]
    net = nn.Sequential(*stem, *trunk, *head, nn.Unflatten(1, (cells, values)))
    return net.to(memory_format=torch.channels_last)


def localiser() -> nn.Sequential:
    """Return a network from [B, 3, 96, 96] to a map of logits [B, 1, 48 * 48], row by row."""
    layers = [_block(3, 24, kernel=5, stride=2), _block(24, 48), _block(48, 64, stride=2), _block(64, 64)]
    layers += [nn.Upsample(scale_factor=2), _block(64, 48), nn.Conv2d(48, 1, 1), nn.Flatten(2)]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def as_input(pictures: NDArray[np.uint8]) -> Tensor:
    """Return [B, H, W, 3] uint8 pictures as a centred float batch [B, 3, H, W] in channels-last memory."""
    batch = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    return ((batch.float() - 128.0) / 40.0).contiguous(memory_format=torch.channels_last)


def log_probabilities(net: nn.Module, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the log-probabilities [N, cells, values] of a network in evaluation mode."""
    scores: NDArray[np.float64] = outputs(net, pictures).log_softmax(-1).numpy()
    return scores


def outputs(net: nn.Module, pictures: NDArray[np.uint8]) -> Tensor:
    """Return what a network in evaluation mode says of each picture, float64."""
    net.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        parts = [net(as_input(pictures[start : start + 250])).float() for start in range(0, len(pictures), 250)]
    net.train()
    return torch.cat(parts).double()
