"""What a run trains: a model folder, or a small model that begins with random weights and a trained vision tower."""

from __future__ import annotations

from pathlib import Path

from pydantic import model_validator

from ..config import Section


class Start(Section):
    """A model folder, or what a small model is made of."""

    folder: Path | None = None
    """A Qwen-VL folder to go on from; None begins a small model."""
    tokenizer: Path | None = None
    """For a small model: folder with the tokenizer."""
    vision: Path | None = None
    """For a small model: weights of the vision tower, as a perception run leaves them; None for random ones."""

    @model_validator(mode="after")
    def _one_way(self) -> Start:
        if (self.folder is None) == (self.tokenizer is None):
            raise ValueError("give either folder, or tokenizer (and vision) of a small model")
        return self
