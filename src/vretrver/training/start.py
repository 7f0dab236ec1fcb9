"""What a run trains: a model folder, or a small model that begins from lots and a trained vision tower."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import model_validator

from ..config import Section
from ..errors import ConfigError
from ..world.tiny.config import TinySize


class Start(Section):
    """A model folder, or what a small model is made of."""

    folder: Path | None = None
    """A Qwen-VL folder to go on from; None begins a small model."""
    tokenizer: Path | None = None
    """For a small model: folder with the tokenizer."""
    vision: Path | None = None
    """For a small model: weights of the vision tower, as a perception run leaves them; None begins from lots."""

    @model_validator(mode="after")
    def _one_way(self) -> Start:
        if (self.folder is None) == (self.tokenizer is None):
            raise ValueError("give either folder, or tokenizer (and vision) of a small model")
        return self


def start_folder(start: Start, out: Path, *, size: TinySize, seed: int, tokens: Sequence[str] = ()) -> Path:
    """Return the folder a run begins from; a small model is made at `out` unless it is there.

    Args:
        start: what is trained.
        out: where a small model is made.
        size: its layers and widths.
        seed: of its weights.
        tokens: stretches of text that become one token more each.

    Raises:
        ConfigError: the tokenizer or the vision tower cannot be used.
    """
    if start.folder is not None:
        return start.folder
    if start.tokenizer is None:
        raise ConfigError("start: give either folder, or tokenizer of a small model")
    from ..world.tiny.make import make_tiny

    return make_tiny(out, size=size, tokenizer=start.tokenizer, vision=start.vision, seed=seed, tokens=tokens)
