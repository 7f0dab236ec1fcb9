"""What a model folder's contents hash to, so that a record says which weights wrote it.

Files of up to 64 MiB are hashed whole; of a larger one its size, its first MiB (the header) and 1,024 blocks of 4 KiB
spread evenly, which a fine-tuned or cut-off copy does not share. Somebody who plants a difference between the blocks
is not found out; the files' own checksums are for that.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

HASHED = ("config.json", "preprocessor_config.json", "tokenizer.json", "*.safetensors")
"""Files that decide what a model writes."""

WHOLE = 64 * 2**20
"""Bytes up to which a file is hashed whole."""

_BLOCKS, _BLOCK, _HEAD = 1024, 4096, 2**20


def folder_digest(folder: Path) -> str:
    """Return 16 hex digits over the files that decide what a model writes, their names included."""
    total = hashlib.sha256()
    for path in sorted({path for pattern in HASHED for path in folder.glob(pattern)}):
        total.update(f"{path.name}\0{_file_digest(path)}\n".encode())
    return total.hexdigest()[:16]


def _file_digest(path: Path) -> str:
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as stream:
        if size <= WHOLE:
            digest.update(stream.read())
        else:
            digest.update(stream.read(_HEAD))
            for number in range(_BLOCKS):
                stream.seek((size - _BLOCK) * number // (_BLOCKS - 1))
                digest.update(stream.read(_BLOCK))
    return digest.hexdigest()
