"""Writing files that outlive a kill: whole files that appear in one step, and lines that are appended one by one.

Only regular files are opened and replaced, never a device or a pipe. In a directory that somebody else may have made,
`open_own` also refuses links: a name there must not reach a file elsewhere.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path

from .errors import ConfigError, DataError, StorageError

_BLOCK = 64 * 2**10
_NOT_REGULAR = "not a regular file"


def open_regular(path: Path, flags: int) -> int:
    """Open a file that the user names and return its descriptor; links are followed, nothing is waited for.

    Args:
        path: the file.
        flags: as of `os.open`; with `O_CREAT` a missing file is made.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
    """
    with suppress(FileNotFoundError):
        _check_regular(path, os.stat(path))  # before it is opened: opening a device may already do something
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    try:
        _check_regular(path, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def open_own(path: Path, flags: int) -> int:
    """Open a file of a directory of ours and return its descriptor; no link in its place is followed.

    Args:
        path: the file; folders above it may be links, the user named them.
        flags: as of `os.open`; with `O_CREAT` a missing file is made.

    Raises:
        DataError: a symbolic link, a device, a pipe or a folder is in its place; or, where it is to be written, the
            file has a second name, through which something else would change.
        OSError: it is missing or cannot be opened.
    """
    refuse_foreign(path)
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _foreign(path, "a symbolic link") from error
        raise
    try:
        found = os.fstat(descriptor)
        _check_own(path, found, single=bool(flags & (os.O_WRONLY | os.O_RDWR)))
    except DataError:
        os.close(descriptor)
        raise
    return descriptor


def refuse_foreign(path: Path, *, single: bool = False) -> None:
    """Raise DataError when something other than a regular file is at a path; nothing at all is fine.

    The file is not opened: closing it again would let go of the locks that SQLite holds on it in this process.

    Args:
        path: the file.
        single: also refuse a file with a second name.
    """
    with suppress(FileNotFoundError):
        _check_own(path, os.lstat(path), single=single)


def _check_own(path: Path, found: os.stat_result, *, single: bool = False) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise _foreign(path, "a symbolic link")
    if not stat.S_ISREG(found.st_mode):
        raise _foreign(path, _NOT_REGULAR)
    if single and found.st_nlink > 1:
        raise _foreign(path, "a file with a second name (a hard link)")


def _foreign(path: Path, what: str) -> DataError:
    return DataError(f"{path}: is {what}, which this program does not put there; replace it by a copy of the file")


def _check_regular(path: Path, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, _NOT_REGULAR, str(path))


def refuse_filled(folder: Path, *, ours: Sequence[str], what: str, option: str = "") -> None:
    """Refuse to write among others' files.

    Args:
        folder: the folder to write into; one that is empty or not there is fine.
        ours: names one of which a folder of this kind holds from its first moment.
        what: the kind, for messages.
        option: the option that names the folder; empty where none does.

    Raises:
        ConfigError: the folder holds something, and nothing of this kind.
    """
    if folder.is_dir() and not any((folder / name).exists() for name in ours):
        foreign = min((path.name for path in folder.iterdir()), default=None)
        if foreign is not None:
            by = f" with {option}" if option else ""
            raise ConfigError(
                f"{folder}: the folder holds {foreign} and no {what}; name a new folder{by}, as in "
                f"{os.path.normpath(folder)}.{what}"
            )


def replace_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write bytes beside `path` and put them in its place in one step.

    Args:
        path: the file; its folder must exist.
        data: the new content.
        sync: whether the bytes are on disk before the old file goes; without it a power cut may leave an empty file.

    Raises:
        OSError: nothing was changed and no part is left behind; also where `path` is a device, a pipe or a folder.
    """
    if not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with suppress(FileNotFoundError):
        _check_regular(path, os.stat(path))
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    partial.unlink(missing_ok=True)  # of a process with the same numbers
    try:
        with partial.open("xb") as stream:
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
        lock: whether another process that opens the file to append is refused.

    Raises:
        StorageError: the file cannot be written.
        DataError: its last line is not of this kind, or another process appends to it.
    """

    def __init__(self, path: Path, *, begins: bytes, lock: bool = False) -> None:
        self.path = path
        try:
            self._file = FileIO(open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), "ab+")
        except OSError as error:
            raise StorageError(f"{path}: cannot be written: {error.strerror}; choose another file") from error
        try:
            if lock:
                lock_file(self._file, f"{path}: another process writes this file; wait for it, or choose another")
            self._drop_torn_line(begins)
        except (DataError, OSError) as error:
            self._file.close()
            if isinstance(error, DataError):
                raise
            raise StorageError(f"{path}: cannot be written: {error.strerror}; choose another file") from error

    def append(self, lines: bytes) -> None:
        """Append whole lines; when this returns they are on disk.

        Raises:
            StorageError: they cannot be written, and no part of them is left in the file.
        """
        append_durably(self._file, lines, what=f"{self.path}:")

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _drop_torn_line(self, begins: bytes) -> None:
        """Cut the file after its last newline; only the end of the file is read."""
        number = self._file.fileno()
        whole = os.fstat(number).st_size
        while whole > 0:
            start = max(whole - _BLOCK, 0)
            found = os.pread(number, whole - start, start).rfind(b"\n")
            if found >= 0:
                whole = start + found + 1
                break
            whole = start
        torn = os.pread(number, len(begins), whole)
        check_torn(torn, begins, name=str(self.path))
        if torn:
            os.ftruncate(number, whole)


def lock_file(file: FileIO, refusal: str) -> None:
    """Lock an open file for this process until it is closed; raises DataError with `refusal` when another has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DataError(refusal) from error


def append_durably(file: FileIO, lines: bytes, *, what: str) -> None:
    """Append whole lines to an unbuffered file; when this returns they are on disk.

    Args:
        file: opened for appending or updating.
        lines: what to append.
        what: begins the message of an error, as in `run.jsonl:`.

    Raises:
        StorageError: they cannot be written, and no part of them is left in the file.
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
        raise StorageError(
            f"{what} cannot be written: {error.strerror}; what was written is kept, run again to go on"
        ) from error


def check_torn(torn: bytes, begins: bytes, *, name: str) -> None:
    """Refuse to cut off an unfinished last line that is not part of a line of ours.

    Args:
        torn: the line, or its first bytes.
        begins: how every line of the file begins.
        name: of the file, for messages.

    Raises:
        DataError: it is somebody else's text.
    """
    if not begins.startswith(torn[: len(begins)]):
        raise DataError(f"{name}: it ends in a line this program did not write; choose another file")
