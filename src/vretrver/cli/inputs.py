"""What commands are given: queries and candidates on the command line, request files."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

from ..data.hits import RerankRequest, read_requests
from ..errors import ConfigError, DataError
from ..records import Candidate, Hit, ImageRef, Query, TextPart, parts_of


def query_of(text: str | None, image: Path | None) -> Query:
    """Return the query of the command line; its picture lies under the root `query`, its id follows its content."""
    if not text and image is None:
        raise ConfigError("there is no query; give --text, --image, or both")
    if image is not None and not image.is_file():
        raise DataError(f"{image}: no such picture; --image takes the path of a picture file")
    pictures = [ImageRef(path=image.name, root="query")] if image is not None else []
    qid = hashlib.sha256(f"{text}\n{image}".encode()).hexdigest()[:8]
    return Query(qid=f"query-{qid}", parts=parts_of(text=text, images=pictures))


def candidates_of(files: Iterable[Path]) -> list[Hit]:
    """Return candidate files in the order given: `.txt` files are texts, everything else is a picture.

    The root of a picture is its folder, named by that folder's path.
    """
    hits: list[Hit] = []
    for place, file in enumerate(files, start=1):
        if not file.is_file():
            raise DataError(f"{file}: no such candidate file; name pictures and .txt files")
        hits.append(Hit(candidate=_candidate(file), score=1.0 / place))
    return hits


def _candidate(file: Path) -> Candidate:
    if file.suffix.lower() != ".txt":
        return Candidate(did=str(file), parts=parts_of(images=[ImageRef(path=file.name, root=str(file.parent))]))
    try:
        text = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not a UTF-8 text; convert it") from error
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
