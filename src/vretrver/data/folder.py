"""A folder of pictures and documents as a corpus: every picture and every page a candidate.

The did of a picture is its path below the folder, that of a page `path#page=n`, n from 1, as in links to PDF pages.
Each picture is decoded once, so that what enters the corpus can be shown later; what cannot is reported by name.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, PictureError
from ..images import FileSurvey, ImageStore
from ..records import Candidate, ImagePart, ImageRef
from .exif import photo_metadata

SUFFIXES = (
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".jpeg", ".jpg", ".mpo", ".pdf", ".png", ".tif", ".tiff",
    ".webp",
)  # fmt: skip
"""Endings, in any case, of files that are taken for pictures and documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file, a page, a folder or a row that could not become a candidate."""

    path: str
    """POSIX path below the folder, with `#page=n` for a page; `path:line` for a row."""
    reason: str
    """One sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderListing:
    """The files of a folder, none of them opened yet."""

    pictures: tuple[str, ...]
    """POSIX paths of what looks like a picture or a document, sorted."""
    refused: tuple[Refused, ...]
    """Folders that could not be listed, and files whose names are not text."""
    others: int
    """Files left out because their names do not end in one of `SUFFIXES`."""
    links: int
    """Symbolic links left out."""


def list_folder(directory: Path) -> FolderListing:
    """Return the files of a folder and the folders below it, hidden ones left out.

    Raises:
        DataError: there is no such folder.
    """
    if not directory.is_dir():
        raise DataError(f"{directory}: no such folder; name a folder of pictures")
    pictures: list[str] = []
    refused: list[Refused] = []
    others = links = 0
    for entry in _entries(directory, refused):
        path = Path(entry.path).relative_to(directory).as_posix()
        if entry.is_symlink():
            links += 1
        elif not path.lower().endswith(SUFFIXES) or not entry.is_file(follow_symlinks=False):
            others += 1
        elif not path.isprintable():
            refused.append(Refused(path=ascii(path)[1:-1], reason="its name is not printable text; rename it"))
        else:
            pictures.append(path)
    return FolderListing(pictures=tuple(sorted(pictures)), refused=tuple(refused), others=others, links=links)


def read_file(
    store: ImageStore, ref: ImageRef, *, sound: Container[str] = frozenset()
) -> tuple[list[Candidate], list[Refused]]:
    """Return the candidates of a file, one for a picture and one for each page of a document, and what was refused.

    Args:
        store: reads the file.
        ref: the file.
        sound: hashes of files that were read before and found sound; these are not decoded again.
    """
    try:
        survey = store.survey(ref, sound=sound)
    except PictureError as error:
        return [], [Refused(path=ref.path, reason=str(error))]
    paged = survey.form == "PDF" or survey.count > 1
    facts = photo_metadata(survey.exif)
    refused = [
        Refused(path=_page_id(ref.path, page) if paged else ref.path, reason=reason)
        for page, reason in survey.refused
    ]
    return [_candidate(image, survey, facts, paged=paged) for image in survey.pages], refused


def nothing_found(where: Path, refused: list[Refused]) -> str:
    """Return the sentence for a corpus without a candidate."""
    if refused:
        first = refused[0]
        return f"{where}: none of {len(refused)} files could be read; the first, {first.path}: {first.reason}"
    return f"{where}: no pictures found; name a folder that holds {', '.join(SUFFIXES)} files"


def _candidate(image: ImageRef, survey: FileSurvey, facts: dict[str, str | float], *, paged: bool) -> Candidate:
    if not paged:
        return Candidate(did=image.path, parts=(ImagePart(image=image),), metadata=facts)
    return Candidate(
        did=_page_id(image.path, image.page),
        parts=(ImagePart(image=image),),
        metadata={"document": image.path, "page": image.page + 1, "pages": survey.count, **facts},
    )


def _page_id(path: str, page: int) -> str:
    return f"{path}#page={page + 1}"


def _entries(directory: Path, refused: list[Refused]) -> Iterator[os.DirEntry[str]]:
    """Yield what is not hidden and not a folder, of all folders; a link to a folder is yielded as a link."""
    folders = [str(directory)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as listing:
                entries = [entry for entry in listing if not entry.name.startswith(".")]
        except OSError as error:
            path = Path(folder).relative_to(directory).as_posix()
            refused.append(Refused(path=path, reason=f"the folder cannot be listed: {error.strerror or error}"))
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield entry
