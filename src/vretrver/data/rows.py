"""Rows of JSONL and tab-separated files, each with the place it came from.

Every error names `path:line`. What a row means is the business of `mbeir`, `hits` and the other readers.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import DataError

Source = Path | IO[str] | IO[bytes]
"""A file, plain or `.gz`, or an open stream such as standard input."""


def read_lines(source: Source, *, name: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield (`path:line`, line without its end) for each line that is not blank; lines count from 1.

    Args:
        source: file or stream of UTF-8 text; a byte order mark is dropped.
        name: what a stream is called in messages; a file is called by its path.
    """
    if isinstance(source, Path):
        yield from _lines_of_file(source, name or str(source))
    else:
        yield from _decoded(source, name or "<stream>")


def read_objects(source: Source, *, name: str | None = None) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield (`path:line`, JSON object) for each line; raises DataError for a line that is no JSON object.

    NaN and infinities, a key that stands twice and text that is not valid Unicode are refused.
    """
    for where, line in read_lines(source, name=name):
        try:
            value = json.loads(line, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
            if "\\u" in line:
                _refuse_half_characters(value)
        except (ValueError, RecursionError) as error:
            shown = line if len(line) <= 60 else line[:60] + "..."
            raise DataError(f"{where}: not valid JSON ({error}): {shown!r}; repair or remove the line") from error
        if not isinstance(value, dict):
            raise DataError(f"{where}: a line must hold one JSON object, got a {type(value).__name__}")
        yield where, value


def picture_path(value: str, where: str) -> str:
    """Return a picture's path; raises DataError when it is empty, absolute or leaves its root."""
    pure = PurePosixPath(value)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\0" in value:
        raise DataError(f"{where}: picture path {value!r} must be relative to the image root and stay below it")
    return value


def _lines_of_file(path: Path, name: str) -> Iterator[tuple[str, str]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield from _decoded(stream, name)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{name}: cannot be read: {reason}") from error


def _decoded(stream: Iterable[str | bytes], name: str) -> Iterator[tuple[str, str]]:
    """Decode line by line, so that the line named in a message is the one that is wrong."""
    number = 0
    try:
        for number, raw in enumerate(stream, start=1):
            line = raw.decode("utf-8") if isinstance(raw, bytes) else raw
            line = line.removeprefix("\ufeff") if number == 1 else line
            if line.strip():
                yield f"{name}:{number}", line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}:{number}: not valid UTF-8 ({error.reason}); save the file as UTF-8") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return row


def _refuse_half_characters(value: object) -> None:
    """Refuse an escaped surrogate without its other half: such a text cannot be written or hashed later."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("an escape holds half of a surrogate pair") from error
