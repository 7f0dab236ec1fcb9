"""How much each id counts in the loss, computed from the texts of the ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]

Weigh = Callable[[Sequence[str]], Weights]
"""Takes the text of every id, a line end for an id that somebody else wrote, and returns their weights, [length]."""

_BOX = re.compile(r'"bbox_2d": \[([^\]]*)\]')


def even(texts: Sequence[str]) -> Weights:
    """Give all ids the same weight."""
    return np.ones(len(texts), dtype=np.float32)


def boxes(weight: float, rest: Weigh = even) -> Weigh:
    """Give the numbers of a box in a call a weight of their own.

    Args:
        weight: of the ids of boxes.
        rest: how all other ids are weighed.
    """

    def weigh(texts: Sequence[str]) -> Weights:
        out = rest(texts)
        ends = np.cumsum([len(text) for text in texts])
        for match in _BOX.finditer("".join(texts)):
            start, end = match.span(1)
            first, last = np.searchsorted(ends, (start, end - 1), side="right")
            out[first : last + 1] = weight
        return out

    return weigh
