"""The photos of the example files: drawn pictures in folders by place, with the days that cameras write into them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ...files import replace_file
from ..draw.world import Shot, draw_family
from ..draw.write import encode_native
from .goods import SEED

_PHOTO_BLOCK, _TAKEN = 0x8769, 0x9003
_SMALL = (400, 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Photo:
    path: str
    family: int
    taken: str
    small: bool = False


_PHOTOS = (
    _Photo(path="beach/yellow cushion in the sand.jpg", family=3501, taken="2019:07:03 11:20:05"),
    _Photo(path="beach/pink vase in the sand.jpg", family=4019, taken="2019:07:03 11:24:40"),
    _Photo(path="beach/teal teapot at the beach.jpg", family=3877, taken="2021:08:14 16:02:11"),
    _Photo(path="garden/picnic, green bottle.jpg", family=2791, taken="2020:05:31 13:45:00"),
    _Photo(path="garden/picnic, red mug.jpg", family=3641, taken="2020:05:31 13:47:30"),
    _Photo(path="garden/picnic, red mug (sent).jpg", family=3641, taken="2020:05:31 13:47:30", small=True),
    _Photo(path="garden/picnic again.jpg", family=2781, taken="2022:06:12 12:10:00"),
    _Photo(path="home/lamp for sale.jpg", family=2059, taken="2022:11:05 09:30:00"),
    _Photo(path="home/lamp for sale 2.jpg", family=2059, taken="2022:11:05 09:30:04"),
    _Photo(path="home/navy cap.jpg", family=3562, taken="2023:02:18 18:05:52"),
)
"""The photos; the small one is a copy as messengers send it, the second lamp the same picture at another quality."""


def write_photos(folder: Path) -> None:
    """Write the photos below a folder."""
    for photo in _PHOTOS:
        path = folder / photo.path
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, _file(photo), sync=False)


def _file(photo: _Photo) -> bytes:
    """Return a photo as a camera writes it."""
    data, _ = encode_native(Shot(family=draw_family(SEED, photo.family), twin=0))
    stream = io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        exif = picture.getexif()
        exif.get_ifd(_PHOTO_BLOCK)[_TAKEN] = photo.taken
        shown = picture.resize(_SMALL, Image.Resampling.LANCZOS) if photo.small else picture
        shown.save(stream, "JPEG", quality=80 if photo.small else 90, exif=exif)
    return stream.getvalue()
