"""Reads the headers of safetensors files: which tensors there are, and whether a file is whole. Loads no weight."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"

_MOST_HEADER = 100_000_000
"""Largest header in bytes that the format allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightCheck:
    """What the weight files of a folder hold."""

    files: int
    """Number of files."""
    size: int
    """Bytes of all files."""
    parameters: int
    """Numbers in all tensors."""
    dtypes: tuple[str, ...]
    """Types of the tensors as the format writes them, the one with most parameters first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    names: frozenset[str]
    parameters: Mapping[str, int]
    end: int


def read_weights(folder: Path) -> WeightCheck:
    """Return what the weight files of a model folder hold.

    Raises:
        DataError: there are none, one is missing, cut short or a pointer, or one lacks a tensor of the index.
    """
    wanted = _files(folder)
    counts: dict[str, int] = {}
    size = 0
    for name, tensors in wanted.items():
        path = folder / name
        header = _read_header(path)
        lacking = sorted(tensors - header.names)
        if lacking:
            raise DataError(f"{path}: tensor {lacking[0]} of {INDEX} is not in it; download the folder again")
        for dtype, count in header.parameters.items():
            counts[dtype] = counts.get(dtype, 0) + count
        size += path.stat().st_size
    dtypes = tuple(sorted(counts, key=lambda dtype: -counts[dtype]))
    return WeightCheck(files=len(wanted), size=size, parameters=sum(counts.values()), dtypes=dtypes)


def _files(folder: Path) -> dict[str, set[str]]:
    """Return weight file -> tensors the index expects in it; none are expected of a single file."""
    if not (folder / INDEX).exists():
        if (folder / SINGLE).exists():
            return {SINGLE: set()}
        if any(folder.glob("*.bin")):
            raise DataError(f"{folder}: the weights are pickled (*.bin), which can run code; use a safetensors copy")
        raise DataError(f"{folder}: there are no weights, neither {SINGLE} nor {INDEX}; download the whole folder")
    try:
        table = json.loads((folder / INDEX).read_bytes())["weight_map"]
        wanted: dict[str, set[str]] = {}
        for tensor, name in table.items():
            if Path(name).name != name:
                raise DataError(f"{folder / INDEX}: {name!r} is not a file of this folder")
            wanted.setdefault(name, set()).add(tensor)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{folder / INDEX}: not an index of weights; download it again") from error
    return wanted


def _read_header(path: Path) -> _Header:
    """Read a file's header and compare the file's length with what it says."""
    if not path.exists():
        raise DataError(f"{path}: the weight file is missing; download it")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start == b"version " and size < 1024:
            raise DataError(f"{path}: a Git LFS pointer, not the weights; run: git lfs pull")
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= _MOST_HEADER:
            raise DataError(f"{path}: not a safetensors file; download it again")
        try:
            header = _parse(json.loads(file.read(length)))
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise DataError(f"{path}: the header is damaged or cut short; download it again") from error
    if size != 8 + length + header.end:
        raise DataError(f"{path}: {size} bytes and the header says {8 + length + header.end}; download it again")
    return header


def _parse(tensors: Mapping[str, Mapping[str, object]]) -> _Header:
    parameters: dict[str, int] = {}
    end = 0
    names = frozenset(tensors) - {"__metadata__"}
    for name in names:
        shape, offsets = tensors[name]["shape"], tensors[name]["data_offsets"]
        if not isinstance(shape, list) or not isinstance(offsets, list):
            raise TypeError(name)
        count = 1
        for side in shape:
            count *= int(side)
        dtype = str(tensors[name]["dtype"])
        parameters[dtype] = parameters.get(dtype, 0) + count
        end = max(end, int(offsets[1]))
    return _Header(names=names, parameters=parameters, end=end)
