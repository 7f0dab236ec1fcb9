"""Pins what is shown of files with several pictures or pages, and of the formats that extras open."""

from __future__ import annotations

import io
import random
import struct
import sys
from pathlib import Path

import pytest
from PIL import Image

from vretrver.errors import PictureError
from vretrver.geometry import PixelBudget
from vretrver.images import ImageLimits, ImageStore
from vretrver.records import ImageRef

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore({"": tmp_path})


def encoded(form: str, *images: Image.Image, **options: object) -> bytes:
    """Return a file of one or more pictures; HEIC through its own library, without registering it in Pillow."""
    buffer = io.BytesIO()
    if form == "HEIC":
        import pillow_heif

        heic = pillow_heif.from_pillow(images[0])
        for more in images[1:]:
            heic.add_from_pillow(more)
        heic.save(buffer, quality=95, **options)
    else:
        several = {"save_all": True, "append_images": images[1:]} if len(images) > 1 else {}
        images[0].save(buffer, form, **several, **options)
    return buffer.getvalue()


def saved(folder: Path, data: bytes, name: str = "a.bin") -> ImageRef:
    (folder / name).write_bytes(data)
    return ImageRef(path=name)


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) <= 12 for a, b in zip(pixel, colour, strict=True))  # type: ignore[call-overload]


def half(size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Return a picture that is red on its left half and blue on its right."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    return image


@pytest.mark.parametrize("form", ["AVIF", "BMP", "GIF", "HEIC", "JPEG", "PNG", "TIFF", "WEBP"])
def test_every_format_is_shown_whatever_its_name(store: ImageStore, tmp_path: Path, form: str) -> None:
    ref = saved(tmp_path, encoded(form, half()), "picture.txt")
    original = store.original(ref)
    assert (original.mode, original.size) == ("RGB", (64, 32))
    assert near(original.getpixel((8, 16)), RED)
    assert near(original.getpixel((56, 16)), BLUE)
    assert store.thumbnail(ref, PixelBudget(cell=8, tokens=8)).size == (32, 16)
    survey = store.survey(ref)
    assert (survey.count, survey.pages, survey.refused) == (1, (store.identify(ref),), ())


@pytest.mark.parametrize("form", ["AVIF", "GIF", "HEIC", "PNG", "WEBP"])
def test_of_an_animation_the_first_picture_counts(store: ImageStore, tmp_path: Path, form: str) -> None:
    frames = [Image.new("RGB", (32, 32), RED), Image.new("RGB", (32, 32), BLUE)]
    survey = store.survey(saved(tmp_path, encoded(form, *frames)))
    assert (survey.count, len(survey.pages)) == (1, 1)
    assert near(store.original(survey.pages[0]).getpixel((5, 5)), RED)


def test_of_a_heic_file_the_picture_it_calls_primary_counts(store: ImageStore, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (32, 32), RED), Image.new("RGB", (32, 32), BLUE)]
    ref = saved(tmp_path, encoded("HEIC", *frames, primary_index=1))
    assert near(store.original(ref).getpixel((5, 5)), BLUE)


@pytest.mark.parametrize("form", ["AVIF", "HEIC", "JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_orientation_is_applied_in_every_format(
    store: ImageStore, tmp_path: Path, form: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif.tobytes()}
    ref = saved(tmp_path, encoded(form, half(), **options))
    original, found = store.original(ref), store.pin(ref)
    assert (found.width, found.height) == original.size == ((64, 32) if orientation == 3 else (32, 64))
    red_at = {3: (56, 16), 6: (16, 8), 8: (16, 56)}[orientation]
    assert near(original.getpixel(red_at), RED)


def test_the_pages_of_a_tiff_have_their_own_sizes_and_orientations(store: ImageStore, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    first, second = half(), half((40, 20))
    second.encoderinfo = {"exif": exif}  # type: ignore[attr-defined]
    first.save(buffer, "TIFF", save_all=True, append_images=[second])
    survey = store.survey(saved(tmp_path, buffer.getvalue()))
    assert [(page.page, page.width, page.height) for page in survey.pages] == [(0, 64, 32), (1, 20, 40)]
    assert store.original(survey.pages[1]).size == (20, 40)


def tiff_of(*directories: bytes) -> bytes:
    """Return a TIFF whose directories point each to the next."""
    out = b"II*\0" + struct.pack("<I", 8)
    for place, entries in enumerate(directories):
        size = 2 + len(entries) + 4
        following = len(out) + size if place + 1 < len(directories) else 0
        out += struct.pack("<H", len(entries) // 12) + entries + struct.pack("<I", following)
    return out


def directory(*, width: int = 1, kind: int = 0) -> bytes:
    """Return the entries of a grey picture one pixel high whose bytes are the file's first."""
    values = {254: kind, 256: width, 257: 1, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: 1, 279: width}
    return b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())


def test_smaller_copies_and_masks_in_a_tiff_are_no_pages(store: ImageStore, tmp_path: Path) -> None:
    data = tiff_of(directory(width=4), directory(width=2, kind=1), directory(width=3), directory(kind=4))
    survey = store.survey(saved(tmp_path, data))
    assert [(page.page, page.width) for page in survey.pages] == [(0, 4), (2, 3)]
    assert survey.count == 2


def test_a_damaged_page_is_refused_and_the_others_are_shown(store: ImageStore, tmp_path: Path) -> None:
    survey = store.survey(saved(tmp_path, tiff_of(directory(width=4), directory(width=10**6), directory())))
    assert [page.page for page in survey.pages] == [0, 2]
    assert [page for page, _ in survey.refused] == [1]
    assert "a.bin#page=2: 1000000 x 1 pixels, the limits are" in survey.refused[0][1]


def test_too_many_pages_are_refused_before_they_are_read(tmp_path: Path) -> None:
    ref = saved(tmp_path, tiff_of(*[directory()] * 12))
    assert ImageStore({"": tmp_path}, limits=ImageLimits(max_pages=12)).survey(ref).count == 12
    with pytest.raises(PictureError, match="more than 11 pages, the limit"):
        ImageStore({"": tmp_path}, limits=ImageLimits(max_pages=11)).survey(ref)


def test_files_known_to_be_sound_are_not_decoded_again(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = saved(tmp_path, encoded("JPEG", half()))
    first = store.survey(ref)
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    sha256 = first.pages[0].sha256
    assert sha256 is not None
    assert store.survey(ref, sound={sha256}).pages == first.pages


def test_without_the_extra_the_sentence_names_the_command(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    ref = saved(tmp_path, encoded("AVIF", half()))
    assert store.original(ref).size == (64, 32)
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    with pytest.raises(PictureError, match=r"run: pip install 'vretrver\[sources\]'"):
        store.original(saved(tmp_path, heic))


@pytest.mark.parametrize("form", ["AVIF", "HEIC", "PNG"])
def test_a_picture_over_the_limit_is_refused_before_it_is_decoded(tmp_path: Path, form: str) -> None:
    store = ImageStore({"": tmp_path}, limits=ImageLimits(max_pixels=2000))
    with pytest.raises(PictureError, match="64 x 32 pixels, the limits are 2000 pixels"):
        store.original(saved(tmp_path, encoded(form, half())))


@pytest.mark.parametrize("form", ["AVIF", "HEIC"])
def test_mutated_files_are_shown_or_refused_and_nothing_else(store: ImageStore, tmp_path: Path, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    seed = encoded(form, half(), exif=exif.tobytes())
    generator = random.Random(11)
    outcomes = {"shown": 0, "refused": 0}
    for _ in range(80):
        data = bytearray(seed)
        for _ in range(generator.choice([1, 2, 8])):
            data[generator.randrange(len(data))] = generator.randrange(256)
        cut = len(data) if generator.random() < 0.8 else generator.randrange(12, len(data))
        try:
            store.thumbnail(saved(tmp_path, bytes(data[:cut])), PixelBudget(tokens=4))
            outcomes["shown"] += 1
        except PictureError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 5
