"""Keys and values of several conversations side by side, each a row without holes.

Row b holds its tokens at places 0 .. length - 1, whatever the other rows hold; later places are overwritten by
what comes next and hidden by the mask until then. Rotary positions are applied before keys are kept, so a token's
place in its row does not matter. Rows are taken out and put back as conversations end their turns and go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class KeyValues:
    """The cache of a batch. It has the one method that attention layers of transformers call.

    Args:
        shape: (layers, key-value heads, width of a head).
        rows: keys and values of each conversation so far, [layers, 2, heads, length, width]; None for a new one.
        room: places kept free behind the longest row.
        dtype: of keys and values.
        device: where they are.
        step: capacities are multiples of this, so that rows are not copied at every token.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        rows: Sequence[Tensor | None],
        *,
        room: int,
        dtype: Any,
        device: Any,
        step: int = 64,
    ) -> None:
        layers, heads, width = shape
        self.lengths = [0 if row is None else row.shape[3] for row in rows]
        capacity = -(-(max(self.lengths, default=0) + room) // step) * step
        self.data = torch.zeros((layers, 2, len(rows), heads, capacity, width), dtype=dtype, device=device)
        for place, row in enumerate(rows):
            if row is not None:
                self.data[:, :, place, :, : row.shape[3]] = row
        self._places: Tensor | None = None
        self._used = 0

    @property
    def room(self) -> int:
        """Tokens that still fit behind the longest row."""
        return int(self.data.shape[4]) - max(self.lengths)

    def row(self, place: int) -> Tensor:
        """Return a copy of what a row holds."""
        return self.data[:, :, place, :, : self.lengths[place]].clone()

    def begin(self, width: int) -> Tensor | None:
        """Prepare a pass over `width` new columns and return its mask, [rows, 1, width, places].

        None means the plain causal mask: no row holds anything yet.
        """
        device = self.data.device
        starts = torch.tensor(self.lengths, device=device)[:, None]
        self._places = starts + torch.arange(width, device=device)
        if not any(self.lengths):
            self._used = width
            return None
        self._used = max(self.lengths) + width
        return (torch.arange(self._used, device=device) <= self._places[..., None])[:, None]

    def update(self, keys: Tensor, values: Tensor, layer_idx: int, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        """Keep the keys and values of a layer's new columns and return all that the mask covers."""
        kept = self.data[layer_idx]
        rows = torch.arange(keys.shape[0], device=keys.device)[:, None]
        kept[0][rows, :, self._places] = keys.transpose(1, 2)
        kept[1][rows, :, self._places] = values.transpose(1, 2)
        return kept[0][:, :, : self._used], kept[1][:, :, : self._used]

    def advance(self, counts: Sequence[int]) -> None:
        """Keep that many new tokens of each row; 0 leaves a row as it was before the pass."""
        self.lengths = [length + count for length, count in zip(self.lengths, counts, strict=True)]
