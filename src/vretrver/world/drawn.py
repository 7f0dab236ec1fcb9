"""The pictures of a drawn catalogue without its files, byte for byte what a written catalogue shows.

A native JPEG's 8 x 8 blocks are coded one by one, so a region is drawn, encoded and decoded alone, on block borders.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace

from PIL import Image

from ..errors import PictureError
from ..geometry import Box, SizeRule
from ..images import ImageLimits, Picture, encode_picture, resized, thumbnail_of
from ..pictures.opening import open_picture
from ..pictures.reading import FileBytes
from ..records import ImageRef
from .draw.pose import FRAME
from .draw.render import render
from .draw.world import Shot
from .draw.write import QUALITY, encode_native
from .gallery import Gallery

BLOCK = 8
"""Pixels per side of a JPEG block."""


class DrawnStore:
    """Draws pictures instead of reading them; `Thumbnails` like an `ImageStore`.

    Args:
        shots: path of a picture -> what is drawn.
        gallery: finished pictures that were drawn before; None draws everything.
    """

    def __init__(self, shots: Mapping[str, Shot], *, gallery: Gallery | None = None) -> None:
        self.shots = shots
        self.gallery = gallery

    def read_bytes(self, ref: ImageRef) -> bytes:
        """Return the native file of a picture."""
        return encode_native(self._shot(ref))[0]

    def pin(self, ref: ImageRef) -> ImageRef:
        """Return the reference with its size; it has no hash, since no file is made."""
        self._shot(ref)
        return replace(ref, width=FRAME, height=FRAME)

    def whole(self, ref: ImageRef, rule: SizeRule, *, quality: int) -> Picture:
        """Return the finished bytes of a whole picture, from the gallery where it has them."""
        if self.gallery is not None:
            found = self.gallery.whole(ref.path, rule.fit(FRAME, FRAME), quality)
            if found is not None:
                return found
        return encode_picture(self.thumbnail(ref, rule), quality=quality)

    def thumbnail(self, ref: ImageRef, rule: SizeRule) -> Image.Image:
        """Return the whole picture at the size the rule says, decoded from its native file."""
        with open_picture(ref, FileBytes.of(self.read_bytes(ref)), ImageLimits()) as file:
            return thumbnail_of(file, ref.page, rule)

    def crop(self, ref: ImageRef, box: Box, size: tuple[int, int]) -> Image.Image:
        """Return a region at (width, height), drawn alone."""
        return resized(drawn_region(self._shot(ref), box), size)

    def _shot(self, ref: ImageRef) -> Shot:
        shot = self.shots.get(ref.path)
        if shot is None:
            raise PictureError(ref, "the drawn catalogue has none of this path")
        return shot


def drawn_region(shot: Shot, box: Box) -> Image.Image:
    """Return a region of a shot's native file as it is decoded."""
    left, top = box.left // BLOCK * BLOCK, box.top // BLOCK * BLOCK
    right, bottom = -(-box.right // BLOCK) * BLOCK, -(-box.bottom // BLOCK) * BLOCK
    stream = io.BytesIO()
    part = Image.fromarray(render(shot, window=(left, top, right, bottom)))
    part.save(stream, "JPEG", quality=QUALITY, subsampling="4:4:4")
    with Image.open(stream) as decoded:
        return decoded.crop((box.left - left, box.top - top, box.right - left, box.bottom - top))
