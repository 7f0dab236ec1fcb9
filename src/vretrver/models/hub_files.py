"""Which files of a model on a hub are taken, and whether they arrived whole.

Configurations, vocabularies and safetensors of the top folder; never code, never pickles, whatever else is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, ServiceError
from .hub_id import HubId
from .vetting import WEIGHTS, WEIGHTS_INDEX, read_object

_SMALL = (".json", ".txt", ".model")
_SHARD = "model-"
_BLOCK = 2**22


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A file of a model, as the hub lists it."""

    name: str
    """Its name in the top folder."""
    size: int
    """Bytes."""
    sha256: str = ""
    """Hash of its bytes, 64 hex digits, where the hub states it; it does for large files."""
    blob: str = ""
    """Otherwise its hash as git makes it, 40 hex digits; empty where none is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A model at one commit, as the hub describes it."""

    commit: str
    """The commit, 40 hex digits."""
    licence: str
    """Its licence as the hub states it, else `not stated`."""
    files: tuple[HubFile, ...]
    """All its files, those of folders included."""


def needed_files(files: Iterable[HubFile], model: HubId) -> list[HubFile]:
    """Return the files that loaders read, small ones first, weights last: where weights are, the rest is too.

    Args:
        files: all files of the model.
        model: its name, for messages.

    Raises:
        ConfigError: there is no configuration, or the weights are not in safetensors.
    """
    top = {file.name: file for file in files if "/" not in file.name and "\\" not in file.name}
    weights = [top[WEIGHTS]] if WEIGHTS in top else _shards(top.values()) if WEIGHTS_INDEX in top else []
    if "config.json" not in top:
        raise ConfigError(
            f"{model} has no config.json, so it is no model in the layout of transformers; name another"
        )
    if not weights:
        raise ConfigError(
            f"{model} has no {WEIGHTS} and no {WEIGHTS_INDEX}: its weights are in a form that is never opened "
            "(pickles can run code); name another model, or a revision with safetensors: where the hub's converter "
            "made some they are in a pull request, named @refs/pr/NUMBER"
        )
    unused = WEIGHTS_INDEX if WEIGHTS in top else ""  # transformers takes the single file where both are there
    small = [file for file in top.values() if file.name.endswith(_SMALL) and file.name != unused]
    return [*sorted(small, key=lambda file: file.name), *sorted(weights, key=lambda file: file.name)]


def check_index(folder: Path, names: Iterable[str], model: HubId) -> None:
    """Raise ConfigError when the index of weights in a folder names a file that is not among `names`."""
    lost = sorted(set(shards_in(folder)) - set(names))
    if lost:
        raise ConfigError(f"{model}: {WEIGHTS_INDEX} names {lost[0]!r}, which the model does not have; name another")


def has_weights(folder: Path) -> bool:
    """Return whether all weights of a model are in a folder; they are written last."""
    if (folder / WEIGHTS).is_file():
        return True
    return (folder / WEIGHTS_INDEX).is_file() and all((folder / name).is_file() for name in shards_in(folder))


def shards_in(folder: Path) -> Sequence[str]:
    """Return the files that the index of weights in a folder names, none where there is no index."""
    if not (folder / WEIGHTS_INDEX).is_file():
        return ()
    table = read_object(folder / WEIGHTS_INDEX).get("weight_map")
    return sorted(set(map(str, table.values()))) if isinstance(table, dict) else ()


def check_arrived(path: Path, file: HubFile, model: HubId) -> None:
    """Compare a file with what the hub stated of it; a damaged one is removed from the cache.

    Raises:
        ServiceError: its bytes are not those that were stated.
    """
    stated = file.sha256 or file.blob
    if path.stat().st_size == file.size and (not stated or _digest(path, file) == stated):
        return
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    raise ServiceError(
        f"{model}: {file.name} arrived with other bytes than the hub states and was removed; run again, and if it "
        "stays so, the way to the hub changes files"
    )


def _digest(path: Path, file: HubFile) -> str:
    """Return the hash of a file of the kind that is stated for it."""
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _shards(files: Iterable[HubFile]) -> list[HubFile]:
    return [file for file in files if file.name.startswith(_SHARD) and file.name.endswith(".safetensors")]
