"""What a supervised run on the expert's trajectories is told."""

from __future__ import annotations

from pydantic import Field

from ...training.sft.config import SftConfig


class LessonsConfig(SftConfig):
    """A supervised run on trajectories that the scripted expert may have written."""

    sign_weight: float = Field(default=1.0, gt=0)
    """Weight of the + or - behind every mark that was read: comparing is a thing of its own to learn."""
