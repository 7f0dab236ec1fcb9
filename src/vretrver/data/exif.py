"""What a photo's EXIF block says of when and where it was taken, as metadata of a candidate.

EXIF blocks are often damaged: what cannot be understood is left out, and nothing here raises for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from ..images import ExifBlock

_TAKEN = 0x9003
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4
_DECIMALS = 6


def photo_metadata(block: ExifBlock) -> dict[str, str | float]:
    """Return `taken`, `latitude` and `longitude`, as far as the block holds them.

    `taken` is DateTimeOriginal as ISO text without a time zone, as the camera's clock showed it; the place is in
    decimal degrees, south and west negative, and both numbers or neither.
    """
    found: dict[str, str | float] = {}
    taken = _moment(block.photo.get(_TAKEN))
    if taken is not None:
        found["taken"] = taken
    latitude = _degrees(block.place, _LATITUDE, _LATITUDE_REF, signs={"N": 1, "S": -1}, most=90)
    longitude = _degrees(block.place, _LONGITUDE, _LONGITUDE_REF, signs={"E": 1, "W": -1}, most=180)
    if latitude is not None and longitude is not None:
        found |= {"latitude": latitude, "longitude": longitude}
    return found


def _moment(value: object) -> str | None:
    text = _text(value)
    try:
        return datetime.strptime(text, "%Y:%m:%d %H:%M:%S").isoformat()
    except ValueError:
        return None


def _degrees(
    place: Mapping[int, object], tag: int, ref_tag: int, *, signs: Mapping[str, int], most: float
) -> float | None:
    """Return degrees, minutes and seconds with a hemisphere as signed decimal degrees."""
    value, sign = place.get(tag), signs.get(_text(place.get(ref_tag)).upper())
    if sign is None or not isinstance(value, list | tuple) or len(value) != 3:
        return None
    try:
        degrees, minutes, seconds = (float(step) for step in value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    total = degrees + minutes / 60 + seconds / 3600
    if not (math.isfinite(total) and min(degrees, minutes, seconds) >= 0 and total <= most):
        return None
    return round(sign * total, _DECIMALS)


def _text(value: object) -> str:
    """Return a text, decoded where a camera wrote bytes, without padding; empty for anything else."""
    if isinstance(value, bytes):
        value = value.decode("ascii", errors="replace")
    return value.strip("\0 ") if isinstance(value, str) else ""
