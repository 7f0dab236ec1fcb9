"""A model folder in hub layout on this machine: its files are read, checked and hashed here, no weight is loaded.

Nothing is downloaded here (`hub` does that), and no code of a folder is ever run.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .hub_id import shown
from .patches import PatchGeometry
from .vetting import read_object, vet_folder

FAMILIES = {"qwen2_5_vl": "Qwen2_5_VLForConditionalGeneration", "qwen3_vl": "Qwen3VLForConditionalGeneration"}
"""`model_type` of the families that can be run -> their class in transformers."""

HASHED = ("config.json", "preprocessor_config.json", "tokenizer.json", "*.safetensors")
"""Files that decide what a model writes."""

HASHED_WHOLE = 64 * 2**20
"""Bytes up to which a file is hashed whole; shards of a large model are several GB and are sampled."""

_BLOCKS, _BLOCK, _HEAD = 1024, 4096, 2**20
_HINT = "name a folder on this machine that holds config.json; nothing is downloaded"
_MOST_PATCH = 256
_MOST_MERGE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """What a model folder says of itself."""

    path: Path
    """The folder."""
    family: str
    """One of `FAMILIES`."""
    geometry: PatchGeometry
    """How pictures are cut, as preprocessor_config.json says."""
    context_tokens: int
    """Most tokens of a conversation."""

    @property
    def model_class(self) -> str:
        """Name of the model's class in transformers."""
        return FAMILIES[self.family]


def open_folder(path: Path | str) -> ModelFolder:
    """Read and check a model folder.

    Raises:
        ConfigError: it is not a local folder, lacks a file, names code, or holds a model that cannot be run.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ConfigError(f"{path}: no such model folder; {_HINT}")
    vet_folder(folder)
    config = read_object(folder / "config.json")
    family = str(config.get("model_type"))
    if family not in FAMILIES:
        raise ConfigError(f"{shown(folder)} is a {family} model; models of {' and '.join(FAMILIES)} can be run")
    check_towers(folder, config, family)
    geometry = _geometry(folder)
    try:
        return _opened(folder, config, family, geometry)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{folder / 'config.json'}: is damaged ({error}); take the model's own") from error


def check_towers(folder: Path, config: Mapping[str, Any], family: str) -> None:
    """Raise ConfigError when the text or vision part of a configuration is not an object of the same family."""
    for name in ("text_config", "vision_config"):
        part = config.get(name) or {}
        kind = part.get("model_type") if isinstance(part, dict) else part
        if kind is not None and not str(kind).startswith(family):
            raise ConfigError(
                f"{folder / 'config.json'}: {name} is of {str(kind)[:60]!r} in a {family} model; take the model's own"
            )


def _opened(folder: Path, config: Mapping[str, Any], family: str, geometry: PatchGeometry) -> ModelFolder:
    """Compare what the files say of sizes; raises ConfigError, or whatever a value of another kind gives."""
    text, vision = config.get("text_config") or {}, config.get("vision_config") or {}
    sliding = text.get("use_sliding_window", config.get("use_sliding_window"))
    if sliding or "sliding_attention" in (text.get("layer_types") or ()):
        raise ConfigError(f"{folder} uses sliding windows in its language model, which are not supported")
    sizes = {
        "patch_size": (int(vision.get("patch_size", geometry.patch)), geometry.patch),
        "spatial_merge_size": (int(vision.get("spatial_merge_size", geometry.merge)), geometry.merge),
    }
    for name, (of_model, of_pictures) in sizes.items():
        if of_model != of_pictures:
            raise ConfigError(
                f"{folder}: {name} is {of_model} in config.json and {of_pictures} in preprocessor_config.json; "
                "take both files from one model"
            )
    context = int(text.get("max_position_embeddings") or config.get("max_position_embeddings") or 32_768)
    if context < 1:
        raise ConfigError(f"{folder / 'config.json'}: max_position_embeddings is {context}; take the model's own")
    return ModelFolder(path=folder, family=family, geometry=geometry, context_tokens=context)


def _geometry(folder: Path) -> PatchGeometry:
    path = folder / "preprocessor_config.json"
    found = read_object(path)
    try:
        mean, std = _three(found["image_mean"]), _three(found["image_std"])
        patch, merge, temporal = (int(found[name]) for name in ("patch_size", "merge_size", "temporal_patch_size"))
        sizes_fit = 1 <= patch <= _MOST_PATCH and 1 <= merge <= _MOST_MERGE and 1 <= temporal <= _MOST_MERGE
        if not sizes_fit or not all(map(math.isfinite, mean + std)) or 0 in std:
            raise ValueError(f"patches of {patch} px by {merge} by {temporal}, means {mean}, deviations {std}")
        return PatchGeometry(patch=patch, merge=merge, temporal=temporal, mean=mean, std=std)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"{path}: no sizes of patches, no means ({error}); take the model's own") from error


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def folder_digest(folder: Path) -> str:
    """Return 16 hex digits over the files that decide what a model writes, their names included.

    Files of up to 64 MiB are hashed whole; of a larger one its size, its first MiB (the header) and 1,024 blocks of
    4 KiB spread evenly, which a fine-tuned or truncated copy does not share. A difference planted between the blocks
    goes unnoticed; the files' own checksums are for that.
    """
    total = hashlib.sha256()
    for path in sorted({path for pattern in HASHED for path in folder.glob(pattern)}):
        total.update(f"{path.name}\0{_file_digest(path)}\n".encode())
    return total.hexdigest()[:16]


def _file_digest(path: Path) -> str:
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as stream:
        if size <= HASHED_WHOLE:
            digest.update(stream.read())
        else:
            digest.update(stream.read(_HEAD))
            for number in range(_BLOCKS):
                stream.seek((size - _BLOCK) * number // (_BLOCKS - 1))
                digest.update(stream.read(_BLOCK))
    return digest.hexdigest()
