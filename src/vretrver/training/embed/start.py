"""The folder a run begins from: a model's own, or a small encoder made here from lots and a trained vision tower."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import Qwen3VLForConditionalGeneration

from ...errors import ConfigError
from ...models.patches import PatchGeometry
from ...models.processor import write_processor_files
from ...models.tiny.config import ENCODER, tiny_config
from ...models.vocabulary import Vocabulary
from ...retrieval.layouts.wording import WORDINGS
from .config import Start

DONE_FILE = "config.json"
"""Written last: a folder that has it is complete."""

_TOKENIZER = "tokenizer_config.json"


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
    if (out / DONE_FILE).is_file():
        return out
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = Vocabulary.of_folder(start.tokenizer).backend
    tokenizer.add_tokens(list(WORDINGS[layout].always))
    tokenizer.save(str(out / "tokenizer.json"))
    if (start.tokenizer / _TOKENIZER).is_file():
        shutil.copyfile(start.tokenizer / _TOKENIZER, out / _TOKENIZER)
    write_processor_files(out, "qwen3_vl", PatchGeometry())
    torch.manual_seed(seed)
    model = Qwen3VLForConditionalGeneration(tiny_config(ENCODER, tokenizer))
    if start.vision is not None:
        try:
            model.model.visual.load_state_dict(torch.load(start.vision, map_location="cpu", weights_only=True))
        except (OSError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"{start.vision}: not the weights of this vision tower ({reason})") from error
    made = out / "made"
    model.save_pretrained(made)
    for path in sorted(made.iterdir(), key=lambda path: path.name == DONE_FILE):
        path.replace(out / path.name)
    made.rmdir()
    return out
