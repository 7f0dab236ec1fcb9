"""TRL's supervised trainer over whole conversations: its loop, schedule, checkpoints and resuming; our batches and loss.

Its own collator leaves the tool block out of the prompt and cannot take pictures in observations, and its forward pass
encodes every picture anew; so a step here is a row of sample numbers, and the loss is computed over the ids that the
assistant wrote, with explicit positions, on pictures that are remembered while the tower is frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from torch.nn import functional
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig as TrlConfig
from trl import SFTTrainer

from ...models.language import logits_of, run_language
from ...models.loading import LocalModel
from ...models.vision import Seen, pixels_of
from ..book import PictureBook
from ..muon import Muon, muon_groups
from ..runlog import RunFolder
from .batches import Batch, collate, steps_of
from .config import SftConfig
from .samples import Sample

CHECKPOINTS = "checkpoints"
"""Folder of the trainer's checkpoints in a run's folder."""

_DEFAULTS: dict[str, Any] = {
    "lr_scheduler_type": "cosine_with_min_lr",
    "lr_scheduler_kwargs": {"min_lr_rate": 0.03},
    "warmup_steps": 80,
    "max_grad_norm": 1.0,
    "logging_steps": 25,
    "save_steps": 250,
    "save_total_limit": 2,
    "report_to": "none",
    "disable_tqdm": True,
    "dataloader_pin_memory": False,
    "gradient_checkpointing": False,
    "bf16": False,
    "max_length": None,
}


class Lesson:
    """Makes the batch of a step from its row.

    Args:
        loaded: the model that is trained.
        samples: all samples.
        books: the pictures of each shard.
    """

    def __init__(self, loaded: LocalModel, samples: Sequence[Sample], books: Sequence[PictureBook]) -> None:
        self.vocabulary, self.samples, self.books = loaded.vocabulary, samples, books

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Batch]:
        """Return the batch under the one name that `compute_loss` takes it by."""
        chosen = [self.samples[number] for row in rows for number in row["samples"]]
        pad, filler = self.vocabulary.picture_pad, self.vocabulary.turn_end
        return {"batch": collate(chosen, self.books, picture_pad=pad, filler=filler)}


class AgentTrainer(SFTTrainer):  # type: ignore[misc]
    """The library's trainer with the loss of this module.

    Args:
        loaded: the model that is trained, with its tower's memory of pictures.
        frozen: whether the tower stays as it is.
        **given: the library's own arguments.
    """

    def __init__(self, loaded: LocalModel, *, frozen: bool, **given: Any) -> None:
        self.loaded = loaded
        self.frozen = frozen
        super().__init__(model=loaded.model, **given)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Batch],
        return_outputs: bool = False,  # noqa: ARG002, FBT001, FBT002
        num_items_in_batch: Any = None,  # noqa: ARG002
    ) -> Tensor:
        """Return the mean cross-entropy over the ids the assistant wrote."""
        return sft_loss(self.loaded, inputs["batch"], frozen=self.frozen, model=model)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log without the library's token counts, which its own loss would have kept."""
        super(SFTTrainer, self).log(logs, start_time)

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        """Return the steps in their own order."""
        return SequentialSampler(train_dataset or self.train_dataset)


def sft_loss(loaded: LocalModel, batch: Batch, *, frozen: bool, model: Any = None) -> Tensor:
    """Return the mean cross-entropy over the ids the assistant wrote, a scalar in fp32.

    Args:
        loaded: tower and tokenizer.
        batch: the step.
        frozen: whether pictures may come from the tower's memory, without gradients.
        model: the model as the trainer wraps it; None takes the plain one.
    """
    body, device = model or loaded.model, loaded.device
    seen = _seen(loaded, batch, frozen=frozen)
    ids, written = batch.ids.to(device), batch.written.to(device)
    hidden = run_language(body, ids, batch.positions.to(device), seen=seen, pads=batch.pads.to(device))
    wanted = written[:, 1:]
    logits = logits_of(body, hidden[:, :-1][wanted])
    return functional.cross_entropy(logits, ids[:, 1:][wanted])


def _seen(loaded: LocalModel, batch: Batch, *, frozen: bool) -> list[Seen]:
    if frozen:
        return loaded.vision.see(batch.pictures)
    once = {shown.picture.sha256: shown for shown in batch.pictures}
    found = dict(zip(once, loaded.vision.encode([pixels_of(shown) for shown in once.values()]), strict=True))
    return [found[shown.picture.sha256] for shown in batch.pictures]


class _Notes(TrainerCallback):  # type: ignore[misc]
    """Writes what the trainer logs into the run's metrics."""

    def __init__(self, folder: RunFolder, note: Callable[[str], None]) -> None:
        self.folder, self.note = folder, note

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        kept = {name: round(logs[name], 6) for name in ("loss", "learning_rate", "grad_norm") if name in logs}
        if kept:
            self.folder.note(state.global_step, kept)
            self.note(f"step {state.global_step}/{state.max_steps} loss {kept.get('loss', 0.0):.4f}")


def make_trainer(
    config: SftConfig,
    loaded: LocalModel,
    tokenizer: Any,
    samples: Sequence[Sample],
    books: Sequence[PictureBook],
    folder: RunFolder,
    note: Callable[[str], None],
) -> AgentTrainer:
    """Return the trainer of a run.

    Args:
        config: the run.
        loaded: what is trained.
        tokenizer: the model's, as the library wants it.
        samples: what is learned from.
        books: the pictures of each shard.
        folder: takes metrics and checkpoints.
        note: takes a line for a person, now and then.
    """
    lengths = [len(sample.ids) for sample in samples]
    steps = steps_of(lengths, tokens=config.tokens, seed=config.seed, epochs=config.epochs)
    arguments = TrlConfig(
        output_dir=str(folder.path / CHECKPOINTS),
        max_steps=min(config.steps, len(steps)),
        per_device_train_batch_size=1,
        learning_rate=config.lr,
        seed=config.seed,
        use_cpu=loaded.device.type == "cpu",
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        **{**_DEFAULTS, **config.trainer},
    )
    frozen = config.vision_lr == 0
    loaded.model.model.visual.requires_grad_(not frozen)
    trainer = AgentTrainer(
        loaded,
        frozen=frozen,
        args=arguments,
        train_dataset=Dataset.from_dict({"samples": steps}),
        data_collator=Lesson(loaded, samples, books),
        processing_class=tokenizer,
        optimizers=(_optimiser(config, loaded), None),
        callbacks=[_Notes(folder, note)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _optimiser(config: SftConfig, loaded: LocalModel) -> Muon | None:
    """Return the optimiser, or None for the library's own."""
    if config.optimiser == "adamw":
        return None
    scale = lambda name: config.vision_lr if "visual." in name else 1.0  # noqa: E731
    return Muon(muon_groups(loaded.model.named_parameters(), scale_of=scale), lr=config.lr)
