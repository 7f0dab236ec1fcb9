"""Random-weight models of both families for tests: real architecture, a thousandth of the size, a tokenizer of bytes.

They are made once a test run. Nothing they write makes sense; what is tested is that the same thing comes out
whichever way it is computed.
"""

from __future__ import annotations

import atexit
import json
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)
from transformers.utils.logging import disable_progress_bar, enable_progress_bar

from vretrver.agent.messages import ShownPicture
from vretrver.images import encode_picture
from vretrver.models.loading import LocalModel, load_model
from vretrver.models.patches import PatchGeometry
from vretrver.models.processor import write_processor_files
from vretrver.records import Address

FAMILIES = ("qwen3_vl", "qwen2_5_vl")

SPECIALS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
TAGS = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<answer>", "</answer>", "<|fim_middle|>")

CELL = {"qwen3_vl": 32, "qwen2_5_vl": 28}
"""Pixels per visual token and side, as the published families have them."""

_GEOMETRY = {
    "qwen3_vl": PatchGeometry(),
    "qwen2_5_vl": PatchGeometry(
        patch=14, mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711)
    ),
}


@cache
def folder_of(family: str, *, cell: int | None = None) -> Path:
    """Return the folder of a model, made when it is first asked for; `cell` makes other patches than the family's."""
    folder = Path(mkdtemp(prefix=f"tiny-{family}-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    tokenizer = byte_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names), encoding="utf-8")
    geometry = _GEOMETRY[family]
    if cell is not None:
        geometry = PatchGeometry(patch=cell // 2, mean=geometry.mean, std=geometry.std)
    torch.manual_seed(0)
    make = _qwen3 if family == "qwen3_vl" else _qwen25
    model = make(tokenizer, geometry.patch)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)  # so that what is seen and said makes a difference to the logits
    _save_quietly(model, folder)
    write_processor_files(folder, family, geometry)
    return folder


@cache
def loaded(family: str, *, cell: int | None = None) -> LocalModel:
    """Return a model, loaded once in fp32 on the CPU."""
    return load_model(folder_of(family, cell=cell), dtype="float32", device="cpu")


def shown(number: int, rows: int, columns: int, *, cell: int = 32) -> ShownPicture:
    """Return picture `number`, noise of rows x columns visual tokens."""
    noise = np.random.default_rng(number).integers(0, 256, (rows * cell, columns * cell, 3), dtype=np.uint8)
    picture = encode_picture(Image.fromarray(noise))
    return ShownPicture(address=Address(item=number), picture=picture, tokens=rows * columns)


def _save_quietly(model: Any, folder: Path) -> None:
    """Save without a progress bar, which would stand in the output of every test run."""
    disable_progress_bar()
    try:
        model.save_pretrained(str(folder))
    finally:
        enable_progress_bar()


def byte_tokenizer() -> Tokenizer:
    """Return a byte-level tokenizer that merges a few words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    words = "rank all candidates best first zoom in the picture answer user assistant system query red blue cup 10 12"
    tokenizer.train_from_iterator([words] * 4, trainer)
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in TAGS])
    tokenizer.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in SPECIALS])
    return tokenizer


def _text(tokenizer: Tokenizer, **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": tokenizer.get_vocab_size() + 5,  # wider than the tokenizer, as published models are
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 16_384,
        "bos_token_id": None,
        "eos_token_id": tokenizer.token_to_id("<|im_end|>"),
        "pad_token_id": tokenizer.token_to_id("<|endoftext|>"),
        **more,
    }


def _marks(tokenizer: Tokenizer) -> dict[str, Any]:
    names = ("image_pad", "video_pad", "vision_start", "vision_end")
    keys = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    return {key: tokenizer.token_to_id(f"<|{name}|>") for key, name in zip(keys, names, strict=True)}


def _qwen3(tokenizer: Tokenizer, patch: int) -> Any:
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 2, 2], "mrope_interleaved": True}
    vision = {
        "depth": 3,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "patch_size": patch,
        "out_hidden_size": 64,
        "num_position_embeddings": 25,
        "deepstack_visual_indexes": [0, 1],
    }
    text = _text(tokenizer, head_dim=16, rope_parameters=rope)
    config = Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **_marks(tokenizer))
    return Qwen3VLForConditionalGeneration(config).eval()


def _qwen25(tokenizer: Tokenizer, patch: int) -> Any:
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 2, 2]}
    vision = {
        "depth": 3,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "patch_size": patch,
        "out_hidden_size": 64,
        "window_size": patch * 4,
        "fullatt_block_indexes": [1],
    }
    text = _text(tokenizer, rope_parameters=rope)
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **_marks(tokenizer))
    return Qwen2_5_VLForConditionalGeneration(config).eval()
