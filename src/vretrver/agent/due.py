"""Windows that are due, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .bench import Bench
from .memo import Memo, WindowKey, window_key
from .plans import Window
from .task import WindowTask
from .trajectory import Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWindow:
    """A window that can start now."""

    window: Window
    """The window of the plan."""
    task: WindowTask
    """Query and candidates."""
    bench: Bench
    """Its pictures."""
    key: WindowKey | None = None
    """What its record is kept under; None where nothing is kept."""
    known: Trajectory | None = None
    """Its record, where an earlier run kept it."""


def looked_up(due: Sequence[DueWindow], memo: Memo, agent: str, position: str) -> list[DueWindow]:
    """Return windows with their keys and what is known of them; pictures and records are read.

    Args:
        due: all windows of a round.
        memo: what is known.
        agent: as of `agent_key`.
        position: what the query had spent when they became due.
    """
    found: list[DueWindow] = []
    for one in due:
        key = window_key(one.task, one.bench.pin_all(), agent=agent, position=position)
        found.append(replace(one, key=key, known=memo.known(key)))
    return found
