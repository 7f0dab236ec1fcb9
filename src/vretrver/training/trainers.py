"""What runs over a library's trainer share: settings, checkpoints, metrics, and the exported folder.

The loop, the schedule of the learning rate and resuming are the library's own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from ..errors import ConfigError
from ..files import replace_file
from ..models.quiet import quiet
from .folder import TrainingFolder
from .muon import Muon, muon_groups

CHECKPOINTS = "checkpoints"
"""Folder of the trainer's checkpoints in a run's folder."""

STATE_FILE = "trainer_state.json"
"""The trainer writes it last: so a checkpoint that has it is complete."""

MODEL_FOLDER = "model"
"""Folder of the trained model in a run's folder."""

DEFAULTS: Mapping[str, Any] = {
    "lr_scheduler_type": "cosine_with_min_lr",
    "max_grad_norm": 1.0,
    "logging_steps": 25,
    "save_steps": 250,
    "save_total_limit": 2,
    "report_to": "none",
    "disable_tqdm": True,
    "dataloader_pin_memory": False,
}
"""Default arguments of the trainer."""

_NOTED = ("loss", "learning_rate", "grad_norm")


class MetricsCallback(TrainerCallback):  # type: ignore[misc]
    """Writes what the trainer logs into the run's metrics.

    Args:
        folder: takes the metrics.
        note: called with lines of progress for a person.
    """

    def __init__(self, folder: TrainingFolder, note: Callable[[str], None]) -> None:
        self.folder, self.note = folder, note

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        """Append the recorded numbers."""
        kept = {name: round(logs[name], 6) for name in _NOTED if name in logs}
        if kept:
            self.folder.note(state.global_step, kept)
            self.note(f"step {state.global_step}/{state.max_steps} loss {kept.get('loss', 0.0):.4f}")


def refuse_several_devices(args: Any) -> None:
    """Raise ConfigError where the library would spread a step over devices: batches here are made for one device."""
    if args.n_gpu > 1 or args.world_size > 1:
        raise ConfigError("a run trains on one device; show it one GPU with CUDA_VISIBLE_DEVICES=0, in one process")


def run_trainer(trainer: Any, folder: TrainingFolder) -> None:
    """Train from the newest complete checkpoint to the end; metrics after the checkpoint are discarded first."""
    checkpoint = newest_checkpoint(folder.path)
    folder.keep_until(-1 if checkpoint is None else step_of(checkpoint))
    with quiet():
        if checkpoint is not None and step_of(checkpoint) >= trainer.args.max_steps:
            # resumed at its end, the library's loop would take one more step
            trainer._load_from_checkpoint(str(checkpoint))
            return
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a run's folder, or None."""
    found = [path.parent for path in (folder / CHECKPOINTS).glob(f"checkpoint-*/{STATE_FILE}")]
    return max(found, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """Return the step of a checkpoint from its name."""
    return int(checkpoint.name.rpartition("-")[2])


def small_optimiser(model: Any, *, lr: float, vision_lr: float) -> Muon:
    """Return the optimiser of the small models.

    Args:
        model: what is trained; parameters without gradients are left out.
        lr: highest learning rate.
        vision_lr: factor of it for the vision tower.
    """
    groups = muon_groups(model.named_parameters(), scale_of=lambda name: vision_lr if "visual." in name else 1.0)
    return Muon(groups, lr=lr)


def export_model(model: Any, base: Path, out: Path, *, more: Mapping[str, bytes] | None = None) -> Path:
    """Write a trained model atomically: the files of its base folder with the trained weights.

    Args:
        model: of transformers.
        base: the folder training started from.
        out: the folder that is written; an existing one is replaced.
        more: further files by name.
    """
    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for path in sorted(base.iterdir()):
        if path.suffix in (".json", ".jinja", ".txt") and "safetensors" not in path.name:
            shutil.copyfile(path, part / path.name)
    with quiet():
        model.save_pretrained(part)
    for name, data in (more or {}).items():
        replace_file(part / name, data)
    shutil.rmtree(out, ignore_errors=True)
    return part.replace(out)
