"""Picture paths of published files: they are those of the machine that wrote them, and are re-rooted by a map."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from ...errors import ConfigError, DataError
from ...records import ImageRef
from ..rows import picture_path


class PathMap:
    """Turns a published path into a reference below a named root.

    A path below a prefix lies under the root of that prefix's name; the longest prefix wins, and only whole folder
    names match. Any other relative path lies under the default root. Which folder a root is, the `ImageStore` knows.

    Args:
        prefixes: leading folders as the files spell them, such as `/data/mbeir`; none may be empty.
    """

    def __init__(self, prefixes: Iterable[str] = ()) -> None:
        self.prefixes = sorted(prefixes, key=lambda prefix: -len(PurePosixPath(prefix).parts))
        if not all(PurePosixPath(prefix).parts for prefix in self.prefixes):
            raise ConfigError("a path map has an empty prefix; write OLD=NEW with the folder to be replaced as OLD")

    def ref(self, path: str, where: str) -> ImageRef:
        """Return the reference of a published path; raises DataError for one that no folder can hold."""
        if "://" in path or path.startswith("data:"):
            raise DataError(f"{where}: picture {path[:60]!r} is not the path of a file; save it as one")
        pure = PurePosixPath(path)
        for prefix in self.prefixes:
            if pure.is_relative_to(prefix):
                return ImageRef(path=picture_path(str(pure.relative_to(prefix)), where), root=prefix)
        if pure.is_absolute():
            known = ", ".join(self.prefixes) or "none"
            raise DataError(f"{where}: picture path {path!r} is absolute; map its folder to yours (mapped: {known})")
        return ImageRef(path=picture_path(path, where))
