"""Contrastive training of an encoder on the drawn catalogue, with sentence-transformers' trainer and loss."""

from __future__ import annotations

from ..._optional import require

LIBRARIES = ("torch", "transformers", "datasets", "sentence_transformers")
"""What the modules of a run import at their head."""


def require_libraries() -> None:
    """Raise MissingDependency, one sentence with the command, where the extra `train` is not installed."""
    for library in LIBRARIES:
        require(library, extra="train")
