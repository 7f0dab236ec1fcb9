"""How far a piece of work is, on stderr: its name, how many of how many, how many a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from .output import note

if TYPE_CHECKING:
    from rich.progress import Progress

QUIET_SECONDS = 2.0
"""Progress is shown only when the work takes longer."""

LINE_SECONDS = 30.0
"""Where stderr is no terminal, as in a log file, a line is written so often."""


_UNITS = {"indexing": "files", "reading text": "pages", "words": "items"}


def counted(what: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Show the progress of a step of indexing, as `progress` does, with what that step counts."""
    return progress(what, unit=_UNITS[what])


@contextmanager
def progress(what: str, *, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """Show progress on stderr: a bar at a terminal, a line now and then elsewhere.

    Args:
        what: what is done, as in `indexing`.
        unit: what is counted, as in `files`.

    Yields:
        A function that takes (done, total); a total of 0 is one that is not known.
    """
    from rich.console import Console

    console = Console(stderr=True)
    shown = _Bar(what, unit, console) if console.is_terminal else _Lines(what, unit)
    try:
        yield shown.update
    finally:
        shown.close()


def told(what: str, unit: str, done: int, total: int, seconds: float) -> str:
    """Return where a piece of work is, as in `indexing: 512 of 2,000 files, 38 a second`."""
    of = f" of {total:,}" if total else ""
    rate = f", {_rate(done / seconds)} a second" if done and seconds > 0 else ""
    return f"{what}: {done:,}{of}{f' {unit}' if unit else ''}{rate}"


def rate_of(count: int, seconds: float) -> str:
    """Return a rate as people say it: a number a second, or the seconds each takes where that is more than one."""
    each = seconds / max(count, 1)
    return f"{each:.1f} s each" if each >= 1 else f"{1 / max(each, 1e-4):.0f} a second"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


class _Lines:
    """Lines for a log."""

    def __init__(self, what: str, unit: str) -> None:
        self._what, self._unit = what, unit
        self._started = self._last = time.monotonic()

    def update(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= LINE_SECONDS:
            self._last = now
            note(told(self._what, self._unit, done, total, now - self._started))

    def close(self) -> None:
        """Leave the lines where they are."""


class _Bar:
    """A bar at a terminal, gone when the work is done."""

    def __init__(self, what: str, unit: str, console: object) -> None:
        self._what, self._unit, self._console = what, unit, console
        self._started = time.monotonic()
        self._bar: Progress | None = None

    def update(self, done: int, total: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        seconds = time.monotonic() - self._started
        if self._bar is None:
            if seconds <= QUIET_SECONDS:
                return
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)  # type: ignore[arg-type]
            self._bar.add_task(self._what)
            self._bar.start()
        said = told(self._what, self._unit, done, total, seconds)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total or None, description=said)
        if total and done >= total:
            self._bar.stop()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
