"""Settings of a synthesis run."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, PositiveInt, model_validator

from ...config import Section


class WindowStage(Section):
    """Windows of one kind; stages follow one another, easy ones first."""

    windows: int = Field(ge=1)
    """How many."""
    sizes: dict[PositiveInt, PositiveInt] = Field(default={5: 1, 10: 1, 20: 1}, min_length=1)
    """Candidates in a window -> weight."""
    shapes: dict[int, PositiveInt] = Field(
        default={0: 6, 4: 5, 7: 5, 9: 2, 2: 2, 8: 2, 3: 2, 6: 1, 1: 3}, min_length=1
    )
    """Task shape -> weight."""
    misprinted: int = Field(default=7, ge=0, le=100)
    """Percentage of queries that ask for a detail no candidate has exactly: one mark differs, so that signs differ
    within a label and cannot be predicted from the sign before."""


class SynthesisConfig(Section):
    """A synthesis run: the expert over practice windows."""

    gallery: Path
    """Gallery of the training catalogue."""
    stages: tuple[WindowStage, ...] = Field(min_length=1)
    """The windows."""
    tools: bool = True
    """Give the expert tools; without them it ranks by what the thumbnails show, for the twin without tools."""
    whole_tokens: int | None = Field(default=None, ge=576)
    """Visual tokens of pictures that are shown at full scale from the start, instead of thumbnails: the expert reads
    the labels in them at once. Needs `tools: false`; 576 is the native 768 px, and labels are unreadable at fewer."""
    hurried: int = Field(default=0, ge=0, le=100)
    """Percentage of windows with fewer turns than usual: where the expert would still look, its answer is forced."""
    seed: int = 0
    """Seed of windows and flaws."""
    shard: int = Field(default=500, ge=1)
    """Windows of a file; a killed run loses only the files being written."""
    workers: int = Field(default=2, ge=1)
    """Processes."""

    @model_validator(mode="after")
    def _nothing_to_look_for(self) -> Self:
        if self.whole_tokens is not None and self.tools:
            raise ValueError("whole_tokens shows everything from the start; set tools to false with it")
        return self
