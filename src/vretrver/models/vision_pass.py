"""One pass of a vision tower over pictures of one size, using the modules of the transformers model itself.

On a CPU transformers calls attention once per picture and layer. Here pictures of one size are a batch, so it is
called once per layer; windows (Qwen2.5-VL) are a batch too, ragged ones at the edges padded and masked. Weights,
order of operations and outputs are those of the model (tests/unit/models compares them); nothing of it is replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How the patches of a picture are cut into windows of attention."""

    index: Tensor
    """[windows * longest]: patch at each place, 0 where the window is shorter."""
    back: Tensor
    """[patches]: place of each patch."""
    mask: Tensor | None
    """[windows, 1, 1, longest]: whether a place holds a patch; None when all do."""
    count: int
    """Number of windows."""


def run_tower(visual: Any, patches: Tensor, grid: tuple[int, int]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the visual tokens of pictures, and those of the deepstack layers.

    Args:
        visual: the vision tower of a Qwen2.5-VL or Qwen3-VL model.
        patches: [pictures, patches, values] in merge-block order, in the tower's dtype.
        grid: (rows, columns) of patches.

    Returns:
        [pictures, tokens, width], and one such tensor for each deepstack layer.
    """
    merge = visual.spatial_merge_size
    places = _places(grid, merge, patches.device)
    embed = visual.patch_embed.proj
    hidden = functional.linear(patches, embed.weight.flatten(1), embed.bias)
    if hasattr(visual, "pos_embed"):
        hidden = hidden + _learned_positions(visual, places, grid).to(hidden.dtype)
    rotation = _rotation(visual, places)
    whole = getattr(visual, "fullatt_block_indexes", None)
    windows = None if whole is None else _windows(visual, grid, patches.device)
    levels = list(getattr(visual, "deepstack_visual_indexes", ()))
    stacked = []
    for number, block in enumerate(visual.blocks):
        cut = windows if whole is not None and number not in whole else None
        hidden = hidden + _attend(block.attn, block.norm1(hidden), rotation, cut)
        hidden = hidden + block.mlp(block.norm2(hidden))
        if number in levels:
            stacked.append(_merged(visual.deepstack_merger_list[levels.index(number)], hidden))
    return _merged(visual.merger, hidden), tuple(stacked)


def _merged(merger: Callable[[Tensor], Tensor], hidden: Tensor) -> Tensor:
    return merger(hidden.flatten(0, 1)).unflatten(0, (hidden.shape[0], -1))


def _attend(attention: Any, hidden: Tensor, rotation: tuple[Tensor, Tensor], windows: Windows | None) -> Tensor:
    """Attend within each picture, or within each of its windows."""
    query, key, value = attention.qkv(hidden).unflatten(-1, (3, attention.num_heads, -1)).unbind(2)
    query, key = _rotated(query, rotation), _rotated(key, rotation)
    heads = [part.transpose(1, 2) for part in (query, key, value)]
    if windows is None:
        mixed = _attention(*heads)
    else:
        cut = [part[:, :, windows.index].unflatten(2, (windows.count, -1)) for part in heads]
        batch = [part.transpose(1, 2).flatten(0, 1) for part in cut]
        mask = None if windows.mask is None else windows.mask.repeat(hidden.shape[0], 1, 1, 1)
        mixed = functional.scaled_dot_product_attention(batch[0], batch[1], batch[2], attn_mask=mask)
        mixed = mixed.unflatten(0, (hidden.shape[0], -1)).transpose(1, 2).flatten(2, 3)[:, :, windows.back]
    out: Tensor = attention.proj(mixed.transpose(1, 2).flatten(2))
    return out


def _attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend; for gradients on a CPU use plain products, whose backward pass takes a quarter of the time."""
    if query.requires_grad and query.device.type == "cpu":
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        return scores.softmax(-1) @ value
    return functional.scaled_dot_product_attention(query, key, value)


def _rotated(heads: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn [pictures, patches, heads, width] by the angles of its patches, in fp32 as the model does."""
    cos, sin = rotation
    value = heads.float()
    left, right = value.chunk(2, dim=-1)
    return (value * cos + torch.cat([-right, left], dim=-1) * sin).to(heads.dtype)


def _places(grid: tuple[int, int], merge: int, device: Any) -> Tensor:
    """Return [patches, 2]: row and column of each patch, in merge-block order."""
    rows, columns = grid
    place = torch.cartesian_prod(torch.arange(rows, device=device), torch.arange(columns, device=device))
    blocks = place.reshape(rows // merge, merge, columns // merge, merge, 2)
    return blocks.transpose(1, 2).reshape(-1, 2)


def _rotation(visual: Any, places: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine, [patches, 1, width of a head] each."""
    angles = (places[..., None].float() * visual.rotary_pos_emb.inv_freq.to(places.device).float()).flatten(1)
    angles = torch.cat([angles, angles], dim=-1)[:, None]
    return angles.cos(), angles.sin()


def _learned_positions(visual: Any, places: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return [patches, width]: the learned square of positions, resampled to the grid with its corners kept."""
    side = int(visual.pos_embed.num_embeddings**0.5)
    most = torch.tensor([max(rest - 1, 1) for rest in grid], device=places.device)
    source = places.float() * (side - 1) / most
    low = source.floor().long()
    high = (low + 1).clamp(max=side - 1)
    part = source - low
    total: Tensor | None = None
    for row, row_weight in ((low[:, 0], 1 - part[:, 0]), (high[:, 0], part[:, 0])):
        for column, column_weight in ((low[:, 1], 1 - part[:, 1]), (high[:, 1], part[:, 1])):
            share = visual.pos_embed(row * side + column) * (row_weight * column_weight)[:, None]
            total = share if total is None else total + share
    if total is None:
        raise RuntimeError("four corners were added")
    return total


def _windows(visual: Any, grid: tuple[int, int], device: Any) -> Windows:
    """Cut a grid of patches into square windows of whole visual tokens, those at the edges may be smaller."""
    merge = visual.spatial_merge_size
    rows, columns = grid[0] // merge, grid[1] // merge
    side = visual.window_size // merge // visual.patch_size
    token = torch.arange(rows * columns).reshape(rows, columns)
    unit = torch.arange(merge * merge)
    cut = [
        (token[row : row + side, column : column + side].reshape(-1, 1) * merge * merge + unit).flatten()
        for row in range(0, rows, side)
        for column in range(0, columns, side)
    ]
    longest = max(part.numel() for part in cut)
    index = torch.stack([functional.pad(part, (0, longest - part.numel())) for part in cut])
    filled = torch.stack([torch.arange(longest) < part.numel() for part in cut])
    back = torch.empty(grid[0] * grid[1], dtype=torch.long)
    back[index[filled]] = torch.arange(index.numel()).reshape(index.shape)[filled]
    mask = None if bool(filled.all()) else filled[:, None, None].to(device)
    return Windows(index=index.flatten().to(device), back=back.to(device), mask=mask, count=len(cut))
