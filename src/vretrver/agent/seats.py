"""What a driver keeps of each running."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .effects import Running

R = TypeVar("R")


@dataclass(slots=True, eq=False)
class Seat(Generic[R]):
    """A running in a driver; what `Driver.start` returns is only good for `Driver.cancel`."""

    running: Running[R]
    done: Callable[[R], None] | None = None
    failed: Callable[[Exception], None] | None = None
    parent: Seat[Any] | None = None
    number: int = 0
    session: str = ""
    work: Future[Any] | None = None
    children: dict[int, Seat[Any]] = field(default_factory=dict)
    ended: deque[tuple[tuple[int, Any], Exception | None]] = field(default_factory=deque)
    awaits: bool = False
    started: int = 0
    cancelled: bool = False
    over: bool = False
