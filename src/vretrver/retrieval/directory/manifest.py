"""What an index directory says of itself, and the names of its files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal

from ...errors import DataError

FORMAT = 1
"""Version of the directory's layout; others are refused."""

DATABASE = "items.sqlite"
"""Items, metadata and manifest; what it does not know of is not in the index."""

LOCK = "lock"
"""Held by the one process that writes."""

Kind = Literal["text", "number", "truth"]
"""Kind of a metadata field: strings, numbers, true and false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A metadata field that filters may use."""

    column: str
    """Its column in the table of fields, `f0`, `f1` and so on."""
    kind: Kind
    """What its values are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approximate:
    """A structure for approximate search, and how well it was measured to find."""

    file: str
    """Its file in the directory."""
    covered: int
    """Slots below this are in it; later ones are searched exactly."""
    lists: int
    """Cells the vectors are sorted into."""
    probes: int
    """Cells read for a query."""
    recall: float
    """Share of the exact 50 best that were found, mean over the sample."""
    sample: int
    """Stored vectors that were asked as queries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The state of an index directory at one commit."""

    fingerprint: str
    """Fingerprint of the encoder that made the vectors."""
    dimension: int
    """Length D of a vector."""
    encoder: str = ""
    """Name the encoder was asked for by; empty when the vectors were imported from elsewhere."""
    roots: Mapping[str, str] = field(default_factory=dict)
    """Root name -> folder of pictures as `stored_root` writes it."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    """Metadata fields by name, in the order they were first seen."""
    created: str = ""
    """When, UTC."""
    package: str = ""
    """Version of this package that made it."""
    generation: int = 0
    """Number of compactions; part of the vector file's name."""
    version: int = 0
    """Number of commits."""
    slots: int = 0
    """Vectors committed, dead ones included; what the file holds beyond them is ignored."""
    longest: float = 0.0
    """Upper bound of the vectors' lengths."""
    approximate: Approximate | None = None
    """The structure for approximate search, if one was built for this generation."""
    format: int = FORMAT
    """Version of the layout."""

    @property
    def stride(self) -> int:
        """Bytes of one vector."""
        return 4 * self.dimension

    @property
    def vector_file(self) -> str:
        """Name of the vector file."""
        return f"vectors-{self.generation}.f32"

    def places(self, directory: Path) -> dict[str, Path | str]:
        """Return where the pictures of an index at `directory` lie: folders, or URLs of stores."""
        return {name: root if "://" in root else directory / root for name, root in self.roots.items()}

    def to_json(self) -> str:
        """Return the manifest as stored."""
        return json.dumps(asdict(self))


def stored_root(root: Path | str, directory: Path) -> str:
    """Return a root as it is stored: a folder relative to the index directory, a URL as it is."""
    if "://" in str(root):
        return str(root)
    return Path(os.path.relpath(Path(root).resolve(), directory.resolve())).as_posix()


def manifest_from_json(text: str, *, where: Path) -> Manifest:
    """Read a stored manifest; raises DataError for another format or a damaged one."""
    try:
        value = json.loads(text)
        found = value["format"]
        if found != FORMAT:
            raise DataError(f"{where}: index format {found}, but this version reads {FORMAT}; index again")
        value["fields"] = {name: Field(**item) for name, item in value["fields"].items()}
        if value["approximate"] is not None:
            value["approximate"] = Approximate(**value["approximate"])
        return Manifest(**{item.name: value[item.name] for item in fields(Manifest)})
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise DataError(f"{where}: the manifest is damaged ({error}); index again") from error
