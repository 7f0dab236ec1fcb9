"""What a running may ask of the driver: a turn of the policy, work done elsewhere, a child, or the next child's end.

A running is a generator of effects with a result of any kind. `yield from` composes runnings one after another;
`Start` lets several go on side by side, over the same policy.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from .policy import FinishReason, Request

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Do:
    """Do work that is not a turn: open pictures, run a tool, write a record. Sent back: what it returns."""

    work: Callable[[], Any]
    """Called at most once, elsewhere where the driver has a pool; its exception is thrown into the running."""
    deadline: float | None = None
    """Seconds on the driver's clock (`time.monotonic()` unless it was given another) after which the work is waited
    for no longer; None is no deadline."""
    lasting: bool = False
    """Whether it is done even when nobody waits for it: a record that was paid for is kept. Other work that has not
    begun when its running is cancelled or its deadline passes is never begun."""


class WorkAbandoned(Exception):
    """Thrown into a running in place of what its `Do` would have brought: nobody waits for the work any more.

    Work that hangs goes on by itself, and what it comes to is dropped.

    Args:
        finish: CANCELLED or DEADLINE.
    """

    def __init__(self, finish: FinishReason) -> None:
        super().__init__(f"the work is waited for no longer: {finish}")
        self.finish = finish


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
