"""One pass of a language model over ids and encoded pictures, using the modules of the transformers model itself.

Positions and mask are always given, the model keeps no state, and logits are computed only where they are needed. So
any number of conversations can be interleaved on one model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .keyvalues import KeyValues
from .vision import EncodedPicture


def run_language(
    model: Any,
    ids: Tensor,
    positions: Tensor,
    *,
    seen: Sequence[EncodedPicture] = (),
    pads: Tensor | None = None,
    mask: Tensor | None = None,
    cache: KeyValues | None = None,
) -> Tensor:
    """Return the last hidden states, [rows, length, width].

    Args:
        model: a Qwen2.5-VL or Qwen3-VL model for generation.
        ids: [rows, length].
        positions: [3, rows, length].
        seen: the pictures of all rows, in order, first row first.
        pads: [rows, length]: True at visual tokens; needed when there are pictures.
        mask: [rows, 1, length, places], True where a token may look; None is the plain causal mask.
        cache: keys and values of earlier tokens; the new ones are added.
    """
    text = model.model.language_model
    hidden = text.embed_tokens(ids)
    if seen and pads is not None:
        hidden = hidden.masked_scatter(pads[..., None], torch.cat([one.tokens for one in seen]).to(hidden.dtype))
    rotation = text.rotary_emb(hidden, positions)
    stacked = [torch.cat(level) for level in zip(*(one.deepstack for one in seen), strict=True)] if seen else []
    for number, layer in enumerate(text.layers):
        hidden = layer(hidden, attention_mask=mask, position_embeddings=rotation, past_key_values=cache)
        if number < len(stacked) and pads is not None:
            added = torch.zeros_like(hidden).masked_scatter(pads[..., None], stacked[number].to(hidden.dtype))
            hidden = hidden + added
    normed: Tensor = text.norm(hidden)
    return normed


def logits_of(model: Any, hidden: Tensor) -> Tensor:
    """Return logits in fp32, [..., vocabulary], of hidden states [..., width]."""
    logits: Tensor = model.lm_head(hidden)
    return logits.float()


def cache_shape(model: Any) -> tuple[int, int, int]:
    """Return (layers, key-value heads, width of a head)."""
    config = model.config.text_config
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return config.num_hidden_layers, config.num_key_value_heads, width
