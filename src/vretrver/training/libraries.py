"""What the modules of each run import at their head, so that a missing extra is one sentence before they do."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .._optional import require

PERCEPTION = ("torch", "transformers")
"""Of the perception run."""

EMBED = ("torch", "transformers", "datasets", "sentence_transformers")
"""Of the embedding run."""

SFT = ("torch", "transformers", "datasets", "trl")
"""Of the supervised run."""


def require_libraries(names: Sequence[str]) -> None:
    """Raise MissingDependency, with the command that installs the extra `train`, where a library is missing.

    The libraries are told before they load to report nothing to anybody, unless the environment says otherwise.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    for name in names:
        require(name, extra="train")
