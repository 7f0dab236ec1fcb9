"""The folder a run starts from: an existing model, or a small one made for the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import ConfigError
from ...models.folder import open_folder
from ...models.hub import folder_at
from ...training.start import ModelSource
from .config import TinySize


def start_folder(start: ModelSource, out: Path, *, size: TinySize, seed: int, tokens: Sequence[str] = ()) -> Path:
    """Return the folder a run starts from; a small model is made at `out` unless it exists.

    Args:
        start: what is trained.
        out: where a small model is made.
        size: its layers and widths.
        seed: of its weights.
        tokens: stretches of text that become one additional token each.

    Raises:
        ConfigError: the tokenizer or the vision tower cannot be used.
    """
    if start.folder is not None:
        return folder_at(str(start.folder), fits=open_folder)
    if start.tokenizer is None:
        raise ConfigError("start: give either folder, or tokenizer of a small model")
    from .make import make_tiny

    return make_tiny(out, size=size, tokenizer=start.tokenizer, vision=start.vision, seed=seed, tokens=tokens)
