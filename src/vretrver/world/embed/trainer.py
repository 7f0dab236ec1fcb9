"""sentence-transformers' trainer with our batches, our checkpoints and our metrics; its loop, loss and schedule stay.

The rows of its dataset are the pairs of the schedule in order, so that a resumed run skips to the very batch it was
killed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer import losses
from torch.utils.data import BatchSampler, SequentialSampler
from transformers import PrinterCallback

from ...errors import ConfigError
from ...training.folder import TrainingFolder
from ...training.muon import Muon
from ...training.trainers import CHECKPOINTS, DEFAULTS, MetricsCallback, refuse_several_devices, small_optimiser
from .config import EmbedConfig
from .module import ItemModule
from .pairs import TrainingPairs
from .schedule import Schedule

_DEFAULTS: dict[str, Any] = {**DEFAULTS, "lr_scheduler_kwargs": {"min_lr_rate": 0.02}, "warmup_steps": 60}


class InOrder(DefaultBatchSampler):  # type: ignore[misc]
    """Batches of rows in the order of the dataset."""

    def __init__(self, dataset: Dataset, batch_size: int, **_: Any) -> None:
        BatchSampler.__init__(self, SequentialSampler(dataset), batch_size, drop_last=True)


class PairCollator:
    """Makes the two batches of a step from its rows.

    Args:
        module: renders items.
        pairs: the catalogue's.
    """

    valid_label_columns: tuple[str, ...] = ()

    def __init__(self, module: ItemModule, pairs: TrainingPairs) -> None:
        self.module = module
        self.pairs = pairs

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        """Return the features of queries and answers, named as the trainer collects them."""
        queries = [self.pairs.query(row["task"], row["item"], row["wording"]) for row in rows]
        answers = [self.pairs.candidate(row["task"], row["item"]) for row in rows]
        columns = {"query": self.module.preprocess(queries), "answer": self.module.preprocess(answers)}
        return {f"{column}_{name}": value for column, features in columns.items() for name, value in features.items()}


class EmbedTrainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """The library's trainer over an `ItemModule`: checkpoints hold the weights alone, no model card is drawn up."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Add none: a card would show examples of the dataset, whose rows are numbers."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        self.model[0].save(str(folder))

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:
        self.model[0].restore(Path(checkpoint_path))


def make_trainer(
    config: EmbedConfig, module: ItemModule, pairs: TrainingPairs, folder: TrainingFolder, note: Callable[[str], None]
) -> EmbedTrainer:
    """Return the trainer of a run.

    Args:
        config: the run.
        module: what is trained.
        pairs: the catalogue's pairs.
        folder: takes metrics and checkpoints.
        note: called with lines of progress for a person.

    Raises:
        ConfigError: the catalogue is too small for the batches.
    """
    schedule = Schedule(
        pairs.plan,
        tasks=config.data.shapes,
        steps=config.steps,
        batch_size=config.batch_size,
        hard=config.data.hard,
        seed=config.seed,
    )
    rows = [pair for batch in schedule for pair in batch]
    dataset = Dataset.from_dict({name: [getattr(row, name) for row in rows] for name in ("task", "item", "wording")})
    model = SentenceTransformer(modules=[module], device=str(module.body.device))
    trainer = EmbedTrainer(
        model=model,
        args=_arguments(config, module, folder),
        train_dataset=dataset,
        loss=_loss(config, model),
        data_collator=PairCollator(module, pairs),
        optimizers=(_optimiser(config, module), None),
        callbacks=[MetricsCallback(folder, note)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(
    config: EmbedConfig, module: ItemModule, folder: TrainingFolder
) -> SentenceTransformerTrainingArguments:
    """Return the trainer's arguments; raises ConfigError for one the library does not take."""
    ours = {
        "output_dir": str(folder.path / CHECKPOINTS),
        "max_steps": config.steps,
        "per_device_train_batch_size": config.batch_size,
        "learning_rate": config.lr,
        "learning_rate_mapping": {r"visual\.": config.lr * config.vision_lr},
        "seed": config.seed,
        "use_cpu": module.body.device.type == "cpu",
        "batch_sampler": InOrder,
    }
    try:
        arguments = SentenceTransformerTrainingArguments(**ours, **{**_DEFAULTS, **config.trainer})
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"trainer: {str(error).splitlines()[0]}; see SentenceTransformerTrainingArguments"
        ) from error
    refuse_several_devices(arguments)
    return arguments


def _loss(config: EmbedConfig, model: SentenceTransformer) -> torch.nn.Module:
    """Return InfoNCE in both directions over the batch."""
    both = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction", "scale": config.scale}
    if config.slice_size is None:
        return losses.MultipleNegativesRankingLoss(model, **both)
    return losses.CachedMultipleNegativesRankingLoss(model, mini_batch_size=config.slice_size, **both)


def _optimiser(config: EmbedConfig, module: ItemModule) -> Muon | None:
    """Return the optimiser, or None for the library's own."""
    for name, parameter in module.named_parameters():
        if "visual." in name and config.vision_lr == 0:
            parameter.requires_grad_(False)
    if config.optimiser == "adamw":
        return None
    return small_optimiser(module, lr=config.lr, vision_lr=config.vision_lr)
