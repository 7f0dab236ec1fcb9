"""Settings of a supervised run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from ...config import Section
from ..start import ModelSource

OURS = ("output_dir", "max_steps", "per_device_train_batch_size", "seed", "learning_rate", "use_cpu")
"""Arguments of the trainer that other keys of the configuration decide."""


class SftConfig(Section):
    """A supervised run."""

    start: ModelSource
    """What is trained."""
    trajectories: Path
    """Folder of shards, as `vretrver train expert` writes them."""
    steps: int = Field(default=3000, ge=1)
    """Optimiser steps."""
    epochs: int = Field(default=1, ge=1)
    """Most epochs; training stops at `steps` or `epochs`, whichever comes first."""
    tokens: int = Field(default=6500, ge=1)
    """Most tokens of one step, padding included; a longer conversation is a step of its own."""
    lr: float = Field(default=1.2e-3, gt=0)
    """Highest learning rate."""
    box_weight: float = Field(default=1.0, gt=0)
    """Weight of the ids of boxes in the loss: they are a small share of all, and at 1 are learned too slowly."""
    vision_lr: float = Field(default=0.0, ge=0)
    """Factor of `lr` for the vision tower; 0 freezes the tower, as in the paper, so that pictures can be cached."""
    vision_memory: int = Field(default=2048, ge=0)
    """MiB of encoded pictures cached while the tower is frozen: a thumbnail is encoded once, not once per window."""
    optimiser: Literal["muon", "adamw"] = "muon"
    """`muon` with 32-bit masters for small models; `adamw` is the library's, set in `trainer`."""
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """Number format of the weights while training, and of the folder that is written."""
    device: str = "auto"
    """Where it runs; `auto` takes a GPU where there is one."""
    threads: int = Field(default=2, ge=1)
    """Threads of torch on a CPU; resuming is exact with the same number."""
    seed: int = 0
    """Seed of the randomly initialised weights and of the order within steps."""
    trainer: dict[str, Any] = Field(default_factory=dict)
    """Passed unchanged to TRL's `SFTConfig`."""

    @model_validator(mode="after")
    def _no_contradiction(self) -> SftConfig:
        twice = sorted(set(self.trainer) & set(OURS))
        if twice:
            raise ValueError(f"trainer: {', '.join(twice)} is decided by other keys of the file; set those")
        if self.optimiser == "adamw" and self.dtype == "bfloat16":
            raise ValueError("optimiser adamw keeps no 32-bit masters and loses small steps; set dtype to float32")
        if self.optimiser == "adamw" and self.vision_lr not in (0, 1):
            raise ValueError("optimiser adamw has one learning rate; set vision_lr to 0 (a frozen tower) or 1")
        return self
