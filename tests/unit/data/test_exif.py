"""Pins what of an EXIF block becomes metadata, and that a damaged one becomes nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from vretrver.data.exif import photo_metadata
from vretrver.errors import PictureError
from vretrver.images import ExifBlock, ImageStore
from vretrver.records import ImageRef

HERE = {1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)}


def block(taken: object = None, place: dict[int, object] | None = None) -> ExifBlock:
    return ExifBlock(photo={} if taken is None else {0x9003: taken}, place=place or {})


def test_date_and_place_become_metadata() -> None:
    assert photo_metadata(block("2024:05:01 12:30:59", {**HERE})) == {
        "taken": "2024-05-01T12:30:59",
        "latitude": 48.858222,
        "longitude": 2.294500,
    }


def test_south_and_west_are_negative() -> None:
    place = {1: b"S\0", 2: (33, 51, 0), 3: "w", 4: (151, 12, 0)}
    assert photo_metadata(block(place=place)) == {"latitude": -33.85, "longitude": -151.2}


@pytest.mark.parametrize(
    "taken", ["", "0000:00:00 00:00:00", "    :  :     :  :  ", "2024-05-01", "2024:13:01 00:00:00", 7, b"\xff", (1,)]
)
def test_a_date_that_is_none_is_left_out(taken: object) -> None:
    assert photo_metadata(block(taken)) == {}


@pytest.mark.parametrize("taken", [b"2024:05:01 12:30:59\0", "2024:05:01 12:30:59\0\0", " 2024:05:01 12:30:59"])
def test_padded_dates_and_dates_in_bytes_are_read(taken: object) -> None:
    assert photo_metadata(block(taken)) == {"taken": "2024-05-01T12:30:59"}


@pytest.mark.parametrize(
    "wrong",
    [
        {1: "X"},
        {1: None},
        {2: (48.0, 51.0)},
        {2: "48"},
        {2: ("a", 0, 0)},
        {2: (91.0, 0.0, 0.0)},
        {2: (-1.0, 0.0, 0.0)},
        {4: (181.0, 0.0, 0.0)},
        {4: (IFDRational(1, 0), 0.0, 0.0)},
        {4: (float("nan"), 0.0, 0.0)},
        {4: None},
    ],
)
def test_a_place_of_which_half_is_wrong_is_left_out(wrong: dict[int, object]) -> None:
    assert photo_metadata(block(place={**HERE, **wrong})) == {}


def photo(path: Path, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 12:30:59"
    exif.get_ifd(0x8825).update(HERE)
    Image.effect_noise((32, 16), 40).convert("RGB").save(path, form, exif=exif.tobytes())


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_the_block_of_every_format_is_read(tmp_path: Path, form: str) -> None:
    photo(tmp_path / "a.bin", form)
    survey = ImageStore({"": tmp_path}).survey(ImageRef(path="a.bin"))
    assert photo_metadata(survey.exif) == {
        "taken": "2024-05-01T12:30:59",
        "latitude": 48.858222,
        "longitude": 2.2945,
    }


def test_the_block_of_a_heic_photo_is_read(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 12:30:59"
    heif.from_pillow(Image.new("RGB", (32, 16))).save(tmp_path / "a.heic", exif=exif.tobytes())
    survey = ImageStore({"": tmp_path}).survey(ImageRef(path="a.heic"))
    assert photo_metadata(survey.exif) == {"taken": "2024-05-01T12:30:59"}


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_mutated_blocks_raise_nothing(tmp_path: Path, form: str) -> None:
    photo(tmp_path / "seed", form)
    seed = (tmp_path / "seed").read_bytes()
    at = seed.index(b"2024:05:01")
    near = range(max(at - 250, 4), min(at + 200, len(seed)))
    store, generator = ImageStore({"": tmp_path}), random.Random(3)
    found = 0
    for _ in range(120):
        data = bytearray(seed)
        for _ in range(generator.choice([1, 2, 6])):
            data[generator.choice(near)] = generator.choice([0, 1, 2, 5, 127, 128, 255])
        (tmp_path / "a.bin").write_bytes(data)
        try:
            found += bool(photo_metadata(store.survey(ImageRef(path="a.bin")).exif))
        except PictureError:
            continue
    assert found > 30
