"""Settings of an experiment on looks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ...config import Section

ArmName = Literal[
    "agent",
    "complete-answers",
    "oracle-boxes",
    "fake-looks",
    "whole-candidates",
    "whole-taught",
    "no-tools",
    "larger-thumbnails",
]
"""Arms; see `arms`."""


class LooksConfig(Section):
    """An experiment on looks."""

    agent: Path
    """Folder of the agent."""
    twin: Path | None = None
    """Folder of the twin, trained without tools; the arms without tools need it."""
    taught: Path | None = None
    """Folder of an agent that was taught to rank pictures shown whole, without looks; `whole-taught` needs it."""
    encoder: str
    """The coarse stage, as `lamra:FOLDER`."""
    gallery: Path
    """Gallery of the catalogue that is searched; its seed differs from all training seeds. All its items are the
    pool."""
    queries: int = Field(500, ge=1)
    """Queries of each task shape, spread over the items."""
    shapes: tuple[int, ...] = (0, 4, 7)
    """Task shapes."""
    windows: tuple[Annotated[int, Field(ge=1, le=50)], ...] = (5, 10, 20)
    """Sizes of windows, each with the right candidate in it; the largest is also scored end to end. The coarse stage
    brings 50."""
    arms: tuple[ArmName, ...] = ("agent", "oracle-boxes", "fake-looks")
    """What is compared."""
    larger_tokens: int = Field(16, ge=1)
    """Visual tokens a candidate in the arm `larger-thumbnails`: what the agent spends on one, looks included."""
    whole_tokens: int = Field(576, ge=1)
    """Visual tokens of a candidate in the two arms that show it whole: the native 768 px."""
    in_flight: int = Field(64, ge=1)
    """Sessions at once."""
    workers: int = Field(2, ge=1)
    """Processes; the cells are divided among them."""
    threads: int = Field(1, ge=1)
    """Threads of torch in each process."""
    device: str = "cpu"
    """Where models run, as torch names it."""
    seed: int = 0
    """Seed of the bootstrap."""
