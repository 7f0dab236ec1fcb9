"""A small model's folder: a tokenizer, a size, a trained vision tower; everything else is randomly initialised."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen3VLForConditionalGeneration

from ...errors import ConfigError
from ...models.patches import PatchGeometry
from ...models.processor import write_processor_files
from ...models.quiet import quiet
from ...models.vocabulary import Vocabulary
from .config import TinySize, tiny_config

DONE_FILE = "config.json"
"""Written last, so a folder that has it is complete."""

_TOKENIZER = "tokenizer_config.json"


def make_tiny(
    out: Path,
    *,
    size: TinySize,
    tokenizer: Path,
    vision: Path | None = None,
    seed: int = 0,
    tokens: Sequence[str] = (),
) -> Path:
    """Write a small model's folder, unless it exists, and return it.

    Args:
        out: the folder.
        size: layers and widths.
        tokenizer: folder with the tokenizer's files.
        vision: weights of the vision tower, as a perception run writes them; None initialises them randomly.
        seed: of the random weights.
        tokens: stretches of text that become one token each, besides the tokenizer's own.

    Raises:
        ConfigError: the tokenizer or the vision tower cannot be used.
    """
    if (out / DONE_FILE).is_file():
        return out
    out.mkdir(parents=True, exist_ok=True)
    backend = Vocabulary.of_folder(tokenizer).backend
    backend.add_tokens(list(tokens))
    backend.save(str(out / "tokenizer.json"))
    if (tokenizer / _TOKENIZER).is_file():
        shutil.copyfile(tokenizer / _TOKENIZER, out / _TOKENIZER)
    write_processor_files(out, "qwen3_vl", PatchGeometry())
    with torch.random.fork_rng(devices=[]):  # the library draws weights from the process's own generator
        torch.manual_seed(seed)
        model = Qwen3VLForConditionalGeneration(tiny_config(size, backend))
    if vision is not None:
        _set_tower(model.model.visual, vision)
    made = out / "made"
    with quiet():
        model.save_pretrained(made)
    for path in sorted(made.iterdir(), key=lambda path: path.name == DONE_FILE):
        path.replace(out / path.name)
    made.rmdir()
    return out


def _set_tower(tower: Any, path: Path) -> None:
    try:
        tower.load_state_dict(saved_state(path))
    except (TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{path}: not the weights of this vision tower ({reason})") from error


def saved_state(path: Path) -> Any:
    """Return what torch saved to a file, tensors and plain values only; raises ConfigError when it cannot be read."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds something else"
        raise ConfigError(f"{path}: not a file of weights that torch can read ({reason})") from error
