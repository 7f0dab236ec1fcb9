"""What a watcher of a run is told, as it happens, on the driver's thread. An exception of a watcher ends the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .messages import Message
from .task import WindowTask
from .trajectory import Trajectory, Turn


@dataclass(frozen=True, slots=True)
class WindowBegan:
    """A window is about to ask for its first turn."""

    session: str
    """The session's name."""
    task: WindowTask
    """Query and candidates."""
    messages: tuple[Message, ...]
    """What the model is shown before its first turn."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn ended, and its calls were carried out."""

    session: str
    """The session's name."""
    number: int
    """The turn, from 0."""
    turn: Turn
    """The turn as it is recorded."""


@dataclass(frozen=True, slots=True)
class WindowEnded:
    """A window ended."""

    session: str
    """The session's name."""
    trajectory: Trajectory
    """Its record."""


@dataclass(frozen=True, slots=True)
class WindowKnown:
    """A window is not asked: its record was kept by an earlier run. No other event tells of it."""

    session: str
    """The session's name, as it would be."""
    task: WindowTask
    """Query and candidates."""
    trajectory: Trajectory
    """The record, with the name of the session that made it."""


Event = WindowBegan | TurnEnded | WindowEnded | WindowKnown
Watch = Callable[[Event], None]
"""Is told of every event."""


def ignore(event: Event) -> None:
    """Watch nothing."""
