"""The text layer of a page as its file holds it: nothing is cleaned or judged here."""

from __future__ import annotations

from dataclasses import dataclass

LayerRun = tuple[str, float, float, float, float]
"""A stretch of text on one line and where it stands: left, top, right, bottom in pixels of the page as rendered. The
text may hold anything; the box may lie outside of the page or be empty."""

HYPHEN = "\u0002"
"""Stands at the end of a run whose word goes on in the next one, in the place of its hyphen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLayer:
    """The text of one page."""

    runs: tuple[LayerRun, ...]
    """In the order of the file; what form fields and typed notes show comes last."""
    size: tuple[int, int]
    """Width and height of the page in pixels."""
    covered: float
    """Share of the page under its largest picture, from 0 to 1."""
