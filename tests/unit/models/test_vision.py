"""Pins the vision tower's pass against the stock model, and that a picture is encoded once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.tiny_models import CELL, FAMILIES, loaded, shown

from vretrver.agent.messages import ShownPicture
from vretrver.errors import PictureError
from vretrver.models.patches import Pixels, patchify_all
from vretrver.models.vision import Vision, patch_rows

SIZES = ((3, 3), (3, 5), (3, 3), (1, 1), (7, 2))


def _pixels(cell: int) -> list[Pixels]:
    return [
        np.random.default_rng(number).integers(0, 256, (rows * cell, columns * cell, 3), dtype=np.uint8)
        for number, (rows, columns) in enumerate(SIZES)
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_visual_tokens_are_those_of_the_stock_model(family: str) -> None:
    model = loaded(family)
    pixels = _pixels(CELL[family])
    patches, grids = patchify_all(pixels, model.folder.geometry)
    with torch.no_grad():
        stock = model.model.model.get_image_features(torch.from_numpy(patches), torch.from_numpy(grids))
        ours = model.vision.encode(pixels)
    for theirs, seen in zip(stock.pooler_output, ours, strict=True):
        torch.testing.assert_close(seen.tokens, theirs, atol=1e-5, rtol=1e-5)
    levels = getattr(stock, "deepstack_features", [])
    assert all(len(seen.deepstack) == len(levels) for seen in ours)
    for level, pictures in enumerate(levels):
        for theirs, seen in zip(pictures, ours, strict=True):
            torch.testing.assert_close(seen.deepstack[level], theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_is_cut_the_same_to_the_bit_where_a_gpu_would_do_it(family: str) -> None:
    geometry, cell = loaded(family).folder.geometry, CELL[family]
    pixels = np.random.default_rng(3).integers(0, 256, (2, 3 * cell, 5 * cell, 3), dtype=np.uint8)
    rows = patch_rows(torch.from_numpy(pixels), geometry)
    assert rows.dtype == torch.float32
    assert torch.equal(rows.flatten(0, 1), torch.from_numpy(patchify_all([*pixels], geometry)[0]))


def test_the_families_differ_in_what_is_tested() -> None:
    assert len(loaded("qwen3_vl").model.model.visual.deepstack_visual_indexes) == 2
    assert loaded("qwen2_5_vl").model.model.visual.fullatt_block_indexes == [1]


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_reach_the_tower_where_they_are_wanted(family: str) -> None:
    model = loaded(family)
    (seen,) = model.vision.encode(_pixels(CELL[family])[:1])
    weight = model.model.model.visual.patch_embed.proj.weight
    (grad,) = torch.autograd.grad(seen.tokens.sum(), [weight])
    assert float(grad.abs().sum()) > 0
    (still,) = model.vision.see([shown(1, 1, 1, cell=CELL[family])])
    assert not still.tokens.requires_grad


def _vision(memory: int) -> Vision:
    model = loaded("qwen3_vl")
    return Vision(model.model.model.visual, model.folder.geometry, memory=memory)


def test_a_picture_is_encoded_once() -> None:
    vision = _vision(2**20)
    first = vision.see([shown(1, 2, 2), shown(2, 1, 2), shown(1, 2, 2)])
    again = vision.see([shown(2, 1, 2), shown(1, 2, 2)])
    assert vision.encoded == 2
    assert torch.equal(first[0].tokens, first[2].tokens)
    assert torch.equal(first[0].tokens, again[1].tokens)


def test_the_picture_used_longest_ago_is_forgotten_first() -> None:
    (one,) = _vision(0).see([shown(1, 2, 2)])
    vision = _vision(2 * one.size)
    for number in (1, 2, 3, 3, 1):
        vision.see([shown(number, 2, 2)])
    assert vision.encoded == 4
    vision.forget()
    vision.see([shown(1, 2, 2)])
    assert vision.encoded == 5


def test_more_patches_than_a_pass_takes_are_several_passes() -> None:
    small, model = _vision(0), loaded("qwen3_vl")
    small.patches = 40
    pixels = _pixels(32)
    with torch.no_grad():
        for ours, whole in zip(small.encode(pixels), model.vision.encode(pixels), strict=True):
            torch.testing.assert_close(ours.tokens, whole.tokens, atol=1e-5, rtol=1e-5)


def _damaged(picture: ShownPicture, data: bytes) -> ShownPicture:
    return replace(picture, picture=replace(picture.picture, data=data, sha256="0" * 64))


def test_bytes_that_are_no_picture_are_refused_by_address() -> None:
    with pytest.raises(PictureError, match="picture 4: cannot be decoded"):
        _vision(0).see([_damaged(shown(4, 1, 1), b"no picture")])


def test_bytes_of_another_size_than_recorded_are_refused() -> None:
    with pytest.raises(PictureError, match="picture 4: it is 64 x 32 and its record says 32 x 32"):
        _vision(0).see([_damaged(shown(4, 1, 1), shown(5, 1, 2).picture.data)])
