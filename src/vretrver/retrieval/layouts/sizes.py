"""At what size the image processors of CLIP and its kin are given a picture, so that they only cut and normalise."""

from __future__ import annotations

import math
from dataclasses import dataclass

_MOST_ASPECT = 4  # the processor crops to the middle anyway; this bounds the memory of a long strip
_PRECISION = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortEdge:
    """A size rule: the shorter side as the processor will crop it, the longer one in proportion, up to four times."""

    cell: int
    """Pixels of the shorter side."""

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) shown."""
        short = min(width, height)
        most = _MOST_ASPECT * self.cell
        return min(round(width * self.cell / short), most), min(round(height * self.cell / short), most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A size rule: one square for every picture, as SigLIP's processor makes it."""

    cell: int
    """Pixels of a side."""

    def fit(self, width: int, height: int) -> tuple[int, int]:  # noqa: ARG002 - the interface of a size rule
        """Return the (width, height) shown."""
        return self.cell, self.cell


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSizes:
    """A size rule: a picture's own shape in as many patches as there may be, as SigLIP 2's NaFlex processor makes it.

    Both sides are rounded up to whole patches; the scale is the largest, within 1e-5, that keeps their number. A
    picture of such a size is left as it is by the processor.
    """

    cell: int
    """Pixels of a patch's side."""
    most: int
    """Most patches of a picture."""

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) shown."""
        low, high = _PRECISION / 10, 100.0
        while high - low >= _PRECISION:
            scale = (low + high) / 2
            across, down = self._patches(width, scale), self._patches(height, scale)
            low, high = (scale, high) if across * down <= self.most else (low, scale)
        return self.cell * self._patches(width, low), self.cell * self._patches(height, low)

    def _patches(self, side: int, scale: float) -> int:
        return max(math.ceil(side * scale / self.cell), 1)
