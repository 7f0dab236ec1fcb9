"""Pins the pixels: literal hashes, and that two details differ inside the label's box and nowhere else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from vretrver.world.draw.render import label_place, render
from vretrver.world.draw.world import PRODUCTS, Shot, draw_family


def changed(first: Shot, second: Shot) -> np.ndarray:
    return np.any(render(first) != render(second), axis=2)


@pytest.mark.parametrize(
    ("seed", "index", "twin", "view", "ink", "grain", "sha256"),
    [
        (1, 0, 0, 0, "relief", 0, "9c83a14c0c50cc7068a1b67ddd5e9c2217bcf9675b518216c9fd972ecdee826a"),
        (1, 1, 4, 1, "relief", 0, "4677d72b1171ce84317cf1958c62ea3e894757af4d5076ccaa1e26950625c069"),
        (7, 300, 2, 0, "plain", 0, "b1732ea119f8025f92da9e3b4910fa03fb1fe7a252110d833f46327cdbc194bf"),
        (2**40, 7000, 3, 2, "relief", 5, "a7417b443df91f581d8eb5168cb6a1bea9546bc25d86a1325e09934af5ec6038"),
    ],
)
def test_pixels_are_literal(
    seed: int, index: int, twin: int, view: int, ink: Literal["relief", "plain"], grain: int, sha256: str
):
    shot = Shot(family=draw_family(seed, index), twin=twin, view=view, ink=ink, grain=grain)
    assert hashlib.sha256(render(shot).tobytes()).hexdigest() == sha256


def test_all_products_patterns_and_grounds_keep_their_pixels():
    digest = hashlib.sha256()
    for index in range(48):
        digest.update(render(Shot(family=draw_family(11, index), twin=index % 5, view=index % 3)).tobytes())
    assert digest.hexdigest() == "7baf2901be30b833eb38b15a968e9d5a28c43801a6495347e36292eeeeac1a6a"


def test_a_picture_has_the_native_size():
    pixels = render(Shot(family=draw_family(1, 0), twin=0))
    assert pixels.shape == (768, 768, 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("index", range(24))
def test_two_details_differ_inside_the_box_only_and_so_do_two_inks(index: int):
    shot = Shot(family=draw_family(5, index), twin=index % 5, view=index % 2)
    left, top, right, bottom = label_place(shot).box
    assert 0 <= left < right <= 768
    assert 0 <= top < bottom <= 768
    for other in (replace(shot, detail=shot.family.details[(index + 1) % 5]), replace(shot, ink="plain")):
        differs = changed(shot, other)
        assert differs[top:bottom, left:right].any()
        differs[top:bottom, left:right] = False
        assert not differs.any()


@pytest.mark.parametrize("index", range(4))
def test_a_window_has_the_pixels_of_the_whole_picture(index: int):
    shot = Shot(family=draw_family(8, index), twin=1)
    whole, (left, top, right, bottom) = render(shot), label_place(shot).box
    middle = (left + right) // 2
    for window in ((0, 0, 768, 768), (left, top, right, bottom), (middle, 0, 768, bottom - 9), (0, 0, 40, 30)):
        x0, y0, x1, y1 = window
        assert (render(shot, window=window) == whole[y0:y1, x0:x1]).all()


def test_another_grain_changes_noise_only():
    shot = Shot(family=draw_family(5, 3), twin=0)
    first, second = render(shot).astype(int), render(replace(shot, grain=1)).astype(int)
    left, top, right, bottom = label_place(shot).box
    difference = abs(first - second)
    assert (difference.max(axis=2) > 0).mean() > 0.8
    difference[top:bottom, left:right] = 0
    assert difference.max() <= 20


def test_a_label_lies_wholly_on_the_body():
    """The body's outline is found by drawing the same shot with another colour of body."""
    for index in range(40):
        family = draw_family(6, index)
        shot = Shot(family=family, twin=0)
        recoloured = replace(family, colour="navy" if family.colour != "navy" else "yellow", pattern="plain")
        body = changed(shot, replace(shot, family=recoloured))
        left, top, right, bottom = label_place(shot).box
        frame = np.concatenate([body[top - 1, left:right], body[bottom, left:right]])
        assert frame.mean() > 0.9, family.words()


def test_every_product_can_be_drawn():
    family = draw_family(1, 0)
    pictures = {render(Shot(family=replace(family, product=name), twin=0)).tobytes() for name in PRODUCTS}
    assert len(pictures) == 12
