"""Pins positions against those that transformers computes for a whole conversation, and their continuation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.tiny_models import FAMILIES, loaded

from vretrver.models.positions import positions_of

PAD = 9


def test_text_counts_on_and_a_picture_spans_rows_and_columns() -> None:
    places, following = positions_of([1, PAD, PAD, PAD, PAD, PAD, PAD, 2], [(2, 3)], picture_pad=PAD, start=10)
    assert places.tolist() == [
        [10, 11, 11, 11, 11, 11, 11, 14],
        [10, 11, 11, 11, 12, 12, 12, 14],
        [10, 11, 12, 13, 11, 12, 13, 14],
    ]
    assert following == 15


@pytest.mark.parametrize("family", FAMILIES)
def test_they_are_those_of_the_stock_model_also_in_parts(family: str) -> None:
    model = loaded(family)
    pad = model.vocabulary.picture_pad
    grids = [(2, 3), (1, 1), (4, 2)]
    parts = [[5, 6, *[pad] * 6, 7], [8, *[pad], 5, 5], [6, *[pad] * 8]]
    ids = torch.tensor([[number for part in parts for number in part]])
    grid = torch.tensor([[1, 2 * rows, 2 * columns] for rows, columns in grids])
    stock, _ = model.model.model.get_rope_index(ids, image_grid_thw=grid, mm_token_type_ids=(ids == pad).int())
    following, places = 0, []
    for part, size in zip(parts, grids, strict=True):
        found, following = positions_of(part, [size], picture_pad=pad, start=following)
        places.append(found)
    assert np.array_equal(np.concatenate(places, axis=1), stock[:, 0].numpy())


@pytest.mark.parametrize(("ids", "grids"), [([PAD], []), ([1], [(1, 1)]), ([PAD, 1, PAD], [(1, 2)])])
def test_marks_that_are_not_the_pictures_are_refused(ids: list[int], grids: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="picture marks"):
        positions_of(ids, grids, picture_pad=PAD)
