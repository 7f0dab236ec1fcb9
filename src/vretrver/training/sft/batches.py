"""Which samples make a step, and their tensors: rows of like length, so that little is padding.

The order is that of the trajectories, easy stages first, but for rows of like length from near one another; it
depends on lengths and seed only, so that a resumed run goes on exactly where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...agent.messages import ShownPicture
from ...errors import DataError
from ...images import Picture
from ...models.positions import positions_of
from ...prng import Stream
from ...records import Address
from ..book import PictureBook
from .samples import Sample

_NEAR = 96
"""Samples among which rows of like length are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The tensors of a step; rows are padded at their end."""

    ids: Tensor
    """[rows, length] token ids."""
    positions: Tensor
    """[3, rows, length] positions in three axes."""
    pads: Tensor
    """[rows, length] whether a visual token stands there."""
    written: Tensor
    """[rows, length] whether the assistant wrote the id."""
    weights: Tensor
    """[rows, length] how much the id counts in the loss, where it is written."""
    pictures: list[ShownPicture]
    """Pictures of all rows in order."""


def steps_of(lengths: Sequence[int], *, tokens: int, seed: int, epochs: int = 1) -> list[list[int]]:
    """Return the samples of every step.

    Args:
        lengths: ids of each sample.
        tokens: most ids of a step, padding included.
        seed: of the order of steps made from neighbouring samples.
        epochs: how often all samples are gone through.
    """
    steps: list[list[int]] = []
    for epoch in range(epochs):
        for start in range(0, len(lengths), _NEAR):
            near = sorted(range(start, min(start + _NEAR, len(lengths))), key=lambda n: lengths[n])
            fresh: list[list[int]] = []
            for number in near:
                if not fresh or (len(fresh[-1]) + 1) * lengths[number] > tokens:
                    fresh.append([])
                fresh[-1].append(number)
            order = Stream(seed, "steps", epoch, start).permutation(len(fresh))
            steps += [fresh[place] for place in order]
    return steps


def collate(samples: Sequence[Sample], books: Sequence[PictureBook], *, picture_pad: int, filler: int) -> Batch:
    """Return the tensors of samples.

    Args:
        samples: the rows.
        books: the pictures of each shard.
        picture_pad: id of the picture mark.
        filler: id that fills rows up.

    Raises:
        DataError: a book lacks a picture.
    """
    length = max(len(sample.ids) for sample in samples)
    ids = np.full((len(samples), length), filler, dtype=np.int64)
    written = np.zeros((len(samples), length), dtype=np.bool_)
    weights = np.ones((len(samples), length), dtype=np.float32)
    positions = np.zeros((3, len(samples), length), dtype=np.int64)
    pictures: list[ShownPicture] = []
    for row, sample in enumerate(samples):
        here = slice(0, len(sample.ids))
        ids[row, here], written[row, here], weights[row, here] = sample.ids, sample.written, sample.weights
        positions[:, row, here] = positions_of(sample.ids.tolist(), sample.grids, picture_pad=picture_pad)[0]
        pictures += _shown(sample, books[sample.shard])
    return Batch(
        ids=torch.from_numpy(ids),
        positions=torch.from_numpy(positions),
        pads=torch.from_numpy(ids == picture_pad),
        written=torch.from_numpy(written),
        weights=torch.from_numpy(weights),
        pictures=pictures,
    )


def _shown(sample: Sample, book: PictureBook) -> list[ShownPicture]:
    out = []
    for sha256, (width, height), (rows, columns) in zip(sample.pictures, sample.sizes, sample.grids, strict=True):
        data = book.get(sha256)
        if data is None:
            raise DataError(f"{book.path}: it has no picture {sha256[:12]}; synthesize the trajectories again")
        picture = Picture(data=data, width=width, height=height, sha256=sha256)
        out.append(ShownPicture(address=Address(item=0), picture=picture, tokens=rows * columns))
    return out
