"""What commands are given: queries on the command line, folders, pools, and the roots pictures are read from."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.folder import left_out_by_name
from ..data.hits import RerankRequest, read_requests
from ..data.named import place_of_named
from ..data.rows import split_page
from ..data.sources.source import Source, linked_folders
from ..errors import ConfigError, DataError, PictureError
from ..files import text_lines
from ..images import ImageLimits, ImageStore
from ..records import Candidate, Hit, ImageRef, Query, TextPart, parts_of
from .output import note, progress

if TYPE_CHECKING:
    from ..retrieval.retriever import RefusedCandidate

NAMED = 20
"""Most things left out of a source that are named one by one."""

QUERY = "query"
"""Name of the root of the query's picture; no folder of candidates is called so."""


def store_of(roots: Mapping[str, Path | str], limits: ImageLimits | None = None) -> ImageStore:
    """Return the store over roots; `limits` None is the default of what a picture may cost."""
    return ImageStore(roots, limits=limits)


def query_of(text: str | None, image: Path | None) -> Query:
    """Return the query of the command line; its picture lies under the root `query`, its id follows its content."""
    if not text and image is None:
        raise ConfigError("there is no query; give --text, --image, or both")
    if image is not None and not named_picture(image)[0].is_file():
        raise DataError(f"{image}: no such picture; --image takes the path of a picture file")
    pictures = [picture_at(image, root=QUERY)] if image is not None else []
    qid = hashlib.sha256(f"{text}\n{image}".encode()).hexdigest()[:8]
    return Query(qid=f"query-{qid}", parts=parts_of(text=text, images=pictures))


def corpus_of(source: Source) -> Sequence[Candidate]:
    """Return the candidates of a source, all read, after saying what was left out."""
    with progress("reading") as update:
        corpus = list(source.candidates(progress=update))
    note_refused(source)
    return corpus


def nothing_encoded(source: Source, refused: Sequence[RefusedCandidate]) -> DataError:
    """Name what could not be encoded, and return the error for a source of which nothing could."""
    note_left_out(refused)
    cause = f"the first, {refused[0].did}: {refused[0].reason}"
    if linked := linked_folders(source):
        cause = f"{linked[0]} is a link, which rows are not followed through: name it with --root {linked[0]}=FOLDER"
    return DataError(f"{source.path}: none of {len(refused)} items could be encoded; {cause}")


def note_left_out(refused: Sequence[RefusedCandidate]) -> None:
    """Say which candidates could not be encoded and why: the first by name, the rest as a count."""
    for item in refused[:NAMED]:
        note(f"left out: {item.did}: {item.reason}")
    if len(refused) > NAMED:
        note(f"left out: {len(refused) - NAMED} more, {len(refused)} in all")


def note_refused(source: Source) -> None:
    """Say what of a source was left out and why: the first by name, the rest as a count."""
    for refused in source.refused[:NAMED]:
        note(f"left out: {refused.path}: {refused.reason}")
    if len(source.refused) > NAMED:
        note(f"left out: {len(source.refused) - NAMED} more, {len(source.refused)} in all")
    for counted in left_out_by_name(source.others, source.links):
        note(f"left out: {counted}")


def named_picture(path: Path) -> tuple[Path, int]:
    """Return the file and the page, from 0, of a path that may end in `#page=n`; a file of that name comes first."""
    file, page = split_page(str(path))
    return (path, 0) if page is None or path.is_file() else (Path(file), page)


def folder_of(path: Path | None) -> Path:
    """Return the folder that a picture named on the command line is opened in; links are followed."""
    return Path() if path is None else place_of_named(named_picture(path)[0])[0]


def picture_at(path: Path, *, root: str) -> ImageRef:
    """Return the reference of a picture named on the command line, below `folder_of` it."""
    file, page = named_picture(path)
    return ImageRef(path=place_of_named(file)[1], root=root, page=page)


def candidates_of(files: Iterable[Path]) -> tuple[list[Hit], dict[str, Path | str]]:
    """Return candidate files in the order given, and the roots of their pictures.

    `.txt` files are texts, everything else is a picture, or a page of a document as `file#page=n`. The root of a
    picture is its folder, named by that folder's path.
    """
    hits: list[Hit] = []
    roots: dict[str, Path | str] = {}
    for place, path in enumerate(files, start=1):
        file, _ = named_picture(path)
        if not file.is_file():
            raise DataError(f"{path}: no such candidate file; name pictures and .txt files")
        if file.suffix.lower() == ".txt":
            candidate = _text_candidate(file)
        else:
            folder = folder_of(path)
            root = f"./{folder}" if str(folder) == QUERY else str(folder)
            roots[root] = folder
            candidate = Candidate(did=str(path), parts=parts_of(images=[picture_at(path, root=root)]))
        hits.append(Hit(candidate=candidate, score=1.0 / place))
    return hits, roots


def note_other_pages(hits: Iterable[Hit], images: ImageStore) -> None:
    """Say which candidate files hold pages that are not shown, for one candidate is one page."""
    for hit in hits:
        for picture in hit.candidate.pictures:
            if hit.candidate.did.endswith(f"#page={picture.page + 1}"):
                continue
            with suppress(PictureError):  # it is named where it is to be shown
                pages = images.survey(picture, sound=_Everything()).count
                if pages > 1:
                    did = hit.candidate.did
                    note(f"{did}: page 1 of {pages} is shown; name others as {did}#page=2")


class _Everything:
    """Holds every hash: nothing has to be decoded."""

    def __contains__(self, sha256: object) -> bool:
        return True


def _text_candidate(file: Path) -> Candidate:
    text = "".join(line for _, line in text_lines(file)).strip()
    if not text:
        raise DataError(f"{file}: the text is empty; leave the file out")
    return Candidate(did=str(file), parts=(TextPart(text=text),))


def requests_of(file: Path) -> Iterable[RerankRequest]:
    """Yield the requests of a JSONL file, or of standard input for `-`."""
    if str(file) == "-":
        return read_requests(sys.stdin.buffer, name="standard input")
    if not file.is_file():
        raise DataError(f"{file}: no such file; give a JSONL of queries with candidates, or - for standard input")
    return read_requests(file)
