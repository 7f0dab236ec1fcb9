"""One training loop for every probe: AdamW, cosine schedule, bf16 autocast, sets mixed at fixed shares of a batch.

Steps are counted, never seconds. The checkpoint kept is the best on the choice set, so a curve that turns worse
does not hide what the probe once could.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .networks import as_input

WARM_UP = 50
"""Steps over which the learning rate rises."""

Batch = tuple[NDArray[np.uint8], NDArray[Any]]
"""Pictures [B, H, W, 3] and labels, [B, cells] for values."""

Source = Callable[[np.random.Generator, int], Batch]
"""Draws a batch of a given size from one set."""


Loss = Callable[[Tensor, Tensor], Tensor]
"""From outputs [B, cells, values] and labels to one number."""


def value_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of [B, cells, values] logits and [B, cells] labels, nats."""
    return cross_entropy(logits.flatten(0, 1), labels.flatten())


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One point of a learning curve."""

    step: int
    """Steps taken since the stage began."""
    train_loss: float
    """Mean cross-entropy of the last steps, nats."""
    choice: float
    """Share right on the choice set."""
    test: float
    """Share right on the test set; never used to choose."""
    test_loss: float
    """Cross-entropy on the test set, nats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stretch of training."""

    sources: tuple[Source, ...]
    """Sets; each gives an equal share of every batch."""
    steps: int
    """Steps to take."""
    rate: float
    """Peak learning rate."""
    checks: int = 1
    """Points on the curve, evenly spaced; the last is the last step."""
    batch: int = 128
    """Samples per step."""
    loss: Loss = value_loss
    """What is made small."""


@dataclass(slots=True, kw_only=True)
class Progress:
    """What a stage left behind."""

    curve: list[Check] = field(default_factory=list)
    """Points in order of steps."""
    best: dict[str, Tensor] = field(default_factory=dict)
    """Weights of the point with the greatest share on the choice set."""


def seeded(seed: int) -> np.random.Generator:
    """Seed torch, confine it to one thread and return a generator for the batches."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    return np.random.default_rng(seed)


def train(
    net: nn.Module,
    stage: Stage,
    generator: np.random.Generator,
    check: Callable[[], tuple[float, float, float]],
) -> Progress:
    """Train in place and return the curve; the network is left at the best checkpoint.

    Args:
        net: from pictures to logits [B, cells, values].
        stage: what to train on and how long.
        generator: draws the batches.
        check: returns (share right on choice, share right on test, test loss).
    """
    optimiser = torch.optim.AdamW(net.parameters(), stage.rate, weight_decay=0.03)
    progress = Progress()
    losses: list[float] = []
    every = max(stage.steps // stage.checks, 1)
    for step in range(stage.steps):
        for group in optimiser.param_groups:
            group["lr"] = stage.rate * _schedule(step, stage.steps)
        losses.append(_take_step(net, optimiser, stage, generator))
        done = step + 1
        if done % every == 0 or done == stage.steps:
            choice, test, test_loss = check()
            recent = float(np.mean(losses[-every:]))
            point = Check(step=done, train_loss=recent, choice=choice, test=test, test_loss=test_loss)
            if not progress.curve or choice > max(past.choice for past in progress.curve):
                progress.best = copy.deepcopy(net.state_dict())
            progress.curve.append(point)
    net.load_state_dict(progress.best)
    return progress


def _schedule(step: int, steps: int) -> float:
    cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps))
    return min(1.0, (step + 1) / WARM_UP) * cosine


def _take_step(
    net: nn.Module, optimiser: torch.optim.Optimizer, stage: Stage, generator: np.random.Generator
) -> float:
    share = stage.batch // len(stage.sources)
    drawn = [source(generator, share) for source in stage.sources]
    pictures = as_input(np.concatenate([batch[0] for batch in drawn]))
    labels = torch.from_numpy(np.concatenate([batch[1] for batch in drawn]))
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(pictures)
    loss = stage.loss(logits.float(), labels)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return float(loss.item())
