"""Checks a model folder before any library opens it: no code, stock classes only, weights in safetensors only.

By default transformers asks on the terminal whether it may run a folder's code, and reads pickles where there is
nothing else. Here both are refused on the evidence of the files, and nobody is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError

MOST_BYTES = 32 * 2**20
"""Largest JSON file of a model folder that is read; an index of a thousand shards takes two."""

CODE = ("auto_map", "custom_pipelines")
"""Keys that name code of the folder."""

WEIGHTS, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
"""The two forms weights may have."""

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.pickle", "*.ckpt")

_TOKENIZERS = (
    "Bert", "CLIP", "GPT2", "Gemma", "Llama", "Qwen2", "Siglip", "Siglip2", "T5", "XLMRoberta",
)  # fmt: skip
_PICTURES = ("CLIP", "Qwen2VL", "Qwen2_5_VL", "Qwen3VL", "Siglip", "Siglip2")

STOCK: Mapping[str, frozenset[str]] = {
    "tokenizer_class": frozenset(
        {"PreTrainedTokenizerFast", "TokenizersBackend"}
        | {f"{name}Tokenizer{kind}" for name in _TOKENIZERS for kind in ("", "Fast")}
    ),
    "image_processor_type": frozenset(
        {f"{name}ImageProcessor{kind}" for name in _PICTURES for kind in ("", "Fast", "Pil")}
    ),
    "feature_extractor_type": frozenset({"CLIPFeatureExtractor", "SiglipFeatureExtractor"}),
    "video_processor_type": frozenset({f"{name}VideoProcessor" for name in _PICTURES}),
    "processor_class": frozenset(
        {"ImageOnlyQwen3VL", "ImageOnlyQwen25VL"} | {f"{name}Processor" for name in _PICTURES}
    ),
}
"""Key of a configuration file -> the classes of the library it may name."""


def read_object(path: Path) -> Mapping[str, Any]:
    """Return the object in a JSON file of a model folder; raises ConfigError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ConfigError(f"{path}: more than {MOST_BYTES} bytes, the limit; take it from the model again")
        found = json.loads(data)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: the file is missing; name a folder on this machine that holds it; nothing is downloaded"
        ) from error
    except ConfigError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not a JSON file that can be read; take it from the model again") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: not a JSON object; take it from the model again")
    return found


def vet_folder(folder: Path) -> None:
    """Refuse a folder whose configuration files name code, unknown classes or other folders.

    Raises:
        ConfigError: one sentence with the file, the key and the remedy.
    """
    if (folder / "adapter_config.json").exists():
        raise ConfigError(f"{folder} holds an adapter, which names a model elsewhere; merge it into its base model")
    for path in sorted(folder.glob("*config*.json")):
        _vet_file(path)


def vet_weights(folder: Path) -> None:
    """Refuse a folder whose weights are not in safetensors; pickled copies beside them are not opened.

    Raises:
        ConfigError: there are no such weights, or their index names another kind of file or one elsewhere.
    """
    index = folder / WEIGHTS_INDEX
    if index.is_file():
        table = read_object(index).get("weight_map")
        names = set(map(str, table.values())) if isinstance(table, dict) else {""}
        for name in sorted(names):
            if Path(name).name != name or "\\" in name or not name.endswith(".safetensors"):
                raise ConfigError(
                    f"{index}: names {name!r}, not a safetensors file of this folder; take it from the model again"
                )
    elif not (folder / WEIGHTS).is_file():
        pickled = sorted(path.name for pattern in _PICKLED for path in folder.glob(pattern))
        if pickled:
            raise ConfigError(
                f"{folder}: the weights cannot be loaded: {pickled[0]} is pickled, which can run code and is never "
                "opened; take or make a safetensors copy"
            )
        raise ConfigError(
            f"{folder}: the weights cannot be loaded: neither {WEIGHTS} nor {WEIGHTS_INDEX} is there; download them"
        )


def _vet_file(path: Path) -> None:
    content = read_object(path)
    if path.name == "config.json" and "transformers_weights" in content:
        raise ConfigError(f"{path}: names its weights in transformers_weights; remove the key")
    for key, value in _entries(content):
        if key in CODE and value:
            raise ConfigError(
                f"{path}: {key} names code of the folder, and no code of a folder is run; use a folder whose model "
                "the library knows, and remove the key"
            )
        if key in STOCK and value is not None and value not in _names(key):
            raise ConfigError(
                f"{path}: {key} is {_short(value)}, which is not one of the classes that are opened "
                f"({', '.join(sorted(STOCK[key]))}); take the file from the base model"
            )


def _names(key: str) -> tuple[str, ...]:
    """Return the classes as a tuple: what a file says need not be hashable."""
    return tuple(STOCK[key])


def _entries(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of an object and of all objects inside it."""
    left: list[Any] = [content]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield from value.items()
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _short(value: Any) -> str:
    """Return a value as it is quoted in messages."""
    return repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."
