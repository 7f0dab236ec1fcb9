"""What a training run starts from: the installed libraries, and the model that is trained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import model_validator

from .._optional import require
from ..config import Section

PERCEPTION = ("torch", "transformers")
"""Libraries of the perception run."""

EMBED = ("torch", "transformers", "datasets", "sentence_transformers")
"""Libraries of the embedding run."""

SFT = ("torch", "transformers", "datasets", "trl")
"""Libraries of the supervised run."""


class ModelSource(Section):
    """A model folder, or the parts of a small model that is randomly initialised."""

    folder: Path | None = None
    """A Qwen-VL folder, or `owner/name@revision` of the hub, that training continues from; None initialises a small
    model."""
    tokenizer: Path | None = None
    """For a small model: folder with the tokenizer."""
    vision: Path | None = None
    """For a small model: weights of the vision tower, as a perception run writes them; None for random ones."""

    @model_validator(mode="after")
    def _one_way(self) -> ModelSource:
        if (self.folder is None) == (self.tokenizer is None):
            raise ValueError("give either folder, or tokenizer (and vision) of a small model")
        return self


def require_libraries(names: Sequence[str]) -> None:
    """Raise MissingDependency, with the command that installs the extra `train`, where a library is missing.

    A run calls this before it imports the modules that need them, so that a missing extra is one sentence and not a
    traceback. Telemetry of the libraries is switched off unless the environment says otherwise.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    for name in names:
        require(name, extra="train")
