"""The folder a run begins from: a model's own, or a small encoder made here from lots and a trained vision tower."""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigError
from ...models.tiny.config import ENCODER
from ...models.tiny.make import make_tiny
from ...retrieval.layouts.wording import WORDINGS
from .config import Start


def start_folder(start: Start, out: Path, *, layout: str, seed: int) -> Path:
    """Return the folder a run begins from; a small encoder is made at `out` unless it is there.

    Its tokenizer is the one named, with one token more for each stretch that the layout always writes.

    Raises:
        ConfigError: the tokenizer or the vision tower cannot be used.
    """
    if start.folder is not None:
        return start.folder
    if start.tokenizer is None:
        raise ConfigError("start: give either folder, or tokenizer of a small encoder")
    always = WORDINGS[layout].always
    return make_tiny(out, size=ENCODER, tokenizer=start.tokenizer, vision=start.vision, seed=seed, tokens=always)
