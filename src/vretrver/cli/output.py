"""What commands print: JSON and tables on stdout, messages and progress on stderr."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from .._text import printable
from ..errors import ConfigError, DataError
from ..files import open_regular


def emit_json(value: Any) -> None:
    """Print one JSON value on one line, letters escaped where the output's encoding may not know them."""
    typer.echo(json_text(value), nl=False)


def json_text(value: Any) -> str:
    """Return one JSON value as a line, letters escaped where the output's encoding may not know them."""
    return harmless_json(json.dumps(value, ensure_ascii=not _knows_all_letters())) + "\n"


def harmless_json(text: str) -> str:
    """Return a JSON value of one line, JSON's own escapes put for signs that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)


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
    typer.echo(table_text(header, rows), nl=False)


def table_text(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return columns separated by two spaces, numbers to the right, as lines."""
    cells = [[printable(str(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    right = [
        bool(rows) and all(isinstance(row[column], int | float) for row in rows) for column in range(len(header))
    ]
    lines = (
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        for row in cells
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def note(message: str) -> None:
    """Print a message for the person at the terminal, on one line."""
    typer.echo(printable(message), err=True)


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
