"""Causal attention for training on CPUs: by strips of rows, each over the places it may see, with plain products.

A step of the small agent takes a tenth less time than with torch's own kernel, whose backward pass is slow there. It
costs memory, as all attention weights are kept for the backward pass, and in bfloat16 a little precision: scores are
rounded before the softmax, where torch's kernel keeps them in 32 bits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward

NAME = "causal_strips"
"""What a model's `set_attn_implementation` calls it."""

_ROWS = 128
"""Rows of a strip."""

_MOST = 2**27
"""Weights of a layer, half of which are kept: above it the library's own attention is used."""


def train_by_strips(model: Any) -> None:
    """Let the language layers of a model on a CPU attend by strips; elsewhere nothing changes."""
    if model.device.type == "cpu":
        AttentionInterface.register(NAME, causal_strips)
        model.set_attn_implementation({"text_config": NAME})


def causal_strips(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **given: Any,
) -> tuple[Tensor, None]:
    """Attend as transformers' `sdpa_attention_forward` does, which handles the other cases.

    Those are a mask, dropout, no gradients, a continued conversation, and too little memory.

    Args:
        module: the layer.
        query: [rows, heads, length, width].
        key: [rows, key-value heads, length, width].
        value: the same shape.
        attention_mask: None is the plain causal mask.
        scaling: of products; None is 1 / sqrt(width).
        **given: for transformers' own.

    Returns:
        [rows, length, heads, width], and no weights.
    """
    rows, heads, length, width = query.shape
    plain = attention_mask is None and not given.get("dropout") and length == key.shape[2]
    if not plain or not query.requires_grad or rows * heads * length**2 > _MOST:
        out: Tensor = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **given)[0]
        return out, None
    groups = heads // key.shape[1]
    keys, values = repeat_kv(key, groups).transpose(-1, -2), repeat_kv(value, groups)
    scaled = query * (width**-0.5 if scaling is None else scaling)
    ahead = torch.full((_ROWS, _ROWS), float("-inf"), dtype=query.dtype).triu(1)
    strips = []
    for start in range(0, length, _ROWS):
        end = min(start + _ROWS, length)
        scores = scaled[:, :, start:end] @ keys[..., :end]
        scores[..., start:] += ahead[: end - start, : end - start]
        strips.append(scores.softmax(-1) @ values[:, :, :end])
    return torch.cat(strips, dim=2).transpose(1, 2), None
