"""Writing files that outlive a kill, whole or line by line; and the one way to read the lines of a text.

Every reader of texts goes through `text_lines`, so that byte order marks, encodings and the numbers of lines are the
same everywhere.
"""

from __future__ import annotations

import codecs
import errno
import gzip
import os
import re
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import IO

from .errors import DataError

_BLOCK = 64 * 2**10
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


def replace_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write bytes beside `path` and put them in its place in one step.

    Args:
        path: the file; its folder must exist.
        data: the new content.
        sync: whether the bytes are on disk before the old file goes; without it a power cut may leave an empty file.

    Raises:
        OSError: nothing was changed and no part is left behind.
    """
    if not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
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


class LineFile:
    """A file of lines, appended durably. A kill leaves at most a part of the last, which is cut off at the start.

    Args:
        path: the file; its folder must exist.
        begins: how every line begins. A torn end that begins otherwise is somebody else's text and is left alone.

    Raises:
        DataError: the file cannot be written, or its last line is no line of this kind.
    """

    def __init__(self, path: Path, *, begins: bytes) -> None:
        self.path = path
        try:
            self._drop_torn_line(begins)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise DataError(f"{path}: cannot be written: {error.strerror}; choose another file") from error

    def append(self, lines: bytes) -> None:
        """Append whole lines; when this returns they are on disk.

        Raises:
            DataError: they cannot be written, and no part of them is left in the file.
        """
        append_durably(self._file, lines, what=f"{self.path}:")

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _drop_torn_line(self, begins: bytes) -> None:
        """Cut the file after its last newline; only the end of the file is read."""
        if not self.path.is_file():
            return
        with self.path.open("rb+") as file:
            end = file.seek(0, os.SEEK_END)
            whole = end
            while whole > 0:
                start = file.seek(max(whole - _BLOCK, 0))
                found = file.read(whole - start).rfind(b"\n")
                if found >= 0:
                    whole = start + found + 1
                    break
                whole = start
            file.seek(whole)
            torn = file.read(len(begins))
            check_torn(torn, begins, name=str(self.path))
            if torn:
                file.truncate(whole)


def append_durably(file: FileIO, lines: bytes, *, what: str) -> None:
    """Append whole lines to an unbuffered file; when this returns they are on disk.

    Args:
        file: opened for appending or updating.
        lines: what to append.
        what: begins the message of an error, as in `run.jsonl:`.

    Raises:
        DataError: they cannot be written, and no part of them is left in the file.
    """
    left = memoryview(lines)
    start = file.seek(0, os.SEEK_END)
    try:
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            file.truncate(start)  # the next line must not follow a part of this one
        raise DataError(
            f"{what} cannot be written: {error.strerror}; what was written is kept, run again to go on"
        ) from error


def check_torn(torn: bytes, begins: bytes, *, name: str) -> None:
    """Refuse to cut off a last line without an end that is no part of a line of ours.

    Args:
        torn: the line, or its first bytes.
        begins: how every line of the file begins.
        name: of the file, for messages.

    Raises:
        DataError: it is somebody else's text.
    """
    if not begins.startswith(torn[: len(begins)]):
        raise DataError(f"{name}: it ends in a line this program did not write; choose another file")
