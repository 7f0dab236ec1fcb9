"""Model folders in Hugging Face layout with hardly any weights: the files `doctor` reads, and nothing more."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARKS = {"<|im_start|>": 4, "<|im_end|>": 5, "<|vision_start|>": 6, "<|vision_end|>": 7, "<|image_pad|>": 8}
TEMPLATE = "<|im_start|>{{ role }}\n<|vision_start|><|image_pad|><|vision_end|><|im_end|>\n"


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def write_safetensors(path: Path, tensors: Mapping[str, tuple[str, list[int], int]]) -> None:
    """Write zeros: name -> (dtype, shape, bytes of one number)."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (dtype, shape, width) in tensors.items():
        size = width
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))


def write_model(folder: Path, *, family: str = "qwen3_vl", sizes: Mapping[str, Any] | None = None) -> Path:
    """Write a folder in which nothing is wrong, for dialect `vretrver` where the family is qwen3_vl."""
    folder.mkdir(parents=True, exist_ok=True)
    patch = 14 if family == "qwen2_5_vl" else 16
    vision = {"patch_size": patch, "spatial_merge_size": 2}
    ids = {"image_token_id": MARKS["<|image_pad|>"], "vision_start_token_id": MARKS["<|vision_start|>"]}
    write_json(folder / "config.json", {"model_type": family, "vision_config": vision, **ids})
    limits = sizes if sizes is not None else {"min_pixels": 3136, "max_pixels": 12845056}
    write_json(folder / "preprocessor_config.json", {"patch_size": patch, "merge_size": 2, **limits})
    added = [{"id": number, "content": mark, "special": True} for mark, number in MARKS.items()]
    write_json(folder / "tokenizer.json", {"added_tokens": added, "model": {}})
    write_json(folder / "tokenizer_config.json", {"chat_template": TEMPLATE})
    write_safetensors(folder / "model-1.safetensors", {"a": ("BF16", [3, 5], 2), "b": ("BF16", [2], 2)})
    write_safetensors(folder / "model-2.safetensors", {"c": ("F32", [4], 4)})
    table = {"a": "model-1.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}
    write_json(folder / "model.safetensors.index.json", {"weight_map": table})
    return folder
