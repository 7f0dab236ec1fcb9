"""The supervised run: from a start folder to a trained one, resumable to the bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast

from ...errors import DataError
from ...files import replace_file
from ...models.loading import load_model
from ...models.tiny.config import AGENT
from ...models.tiny.make import make_tiny
from ..book import PictureBook
from ..curves import write_curves
from ..runlog import METRICS_FILE, RunFolder
from .config import SftConfig, Start
from .samples import read_samples
from .trainer import CHECKPOINTS, make_trainer

MODEL_FOLDER = "model"
"""Folder of the trained model in a run's folder."""

CURVES_FILE = "metrics.svg"
"""The plot of the metrics."""

_STATE_FILE = "trainer_state.json"


def train_sft(config: SftConfig, out: Path, *, note: Callable[[str], None]) -> Path:
    """Train to the end, or from where the run was killed, and return the folder of the trained model.

    Args:
        config: the run.
        out: its folder.
        note: takes a line for a person, now and then.

    Raises:
        ConfigError: the folder belongs to another configuration, or what it starts from cannot be used.
        DataError: there are no trajectories.
        MissingDependency: the extra `train` is not installed.
    """
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)
    folder = RunFolder(out, config)
    begun = _start(config.start, out / "start", seed=config.seed)
    loaded = load_model(begun, dtype=config.dtype, device=config.device)
    loaded.model.train()
    shards = sorted(config.trajectories.glob("*.jsonl"))
    shards = [path for path in shards if path.with_suffix(".pictures").is_file()]
    if not shards:
        raise DataError(f"{config.trajectories}: no trajectories with their pictures; write some with train expert")
    samples = list(read_samples(shards, loaded.vocabulary, loaded.folder.geometry))
    books = [PictureBook(path.with_suffix(".pictures")) for path in shards]
    note(f"{len(samples)} trajectories, {sum(len(s.ids) for s in samples)} tokens")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(begun))
    trainer = make_trainer(config, loaded, tokenizer, samples, books, folder, note)
    checkpoint = newest_checkpoint(out)
    done = -1 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])
    kept = [entry for entry in folder.metrics() if entry["step"] <= done]
    replace_file(out / METRICS_FILE, "".join(json.dumps(entry) + "\n" for entry in kept).encode())
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    write_curves(out / CURVES_FILE, folder.metrics(), title="train sft")
    return export(loaded.model, begun, out / MODEL_FOLDER)


def newest_checkpoint(out: Path) -> Path | None:
    """Return the newest complete checkpoint of a run's folder, or None."""
    found = [path.parent for path in (out / CHECKPOINTS).glob(f"checkpoint-*/{_STATE_FILE}")]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def export(model: object, begun: Path, out: Path) -> Path:
    """Write a trained model: the files of the folder it began from, with its own weights."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(begun.iterdir()):
        if path.suffix in (".json", ".jinja", ".txt") and "safetensors" not in path.name:
            shutil.copyfile(path, out / path.name)
    model.save_pretrained(out)  # type: ignore[attr-defined]
    return out


def _start(start: Start, out: Path, *, seed: int) -> Path:
    if start.folder is not None:
        return start.folder
    if start.tokenizer is None:
        raise DataError("start: give either folder, or tokenizer of a small agent")
    return make_tiny(out, size=AGENT, tokenizer=start.tokenizer, vision=start.vision, seed=seed)
