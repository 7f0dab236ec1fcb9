"""The sizes at which the small models are shown pictures, in training and ever after."""

from __future__ import annotations

from ..agent.bench import Views
from ..geometry import PixelBudget
from .gallery import SELECT, THUMBNAIL

VIEWS = Views(query=THUMBNAIL, candidate=THUMBNAIL, select=SELECT, zoom=PixelBudget(tokens=16))
"""96 px thumbnails, where no detail can be seen; 256 px when selected; 128 px regions at full scale."""
