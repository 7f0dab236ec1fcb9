"""One writer at a time: an advisory lock on a file that names its holder; it is released when that process ends."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...errors import IndexBusy
from ...files import open_own

_TRIES = 3  # `holder_of` holds the lock for an instant; a writer must not take that for another writer
_MOST_BYTES = 4096
_PAUSE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock."""

    pid: int
    """Process id."""
    host: str
    """Machine."""
    command: str
    """Command line, cut to 200 characters."""
    since: str
    """When it was taken, UTC."""

    def __str__(self) -> str:
        """Name the holder in messages."""
        return f"process {self.pid} on {self.host} ({self.command}) since {self.since}"


class WriterLock:
    """A lock that is held from construction until `close` or the end of the process.

    Args:
        path: the lock file; created if it is missing, never removed.

    Raises:
        IndexBusy: another process holds it; the message names it.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = open_own(path, os.O_RDWR | os.O_CREAT)
        if not self._taken():
            holder = _read(self._descriptor) or "another process"
            os.close(self._descriptor)
            raise IndexBusy(
                f"{path.parent}: is being written by {holder}; wait until it ends, or stop it: nothing is lost"
            )
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(asdict(_this_process())).encode(), 0)

    def _taken(self) -> bool:
        """Try a few times to take the lock."""
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                time.sleep(_PAUSE)
            else:
                return True
        return False

    def close(self) -> None:
        """Release the lock."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def holder_of(path: Path) -> Holder | None:
    """Return who holds a lock, None when nobody does."""
    with suppress(FileNotFoundError):
        descriptor = open_own(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _read(descriptor) or Holder(pid=0, host="?", command="?", since="?")
        finally:
            os.close(descriptor)
    return None


def _this_process() -> Holder:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return Holder(
        pid=os.getpid(),
        host=socket.gethostname(),
        command="".join(letter if letter.isprintable() else "?" for letter in command[:200]),
        since=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def _read(descriptor: int) -> Holder | None:
    """Return what a holder wrote; None where it has not written its name yet, or the file holds something else."""
    try:
        value = json.loads(os.pread(descriptor, _MOST_BYTES, 0))
        found = Holder(**value)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    words = (found.host, found.command, found.since)
    if type(found.pid) is not int or not all(isinstance(word, str) and word.isprintable() for word in words):
        return None
    return found
