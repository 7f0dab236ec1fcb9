"""Pins which pictures are folded: copies, other sizes and qualities; never what differs in colour or is blank."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from vretrver.images import encode_picture
from vretrver.report.alike import Impression, alike, groups_alike, impression

COCO = Path(__file__).parents[4] / "shared" / "data" / "coco_small"


def mug(colour: tuple[int, int, int], size: tuple[int, int] = (320, 240)) -> Image.Image:
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), fill=colour)
    return picture


def of(picture: Image.Image, quality: int = 75) -> Impression:
    return impression(encode_picture(picture, quality=quality).data)


def test_the_hash_has_one_bit_per_pixel_that_is_darker_than_its_right_neighbour() -> None:
    rising = Image.linear_gradient("L").rotate(90).resize((90, 80)).convert("RGB")
    buffer = io.BytesIO()
    rising.save(buffer, "PNG")
    assert impression(buffer.getvalue()).bits == 2**64 - 1
    buffer = io.BytesIO()
    rising.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(buffer, "PNG")
    assert impression(buffer.getvalue()).bits == 0


def test_other_sizes_and_qualities_of_a_picture_are_alike() -> None:
    picture = mug((200, 40, 40))
    assert alike(of(picture), of(picture.resize((160, 120)), quality=30))


def test_a_thing_in_another_colour_is_another_thing() -> None:
    assert not alike(of(mug((200, 60, 60))), of(mug((60, 100, 60))))


def test_blank_pictures_are_like_no_other() -> None:
    blank = of(Image.new("RGB", (100, 140), "white"))
    assert blank.bits is None
    assert not alike(blank, blank)


def test_groups_keep_the_order_and_what_is_missing_stays_alone() -> None:
    red, blue = of(mug((220, 30, 30))), of(mug((30, 30, 220)))
    assert groups_alike([red, None, blue, red, None, blue]) == [[0, 3], [1], [2, 5], [4]]


@pytest.mark.skipif(not COCO.is_dir(), reason="no COCO pictures here")
def test_different_photographs_are_never_folded_and_their_copies_always() -> None:
    photos = []
    for path in sorted(COCO.rglob("*.jpg"))[:94]:
        with Image.open(path) as opened:
            opened.draft("RGB", (400, 400))
            photos.append(opened.convert("RGB").resize((200, 150)))
    assert groups_alike([of(photo) for photo in photos]) == [[place] for place in range(len(photos))]
    assert all(alike(of(photo), of(photo.resize((100, 75)), quality=40)) for photo in photos)
