"""What commands are given: queries and candidates on the command line, request files."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..data.folder import SUFFIXES
from ..data.hits import Known, RerankRequest, read_requests
from ..data.named import QUERY, place_of_named
from ..data.rows import read_lines, split_page
from ..errors import ConfigError, DataError, PictureError
from ..images import ImageStore
from ..lines import text_lines
from ..records import Candidate, Hit, ImageRef, Query, TextPart, parts_of
from .output import note


def query_of(text: str | None, image: Path | None) -> Query:
    """Return the query of the command line; its picture lies under the root `query`, its id follows its content."""
    if not text and image is None:
        raise ConfigError("there is no query; give --text, --image, or both")
    if image is not None and not named_picture(image)[0].is_file():
        raise DataError(f"{image}: no such picture; --image takes the path of a picture file")
    pictures = [picture_at(image, root=QUERY)] if image is not None else []
    qid = hashlib.sha256(f"{text}\n{image}".encode()).hexdigest()[:8]
    return Query(qid=f"query-{qid}", parts=parts_of(text=text, images=pictures))


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
            raise DataError(f"{path}: no such candidate file; name pictures, PDFs and .txt files")
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


def requests_of(file: Path, *, root: str = "", known: Known | None = None) -> Iterable[RerankRequest]:
    """Yield the requests of a JSONL file, or of standard input for `-`; see `data.hits.read_requests`."""
    if str(file) == "-":
        return read_requests(sys.stdin.buffer, name="standard input", root=root, known=known)
    if not file.is_file():
        raise DataError(f"{file}: no such file; give a JSONL of queries with candidates, or - for standard input")
    _refuse_other_files(file)
    return read_requests(file, root=root, known=known)


def _refuse_other_files(file: Path) -> None:
    """Raise ConfigError for a file that is plainly no JSONL, and say how what it holds is reranked."""
    if file.suffix.lower() in SUFFIXES:
        raise ConfigError(f"{file}: --text is missing: pictures and documents are candidates of a query")
    where, line = next(read_lines(file), ("", ""))
    if line and line.lstrip()[0] not in "{[":
        raise ConfigError(
            f"{where}: requests are JSONL, one JSON object a line, and this is {line[:60]!r}; ids of a table are "
            "reranked with --run and --index or --corpus, files of one query with --text"
        )
