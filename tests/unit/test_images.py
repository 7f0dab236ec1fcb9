"""Pins what an ImageStore shows of honest pictures (upright, RGB, on white) and that it refuses hostile files."""

from __future__ import annotations

import hashlib
import io
import os
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vretrver.errors import ConfigError, PictureError
from vretrver.geometry import Box, PixelBudget
from vretrver.images import ImageLimits, ImageStore, encode_picture
from vretrver.records import ImageRef

RED, WHITE = (255, 0, 0), (255, 255, 255)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore({"": tmp_path})


def saved(folder: Path, name: str, image: Image.Image, **options: object) -> ImageRef:
    image.save(folder / name, **options)
    return ImageRef(path=name)


def is_red(pixel: object) -> bool:
    red, green, blue = pixel  # type: ignore[misc]
    return red > 200 and green < 60 and blue < 60


# ---- what honest pictures look like


def test_identify_finds_hash_and_size(store: ImageStore, tmp_path: Path):
    ref = saved(tmp_path, "a.png", Image.new("RGB", (7, 5)))
    found = store.identify(ref)
    assert (found.width, found.height) == (7, 5)
    assert found.sha256 == hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()


def palette_picture() -> Image.Image:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    return image


@pytest.mark.parametrize(
    ("image", "options", "shown"),
    [
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), {}, WHITE),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 255)), {}, RED),
        (Image.new("LA", (4, 4), (0, 0)), {}, WHITE),
        (palette_picture(), {}, RED),
        (palette_picture(), {"transparency": 0}, WHITE),
        (palette_picture(), {"transparency": b"\x00\xff"}, WHITE),
        (Image.new("RGB", (4, 4), (1, 2, 3)), {"transparency": (1, 2, 3)}, WHITE),
        (Image.new("1", (4, 4), 1), {}, WHITE),
        (Image.new("L", (4, 4), 77), {}, (77, 77, 77)),
        (Image.new("I;16", (4, 4), 0x8080), {}, (128, 128, 128)),
    ],
)
def test_every_png_mode_becomes_rgb_on_white(
    store: ImageStore,
    tmp_path: Path,
    image: Image.Image,
    options: dict[str, object],
    shown: tuple[int, int, int],
):
    original = store.original(saved(tmp_path, "a.png", image, **options))
    assert (original.mode, original.getpixel((0, 0))) == ("RGB", shown)


def test_half_transparent_pixels_are_mixed_with_white(store: ImageStore, tmp_path: Path):
    ref = saved(tmp_path, "a.png", Image.new("RGBA", (4, 4), (255, 0, 0, 51)))
    assert store.original(ref).getpixel((0, 0)) == (255, 204, 204)


def test_sixteen_bit_levels_are_scaled_not_clipped(store: ImageStore, tmp_path: Path):
    image = Image.new("I;16", (256, 1))
    for level in range(256):
        image.putpixel((level, 0), level * 257)
    original = store.original(saved(tmp_path, "a.png", image))
    assert [original.getpixel((level, 0))[0] for level in (0, 1, 127, 128, 255)] == [0, 1, 127, 128, 255]


def test_cmyk_black_is_black(store: ImageStore, tmp_path: Path):
    ref = saved(tmp_path, "a.jpg", Image.new("CMYK", (8, 8), (0, 0, 0, 255)))
    assert max(store.original(ref).getpixel((0, 0))) < 8


def oriented(folder: Path, orientation: int) -> ImageRef:
    """Save a lying picture, red in its upper left quarter as stored, with an EXIF orientation."""
    image = Image.new("RGB", (512, 256))
    image.paste(RED, (0, 0, 256, 128))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(folder, "o.jpg", image, exif=exif, quality=95)


@pytest.mark.parametrize(
    ("orientation", "size", "red_corner"),
    [
        (1, (512, 256), (0, 0)),
        (2, (512, 256), (1, 0)),
        (3, (512, 256), (1, 1)),
        (4, (512, 256), (0, 1)),
        (5, (256, 512), (0, 0)),
        (6, (256, 512), (1, 0)),
        (7, (256, 512), (1, 1)),
        (8, (256, 512), (0, 1)),
    ],
)
def test_exif_orientation_is_applied_to_original_and_reduced_thumbnail(
    store: ImageStore, tmp_path: Path, orientation: int, size: tuple[int, int], red_corner: tuple[int, int]
):
    ref = oriented(tmp_path, orientation)
    found = store.identify(ref)
    assert (found.width, found.height) == size
    for shown in (store.original(ref), store.thumbnail(ref, PixelBudget(cell=8, tokens=32))):
        corners = {
            (x, y): is_red(shown.getpixel((x * (shown.width - 1), y * (shown.height - 1))))
            for x in (0, 1)
            for y in (0, 1)
        }
        assert [corner for corner, red in corners.items() if red] == [red_corner]


def test_a_damaged_exif_block_counts_as_upright(store: ImageStore, tmp_path: Path):
    ref = saved(tmp_path, "a.jpg", Image.new("RGB", (8, 4)), exif=b"Exif\0\0MM\0*\0\0\0\x08\0")
    assert store.thumbnail(ref, PixelBudget(cell=1, tokens=8)).size == (4, 2)


# ---- thumbnails, crops and encoded bytes


@pytest.mark.parametrize(
    ("size", "shown"), [((640, 480), (320, 224)), ((9, 12), (224, 320)), ((2000, 90), (1184, 64))]
)
def test_a_thumbnail_has_the_size_of_the_rule(
    store: ImageStore, tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
):
    rule = PixelBudget(cell=32, tokens=74)
    assert rule.fit(*size) == shown
    assert store.thumbnail(saved(tmp_path, "a.jpg", Image.new("RGB", size)), rule).size == shown


def test_a_reduced_jpeg_decode_still_has_four_times_the_size_wanted(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ref = saved(tmp_path, "a.jpg", Image.effect_noise((768, 768), 80).convert("RGB"))
    decoded: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def spy(image: Image.Image, *args: Any, **options: Any) -> Image.Image:
        decoded.append(image.size)
        return resize(image, *args, **options)

    monkeypatch.setattr(Image.Image, "resize", spy)
    store.thumbnail(ref, PixelBudget(cell=32, tokens=9))
    store.thumbnail(ref, PixelBudget(cell=32, tokens=64))
    assert decoded == [(384, 384), (768, 768)]


def test_a_thumbnail_is_the_antialiased_original(store: ImageStore, tmp_path: Path):
    image = Image.effect_noise((64, 64), 80).convert("RGB")
    shown = store.thumbnail(saved(tmp_path, "a.png", image), PixelBudget(cell=8, tokens=4))
    assert shown.tobytes() == image.resize((16, 16), Image.Resampling.BILINEAR).tobytes()


def test_a_crop_shows_the_box_of_the_original(store: ImageStore, tmp_path: Path):
    image = Image.new("RGB", (20, 10))
    image.paste(RED, (10, 5, 20, 10))
    crop = store.crop(saved(tmp_path, "a.png", image), Box(left=10, top=5, right=20, bottom=10), (40, 20))
    assert crop.size == (40, 20)
    assert crop.getcolors() == [(800, RED)]


def test_encoded_bytes_carry_their_size_and_hash():
    picture = encode_picture(Image.new("RGB", (32, 64), RED), quality=90)
    assert (picture.width, picture.height, picture.media_type) == (32, 64, "image/jpeg")
    assert picture.sha256 == hashlib.sha256(picture.data).hexdigest()
    assert Image.open(io.BytesIO(picture.data)).size == (32, 64)


def test_each_page_has_its_own_size(store: ImageStore, tmp_path: Path):
    pages = [Image.new("RGB", (40, 20)), Image.new("RGB", (40, 60))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    rule = PixelBudget(cell=10, tokens=24)
    for page, height in enumerate((20, 60)):
        ref = ImageRef(path="a.tif", page=page)
        assert store.identify(ref).height == height
        assert store.thumbnail(ref, rule).size == rule.fit(40, height)


def test_a_missing_page_is_refused(store: ImageStore, tmp_path: Path):
    saved(tmp_path, "a.png", Image.new("RGB", (4, 4)))
    with pytest.raises(PictureError, match="there is no page 4"):
        store.original(ImageRef(path="a.png", page=3))


# ---- hostile and damaged files


def png_header(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def refusal(store: ImageStore, folder: Path, data: bytes, name: str = "a.jpg") -> str:
    (folder / name).write_bytes(data)
    with pytest.raises(PictureError) as caught:
        store.identify(ImageRef(path=name))
    with pytest.raises(PictureError):
        store.thumbnail(ImageRef(path=name), PixelBudget())
    return str(caught.value)


def test_a_truncated_jpeg_is_refused(store: ImageStore, tmp_path: Path):
    data = encode_picture(Image.effect_noise((64, 64), 80).convert("RGB")).data
    assert "damaged or cut short" in refusal(store, tmp_path, data[: len(data) // 2])


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (30_001, 1), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_from_its_header(store: ImageStore, tmp_path: Path, width: int, height: int):
    message = refusal(store, tmp_path, png_header(width, height), "a.png")
    assert message.startswith("picture a.png: ")


def test_text_named_jpg_is_refused_with_the_allowed_formats(store: ImageStore, tmp_path: Path):
    assert "not a picture of an allowed format (JPEG, PNG" in refusal(store, tmp_path, b"hello, I am a text file")


@pytest.mark.parametrize("form", ["ICO", "PPM", "EPS", "JPEG2000"])
def test_formats_off_the_list_are_refused_whatever_the_name(store: ImageStore, tmp_path: Path, form: str):
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, form)
    assert "not a picture of an allowed format" in refusal(store, tmp_path, buffer.getvalue())


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"BM", b"RIFF"])
def test_a_bare_signature_is_refused(store: ImageStore, tmp_path: Path, data: bytes):
    assert refusal(store, tmp_path, data)


def test_a_file_over_the_byte_limit_is_refused_unread(tmp_path: Path):
    store = ImageStore({"": tmp_path}, limits=ImageLimits(max_bytes=10))
    assert "11 bytes, the limit is 10" in refusal(store, tmp_path, b"x" * 11)


def test_mutated_files_are_shown_or_refused_and_nothing_else(store: ImageStore, tmp_path: Path):
    noise = Image.effect_noise((24, 16), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    forms: list[tuple[str, dict[str, object]]] = [
        ("JPEG", {"exif": exif}),
        ("PNG", {"exif": exif}),
        ("WEBP", {"exif": exif}),
        ("GIF", {}),
        ("TIFF", {}),
        ("BMP", {}),
    ]
    seeds = []
    for form, options in forms:
        buffer = io.BytesIO()
        noise.save(buffer, form, **options)
        seeds.append(buffer.getvalue())
    generator = random.Random(7)
    outcomes = {"shown": 0, "refused": 0}
    for _ in range(600):
        data = bytearray(generator.choice(seeds))
        for _ in range(generator.choice([1, 2, 8])):
            data[generator.randrange(min(160, len(data)))] = generator.choice([0, 1, 127, 128, 255])
        (tmp_path / "m.bin").write_bytes(data)
        try:
            store.thumbnail(ImageRef(path="m.bin", page=generator.choice([0, 0, 1])), PixelBudget(tokens=4))
            outcomes["shown"] += 1
        except PictureError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 50


# ---- paths


@pytest.mark.parametrize("path", ["../a.png", "sub/../../a.png", "/etc/passwd", "", ".", "a\0.png"])
def test_paths_that_leave_the_root_are_refused(store: ImageStore, path: str):
    with pytest.raises(PictureError, match="must be relative and stay below its root"):
        store.read_bytes(ImageRef(path=path))


def test_links_that_leave_the_root_or_lead_nowhere_are_refused(tmp_path: Path):
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    saved(outside, "a.png", Image.new("RGB", (4, 4)))
    saved(root, "b.png", Image.new("RGB", (4, 4)))
    (root / "file.png").symlink_to(outside / "a.png")
    (root / "near.png").symlink_to(root / "b.png")
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to(root / "loop")
    store = ImageStore({"": root})
    for path in ("file.png", "folder/a.png", "loop", "loop/a.png"):
        with pytest.raises(PictureError):
            store.read_bytes(ImageRef(path=path))
    assert store.identify(ImageRef(path="near.png")).width == 4


def test_a_root_may_itself_be_a_link(tmp_path: Path):
    (tmp_path / "real").mkdir()
    saved(tmp_path / "real", "a.png", Image.new("RGB", (4, 4)))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert ImageStore({"": tmp_path / "link"}).identify(ImageRef(path="a.png")).width == 4


@pytest.mark.parametrize("path", ["gone.png", "folder", "x" * 300, "a.png/b.png"])
def test_what_is_no_readable_file_is_refused_by_name(store: ImageStore, tmp_path: Path, path: str):
    (tmp_path / "folder").mkdir()
    saved(tmp_path, "a.png", Image.new("RGB", (4, 4)))
    with pytest.raises(PictureError, match=path):
        store.read_bytes(ImageRef(path=path))


def test_a_pipe_is_refused_and_not_waited_for(store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    os.mkfifo(tmp_path / "pipe.jpg")
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    with pytest.raises(PictureError, match=r"pipe\.jpg"):
        store.read_bytes(ImageRef(path="pipe.jpg"))


def test_a_picture_that_vanished_is_refused(store: ImageStore, tmp_path: Path):
    found = store.identify(saved(tmp_path, "a.png", Image.new("RGB", (4, 4))))
    (tmp_path / "a.png").unlink()
    with pytest.raises(PictureError, match="cannot be read"):
        store.original(found)


def test_a_picture_that_changed_is_refused_even_when_cached(store: ImageStore, tmp_path: Path):
    found = store.identify(saved(tmp_path, "a.png", Image.new("RGB", (4, 4))))
    store.original(found)
    saved(tmp_path, "a.png", Image.new("RGB", (4, 4), RED))
    with pytest.raises(PictureError, match="has changed since it was recorded"):
        store.original(found)
    assert store.original(ImageRef(path="a.png")).getpixel((0, 0)) == RED


def test_an_unknown_root_is_named_with_the_known_ones(store: ImageStore):
    with pytest.raises(PictureError, match="unknown root 'shop'; known roots: ''"):
        store.read_bytes(ImageRef(path="a.png", root="shop"))


def test_a_store_needs_a_root():
    with pytest.raises(ConfigError):
        ImageStore({})


def test_names_keep_roots_apart(tmp_path: Path):
    for name, colour in (("one", RED), ("two", WHITE)):
        (tmp_path / name).mkdir()
        saved(tmp_path / name, "a.png", Image.new("RGB", (2, 2), colour))
    store = ImageStore({"one": tmp_path / "one", "two": tmp_path / "two"})
    assert store.original(ImageRef(path="a.png", root="one")).getpixel((0, 0)) == RED
    assert store.original(ImageRef(path="a.png", root="two")).getpixel((0, 0)) == WHITE


# ---- the cache of originals


def decodes(store: ImageStore, refs: list[ImageRef], monkeypatch: pytest.MonkeyPatch) -> int:
    """Count the files that are opened as pictures when originals are asked for in this order."""
    opened: list[object] = []
    open_picture = Image.open

    def spy(*args: Any, **options: Any) -> Image.Image:
        opened.append(args)
        return open_picture(*args, **options)

    monkeypatch.setattr(Image, "open", spy)
    for ref in refs:
        store.original(ref)
    return len(opened)


@pytest.mark.parametrize(("room", "expected"), [(2, 3), (1, 4), (0, 4)])
def test_the_cache_keeps_the_latest_originals_within_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, expected: int
):
    refs = [saved(tmp_path, f"{n}.png", Image.new("RGB", (10, 10), (n, 0, 0))) for n in range(3)]
    store = ImageStore({"": tmp_path}, cache_bytes=room * 300)
    order = [refs[0], refs[1], refs[0], refs[2]]
    assert decodes(store, order, monkeypatch) == expected


def test_a_picture_larger_than_the_cache_is_shown_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ref = saved(tmp_path, "a.png", Image.new("RGB", (10, 10)))
    store = ImageStore({"": tmp_path}, cache_bytes=299)
    assert decodes(store, [ref, ref], monkeypatch) == 2
