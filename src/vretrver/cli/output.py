"""What commands print: JSON and tables on stdout, messages and progress on stderr."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from ..errors import ConfigError, DataError
from ..files import open_regular

QUIET_SECONDS = 2.0
"""A progress bar appears only when the work takes longer."""


def emit_json(value: Any) -> None:
    """Print one JSON value on one line, letters escaped where the output's encoding may not know them."""
    typer.echo(json.dumps(value, ensure_ascii=not _knows_all_letters()))


def _knows_all_letters() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")


def tolerate_letters() -> None:
    """From now on show letters that the output's encoding does not know as escapes, instead of breaking off."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def prepare_output(file: Path | None) -> None:
    """Make sure that a file can be written before work is done for it; folders above it are made.

    Raises:
        DataError: it cannot be written, or is a folder, a device or a pipe.
    """
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            os.close(open_regular(file, os.O_RDWR))
            return
        with tempfile.TemporaryFile(dir=file.parent):
            return
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror or error}; choose another file") from error


def emit_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns separated by two spaces, numbers to the right, so that they can be cut and sorted."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    right = [
        bool(rows) and all(isinstance(row[column], int | float) for row in rows) for column in range(len(header))
    ]
    for row in cells:
        aligned = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        typer.echo("  ".join(aligned).rstrip())


def note(message: str) -> None:
    """Print a message for the person at the terminal."""
    typer.echo(message, err=True)


def refuse_foreign(out: Path, *, ours: Sequence[str], what: str, option: str) -> None:
    """Refuse to write among others' files.

    Args:
        out: the folder to write into; one that is empty or not there is fine.
        ours: names one of which a folder of this kind holds from its first moment.
        what: the kind, for messages.
        option: the option that names the folder.

    Raises:
        ConfigError: the folder holds something, and nothing of this kind.
    """
    if out.is_dir() and not any((out / name).exists() for name in ours):
        foreign = min((path.name for path in out.iterdir()), default=None)
        if foreign is not None:
            raise ConfigError(
                f"{out}: the folder holds {foreign} and no {what}; name a new folder with {option}, "
                f"as in {os.path.normpath(out)}.{what}"
            )


def rate_of(count: int, seconds: float) -> str:
    """Return a rate as people say it: a number a second, or the seconds each takes where that is more than one."""
    each = seconds / max(count, 1)
    return f"{each:.1f} s each" if each >= 1 else f"{1 / max(each, 1e-4):.0f} a second"


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress on stderr once the work takes longer than two seconds; nothing where stderr is no terminal.

    Yields a function that takes (done, total).
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    name, rate = TextColumn("{task.description}"), TextColumn("{task.fields[rate]}")
    columns = (name, BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(what, rate="")
    started = time.monotonic()
    shown = False

    def update(done: int, total: int) -> None:
        nonlocal shown
        if not shown and console.is_terminal and time.monotonic() - started > QUIET_SECONDS:
            bar.start()
            shown = True
        bar.update(task, completed=done, total=total, rate=rate_of(done, time.monotonic() - started))
        if shown and done >= total:
            bar.stop()

    try:
        yield update
    finally:
        if shown:
            bar.stop()
