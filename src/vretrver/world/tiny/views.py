"""The sizes at which the small models are shown pictures, in training and ever after."""

from __future__ import annotations

from dataclasses import replace

from ...agent.bench import Views
from ...geometry import PixelBudget

THUMBNAIL = PixelBudget(tokens=9)
"""96 px, where no detail can be seen: the size the catalogue's gate was measured at."""

VIEWS = Views(query=THUMBNAIL, candidate=THUMBNAIL, select=PixelBudget(tokens=64), zoom=PixelBudget(tokens=16))
"""Thumbnails of queries and candidates; 256 px when selected; 128 px regions at full scale."""


def shown_at(tokens: int) -> Views:
    """Return sizes with pictures of queries and candidates at `tokens` visual tokens from the start."""
    size = PixelBudget(tokens=tokens)
    return replace(VIEWS, query=size, candidate=size)
