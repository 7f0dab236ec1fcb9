"""A small probe that picks one of five alternatives from plain numbers; it never sees a pixel.

Two halves of the families take turns at training and testing, so every family is tested once, by a probe that has
not seen it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from .scoring import Share, share_right
from .training import seeded

STEPS = 600
"""Full-batch steps."""


def pick_right(
    features: NDArray[np.float64], truth: NDArray[np.int64], families: NDArray[np.int64], *, seed: int
) -> Share:
    """Return how often a cross-fitted network picks the right alternative.

    Args:
        features: [N, 5, D] numbers of each alternative; scaled here with the training half's mean and deviation.
        truth: [N] number of the right alternative.
        families: [N] family of each row; all rows of a family are in the same half.
        seed: seed of the halves, the weights and the bounds.
    """
    generator = seeded(seed)
    names = np.unique(families)
    first = np.isin(families, generator.permutation(names)[: len(names) // 2])
    right = np.zeros(len(truth), dtype=np.bool_)
    for train in (first, ~first):
        right[~train] = _fit(features[train], truth[train])(features[~train]) == truth[~train]
    return share_right(right, families, seed=seed)


class _Picker:
    """A trained network with the scaling of the numbers it was trained on."""

    def __init__(self, features: NDArray[np.float64]) -> None:
        self.mean = features.mean(axis=(0, 1))
        self.deviation = features.std(axis=(0, 1)) + 1e-9
        size = features.shape[-1]
        self.net = nn.Sequential(nn.Linear(size, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 1))

    def scores(self, features: NDArray[np.float64]) -> torch.Tensor:
        scaled = np.clip((features - self.mean) / self.deviation, -5, 5)
        logits: torch.Tensor = self.net(torch.from_numpy(scaled).float())[..., 0]
        return logits

    def __call__(self, features: NDArray[np.float64]) -> NDArray[np.int64]:
        self.net.eval()
        with torch.inference_mode():
            picked: NDArray[np.int64] = self.scores(features).argmax(1).numpy()
        return picked


def _fit(features: NDArray[np.float64], truth: NDArray[np.int64]) -> _Picker:
    picker = _Picker(features)
    optimiser = torch.optim.AdamW(picker.net.parameters(), 5e-3, weight_decay=0.05)
    target = torch.from_numpy(truth)
    for _ in range(STEPS):
        loss = cross_entropy(picker.scores(features), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return picker
