"""The questions' heads: small linear readers on the tower's visual tokens, discarded after the tower is trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .targets import BINS, MARKS, SLOTS, WHOLE

QUARTERS = 4
"""Patches of a visual token."""

PARTS = 8
"""Classes of the label's place within a patch, per axis."""


class Heads(nn.Module):  # type: ignore[misc]
    """Reads a picture's visual tokens.

    Args:
        width: of a visual token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.whole = nn.ModuleDict({name: nn.Linear(width, len(answers)) for name, answers in WHOLE.items()})
        self.where = nn.Linear(width, 1)
        self.place = nn.Linear(width, 2 * BINS)
        self.slot = nn.Linear(width, SLOTS)
        self.marks = nn.ModuleList([nn.Linear(width, len(MARKS)) for _ in range(SLOTS)])

        self.patch_marks = nn.Linear(width, QUARTERS * len(MARKS))
        self.patch_label = nn.Linear(width, QUARTERS)
        self.within = nn.Linear(width, QUARTERS * 2 * PARTS)

    def read_patches(self, tokens: Tensor) -> Tensor:
        """Return logits of the mark in the middle of each patch, [N, patches, len(MARKS)], in merge-block order."""
        return self.patch_marks(self.norm(tokens)).unflatten(-1, (QUARTERS, -1)).flatten(1, 2)

    def find_label(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return where the label's middle is.

        Args:
            tokens: [N, T, width].

        Returns:
            Logits of the patch that holds it, [N, patches], and of its place within each patch, [N, patches, 2,
            PARTS], from the left and from the top.
        """
        tokens = self.norm(tokens)
        within = self.within(tokens).unflatten(-1, (QUARTERS, 2, PARTS)).flatten(1, 2)
        return self.patch_label(tokens).flatten(1), within

    def read_whole(self, tokens: Tensor) -> dict[str, Tensor]:
        """Return logits of every question of `WHOLE`, and of `x` and `y`; tokens are [N, T, width]."""
        tokens = self.norm(tokens)
        middle = tokens.mean(1)
        logits = {name: head(middle) for name, head in self.whole.items()}
        focus = self.where(tokens).softmax(1)
        place = self.place((focus * tokens).sum(1))
        return {**logits, "x": place[:, :BINS], "y": place[:, BINS:]}

    def read_marks(self, tokens: Tensor) -> Tensor:
        """Return logits of the marks, [N, SLOTS, len(MARKS)]; tokens are [N, T, width]."""
        tokens = self.norm(tokens)
        focus = self.slot(tokens).softmax(1)
        seen = torch.einsum("nts,ntw->nsw", focus, tokens)
        return torch.stack([head(seen[:, slot]) for slot, head in enumerate(self.marks)], dim=1)
