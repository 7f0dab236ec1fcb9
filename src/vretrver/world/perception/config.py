"""Settings of a perception run."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ...config import Section


class BatchSizes(Section):
    """Pictures of one step."""

    thumbnails: int = Field(default=40, ge=1)
    """Whole pictures at 96 px."""
    selects: int = Field(default=3, ge=0)
    """Whole pictures at 256 px."""
    labels: int = Field(default=160, ge=0)
    """Regions of 64 px around the label: four times as many marks to read in the same time."""
    looks: int = Field(default=24, ge=1)
    """Regions of 128 px that hold the label, as the agent's looks show them."""
    empties: int = Field(default=4, ge=0)
    """Regions of 128 px that hold nothing of it."""


class PerceptionConfig(Section):
    """A perception run."""

    gallery: Path
    """Gallery of the training catalogue."""
    held_out: Path
    """Gallery of another seed, for the accuracies that are recorded."""
    tokenizer: Path
    """Folder with the tokenizer: the model's configuration needs its ids."""
    start: Path | None = None
    """Checkpoint of another run whose tower and heads this one continues from; None initialises them randomly."""
    steps: int = Field(default=2000, ge=1)
    """Optimiser steps."""
    batch: BatchSizes = BatchSizes()
    """Pictures of one step."""
    lr: float = Field(default=1.2e-3, gt=0)
    """Highest learning rate; cosine to 2 % of it."""
    warm_up: int = Field(default=60, ge=0)
    """Steps until the highest learning rate."""
    seed: int = 0
    """Seed of the initial weights and of the order of pictures."""
    note_every: int = Field(default=25, ge=1)
    """Steps between two lines of metrics."""
    save_every: int = Field(default=250, ge=1)
    """Steps between two checkpoints, each with the accuracies on held-out pictures."""
    threads: int = Field(default=2, ge=1)
    """Threads of torch."""
