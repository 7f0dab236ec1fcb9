"""TRL's supervised trainer over whole conversations: its loop, schedule and checkpoints; our batches and loss.

Its own collator leaves the tool block out of the prompt and cannot take pictures in observations, and its forward
pass encodes every picture again; so a step here is a row of sample numbers, and the loss is computed over the ids
that the assistant wrote, with explicit positions, on pictures that are cached while the tower is frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from datasets import Dataset
from torch import Tensor
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback
from trl import SFTConfig as TrlConfig
from trl import SFTTrainer

from ...errors import ConfigError
from ...models.loading import LocalModel
from ..book import PictureBytes
from ..folder import TrainingFolder
from ..forward import install_forward
from ..muon import Muon
from ..trainers import CHECKPOINTS, DEFAULTS, MetricsCallback, refuse_several_devices, small_optimiser
from .batches import Batch, collate, steps_of
from .config import SftConfig
from .samples import Sample

_DEFAULTS: dict[str, Any] = {
    **DEFAULTS,
    "lr_scheduler_kwargs": {"min_lr_rate": 0.03},
    "warmup_steps": 80,
    "bf16": False,
    "max_length": None,
}

_RECOMPUTING = ("activation_checkpointing", "gradient_checkpointing")
"""Two names of one argument, the newer one first; TRL's own default is to recompute."""


class StepCollator:
    """Makes the batch of a step from its row.

    Args:
        loaded: the model that is trained.
        samples: all samples.
        pictures: gives the bytes of every picture by its hash.
    """

    def __init__(self, loaded: LocalModel, samples: Sequence[Sample], pictures: PictureBytes) -> None:
        self.vocabulary, self.samples, self.pictures = loaded.vocabulary, samples, pictures

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Batch]:
        """Return the batch under the one name that `compute_loss` takes it by."""
        chosen = [self.samples[number] for row in rows for number in row["samples"]]
        pad, filler = self.vocabulary.picture_pad, self.vocabulary.turn_end
        return {"batch": collate(chosen, self.pictures, picture_pad=pad, filler=filler)}


class AgentTrainer(SFTTrainer):  # type: ignore[misc]
    """The library's trainer with the loss of this module.

    Args:
        loaded: the model that is trained, with its tower's cache of pictures.
        frozen: the tower is frozen.
        **given: the library's own arguments.
    """

    def __init__(self, loaded: LocalModel, *, frozen: bool, **given: Any) -> None:
        self.loaded = loaded
        self.frozen = frozen
        super().__init__(model=loaded.model, **given)
        install_forward(loaded, frozen=frozen)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Batch],
        return_outputs: bool = False,  # noqa: ARG002
        num_items_in_batch: Any = None,  # noqa: ARG002
    ) -> Tensor:
        """Return the weighted mean cross-entropy over the ids the assistant chose."""
        return sft_loss(model, inputs["batch"])

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log without the library's token counts, which its own loss would have kept."""
        super(SFTTrainer, self).log(logs, start_time)

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        """Return the steps in their own order."""
        return SequentialSampler(train_dataset or self.train_dataset)


def sft_loss(model: Any, batch: Batch) -> Tensor:
    """Return the weighted mean cross-entropy over the ids the assistant chose, a scalar in fp32.

    Args:
        model: with the forward pass of `training.forward`, in a wrapper or not.
        batch: the step.
    """
    logprobs: Tensor = model(batch=batch)
    weight = batch.weights.to(logprobs.device)[:, 1:][batch.chosen[:, 1:].to(logprobs.device)]
    return -(logprobs * weight).sum() / weight.sum()


def make_trainer(
    config: SftConfig,
    loaded: LocalModel,
    tokenizer: Any,
    samples: Sequence[Sample],
    pictures: PictureBytes,
    folder: TrainingFolder,
    note: Callable[[str], None],
) -> AgentTrainer:
    """Return the trainer of a run.

    Args:
        config: the run.
        loaded: what is trained.
        tokenizer: the model's, as the library wants it.
        samples: what is learned from.
        pictures: gives the bytes of every picture by its hash.
        folder: takes metrics and checkpoints.
        note: called with lines of progress for a person.

    Raises:
        ConfigError: the library does not take an argument of `trainer`.
    """
    lengths = [len(sample.ids_T) for sample in samples]
    steps = steps_of(lengths, tokens=config.tokens, seed=config.seed, epochs=config.epochs)
    frozen = config.vision_lr == 0
    loaded.model.model.visual.requires_grad_(not frozen)
    trainer = AgentTrainer(
        loaded,
        frozen=frozen,
        args=_arguments(config, loaded, folder, steps=min(config.steps, len(steps))),
        train_dataset=Dataset.from_dict({"samples": steps}),
        data_collator=StepCollator(loaded, samples, pictures),
        processing_class=tokenizer,
        optimizers=(_optimiser(config, loaded), None),
        callbacks=[MetricsCallback(folder, note)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(config: SftConfig, loaded: LocalModel, folder: TrainingFolder, *, steps: int) -> TrlConfig:
    """Return the trainer's arguments; raises ConfigError for one the library does not take."""
    ours = {
        "output_dir": str(folder.path / CHECKPOINTS),
        "max_steps": steps,
        "per_device_train_batch_size": 1,
        "learning_rate": config.lr,
        "seed": config.seed,
        "use_cpu": loaded.device.type == "cpu",
        "remove_unused_columns": False,
        "dataset_kwargs": {"skip_prepare_dataset": True},
    }
    if not set(_RECOMPUTING) & set(config.trainer):
        known = next(name for name in _RECOMPUTING if name in TrlConfig.__dataclass_fields__)
        ours[known] = False
    try:
        arguments = TrlConfig(**ours, **{**_DEFAULTS, **config.trainer})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"trainer: {str(error).splitlines()[0]}; see TRL's SFTConfig") from error
    refuse_several_devices(arguments)
    return arguments


def _optimiser(config: SftConfig, loaded: LocalModel) -> Muon | None:
    """Return the optimiser, or None for the library's own."""
    if config.optimiser == "adamw":
        return None
    return small_optimiser(loaded.model, lr=config.lr, vision_lr=config.vision_lr)
