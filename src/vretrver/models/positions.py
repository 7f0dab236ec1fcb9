"""Positions of text and pictures in three axes (mrope), explicit and continued from a counter.

Text takes one position on all three axes. A picture of h x w visual tokens that starts at p has time p, row p + i
and column p + j, and the text after it continues at p + max(h, w). transformers keeps an offset on the model
instead, which is silently wrong for pictures in later turns and for two conversations at once; so positions are
always given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
"""[3, length]: time, row, column."""


def positions_of(
    ids: Sequence[int], grids: Sequence[tuple[int, int]], *, picture_pad: int, start: int = 0
) -> tuple[Positions, int]:
    """Return the positions of ids and the position of whatever follows.

    Args:
        ids: token ids; each picture is a run of `picture_pad`.
        grids: (rows, columns) of visual tokens per picture, in order.
        picture_pad: id of the picture mark.
        start: position of the first id.

    Raises:
        ValueError: the runs of picture marks are not those of `grids`.
    """
    pads = np.flatnonzero(np.asarray(ids, dtype=np.int64) == picture_pad)
    if pads.size != sum(rows * columns for rows, columns in grids):
        raise ValueError(f"{pads.size} picture marks, and the pictures have {grids} visual tokens")
    parts: list[Positions] = []
    at = taken = 0
    for rows, columns in grids:
        first = int(pads[taken])
        parts.append(_text(start, first - at))
        start += first - at
        place = np.indices((rows, columns)).reshape(2, -1)
        parts.append(start + np.concatenate([np.zeros((1, rows * columns), dtype=np.int64), place]))
        start += max(rows, columns)
        at, taken = first + rows * columns, taken + rows * columns
        if pads[taken - 1] != at - 1:
            raise ValueError(f"the picture marks from {first} on are not one run of {rows * columns}")
    parts.append(_text(start, len(ids) - at))
    return np.concatenate(parts, axis=1), start + len(ids) - at


def _text(start: int, length: int) -> Positions:
    return np.broadcast_to(np.arange(start, start + length, dtype=np.int64), (3, length))
