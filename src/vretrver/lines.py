"""The one way to read the lines of a text, for tables, rankings, recordings and configurations.

Every reader of texts goes through `text_lines`, so that byte order marks, encodings and the numbers of lines are the
same everywhere.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from .errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_END = re.compile(r"\r\n|\n|\r(?!\Z)")

TextSource = Path | IO[str] | IO[bytes]
"""A file, plain or `.gz`, or an open stream such as standard input."""


def text_lines(source: TextSource, *, name: str | None = None) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line with its end) of a text: UTF-8, or what its byte order mark says, which is dropped.

    A line ends as editors count lines: at a line feed, a carriage return, or both.

    Args:
        source: file or stream.
        name: what a stream is called in messages; a file is called by its path.

    Raises:
        DataError: it cannot be read, or a line is not text; the message names that line.
    """
    if not isinstance(source, Path):
        yield from _numbered(source, name or "<stream>")
        return
    shown = name or str(source)
    try:
        with gzip.open(source) if source.suffix.lower() == ".gz" else source.open("rb") as stream:
            yield from _numbered(stream, shown)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{shown}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _numbered(stream: Iterable[str | bytes], name: str) -> Iterator[tuple[int, str]]:
    number, rest = 0, ""
    pieces = _decoded(stream)
    try:
        for piece in pieces:
            text = rest + piece
            begins = 0
            for end in _END.finditer(text):
                number += 1
                yield number, text[begins : end.end()]
                begins = end.end()
            rest = text[begins:]
    except UnicodeDecodeError as error:
        before = len(re.findall(rb"\r(?!\n)", error.object[: error.start])) if error.encoding == "utf-8" else 0
        raise DataError(
            f"{name}:{number + 1 + before}: not valid {error.encoding.upper()} ({error.reason}); "
            "save the file as UTF-8"
        ) from error
    if rest:
        yield number + 1, rest


def _decoded(stream: Iterable[str | bytes]) -> Iterator[str]:
    """Yield the text of a stream in pieces; in UTF-8 a piece is what stands before a line feed."""
    decoder: codecs.IncrementalDecoder | None = None
    first = True
    for raw in stream:
        if isinstance(raw, str):
            yield raw.removeprefix("\ufeff") if first else raw
        else:
            if decoder is None:
                mark, encoding = next(((m, e) for m, e in _MARKS if raw.startswith(m)), (b"", "utf-8"))
                raw, decoder = raw[len(mark) :], codecs.getincrementaldecoder(encoding)()
            yield decoder.decode(raw)
        first = False
    if decoder is not None:
        yield decoder.decode(b"", final=True)
