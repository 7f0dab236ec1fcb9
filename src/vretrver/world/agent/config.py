"""Settings of a supervised run on the expert's trajectories."""

from __future__ import annotations

from pydantic import Field

from ...training.sft.config import SftConfig


class LessonsConfig(SftConfig):
    """A supervised run on trajectories that the scripted expert may have written."""

    sign_weight: float = Field(default=1.0, gt=0)
    """Weight of the + or - after every mark that was read: comparison has to be learned separately."""
