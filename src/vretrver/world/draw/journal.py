"""The record of the pictures a run has written: lets a stopped run go on, and proves what was written.

One line per picture: path, SHA-256 of the file, SHA-256 of its decoded pixels, separated by tabs. The first line
says which catalogue it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from ...files import replace_file

JOURNAL_FILE = "pictures.tsv"
"""Name of the file in a catalogue's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A picture that was written."""

    path: str
    """Path relative to the catalogue."""
    file_sha256: str
    """Hash of the file's bytes."""
    pixels_sha256: str
    """Hash of the decoded pixels: 768 x 768 RGB bytes, row by row."""

    def line(self) -> str:
        """Return the journal's line, with its end."""
        return f"{self.path}\t{self.file_sha256}\t{self.pixels_sha256}\n"


def open_journal(directory: Path, title: str) -> dict[str, Written]:
    """Return the pictures that are there and whole, by path, and leave a journal of exactly these.

    A last line that was cut short is dropped, and so are pictures that are missing or were changed.

    Args:
        directory: the catalogue's folder; made if it is not there.
        title: the line that names the catalogue.

    Raises:
        DataError: the folder holds another catalogue, or cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{directory}: not a folder that can be written: {error.strerror or error}") from error
    file = directory / JOURNAL_FILE
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
    if lines and lines[0].endswith("\n") and lines[0] != f"{title}\n":
        raise DataError(
            f"{directory}: holds another catalogue ({lines[0].strip()}) than the one asked for ({title}); "
            "choose another folder or delete this one"
        )
    parsed = [tuple(line.rstrip("\n").split("\t")) for line in lines[1:] if line.endswith("\n")]
    entries = [Written(path=row[0], file_sha256=row[1], pixels_sha256=row[2]) for row in parsed if len(row) == 3]
    whole = {entry.path: entry for entry in entries if _is_whole(directory / entry.path, entry.file_sha256)}
    save_journal(directory, title, whole)
    return whole


def save_journal(directory: Path, title: str, written: Mapping[str, Written]) -> None:
    """Write the whole journal in the order of the paths."""
    lines = [f"{title}\n", *(written[path].line() for path in sorted(written))]
    replace_file(directory / JOURNAL_FILE, "".join(lines).encode())


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
