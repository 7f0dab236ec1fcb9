"""Which samples make a step, and their tensors: rows of similar length, so that little is padding.

The order is that of the trajectories, easy stages first, except that neighbours of similar length are grouped; it
depends on lengths and seed only, so that a resumed run continues exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...agent.messages import ShownPicture
from ...errors import DataError, ParityError
from ...images import Picture
from ...models.positions import positions_of
from ...prng import Stream
from ...records import Address
from ..book import PictureBytes
from .samples import Sample

_NEAR = 96
"""Neighbouring samples among which rows of similar length are grouped: enough for little padding, and few enough to
keep the order of stages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The tensors of a step; rows are padded at their end."""

    ids: Tensor
    """[rows, length] token ids."""
    positions: Tensor
    """[3, rows, length] positions in three axes."""
    pads: Tensor
    """[rows, length] True at visual tokens."""
    chosen: Tensor
    """[rows, length] True where the policy chose the id: where the loss is."""
    weights: Tensor
    """[rows, length] how much the id counts, where it was chosen."""
    logprobs: Tensor | None
    """[rows, length] the sampler's log-probability of each chosen id; None unless all rows have them."""
    pictures: list[ShownPicture]
    """Pictures of all rows in order."""


def steps_of(lengths: Sequence[int], *, tokens: int, seed: int, epochs: int = 1) -> list[list[int]]:
    """Return the samples of every step.

    Args:
        lengths: ids of each sample.
        tokens: most ids of a step, padding included.
        seed: of the order of steps made from neighbouring samples.
        epochs: passes over all samples.
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


def collate(samples: Sequence[Sample], pictures: PictureBytes, *, picture_pad: int, filler: int) -> Batch:
    """Return the tensors of samples.

    Args:
        samples: the rows.
        pictures: gives the bytes of every picture by its hash.
        picture_pad: id of the picture mark.
        filler: id that fills rows up.

    Raises:
        DataError: the bytes of a picture are missing.
        ParityError: a row has more or fewer picture marks than its pictures have visual tokens.
    """
    length = max(len(sample.ids_T) for sample in samples)
    ids = np.full((len(samples), length), filler, dtype=np.int64)
    chosen = np.zeros((len(samples), length), dtype=np.bool_)
    weights = np.zeros((len(samples), length), dtype=np.float32)
    positions = np.zeros((3, len(samples), length), dtype=np.int64)
    logprobs = np.zeros((len(samples), length), dtype=np.float32)
    shown: list[ShownPicture] = []
    for row, sample in enumerate(samples):
        _check_pictures(sample, picture_pad)
        here = slice(0, len(sample.ids_T))
        ids[row, here], chosen[row, here], weights[row, here] = sample.ids_T, sample.chosen_T, sample.weight_T
        if sample.logprobs_T is not None:
            logprobs[row, here] = sample.logprobs_T
        positions[:, row, here] = positions_of(sample.ids_T.tolist(), sample.grids, picture_pad=picture_pad)[0]
        shown += _shown(sample, pictures)
    return Batch(
        ids=torch.from_numpy(ids),
        positions=torch.from_numpy(positions),
        pads=torch.from_numpy(ids == picture_pad),
        chosen=torch.from_numpy(chosen),
        weights=torch.from_numpy(weights),
        logprobs=None if any(one.logprobs_T is None for one in samples) else torch.from_numpy(logprobs),
        pictures=shown,
    )


def _check_pictures(sample: Sample, picture_pad: int) -> None:
    """Refuse a row whose pictures are not those of its ids: training must never see other pictures, or none."""
    marks, tokens = int((sample.ids_T == picture_pad).sum()), sum(rows * columns for rows, columns in sample.grids)
    if marks != tokens or len(sample.grids) != len(sample.pictures):
        raise ParityError(
            f"a sample has {marks} picture marks, and its {len(sample.pictures)} pictures have {tokens} visual tokens"
        )


def _shown(sample: Sample, pictures: PictureBytes) -> list[ShownPicture]:
    out = []
    for sha256, (width, height), (rows, columns) in zip(sample.pictures, sample.sizes, sample.grids, strict=True):
        data = pictures.get(sha256)
        if data is None:
            raise DataError(f"picture {sha256[:12]} is not in any book; synthesize the trajectories again")
        picture = Picture(data=data, width=width, height=height, sha256=sha256)
        out.append(ShownPicture(address=Address(item=0), picture=picture, tokens=rows * columns))
    return out
