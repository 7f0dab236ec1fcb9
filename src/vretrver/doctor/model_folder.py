"""Checks a model folder in Hugging Face layout against what the agent needs of it; no weight is loaded.

What is compared: the family, the size of a visual cell and the pixel limits with the sizes a dialect shows pictures
at, the marks of the wire form with the tokenizer, the chat template with the wire form, and the weight files with
their index. Its files do not tell how well the model answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..agent.dialect import Dialect
from ..errors import ConfigError, DataError
from ..models.vetting import vet_folder
from .findings import Finding, note, ok, wrong
from .model_pictures import PixelCheck, check_views
from .model_text import check_template, check_tokenizer
from .weights import read_weights

FAMILIES = {"qwen2_5_vl": (14, 2), "qwen3_vl": (16, 2), "qwen3_vl_moe": (16, 2)}
"""`model_type` of the families the wire form is made for -> their (patch size, merge size)."""

Json = Mapping[str, Any]


def check_model_folder(folder: Path, dialect: Dialect) -> Iterator[Finding]:
    """Check the files of a model that is to work with a dialect."""
    if folder.is_file():
        yield wrong(
            "model folder", f"{folder} is a file; a GGUF model is checked through its server, with --endpoint"
        )
        return
    if not folder.is_dir():
        yield wrong("model folder", f"{folder}: no such folder; name the folder that holds config.json")
        return
    if not (folder / "config.json").exists() and (folder / "adapter_config.json").exists():
        yield wrong("model folder", f"{folder} holds an adapter only; merge it into its base model first")
        return
    try:
        config = read_json(folder / "config.json")
        family = str(config.get("model_type"))
        if family not in FAMILIES:
            yield wrong("model family", f"{folder} is a {family}; the agent speaks to {', '.join(FAMILIES)}")
            return
        yield ok("model family", f"{family}, as {folder / 'config.json'} says")
        yield from _check_pictures(folder, config, dialect)
        yield from check_tokenizer(folder, config)
        yield check_template(folder)
        vet_folder(folder)
    except (ConfigError, DataError) as error:
        yield wrong("model folder", str(error))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        yield wrong("model folder", f"{folder}: a configuration file is damaged ({error}); download it again")
    yield _check_weights(folder)


def read_json(path: Path) -> Json:
    """Return the object in a JSON file; raises DataError when there is none."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{path}: the file is missing; download the whole folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a JSON file that can be read; download it again") from error
    if not isinstance(found, dict):
        raise DataError(f"{path}: not a JSON object; download it again")
    return found


def _check_pictures(folder: Path, config: Json, dialect: Dialect) -> Iterator[Finding]:
    """Compare the visual cell of model and preprocessor, and both with the sizes the dialect shows."""
    patch, merge = FAMILIES[str(config["model_type"])]
    vision = config.get("vision_config") or {}
    cell = int(vision.get("patch_size", patch)) * int(vision.get("spatial_merge_size", merge))
    path = folder / "preprocessor_config.json"
    if not path.exists():
        yield wrong("preprocessor", f"{path}: the file is missing, no server can read pictures; download it")
        return
    try:
        pixels = PixelCheck.read(read_json(path))
    except (TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: its sizes are not whole numbers; download it again") from error
    if pixels.cell != cell:
        yield wrong(
            "preprocessor", f"{path} makes cells of {pixels.cell} px and the model reads {cell} px; replace it"
        )
        return
    yield from check_views(dialect, pixels)


def _check_weights(folder: Path) -> Finding:
    try:
        weights = read_weights(folder)
    except DataError as error:
        return wrong("weights", str(error))
    kinds = "/".join(weights.dtypes)
    sentence = (
        f"{weights.parameters / 1e9:.2f} billion parameters in {kinds}, {weights.size / 1e9:.1f} GB in "
        f"{weights.files} files, all whole"
    )
    return ok("weights", sentence) if weights.parameters else note("weights", f"{folder}: no parameters in its files")
