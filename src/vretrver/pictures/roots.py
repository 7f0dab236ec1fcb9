"""Where the bytes of pictures lie: a directory, or a store that fsspec reaches when the user names its URL as a root.

A URL is never taken from a data row: rows hold relative paths, checked here before anything is opened.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from .._optional import require
from ..errors import ConfigError, PictureError
from ..records import ImageRef

PROTOCOLS = ("abfs", "az", "file", "gcs", "gs", "memory", "s3")
"""Protocols a root may have. HTTP is not among them: nothing is fetched from the open network."""


class Root(Protocol):
    """A place pictures are read from."""

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
            raise PictureError(f"picture {ref}: cannot be read: {error}") from error
        if not inside:
            raise PictureError(f"picture {ref}: the path leaves its root through a link")
        return path

    def read(self, ref: ImageRef, *, max_bytes: int) -> bytes:
        """Return the bytes of a picture."""
        path = self.locate(ref)
        try:
            found = path.stat()
            if found.st_size > max_bytes:
                raise PictureError(f"picture {ref}: {found.st_size} bytes, the limit is {max_bytes}")
            if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
                raise PictureError(f"picture {ref}: cannot be read: it is not a file")
            return path.read_bytes()
        except OSError as error:
            raise PictureError(f"picture {ref}: cannot be read: {error.strerror or error}") from error


class StoreRoot:
    """A folder of an object store, through fsspec (extra `fs`)."""

    def __init__(self, url: str) -> None:
        library: Any = require("fsspec.core", extra="fs")
        try:
            self._files, self._folder = library.url_to_fs(url)
        except (ImportError, ValueError, OSError) as error:
            raise ConfigError(f"root {url}: cannot be opened ({error})") from error

    def read(self, ref: ImageRef, *, max_bytes: int) -> bytes:
        """Return the bytes of a picture, never more than one byte over the limit."""
        path = f"{self._folder.rstrip('/')}/{_relative(ref)}"
        try:
            with self._files.open(path, "rb") as stream:
                data: bytes = stream.read(max_bytes + 1)
        except (OSError, ValueError) as error:
            raise PictureError(f"picture {ref}: cannot be read: {type(error).__name__}") from error
        if len(data) > max_bytes:
            raise PictureError(f"picture {ref}: more than {max_bytes} bytes, the limit")
        return data


def _relative(ref: ImageRef) -> PurePosixPath:
    pure = PurePosixPath(ref.path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in ref.path:
        raise PictureError(f"picture {ref}: the path must be relative and stay below its root")
    return pure
