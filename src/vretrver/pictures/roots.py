"""Where the bytes of pictures lie: a directory, or a store that fsspec reaches when the user names its URL as a root.

A URL is never taken from a data row: rows hold relative paths, checked here before anything is opened.
"""

from __future__ import annotations

import stat
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from .._optional import require
from ..errors import ConfigError, PictureError
from ..records import ImageRef

PROTOCOLS = ("abfs", "az", "file", "gcs", "gs", "memory", "s3")
"""Protocols a root may have. HTTP is not among them: nothing is fetched from the open network."""


_VERSIONS = ("ETag", "etag", "VersionId", "version_id", "generation", "md5Hash", "content_md5")
"""Keys under which the libraries of stores tell the version of a file's content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What tells a file from all others, and from itself before it was written to, without reading it."""

    mark: Hashable
    """Equal only while the file is the same; see `changed_ns` for the one exception."""
    changed_ns: int | None
    """Nanoseconds since 1970 of the last change: a second one in the same tick of the clock leaves `mark` as it is.
    None where the place counts versions."""


class Root(Protocol):
    """A place pictures are read from."""

    def identity(self, ref: ImageRef) -> Identity | None:
        """Return what a file is now, None where the place does not say; raises PictureError when there is no file."""
        ...

    def read(self, ref: ImageRef, *, max_bytes: int) -> bytes:
        """Return the bytes of a picture; raises PictureError when there is none, or more than `max_bytes`."""
        ...


def open_roots(roots: Mapping[str, Path | str]) -> dict[str, Root]:
    """Return the places of named roots.

    Raises:
        ConfigError: a URL's protocol is not one of `PROTOCOLS`, or it holds a password.
        MissingDependency: a URL is given and fsspec is not installed.
    """
    return {name: _open(place_of(root)) for name, root in roots.items()}


def place_of(root: Path | str) -> Path | str:
    """Return the directory of a root, also of a `file://` URL, or the URL of a store; raises ConfigError."""
    if isinstance(root, Path) or "://" not in root:
        return Path(root)
    protocol, _, rest = root.partition("://")
    if protocol not in PROTOCOLS or "::" in root:
        raise ConfigError(f"root {protocol}://: not a protocol for pictures; use a directory or {_allowed()}")
    if "@" in rest.split("/")[0] and protocol != "abfs":
        raise ConfigError(f"root {protocol}://: leave the password out of the URL; the store's own settings hold it")
    return Path(rest) if protocol == "file" else root.rstrip("/")


def _allowed() -> str:
    return ", ".join(f"{protocol}://" for protocol in PROTOCOLS)


def _open(place: Path | str) -> Root:
    return DirectoryRoot(place) if isinstance(place, Path) else StoreRoot(place)


class DirectoryRoot:
    """A directory; links that lead out of it are refused."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def locate(self, ref: ImageRef) -> Path:
        """Return the file of a reference; raises PictureError when its path leaves the root."""
        path = self.directory / _relative(ref)
        try:
            inside = path.resolve().is_relative_to(self.directory.resolve())
        except (OSError, RuntimeError) as error:  # a loop of links
            raise PictureError(ref, f"cannot be read: {error}") from error
        if not inside:
            raise PictureError(ref, "the path leaves its root through a link")
        return path

    def identity(self, ref: ImageRef) -> Identity:
        """Return device, inode, size and both times; the second, which nobody can set, tells when the first was."""
        try:
            found = self.locate(ref).stat()
        except OSError as error:
            raise PictureError(ref, f"cannot be read: {error.strerror or error}") from error
        times = (found.st_mtime_ns, found.st_ctime_ns)
        return Identity(mark=(found.st_dev, found.st_ino, found.st_size, *times), changed_ns=max(times))

    def read(self, ref: ImageRef, *, max_bytes: int) -> bytes:
        """Return the bytes of a picture."""
        path = self.locate(ref)
        try:
            found = path.stat()
            if found.st_size > max_bytes:
                raise PictureError(ref, f"{found.st_size} bytes, the limit is {max_bytes}")
            if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
                raise PictureError(ref, "cannot be read: it is not a file")
            return path.read_bytes()
        except OSError as error:
            raise PictureError(ref, f"cannot be read: {error.strerror or error}") from error


class StoreRoot:
    """A folder of an object store, through fsspec (extra `fs`)."""

    def __init__(self, url: str) -> None:
        library: Any = require("fsspec.core", extra="fs")
        self._url = url
        try:  # a kept listing would tell of files as they were when the folder was listed
            self._files, self._folder = library.url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError, OSError) as error:
            raise ConfigError(f"root {url}: cannot be opened ({error})") from error

    def identity(self, ref: ImageRef) -> Identity | None:
        """Return URL, size and version of a file, or its time where the store counts no versions but tells that."""
        path = self._path(ref)
        try:
            info = self._files.info(path)
        except (OSError, ValueError) as error:
            raise PictureError(ref, f"cannot be read: {type(error).__name__}") from error
        file = (self._url, ref.path, info.get("size"))
        versions = tuple(str(info[name]) for name in _VERSIONS if info.get(name))
        if versions:
            return Identity(mark=(*file, *versions), changed_ns=None)
        try:
            changed: datetime = self._files.modified(path)
        except (NotImplementedError, OSError, ValueError):
            return None
        return Identity(mark=(*file, changed), changed_ns=int(changed.timestamp() * 10**9))

    def read(self, ref: ImageRef, *, max_bytes: int) -> bytes:
        """Return the bytes of a picture, never more than one byte over the limit."""
        path = self._path(ref)
        try:
            with self._files.open(path, "rb") as stream:
                data: bytes = stream.read(max_bytes + 1)
        except (OSError, ValueError) as error:
            raise PictureError(ref, f"cannot be read: {type(error).__name__}") from error
        if len(data) > max_bytes:
            raise PictureError(ref, f"more than {max_bytes} bytes, the limit")
        return data

    def _path(self, ref: ImageRef) -> str:
        return f"{self._folder.rstrip('/')}/{_relative(ref)}"


def _relative(ref: ImageRef) -> PurePosixPath:
    pure = PurePosixPath(ref.path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in ref.path:
        raise PictureError(ref, "the path must be relative and stay below its root")
    return pure
