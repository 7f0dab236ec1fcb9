"""What a running may ask of the driver: a turn of the policy, work done elsewhere, a child, or the next child's end.

A running is a generator of effects with a result of any kind. `yield from` composes runnings one after another;
`Start` lets several go on side by side, over the same policy.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from .policy import Request

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Do:
    """Do work that is not a turn: open pictures, run a tool, write a record. Sent back: what it returns."""

    work: Callable[[], Any]
    """Called once, on another thread where the driver has a pool. Its exception is thrown into the running."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start a child. Sent back: its number, from 1. A child ends, at the latest, with its parent."""

    running: Generator[Any, Any, Any]
    """What the child does."""


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for the next child that ends. Sent back: (number, result); a child's exception is thrown in."""


Effect = Request | Do | Start | Await
Running = Generator[Effect, Any, R]
"""A session, or several one after another or side by side, with a result of any kind."""
