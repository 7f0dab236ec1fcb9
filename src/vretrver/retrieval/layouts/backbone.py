"""A Qwen-VL model as a function from rendered items to vectors; encoding and training both run this one.

Rows are padded on the right and positions are explicit, so that no item depends on the others of its batch. A
batch is a dictionary of tensors whose first axis is the item, in the names that sentence-transformers slices by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...models.language import run_language
from ...models.patches import PatchGeometry, decoded, patchify_all
from ...models.positions import positions_of
from ...models.vision import PATCHES, EncodedPicture
from ...models.vision_pass import run_tower
from .rendering import Rendered

Features = dict[str, Any]
"""`input_ids`, `attention_mask` and `visual` [B, L], `position_ids` [B, L, 3], `num_images_per_sample` [B], and with
pictures `pixel_values` [patches, values] and `image_grid_thw` [pictures, 3]."""


class Collator:
    """Makes batches of rendered items.

    Args:
        geometry: how the model cuts pictures.
        picture_pad: id of a visual token.
        fill: id that rows are padded with; attention never reaches it.
    """

    def __init__(self, geometry: PatchGeometry, *, picture_pad: int, fill: int) -> None:
        self.geometry = geometry
        self.picture_pad = picture_pad
        self.fill = fill

    def features(self, items: Sequence[Rendered]) -> Features:
        """Return a batch, on the CPU."""
        longest = max(len(item.ids) for item in items)
        ids = np.full((len(items), longest), self.fill, dtype=np.int64)
        mask = np.zeros((len(items), longest), dtype=np.int64)
        places = np.zeros((len(items), longest, 3), dtype=np.int64)
        cell = self.geometry.cell
        for row, item in enumerate(items):
            length = len(item.ids)
            grids = [(picture.height // cell, picture.width // cell) for picture in item.pictures]
            positions, _ = positions_of(item.ids, grids, picture_pad=self.picture_pad)
            ids[row, :length], mask[row, :length], places[row, :length] = item.ids, 1, positions.T
        features: Features = {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "position_ids": torch.from_numpy(places),
            "visual": torch.from_numpy(ids == self.picture_pad),
            "num_images_per_sample": torch.tensor([len(item.pictures) for item in items]),
        }
        pictures = [decoded(picture.data) for item in items for picture in item.pictures]
        if pictures:
            patches, shapes = patchify_all(pictures, self.geometry)
            features["pixel_values"] = torch.from_numpy(patches)
            features["image_grid_thw"] = torch.from_numpy(shapes)
        return features


def embed(model: Any, features: Mapping[str, Any]) -> Tensor:
    """Return [B, D] float32 vectors of length 1: the last layer's hidden state at each item's last token.

    Args:
        model: a Qwen2.5-VL or Qwen3-VL model for generation.
        features: a batch; padding cannot reach the last token, since attention is causal.
    """
    device = model.device
    ids, positions, visual, mask = (
        features[name].to(device) for name in ("input_ids", "position_ids", "visual", "attention_mask")
    )
    pixels = features.get("pixel_values")
    seen = [] if pixels is None else _seen(model.model.visual, pixels, features["image_grid_thw"].tolist())
    hidden = run_language(model, ids, positions.permute(2, 0, 1), seen=seen, pads=visual)
    last = mask.sum(dim=1) - 1
    pooled = hidden[torch.arange(len(last), device=device), last]
    return functional.normalize(pooled.float(), dim=-1)


def _seen(tower: Any, patches: Tensor, grids: Sequence[Sequence[int]]) -> list[EncodedPicture]:
    """Return what a language model reads of pictures; those of one size go through the tower together."""
    weight = tower.patch_embed.proj.weight
    ends = np.cumsum([rows * columns for _, rows, columns in grids])
    groups: dict[tuple[int, int], list[int]] = {}
    for number, (_, rows, columns) in enumerate(grids):
        groups.setdefault((rows, columns), []).append(number)
    found: dict[int, EncodedPicture] = {}
    for (rows, columns), numbers in groups.items():
        length = rows * columns
        step = max(PATCHES // length, 1)
        for start in range(0, len(numbers), step):
            batch = numbers[start : start + step]
            stacked = torch.stack([patches[ends[number] - length : ends[number]] for number in batch])
            tokens, deepstack = run_tower(tower, stacked.to(weight.device, weight.dtype), (rows, columns))
            for place, number in enumerate(batch):
                found[number] = EncodedPicture(
                    tokens=tokens[place], deepstack=tuple(level[place] for level in deepstack)
                )
    return [found[number] for number in range(len(grids))]
