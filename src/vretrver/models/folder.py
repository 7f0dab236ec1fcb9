"""A model folder in hub layout on this machine: what it holds is read and checked here, no weight is loaded.

Only local folders are opened. Nothing is downloaded, and no code of a folder is ever run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .patches import PatchGeometry

FAMILIES = {"qwen2_5_vl": "Qwen2_5_VLForConditionalGeneration", "qwen3_vl": "Qwen3VLForConditionalGeneration"}
"""`model_type` of the families that can be run -> their class in transformers."""

_DIRECTORIES = "name a folder on this machine that holds config.json; nothing is downloaded"


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
        ConfigError: it is no local folder, lacks a file, or holds a model that cannot be run.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ConfigError(f"{path}: no such model folder; {_DIRECTORIES}")
    config = read_object(folder / "config.json")
    family = str(config.get("model_type"))
    if family not in FAMILIES:
        raise ConfigError(f"{folder} is a {family} model; models of {' and '.join(FAMILIES)} can be run")
    text, vision = config.get("text_config") or {}, config.get("vision_config") or {}
    sliding = text.get("use_sliding_window", config.get("use_sliding_window"))
    if sliding or "sliding_attention" in (text.get("layer_types") or ()):
        raise ConfigError(f"{folder} uses sliding windows in its language model, which are not supported")
    geometry = _geometry(folder)
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
    context = text.get("max_position_embeddings") or config.get("max_position_embeddings") or 32_768
    return ModelFolder(path=folder, family=family, geometry=geometry, context_tokens=int(context))


def read_object(path: Path) -> Mapping[str, Any]:
    """Return the object in a JSON file; raises ConfigError when there is none."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: the file is missing; {_DIRECTORIES}") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not a JSON file that can be read; take it from the model again") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: not a JSON object; take it from the model again")
    return found


def _geometry(folder: Path) -> PatchGeometry:
    path = folder / "preprocessor_config.json"
    found = read_object(path)
    try:
        mean, std = _three(found["image_mean"]), _three(found["image_std"])
        return PatchGeometry(
            patch=int(found["patch_size"]),
            merge=int(found["merge_size"]),
            temporal=int(found["temporal_patch_size"]),
            mean=mean,
            std=std,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: no sizes of patches, no means ({error}); take the model's own") from error


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
