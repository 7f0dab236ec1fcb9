"""Causal attention for training on CPUs: by strips of rows, each over the places it may see, with plain products.

torch's own kernel for CPUs is as fast forwards, but its backward pass, most of a step of the small agent, is not.
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
    """Attend as transformers' `sdpa_attention_forward` does; that takes over where a mask or no gradients are wanted.

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
    if attention_mask is not None or not query.requires_grad or query.shape[2] != key.shape[2]:
        out: Tensor = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **given)[0]
        return out, None
    groups = query.shape[1] // key.shape[1]
    keys, values = repeat_kv(key, groups).transpose(-1, -2), repeat_kv(value, groups)
    scaled = query * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    ahead = torch.full((_ROWS, _ROWS), float("-inf"), dtype=query.dtype).triu(1)
    strips = []
    for start in range(0, query.shape[2], _ROWS):
        end = min(start + _ROWS, query.shape[2])
        scores = scaled[:, :, start:end] @ keys[..., :end]
        scores[..., start:] += ahead[: end - start, : end - start]
        strips.append(scores.softmax(-1) @ values[:, :, :end])
    return torch.cat(strips, dim=2).transpose(1, 2), None
