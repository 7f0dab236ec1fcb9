"""Files that a person names, as against those that rows name: what is named itself is opened, also through a link."""

from __future__ import annotations

from pathlib import Path

QUERY = "query"
"""Name of the root below which the query's picture is found; no folder of candidates is called so."""


def place_of_named(file: Path) -> tuple[Path, str]:
    """Return the folder and the name under which a file that was named itself is opened.

    Links that lead out of a root are refused, for rows must not reach what lies beside it. A person who names a link
    means what it leads to: the root is then the folder of that.
    """
    real = file.resolve()
    if real.parent == file.parent.resolve():
        return file.parent, file.name
    return real.parent, real.name
