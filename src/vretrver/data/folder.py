"""A folder of pictures as a corpus: every picture a candidate whose did is its path below the folder.

Each file is decoded once, so that what enters the corpus can be shown later; what cannot is reported by name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, PictureError
from ..images import ImageLimits, ImageStore
from ..records import Candidate, ImagePart, ImageRef

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp")
"""Endings, in any case, of files that are taken for pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFile:
    """A file that looked like a picture, or a folder, that could not be read."""

    path: str
    """POSIX path below the folder."""
    reason: str
    """One sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderScan:
    """What a folder holds."""

    directory: Path
    """The folder; the image root of the candidates."""
    candidates: tuple[Candidate, ...]
    """The pictures, sorted by path, with hash and size; at least one."""
    refused: tuple[RefusedFile, ...]
    """What could not be read, sorted by path."""
    others: int
    """Files left out because their names do not end in one of `SUFFIXES`."""
    links: int
    """Symbolic links left out."""


@dataclass(slots=True)
class _Walk:
    pictures: list[str]
    refused: list[RefusedFile]
    others: int = 0
    links: int = 0


def read_folder(
    directory: Path,
    *,
    root: str = "",
    limits: ImageLimits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FolderScan:
    """Read a folder and the folders below it; hidden files and folders are left out.

    Args:
        directory: the folder.
        root: name under which an `ImageStore` will find the folder.
        limits: what one file may cost; default `ImageLimits()`.
        progress: called with (files done, files to do) after each file.

    Raises:
        DataError: there is no such folder, or it holds no readable picture.
    """
    if not directory.is_dir():
        raise DataError(f"{directory}: no such folder; name a folder of pictures")
    walk = _walk(directory)
    store = ImageStore({root: directory}, limits=limits, cache_bytes=0)
    candidates: list[Candidate] = []
    for done, path in enumerate(walk.pictures, start=1):
        try:
            found = store.identify(ImageRef(path=path, root=root))
            candidates.append(Candidate(did=path, parts=(ImagePart(image=found),)))
        except PictureError as error:
            walk.refused.append(RefusedFile(path=path, reason=str(error)))
        if progress is not None:
            progress(done, len(walk.pictures))
    if not candidates:
        raise DataError(_nothing_found(directory, walk))
    return FolderScan(
        directory=directory,
        candidates=tuple(candidates),
        refused=tuple(sorted(walk.refused, key=lambda file: file.path)),
        others=walk.others,
        links=walk.links,
    )


def _nothing_found(directory: Path, walk: _Walk) -> str:
    if walk.refused:
        first = walk.refused[0]
        return (
            f"{directory}: none of {len(walk.refused)} files could be read; the first, {first.path}: {first.reason}"
        )
    return f"{directory}: no pictures found; name a folder that holds {', '.join(SUFFIXES)} files"


def _walk(directory: Path) -> _Walk:
    found = _Walk(pictures=[], refused=[])
    for entry in _entries(directory, directory, found.refused):
        path = Path(entry.path).relative_to(directory).as_posix()
        if entry.is_symlink():
            found.links += 1
        elif not path.lower().endswith(SUFFIXES) or not entry.is_file(follow_symlinks=False):
            found.others += 1
        elif not path.isprintable():
            found.refused.append(
                RefusedFile(path=ascii(path)[1:-1], reason="its name is not printable text; rename it")
            )
        else:
            found.pictures.append(path)
    found.pictures.sort()
    return found


def _entries(directory: Path, folder: Path, refused: list[RefusedFile]) -> Iterator[os.DirEntry[str]]:
    """Yield what is not hidden and not a folder, going down; a link to a folder is yielded as a link."""
    try:
        with os.scandir(folder) as listing:
            entries = [entry for entry in listing if not entry.name.startswith(".")]
    except OSError as error:
        path = folder.relative_to(directory).as_posix()
        refused.append(RefusedFile(path=path, reason=f"the folder cannot be listed: {error.strerror or error}"))
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(directory, Path(entry.path), refused)
        else:
            yield entry
