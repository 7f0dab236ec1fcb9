"""Writing whole files: a reader sees the old file or the new one, never a part."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write bytes beside `path` and put them in its place in one step.

    Args:
        path: the file; its folder must exist.
        data: the new content.
        sync: whether the bytes are on disk before the old file goes; without it a power cut may leave an empty file.

    Raises:
        OSError: nothing was changed and no part is left behind.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as stream:
            stream.write(data)
            if sync:
                stream.flush()
                os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
