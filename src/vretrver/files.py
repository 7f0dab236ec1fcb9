"""Writing files that outlive a kill: whole files that appear in one step, and lines that are appended one by one."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from io import FileIO
from pathlib import Path

from .errors import DataError

_BLOCK = 64 * 2**10


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
