"""The gate judges the product's own thumbnail and the catalogue's own file, byte by byte."""

from pathlib import Path

import numpy as np
import pytest
from measure.gate.pictures import (
    Span,
    file_bytes,
    label_centre,
    native_crop,
    shown_thumbnail,
    span_around,
    thumbnail_window,
    window_corner,
)
from PIL import Image

from vretrver.images import ImageStore, encode_picture
from vretrver.records import ImageRef
from vretrver.world.draw.render import render
from vretrver.world.draw.world import Shot, draw_family
from vretrver.world.draw.write import encode_native


class Ninety:
    """The size rule of the judged thumbnail."""

    cell = 32

    def fit(self, width: int, height: int) -> tuple[int, int]:
        return 96, 96


@pytest.fixture(scope="module")
def shot() -> Shot:
    return Shot(family=draw_family(5, 8), twin=3)


def test_thumbnail_in_memory_is_the_image_stores(tmp_path: Path, shot: Shot) -> None:
    data = file_bytes(render(shot))
    (tmp_path / "a.jpg").write_bytes(data)
    stored = encode_picture(ImageStore({"": tmp_path}).thumbnail(ImageRef(path="a.jpg"), Ninety())).data
    shown, size = shown_thumbnail(data)
    (tmp_path / "shown.jpg").write_bytes(stored)
    assert size == len(stored)
    assert np.array_equal(shown, np.asarray(Image.open(tmp_path / "shown.jpg")))


def test_file_in_memory_is_the_catalogues(shot: Shot) -> None:
    assert file_bytes(render(shot)) == encode_native(shot)[0]


@pytest.mark.parametrize("index", [0, 3, 11, 20])
def test_window_equals_the_whole_pictures(index: int) -> None:
    shot = Shot(family=draw_family(5, index), twin=index % 5)
    whole, _ = shown_thumbnail(file_bytes(render(shot)))
    column, row = window_corner(label_centre(shot), 19)
    assert np.array_equal(thumbnail_window(shot, 19), whole[row : row + 19, column : column + 19])


def test_native_crop_equals_the_files(shot: Shot) -> None:
    with_file = np.frombuffer(encode_native(shot)[1], dtype=np.uint8).reshape(768, 768, 3)
    column, row = (round(value - 40) for value in label_centre(shot))
    assert np.array_equal(native_crop(shot, 80), with_file[row : row + 80, column : column + 80])


def test_span_holds_the_reach_of_halved_chroma() -> None:
    assert span_around((20, 33), 13) == Span(left=16, top=16, right=48, bottom=48)
    assert span_around((17, 34), 13) == Span(left=0, top=32, right=32, bottom=64)


def test_span_depends_on_one_more_block_than_it_covers() -> None:
    assert Span(left=16, top=0, right=48, bottom=96).native_box() == (120, 0, 392, 768)


def test_window_is_moved_into_the_thumbnail() -> None:
    assert window_corner((400.0, 300.0), 13) == (44, 31)
    assert window_corner((10.0, 765.0), 13) == (0, 83)


@pytest.mark.parametrize("window", [(0, 0, 768, 768), (120, 64, 392, 336), (0, 700, 5, 768), (391, 0, 392, 768)])
def test_a_drawn_window_equals_the_whole_pictures(window: tuple[int, int, int, int], shot: Shot) -> None:
    left, top, right, bottom = window
    assert np.array_equal(render(shot, window=window), render(shot)[top:bottom, left:right])


def test_a_window_through_the_label_equals_the_whole_pictures(shot: Shot) -> None:
    x, y = (round(value) for value in label_centre(shot))
    window = (x - 9, y - 90, x + 150, y + 4)
    assert np.array_equal(render(shot, window=window), render(shot)[window[1] : window[3], window[0] : window[2]])
