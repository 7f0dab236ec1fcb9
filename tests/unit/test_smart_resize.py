"""Pins `SmartResize` to the formula of the Qwen processors, written out in pixels as in the released tool server."""

from __future__ import annotations

import math

from hypothesis import example, given, settings
from hypothesis import strategies as st

from vretrver.geometry import SmartResize

LEAST, MOST = 4 * 28 * 28, 5120 * 28 * 28
"""Pixel limits of the released `process_image`: 3,136 and 4,014,080."""


def _formula(width: int, height: int) -> tuple[int, int]:
    """Both sides to the nearest multiple of 28, then the area brought within the limits by one factor."""
    wide, high = max(28, round(width / 28) * 28), max(28, round(height / 28) * 28)
    if wide * high > MOST:
        beta = math.sqrt(width * height / MOST)
        wide = max(28, math.floor(width / beta / 28) * 28)
        high = max(28, math.floor(height / beta / 28) * 28)
    elif wide * high < LEAST:
        beta = math.sqrt(LEAST / (width * height))
        wide, high = math.ceil(width * beta / 28) * 28, math.ceil(height * beta / 28) * 28
    return wide, high


@given(st.integers(1, 12_000), st.integers(1, 12_000))
@example(640, 480)
@example(1, 1)
@example(14, 42)
@example(2240, 1792)
@example(1, 12_000)
@settings(max_examples=500, deadline=None)
def test_smart_resize_is_the_formula(width: int, height: int) -> None:
    columns, rows = (side // 28 for side in _formula(width, height))
    longest = 200 * min(columns, rows)  # what Qwen's processors take at most; the formula does not know it
    assert SmartResize().fit(width, height) == (28 * min(columns, longest), 28 * min(rows, longest))
