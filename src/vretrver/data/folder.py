"""A folder of pictures and documents as a corpus: every picture and every page a candidate.

The did of a picture is its path below the folder, that of a page `path#page=n`, n from 1, as in links to PDF pages.
Each picture is decoded once, so that what enters the corpus can be shown later; what cannot is reported by name.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import DataError, PictureError
from ..images import FileSurvey, ImageStore
from ..records import Candidate, ImagePart, ImageRef
from .exif import photo_metadata
from .names import is_name

SUFFIXES = (
    ".apng", ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".jfi", ".jfif", ".jif", ".jpe", ".jpeg",
    ".jpg", ".mpo", ".pdf", ".png", ".tif", ".tiff", ".webp",
)  # fmt: skip
"""Endings, in any case, of files that are taken for pictures and documents."""

_ENDINGS = 5
"""Most endings of other files that a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
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
    refused: tuple[LeftOut, ...]
    """Folders that could not be listed, files whose names are not text, and pipes and the like named as pictures."""
    others: Mapping[str, int]
    """Ending of a name, in small letters, -> files left out because it is not one of `SUFFIXES`."""
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
    refused: list[LeftOut] = []
    others: Counter[str] = Counter()
    links = 0
    for entry in _entries(directory, refused):
        path = Path(entry.path).relative_to(directory).as_posix()
        if entry.is_symlink():
            links += 1
        elif not path.lower().endswith(SUFFIXES):
            others[PurePosixPath(path).suffix.lower()] += 1
        elif not entry.is_file(follow_symlinks=False):
            refused.append(LeftOut(path=path, reason="it is not a file"))
        elif not is_name(path):
            refused.append(
                LeftOut(path=ascii(path)[1:-1], reason="its name is not one line of valid text; rename it")
            )
        else:
            pictures.append(path)
    return FolderListing(pictures=tuple(sorted(pictures)), refused=tuple(refused), others=dict(others), links=links)


def read_file(
    store: ImageStore, ref: ImageRef, *, name: str | None = None, sound: Container[str] = frozenset()
) -> tuple[list[Candidate], list[LeftOut]]:
    """Return the candidates of a file, one for a picture and one for each page of a document, and what was refused.

    Args:
        store: reads the file.
        ref: the file.
        name: what the file is called in ids and messages; None is its path.
        sound: hashes of files that were read before and found sound; these are not decoded again.
    """
    try:
        survey = store.survey(ref, sound=sound)
    except PictureError as error:
        return [], [LeftOut(path=name or ref.path, reason=str(error))]
    paged = survey.form == "PDF" or survey.count > 1
    facts = photo_metadata(survey.exif)
    called = name or ref.path
    refused = [
        LeftOut(path=_page_id(called, page) if paged else called, reason=reason) for page, reason in survey.refused
    ]
    return [_candidate(called, image, survey, facts, paged=paged) for image in survey.pages], refused


def nothing_found(where: Path, refused: Sequence[LeftOut], *, others: Mapping[str, int], links: int) -> str:
    """Return the sentence for a corpus without a candidate."""
    left_out = ", ".join(left_out_by_name(others, links))
    if refused:
        first = refused[0]
        more = f"; left out besides: {left_out}" if left_out else ""
        return f"{where}: none of {len(refused)} files could be read; the first, {first.path}: {first.reason}{more}"
    if left_out:
        return f"{where}: no pictures found, but {left_out}; name a folder that holds {', '.join(SUFFIXES)} files"
    return f"{where}: no pictures found; name a folder that holds {', '.join(SUFFIXES)} files"


def left_out_by_name(others: Mapping[str, int], links: int) -> list[str]:
    """Return what of a folder was left out without being opened, and why, as parts of a sentence."""
    parts: list[str] = []
    if others:
        named = sorted(others.items(), key=lambda pair: (-pair[1], pair[0]))
        shown = ", ".join(f"{ending or 'no ending'} {count}" for ending, count in named[:_ENDINGS])
        more = f", {len(named) - _ENDINGS} more endings" if len(named) > _ENDINGS else ""
        count = sum(others.values())
        what = (
            "file not named as a picture or a document" if count == 1 else "files not named as pictures or documents"
        )
        parts.append(f"{count} {what} ({shown}{more})")
    if links:
        what = "symbolic link" if links == 1 else "symbolic links"
        parts.append(f"{links} {what} (links are not followed; name the folder they lead to)")
    return parts


def _candidate(
    name: str, image: ImageRef, survey: FileSurvey, facts: dict[str, str | float], *, paged: bool
) -> Candidate:
    if not paged:
        return Candidate(did=name, parts=(ImagePart(image=image),), metadata=facts)
    return Candidate(
        did=_page_id(name, image.page),
        parts=(ImagePart(image=image),),
        metadata={"document": name, "page": image.page + 1, "pages": survey.count, **facts},
    )


def _page_id(path: str, page: int) -> str:
    return f"{path}#page={page + 1}"


def _entries(directory: Path, refused: list[LeftOut]) -> Iterator[os.DirEntry[str]]:
    """Yield what is not hidden and not a folder, of all folders; a link to a folder is yielded as a link."""
    folders = [str(directory)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as listing:
                entries = [entry for entry in listing if not entry.name.startswith(".")]
        except OSError as error:
            path = Path(folder).relative_to(directory).as_posix()
            refused.append(LeftOut(path=path, reason=f"the folder cannot be listed: {error.strerror or error}"))
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield entry
