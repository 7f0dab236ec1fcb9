"""Random-weight CLIP models and their kin for tests: real architecture, very small, a tokenizer of bytes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPModel,
    MetaClip2Config,
    MetaClip2Model,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2Model,
    Siglip2Tokenizer,
    SiglipConfig,
    SiglipModel,
)

SIDE = 32
"""Pixels of a side of the pictures they see."""

PATCH, PATCHES = 16, 12
"""Pixels of a patch's side; most patches of a picture that SigLIP 2 sees in its own shape."""

PLACES = {"clip": 24, "metaclip_2": 24, "siglip": 16, "siglip2": 16}
"""Most tokens of a text."""

DIMENSION = 16
"""Length of a vector."""

MARKS = ("<pad>", "<first>", "<last>")
"""What fills a text up, and what stands before and after it."""

ADDED = {"clip": 2, "metaclip_2": 2, "siglip": 2, "siglip2": 1}
"""Tokens that stand before and after a text; SigLIP 2's tokenizer writes an end only."""


@cache
def clip_folder(family: str) -> Path:
    """Return the folder of a model of a family, a key of `PLACES`, made when it is first asked for."""
    folder = Path(mkdtemp(prefix=f"tiny-{family}-"))
    tokenizer = (_gemma_tokenizer if family == "siglip2" else _tokenizer)(PLACES[family])
    tokenizer.save_pretrained(str(folder))
    torch.manual_seed(0)
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": DIMENSION,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": PLACES[family],
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "hidden_size": DIMENSION,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": PATCH,
    }
    model, processor = _made(family, text, vision)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    model.save_pretrained(str(folder))
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def _made(family: str, text: dict[str, Any], vision: dict[str, Any]) -> tuple[torch.nn.Module, dict[str, object]]:
    """Return the model of a family and the content of its preprocessor_config.json."""
    processor: dict[str, object] = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    if family in ("clip", "metaclip_2"):
        config, kind = (CLIPConfig, CLIPModel) if family == "clip" else (MetaClip2Config, MetaClip2Model)
        towers = {"projection_dim": DIMENSION}
        made = config(text_config={**text, **towers}, vision_config={**vision, **towers}, projection_dim=DIMENSION)
        processor |= {"image_processor_type": "CLIPImageProcessorPil", "size": {"shortest_edge": SIDE}}
        return kind(made), processor | {"crop_size": {"height": SIDE, "width": SIDE}, "do_center_crop": True}
    text = {**text, "projection_size": DIMENSION}
    if family == "siglip":
        processor |= {"image_processor_type": "SiglipImageProcessorPil", "size": {"height": SIDE, "width": SIDE}}
        return SiglipModel(SiglipConfig(text_config=text, vision_config=vision)), processor
    del vision["image_size"]
    processor |= {"image_processor_type": "Siglip2ImageProcessorPil", "patch_size": PATCH, "max_num_patches": PATCHES}
    return Siglip2Model(Siglip2Config(text_config=text, vision_config={**vision, "num_patches": 16})), processor


def _tokenizer(places: int) -> PreTrainedTokenizerFast:
    """Return bytes between a first and a last token."""
    backend = Tokenizer(models.BPE(vocab={mark: n for n, mark in enumerate(_alphabet())}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(mark, special=True) for mark in MARKS])
    first, last = (backend.token_to_id(mark) for mark in MARKS[1:])
    backend.post_processor = processors.TemplateProcessing(
        single="<first> $A <last>", special_tokens=[("<first>", first), ("<last>", last)]
    )
    roles = dict(zip(("pad_token", "bos_token", "eos_token"), MARKS, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=places, **roles)


def _gemma_tokenizer(places: int) -> Siglip2Tokenizer:
    """Return letters and an end, in the class that the library takes for SigLIP 2 whatever a folder says."""
    marks = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")
    vocab = {mark: n for n, mark in enumerate((*marks, "\u2581", *"abcdefghijklmnopqrstuvwxyz"))}
    tokenizer = Siglip2Tokenizer(vocab=vocab, merges=[], model_max_length=places)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", vocab["<eos>"])]
    )
    return tokenizer


def _alphabet() -> list[str]:
    return sorted(pre_tokenizers.ByteLevel.alphabet())
