"""Pins that what a file says beside its pixels never decides whether they are shown, and that profiles are heeded."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms
from tests.unit.pictures.profiles import WIDE, WIDE_RED

from vretrver.images import ImageStore
from vretrver.pictures.png import plain_png
from vretrver.records import ImageRef

RED = (200, 20, 20)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore({"": tmp_path})


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def chunk(name: bytes, body: bytes, *, crc: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body) if crc is None else crc)
    )


def with_chunk(data: bytes, added: bytes) -> bytes:
    """Return a PNG with a chunk after its header."""
    return data[:33] + added + data[33:]


def shown(store: ImageStore, tmp_path: Path, data: bytes) -> tuple[int, ...]:
    (tmp_path / "a.bin").write_bytes(data)
    ref = ImageRef(path="a.bin")
    assert store.survey(ref).refused == ()
    pixel = store.original(ref).getpixel((5, 5))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize(
    "added",
    [
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"x" * 2_000_000)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x/>" * 500_000)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"<x/>" * 500_000),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"0" * 2_000_000)),
        chunk(b"zTXt", b"note\0\0not packed at all"),
        chunk(b"tEXt", b"note\0red", crc=7),
        chunk(b"pHYs", b"\0\0\0\1\0\0\0\1\0", crc=7),
        chunk(b"iCCP", b"lut\0\0" + zlib.compress(b"\0" * 2_000_000)),
        chunk(b"iCCP", b"lut\0\7" + zlib.compress(b"\0" * 20)),
        chunk(b"iCCP", b"lut\0\0" + zlib.compress(b"\0" * 20_000_000)),
        chunk(b"eXIf", b"MM\0*\0\0\0\x08\0"),
    ],
    ids=["text", "xmp", "plain-xmp", "exif-text", "not-packed", "crc", "crc-of-density", "profile", "method",
         "huge-profile", "exif"],
)  # fmt: skip
def test_no_note_of_a_png_keeps_it_from_being_shown(store: ImageStore, tmp_path: Path, added: bytes) -> None:
    plain = encoded(Image.new("RGB", (32, 16), RED))
    assert shown(store, tmp_path, with_chunk(plain, added)) == RED
    end = plain.index(b"IEND") - 4
    assert shown(store, tmp_path, plain[:end] + added + plain[end:]) == RED


def test_a_note_that_says_which_way_is_up_is_heeded(store: ImageStore, tmp_path: Path) -> None:
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    for body in (b"\0\0\0\0" + xmp, b"\1\0\0\0" + zlib.compress(xmp)):
        data = with_chunk(encoded(Image.new("RGB", (32, 16), RED)), chunk(b"iTXt", b"XML:com.adobe.xmp\0" + body))
        (tmp_path / "a.png").write_bytes(data)
        assert store.original(ImageRef(path="a.png")).size == (16, 32)


def test_a_png_without_notes_and_anything_else_are_left_as_they_are() -> None:
    for data in (encoded(Image.new("RGBA", (8, 8))), encoded(Image.new("RGB", (8, 8)), "JPEG"), b"", b"\x89PNG"):
        assert plain_png(data) == (data, None)
    cut = encoded(Image.new("RGB", (8, 8), RED))[:-20]
    assert plain_png(cut) == (cut, None)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_exif_whose_values_are_of_strange_types_turns_nothing(store: ImageStore, tmp_path: Path, form: str) -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHI4s", 0x0112, 2, 4, b"six\0") + b"\0\0\0\0"
    data = encoded(Image.new("RGB", (32, 16), RED), form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    assert max(abs(a - b) for a, b in zip(shown(store, tmp_path, data), RED, strict=True)) <= 2


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_a_picture_in_a_wide_space_is_shown_as_in_srgb(store: ImageStore, tmp_path: Path, form: str) -> None:
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}, "AVIF": {"quality": 100}}
    data = encoded(Image.new("RGB", (32, 16), WIDE_RED), form, icc_profile=WIDE, **options.get(form, {}))
    assert max(abs(a - b) for a, b in zip(shown(store, tmp_path, data), RED, strict=True)) <= 6


def test_transparent_and_palette_pictures_have_profiles_too(store: ImageStore, tmp_path: Path) -> None:
    clear = Image.new("RGBA", (32, 16), (*WIDE_RED, 255))
    clear.paste((0, 0, 0, 0), (16, 0, 32, 16))
    data = encoded(clear, icc_profile=WIDE)
    assert max(abs(a - b) for a, b in zip(shown(store, tmp_path, data), RED, strict=True)) <= 3
    assert store.original(ImageRef(path="a.bin")).getpixel((20, 5)) == (255, 255, 255)
    palette = Image.new("RGB", (32, 16), WIDE_RED).quantize(4)
    data = encoded(palette, icc_profile=WIDE)
    assert max(abs(a - b) for a, b in zip(shown(store, tmp_path, data), RED, strict=True)) <= 3


def test_a_thumbnail_has_the_colours_of_the_original(tmp_path: Path, store: ImageStore) -> None:
    from vretrver.geometry import PixelBudget

    (tmp_path / "a.jpg").write_bytes(encoded(Image.new("RGB", (512, 512), WIDE_RED), "JPEG", icc_profile=WIDE))
    pixel = store.thumbnail(ImageRef(path="a.jpg"), PixelBudget(cell=32, tokens=1)).getpixel((9, 9))
    assert max(abs(a - b) for a, b in zip(pixel, RED, strict=True)) <= 6  # type: ignore[call-overload]


def test_the_profile_of_srgb_changes_no_pixel(store: ImageStore, tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.frombytes("RGB", (32, 32), bytes(range(256)) * 12)
    for form in ("PNG", "JPEG", "TIFF"):
        (tmp_path / "plain").write_bytes(encoded(image, form))
        (tmp_path / "named").write_bytes(encoded(image, form, icc_profile=srgb))
        plain, named = (store.original(ImageRef(path=name)).tobytes() for name in ("plain", "named"))
        assert plain == named


@pytest.mark.parametrize("broken", [b"\0" * 200, WIDE[:140], b"no profile", WIDE.replace(b"RGB XYZ", b"CMYKXYZ")])
def test_a_profile_that_is_damaged_or_of_other_pixels_changes_nothing(
    store: ImageStore, tmp_path: Path, broken: bytes
) -> None:
    assert shown(store, tmp_path, encoded(Image.new("RGB", (32, 16), RED), icc_profile=broken)) == RED
    grey = shown(store, tmp_path, encoded(Image.new("L", (32, 16), 99), icc_profile=broken))
    assert grey == (99, 99, 99)
