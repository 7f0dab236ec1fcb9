"""The bytes of a page's pictures: each picture is embedded once, as the background of a CSS class, up to a limit."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from ..images import Picture

MAX_BYTES = 24 * 2**20
"""Most bytes of pictures in one page; later ones are named instead of shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The size rule of pages: aspect kept, longest side bounded, nothing enlarged."""

    side: int
    """Longest side in pixels."""
    cell: int = 1
    """A page has no visual tokens."""

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) shown."""
        scale = min(self.side / max(width, height), 1.0)
        return max(round(width * scale), 1), max(round(height * scale), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPicture:
    """A picture of the page, or why it is not there."""

    name: str | None = None
    """The CSS class that carries the picture."""
    problem: str | None = None
    """Text shown in its place."""


class EmbeddedPictures:
    """Keeps the encoded pictures of a page.

    Args:
        max_bytes: most bytes of encoded pictures.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._kept: dict[str, tuple[str, Picture]] = {}

    def add(self, picture: Picture) -> EmbeddedPicture:
        """Keep a picture, unless it is there already or the page is full."""
        if picture.sha256 not in self._kept:
            if self.bytes + len(picture.data) > self.max_bytes:
                return EmbeddedPicture(
                    problem=f"Left out: this page holds {self.max_bytes // 2**20} MiB of pictures already."
                )
            self.bytes += len(picture.data)
            self._kept[picture.sha256] = (f"p{len(self._kept) + 1}", picture)
        return EmbeddedPicture(name=self._kept[picture.sha256][0])

    def css(self) -> str:
        """Return the rules that carry the pictures, in the order they were first used."""
        return "".join(
            f".{name}{{background-image:url(data:{picture.media_type};base64,"
            f"{base64.b64encode(picture.data).decode('ascii')});--w:{picture.width};--h:{picture.height}}}\n"
            for name, picture in self._kept.values()
        )
