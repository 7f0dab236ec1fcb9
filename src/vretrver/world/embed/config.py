"""Settings of an embedding run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from ...config import Section
from ...training.start import ModelSource

OURS = (
    "output_dir",
    "max_steps",
    "per_device_train_batch_size",
    "seed",
    "learning_rate",
    "learning_rate_mapping",
    "batch_sampler",
    "use_cpu",
)
"""Arguments of the trainer that other keys of the configuration decide."""


class DataConfig(Section):
    """Which pairs are trained on."""

    seed: int = 1
    """Seed of the catalogue."""
    items: int = Field(default=5000, ge=10)
    """Products of the catalogue; a multiple of 5."""
    gallery: Path | None = None
    """Finished pictures of that catalogue; None draws each picture every time it is needed."""
    shapes: tuple[int, ...] = (0, 1, 2, 3, 4, 6, 7, 8, 9)
    """Task shapes; one named twice is drawn twice as often."""
    hard: float = Field(default=0.5, ge=0, le=1)
    """Share of a batch that has the product and the colour of another pair of the batch."""


class EvaluationConfig(Section):
    """How the encoder is measured after training."""

    seed: int = 2
    """Seed of the catalogue, different from that of the pairs."""
    items: int = Field(default=2000, ge=5)
    """Products of the catalogue, which are the pool; a multiple of 5."""
    queries: int = Field(default=500, ge=1)
    """Queries of each task shape."""
    gallery: Path | None = None
    """Finished pictures of that catalogue; None draws them."""


class EmbedConfig(Section):
    """An embedding run."""

    start: ModelSource
    """What is trained."""
    layout: Literal["lamra", "qwen3vl_embedding"] = "lamra"
    """How items are written down."""
    picture_tokens: int = Field(default=9, ge=1)
    """Visual tokens of a picture; 9 shows the catalogue at 96 px."""
    text_tokens: int = Field(default=256, ge=1)
    """Tokens of an item's texts that are kept."""
    data: DataConfig = DataConfig()
    """The pairs."""
    steps: int = Field(default=1000, ge=1)
    """Optimiser steps."""
    batch_size: int = Field(default=64, ge=2)
    """Pairs of one step; the others of a batch are the wrong answers."""
    slice_size: int | None = Field(default=None, ge=1)
    """Pairs run at once (cached gradients); None runs a batch whole."""
    scale: float = Field(default=20.0, gt=0)
    """What cosines are multiplied by; 20 is LamRA's temperature of 0.05."""
    lr: float = Field(default=1.2e-3, gt=0)
    """Highest learning rate."""
    vision_lr: float = Field(default=0.3, ge=0)
    """Factor of it for the vision tower; 0 freezes the tower."""
    optimiser: Literal["muon", "adamw"] = "muon"
    """`muon` with 32-bit masters for small models; `adamw` is the library's, set in `trainer`."""
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """Number format of the weights while training, and of the folder that is written."""
    device: str | None = None
    """Where it runs; None takes a GPU where there is one."""
    threads: int = Field(default=2, ge=1)
    """Threads of torch on a CPU; resuming is exact with the same number."""
    seed: int = 0
    """Seed of the randomly initialised weights and of the order of pairs."""
    trainer: dict[str, Any] = Field(default_factory=dict)
    """Passed unchanged to `SentenceTransformerTrainingArguments`."""
    evaluation: EvaluationConfig | None = EvaluationConfig()
    """The measurement at the end; None leaves it out."""

    @model_validator(mode="after")
    def _no_contradiction(self) -> EmbedConfig:
        twice = sorted(set(self.trainer) & set(OURS))
        if twice:
            raise ValueError(f"trainer: {', '.join(twice)} is decided by other keys of the file; set those")
        if self.optimiser == "adamw" and self.dtype == "bfloat16":
            raise ValueError("optimiser adamw keeps no 32-bit masters and loses small steps; set dtype to float32")
        if self.evaluation is not None and self.evaluation.seed == self.data.seed:
            raise ValueError("evaluation.seed must be another seed than data.seed")
        return self
