"""Loads a model folder: weights, tokenizer, vision tower, and the name that records give them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._optional import require
from ..errors import ConfigError
from .folder import ModelFolder, folder_digest, open_folder
from .hub_id import name_of
from .pretrained import open_weights
from .vision import MEMORY, Vision
from .vocabulary import Vocabulary

DTYPES = ("auto", "float32", "bfloat16", "float16")
"""Number formats of weights; `auto` keeps the stored one."""


@dataclass(slots=True, kw_only=True, eq=False)
class LocalModel:
    """A model that is ready to run. Only `revision` changes, and only through `updated`."""

    folder: ModelFolder
    """Where it came from."""
    model: Any
    """The model of transformers, in evaluation mode."""
    vocabulary: Vocabulary
    """Its tokenizer."""
    vision: Vision
    """Its vision tower, with a memory of pictures."""
    origin: str
    """What was loaded, and how: folder, hash of its contents, dtype, device, attention and versions."""
    revision: int = 0
    """Number of the weights in use: 0 as loaded, one more after each update in place."""

    @property
    def fingerprint(self) -> str:
        """Name of the weights in use: `origin` as loaded, with the revision after an update."""
        return f"{self.origin} revision {self.revision}" if self.revision else self.origin

    def updated(self, *, tower: bool) -> None:
        """Count an update of the weights in place; a trainer calls it after each step.

        KV caches made with the old weights are left as they are: release the conversations of policies over the model
        first.

        Args:
            tower: whether the vision tower's weights changed too, so that remembered pictures must be encoded again.
        """
        self.revision += 1
        if tower:
            self.vision.forget()

    @property
    def device(self) -> Any:
        """Device of the weights."""
        return self.model.device

    @property
    def dtype(self) -> Any:
        """Number format of the weights."""
        return self.model.dtype

    @property
    def outputs(self) -> int:
        """Number of ids the model has an output for; the tokenizer may know fewer."""
        return int(self.model.lm_head.weight.shape[0])


def load_model(
    path: Path | str, *, dtype: str = "auto", device: str = "auto", vision_memory: int = MEMORY
) -> LocalModel:
    """Load a model folder.

    Args:
        path: a folder in hub layout, on this machine.
        dtype: one of `DTYPES`.
        device: as torch names it; `auto` is the first CUDA device where there is one, else the CPU.
        vision_memory: bytes of visual tokens remembered, at most.

    Raises:
        ConfigError: the folder or an option cannot be used.
        MissingDependency: the extra `models` is not installed.
    """
    torch, transformers = require("torch", extra="models"), require("transformers", extra="models")
    if dtype not in DTYPES:
        raise ConfigError(f"dtype {dtype!r} is unknown; there are {', '.join(DTYPES)}")
    folder = open_folder(path)
    vocabulary = Vocabulary.of_folder(folder.path)
    where = _device(torch, device)
    model = _load_weights(transformers, folder, dtype).to(where).eval()
    digest = folder_digest(folder.path)
    marks = [
        f"{folder.family} {name_of(folder.path)}@{digest}",
        f"{str(model.dtype).removeprefix('torch.')} {where.type} sdpa",
        f"torch {torch.__version__} transformers {transformers.__version__}",
    ]
    return LocalModel(
        folder=folder,
        model=model,
        vocabulary=vocabulary,
        vision=Vision(model.model.visual, folder.geometry, memory=vision_memory),
        origin=f"local:{' '.join(marks)}",
    )


def _device(torch: Any, name: str) -> Any:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"device {name!r} cannot be used ({reason}); name cpu, or a device torch sees") from error
    return device


def _load_weights(transformers: Any, folder: ModelFolder, dtype: str) -> Any:
    """Return the model with all its weights; transformers would initialise a missing one at random."""
    model, report = open_weights(
        getattr(transformers, folder.model_class),
        folder.path,
        what="the weights",
        dtype=dtype,
        attn_implementation="sdpa",
        output_loading_info=True,
    )
    lacking = sorted([*report["missing_keys"], *(str(entry[0]) for entry in report["mismatched_keys"])])
    if lacking:
        raise ConfigError(f"{folder.path}: the weights lack {lacking[0]}, or have it in another shape")
    return model
