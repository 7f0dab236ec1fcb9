"""A PNG without what says nothing of its pixels: texts of any size, and notes that are damaged.

Pillow refuses a whole picture for a long text in it (a workflow, an edit history), for a colour profile of more than
a megabyte and for a wrong checksum of any of its notes. Here such chunks are left out before Pillow sees the file. A
colour profile is taken out too, so that its size is limited by us and not by Pillow.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD = 8  # length and name before a chunk's data
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_MAY_TURN = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
"""Keywords of the texts that can say which way is up."""

MOST_NOTE = 2**20
"""Longest text, unpacked, that Pillow is given, in bytes: its own limit."""

MOST_PROFILE = 16 * 2**20
"""Longest colour profile, unpacked, in bytes; those with fine tables have a few megabytes."""


def plain_png(data: bytes) -> tuple[bytes, bytes | None]:
    """Return a file without notes that could only get it refused, and its colour profile where it has one.

    Bytes that are not a PNG are returned as they are, and so is whatever follows a chunk that is cut short: what is
    wrong there is for the decoder to say.
    """
    if not data.startswith(_SIGNATURE):
        return data, None
    kept, profile, end = [_SIGNATURE], None, len(_SIGNATURE)
    for start, end in _chunks(data):
        name, body = data[start + 4 : start + _HEAD], data[start + _HEAD : end - 4]
        if name == b"iCCP":
            profile = profile or _profile(body)
        elif not _is_note(name) or (_is_whole(data, start, end) and _is_wanted(name, body)):
            kept.append(data[start:end])
    return b"".join((*kept, data[end:])), profile


def _chunks(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the chunks that are there in full, up to the one that ends the picture."""
    start = len(_SIGNATURE)
    while start + _HEAD + 4 <= len(data):
        end = start + _HEAD + int.from_bytes(data[start : start + 4], "big") + 4
        if end > len(data):
            return
        yield start, end
        if data[start + 4 : start + _HEAD] == b"IEND":
            return
        start = end


def _is_note(name: bytes) -> bool:
    """Say whether a chunk is one that a picture can be shown without: its name begins with a small letter.

    Transparency and the frames of an animation are needed to show it.
    """
    return bool(name[0] & 0x20) and name not in (b"tRNS", b"acTL", b"fcTL", b"fdAT")


def _is_whole(data: bytes, start: int, end: int) -> bool:
    return zlib.crc32(data[start + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")


def _is_wanted(name: bytes, body: bytes) -> bool:
    """Say whether a note may matter: a text only when it can say which way is up and is not too long."""
    if name not in _TEXTS:
        return True
    keyword = next((word for word in _MAY_TURN if body.startswith(word)), None)
    if keyword is None:
        return False
    packed = body[len(keyword) :]
    if name == b"zTXt":
        return _unpacked(packed[1:], most=MOST_NOTE) is not None
    if name == b"iTXt" and packed[:1] == b"\1":  # language and translated keyword come before the text
        text = packed[2:].split(b"\0", 2)[-1]
        return _unpacked(text, most=MOST_NOTE) is not None
    return len(packed) <= MOST_NOTE


def _profile(body: bytes) -> bytes | None:
    """Return the profile of a chunk `name, 0, 0, packed profile`; None where it cannot be unpacked."""
    _, _, rest = body.partition(b"\0")
    return _unpacked(rest[1:], most=MOST_PROFILE) if rest[:1] == b"\0" else None


def _unpacked(packed: bytes, *, most: int) -> bytes | None:
    """Return unpacked bytes, None where they are damaged or more than `most`."""
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(packed, most)
    except zlib.error:
        return None
    return found if unpacker.eof else None
