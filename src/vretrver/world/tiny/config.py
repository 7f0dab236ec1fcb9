"""The sizes of the small models: Qwen3-VL's architecture with a deepstack layer, trained on two cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..._optional import require


@dataclass(frozen=True, slots=True, kw_only=True)
class TinySize:
    """Numbers of layers and widths."""

    hidden: int = 256
    """Width of the language model, and of a visual token."""
    layers: int = 4
    """Layers of the language model."""
    heads: int = 4
    """Attention heads of the language model; half as many key-value heads."""
    inner: int = 768
    """Width inside its feed-forward blocks."""
    vision_hidden: int = 192
    """Width of the vision tower."""
    vision_layers: int = 4
    """Layers of the vision tower."""
    vision_heads: int = 4
    """Attention heads of the vision tower."""
    vision_inner: int = 512
    """Width inside its feed-forward blocks."""
    deepstack: tuple[int, ...] = (1,)
    """Layers of the vision tower whose features are also added to the first layers of the language model."""
    positions: int = 64
    """Learned positions of the vision tower, a square; they are resampled to each picture's grid."""


AGENT_SIZE = TinySize()
"""The agent."""

ENCODER_SIZE = TinySize(layers=2)
"""The encoder: the same vision tower, a shallower language model."""

CONTEXT = 4096
"""Most tokens of a conversation."""


def tiny_config(size: TinySize, tokenizer: Any) -> Any:
    """Return the transformers configuration of a size.

    Args:
        size: layers and widths.
        tokenizer: a `tokenizers.Tokenizer` with Qwen-VL's special tokens.

    Raises:
        MissingDependency: the extra `models` is not installed.
    """
    library = require("transformers", extra="models")
    names = ("image_pad", "video_pad", "vision_start", "vision_end")
    ids = {name: tokenizer.token_to_id(f"<|{name}|>") for name in names}
    return library.Qwen3VLConfig(
        text_config=_language(size, tokenizer),
        vision_config=_vision(size),
        image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"],
        tie_word_embeddings=True,
    )


def _language(size: TinySize, tokenizer: Any) -> dict[str, Any]:
    """Return the language model's part; a head's positions are split over time, rows and columns as Qwen3-VL does."""
    width = size.hidden // size.heads
    rest = width // 2 * 3 // 8
    return {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": size.hidden,
        "intermediate_size": size.inner,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.heads // 2,
        "head_dim": width,
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": True,
        "eos_token_id": tokenizer.token_to_id("<|im_end|>"),
        "pad_token_id": tokenizer.token_to_id("<|endoftext|>"),
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [width // 2 - 2 * rest, rest, rest],
            "mrope_interleaved": True,
        },
    }


def _vision(size: TinySize) -> dict[str, Any]:
    """Return the vision tower's part."""
    return {
        "depth": size.vision_layers,
        "hidden_size": size.vision_hidden,
        "intermediate_size": size.vision_inner,
        "num_heads": size.vision_heads,
        "patch_size": 16,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "out_hidden_size": size.hidden,
        "num_position_embeddings": size.positions,
        "deepstack_visual_indexes": list(size.deepstack),
    }
