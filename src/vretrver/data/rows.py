"""Rows of JSONL and tab-separated files, each with the place it came from; and the pictures rows name.

Every error names `path:line`. What a row means is the business of `mbeir`, `hits` and the other readers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePath, PurePosixPath

from .._json import read_json
from ..errors import DataError
from ..lines import TextSource, text_lines
from ..records import ImageRef

RowSource = TextSource
"""A file, plain or `.gz`, or an open stream such as standard input."""

_PAGE = re.compile(r"(.+)#page=(\d{1,9})", re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:/")


def read_lines(source: RowSource, *, name: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield (`path:line`, line without its end) for each line that is not blank; lines count from 1.

    Args:
        source: file or stream of text; see `text_lines`.
        name: what a stream is called in messages; a file is called by its path.
    """
    shown = name or (str(source) if isinstance(source, PurePath) else "<stream>")
    for number, line in text_lines(source, name=shown):
        if line.strip():
            yield f"{shown}:{number}", line.rstrip("\r\n")


def read_objects(source: RowSource, *, name: str | None = None) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield (`path:line`, JSON object) for each line; raises DataError for a line that is no JSON object.

    NaN and infinities, a key that appears twice and text that is not valid Unicode are refused.
    """
    for where, line in read_lines(source, name=name):
        try:
            value = read_json(line)
            if "\\u" in line:
                _refuse_half_characters(value)
        except (ValueError, RecursionError) as error:
            shown = line if len(line) <= 60 else line[:60] + "..."
            raise DataError(f"{where}: not valid JSON ({error}): {shown!r}; repair or remove the line") from error
        if not isinstance(value, dict):
            raise DataError(f"{where}: a line must hold one JSON object, got a {type(value).__name__}")
        yield where, value


def picture_path(value: str, where: str) -> str:
    """Return a picture's path; a backslash parts folders, as Windows writes them.

    Raises DataError when it is empty, absolute or leaves its root.
    """
    path = value.replace("\\", "/")
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or _DRIVE.match(path) or ".." in pure.parts or "\0" in path:
        raise DataError(f"{where}: picture path {value!r} must be relative to the image root and stay below it")
    return path


def split_page(path: str) -> tuple[str, int | None]:
    """Return the file and the page, from 0, of `file#page=n`, n from 1; None where no page is named."""
    named = _PAGE.fullmatch(path)
    if named is None or int(named[2]) < 1:
        return path, None
    return named[1], int(named[2]) - 1


def picture_ref(value: str, where: str, *, root: str) -> ImageRef:
    """Return the picture at a path, or a page of a document where it ends in `#page=n`; see `picture_path`."""
    path, page = split_page(picture_path(value, where))
    return ImageRef(path=path, root=root, page=page or 0)


def _refuse_half_characters(value: object) -> None:
    """Refuse an escaped surrogate without its other half: such a text cannot be written or hashed later."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("an escape holds half of a surrogate pair") from error
