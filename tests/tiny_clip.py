"""Random-weight CLIP and SigLIP models for tests: real architecture, very small, a tokenizer of bytes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast, SiglipConfig, SiglipModel

SIDE = 32
"""Pixels of a side of the pictures they see."""

PLACES = {"clip": 24, "siglip": 16}
"""Most tokens of a text."""

DIMENSION = 16
"""Length of a vector."""

MARKS = ("<pad>", "<first>", "<last>")
"""What fills a text up, and what stands before and after it."""


@cache
def clip_folder(family: str) -> Path:
    """Return the folder of a model, `clip` or `siglip`, made when it is first asked for."""
    folder = Path(mkdtemp(prefix=f"tiny-{family}-"))
    tokenizer = _tokenizer(PLACES[family])
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
        "patch_size": 16,
    }
    processor: dict[str, object] = {
        "size": {"height": SIDE, "width": SIDE},
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    model: CLIPModel | SiglipModel
    if family == "clip":
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=DIMENSION))
        processor |= {"image_processor_type": "CLIPImageProcessorPil", "size": {"shortest_edge": SIDE}}
        processor |= {"crop_size": {"height": SIDE, "width": SIDE}, "do_center_crop": True}
    else:
        model = SiglipModel(SiglipConfig(text_config={**text, "projection_size": DIMENSION}, vision_config=vision))
        processor |= {"image_processor_type": "SiglipImageProcessorPil"}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    model.save_pretrained(str(folder))
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


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


def _alphabet() -> list[str]:
    return sorted(pre_tokenizers.ByteLevel.alphabet())
