"""Which ids of the expert's turns count more: the numbers of boxes, and the signs after marks that were read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...training.sft.weights import Weigh, Weights, boxes, even

_SIGNS = frozenset("+-")


def lesson_weights(*, box: float, sign: float) -> Weigh:
    """Return how the expert's turns are weighed.

    Args:
        box: weight of the ids of boxes.
        sign: weight of a + or - outside boxes.
    """

    def signs(texts: Sequence[str]) -> Weights:
        return np.where([text in _SIGNS for text in texts], np.float32(sign), even(texts))

    return boxes(box, signs)
