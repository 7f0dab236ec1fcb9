"""The pictures of a gallery in the order a perception run sees them, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...errors import DataError
from ...models.patches import PatchGeometry, decoded, patchify_all
from ...prng import Stream
from ..draw.plan import shots_of
from ..draw.pose import FRAME
from ..gallery import LOOKS, REGION, Gallery, View, ViewKind
from .config import BatchSizes
from .targets import targets_of

GEOMETRY = PatchGeometry()
"""Qwen3-VL's patches."""


TIGHT = 64
"""Pixels per side of a region around a label."""

PictureKind = ViewKind | Literal["label"]
"""A view of the gallery, or the part of a look around its label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureBatch:
    """Pictures of one kind."""

    kind: PictureKind
    """What they show."""
    patches: Tensor
    """[sum of patches, values] rows, picture after picture."""
    grids: Tensor
    """[N, 3] grids of patches, all equal."""
    rows: npt.NDArray[np.int64]
    """[N] numbers of the pictures among the gallery's targets."""
    corners: npt.NDArray[np.float32]
    """[N, 2] left and top of what is shown, in native pixels."""
    patch: float
    """Native pixels a patch covers, per side."""

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of patches of each picture."""
        _, rows, columns = self.grids[0].tolist()
        return int(rows), int(columns)

    def patch_of(self, points: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return the patch of each native point, and the place within it.

        Args:
            points: [N, ..., 2] in native pixels.

        Returns:
            The number of each point's patch in merge-block order, -1 outside the picture, [N, ...]; and its place
            within the patch, 0 .. 1, [N, ..., 2].
        """
        rows, columns = self.grid
        corners = self.corners.reshape(len(self.corners), *[1] * (points.ndim - 2), 2)
        place = (points - corners) / self.patch
        whole = np.floor(place).astype(np.int64)
        column, row = whole[..., 0], whole[..., 1]
        merge = GEOMETRY.merge
        block = (row // merge) * (columns // merge) + column // merge
        number = block * merge**2 + (row % merge) * merge + column % merge
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        return np.where(inside, number, -1), (place - whole).astype(np.float32)


class GalleryPictures:
    """Samples batches from a gallery; a step's batch depends on seed and step only.

    Args:
        gallery: the pictures.
        batch: how many of each kind.
        seed: of the random stream.

    Raises:
        DataError: the gallery has too few pictures of a kind.
    """

    def __init__(self, gallery: Gallery, batch: BatchSizes, *, seed: int) -> None:
        self.gallery, self.batch, self.seed = gallery, batch, seed
        plan = gallery.plan()
        shots = shots_of(plan)
        self.paths = [*shots]
        self.targets = targets_of([*shots.values()])
        number = {path: row for row, path in enumerate(self.paths)}
        self._rarer: dict[PictureKind, list[int]] = {
            "select": [number[path] for path in gallery.paths("select")],
            "empty": [number[path] for path in gallery.paths("empty")],
        }
        for kind, wanted in self._counts():
            if wanted and not self._rarer.get(kind, self.paths):
                raise DataError(f"{gallery.path}: it has no pictures of the kind {kind}; draw a larger one")

    def step(self, step: int) -> list[PictureBatch]:
        """Return the pictures of a step."""
        stream = Stream(self.seed, "perception", step)
        return [self._drawn(kind, count, stream.child(kind)) for kind, count in self._counts() if count]

    def steps(self, first: int, last: int) -> Iterator[list[PictureBatch]]:
        """Yield the pictures of steps first .. last - 1; the next ones are decoded while a step is computed."""
        if first >= last:
            return
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.step, first)
            for step in range(first, last):
                seen = coming.result()
                if step + 1 < last:
                    coming = ahead.submit(self.step, step + 1)
                yield seen

    def some(self, kind: PictureKind, count: int) -> PictureBatch:
        """Return the first pictures of a kind, for measuring."""
        rows = self._rarer.get(kind, list(range(len(self.paths))))[:count]
        return self._seen(kind, rows, [0] * len(rows), Stream(self.seed, "some"))

    def _counts(self) -> tuple[tuple[PictureKind, int], ...]:
        batch = self.batch
        return (
            ("thumbnail", batch.thumbnails),
            ("select", batch.selects),
            ("label", batch.labels),
            ("look", batch.looks),
            ("empty", batch.empties),
        )

    def _drawn(self, kind: PictureKind, count: int, stream: Stream) -> PictureBatch:
        among = None if kind == "label" else self._rarer.get(kind)
        size = len(self.paths) if among is None else len(among)
        places = (stream.words(count).astype(np.int64) % size).tolist()
        rows = places if among is None else [among[place] for place in places]
        numbers = [stream.below(LOOKS) if kind in ("look", "label") else 0 for _ in rows]
        return self._seen(kind, rows, numbers, stream)

    def _seen(self, kind: PictureKind, rows: list[int], numbers: list[int], stream: Stream) -> PictureBatch:
        views = [
            self._view(row, "look" if kind == "label" else kind, number)
            for row, number in zip(rows, numbers, strict=True)
        ]
        pixels = [decoded(view.picture.data) for view in views]
        boxes = [view.box or (0, 0, FRAME, FRAME) for view in views]
        corners = np.array([box[:2] for box in boxes], dtype=np.float32)
        patch = (boxes[0][2] - boxes[0][0]) * GEOMETRY.patch / pixels[0].shape[1]
        if kind == "label":
            starts = [
                _tight(self.targets.label[row] - corner, stream) for row, corner in zip(rows, corners, strict=True)
            ]
            pixels = [p[y : y + TIGHT, x : x + TIGHT] for p, (x, y) in zip(pixels, starts, strict=True)]
            corners = corners + np.array(starts, dtype=np.float32)
        patches, grids = patchify_all(pixels, GEOMETRY)
        return PictureBatch(
            kind=kind,
            patches=torch.from_numpy(patches),
            grids=torch.from_numpy(grids),
            rows=np.array(rows, dtype=np.int64),
            corners=corners,
            patch=patch,
        )

    def _view(self, row: int, kind: ViewKind, number: int) -> View:
        view = self.gallery.view(self.paths[row], kind, number)
        if view is None:
            raise DataError(f"{self.gallery.path}: picture {self.paths[row]} has no {kind}; draw the gallery again")
        return view


def _tight(middle: npt.NDArray[np.float32], stream: Stream) -> tuple[int, int]:
    """Return left and top of a tight region around a label, with its middle up to a sixth of a side off."""
    x, y = (int(m) - TIGHT // 2 + stream.between(-TIGHT // 6, TIGHT // 6) for m in middle)
    return min(max(x, 0), REGION - TIGHT), min(max(y, 0), REGION - TIGHT)
