"""The manifest of an index directory, and the names of its files.

Every value is checked at construction, and so also when a manifest is read: it may be a stranger's.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal

from ...errors import DataError
from ...text.files import READ_TEXT, ReadTextMode
from .sources import MOST_SOURCES, SourceRecord, source_from_json

FORMAT = 1
"""Version of the directory's layout; others are refused."""

DATABASE = "items.sqlite"
"""Items, metadata and manifest; what is not in it is not in the index."""

LOCK = "lock"
"""Held by the one process that writes."""

FieldKind = Literal["text", "number", "truth", "date"]
"""Kind of a metadata field: strings, numbers, true and false, and strings that are all dates in ISO form."""

FIELD_KINDS = ("text", "number", "truth", "date")
"""The same, as values."""

# Bounds far above any real index: a manifest beyond them is damaged or hostile.
_MOST = 2**48
_MOST_DIMENSION = 2**20
_MOST_TEXT = 2**16
_APPROXIMATE = re.compile(r"approximate-[0-9]{1,19}-[0-9]{1,19}\.faiss", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A metadata field that filters may use."""

    column: str
    """Its column in the table of fields, `f0`, `f1` and so on."""
    kind: FieldKind
    """What its values are."""

    def __post_init__(self) -> None:
        if self.kind not in FIELD_KINDS:
            raise ValueError(f"a field's kind is {_short(self.kind)}, not one of {', '.join(FIELD_KINDS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approximate:
    """A structure for approximate search, and its measured recall."""

    file: str
    """Its file in the directory, a bare name as `build_approximate` makes it."""
    covered: int
    """Slots below this are in it; later ones are searched exactly."""
    lists: int
    """Cells the vectors are sorted into."""
    probes: int
    """Cells read for a query."""
    recall: float
    """Share of the exact 50 best that were found, mean over the sample."""
    sample: int
    """Number of stored vectors that were used as queries."""

    def __post_init__(self) -> None:
        if not isinstance(self.file, str) or _APPROXIMATE.fullmatch(self.file) is None:
            raise ValueError(f"approximate.file is {_short(self.file)}, not a name this program gives to such a file")
        for name in ("covered", "lists", "probes", "sample"):
            _check_count(f"approximate.{name}", getattr(self, name))
        if not 1 <= self.probes <= self.lists:
            raise ValueError(f"approximate.probes is {self.probes}, not between 1 and the {self.lists} lists")
        _check_number("approximate.recall", self.recall, most=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The state of an index directory at one commit."""

    fingerprint: str
    """Fingerprint of the encoder that made the vectors."""
    dimension: int
    """Length D of a vector."""
    encoder: str = ""
    """Name of the encoder, as in `encoder_named`; empty when the vectors were imported."""
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
    read_text: ReadTextMode = "auto"
    """How much of the text on its pictures and pages is read; `auto` in indexes of earlier versions."""
    sources: tuple[SourceRecord, ...] = ()
    """What it was made of; empty for vectors without items, and in indexes of earlier versions."""
    format: int = FORMAT
    """Version of the layout."""

    def __post_init__(self) -> None:
        for name in ("fingerprint", "encoder", "created", "package"):
            _check_text(name, getattr(self, name))
        for name in ("dimension", "generation", "version", "slots", "format"):
            _check_count(name, getattr(self, name))
        if not 1 <= self.dimension <= _MOST_DIMENSION:
            raise ValueError(f"dimension is {self.dimension}, not between 1 and {_MOST_DIMENSION}")
        _check_number("longest", self.longest, most=math.inf)
        if not isinstance(self.roots, Mapping) or not isinstance(self.fields, Mapping):
            raise TypeError("roots or fields are not an object")
        for name, root in self.roots.items():
            _check_text("the name of a root", name)
            _check_text(f"root {name!r}", root)
        for place, (name, column) in enumerate(self.fields.items()):
            if column.column != f"f{place}":  # it is written into SQL
                raise ValueError(f"column {place} of field {_short(name)} is {_short(column.column)}, not f{place}")
        if self.read_text not in READ_TEXT:
            raise ValueError(f"read_text is {_short(self.read_text)}, not one of {', '.join(READ_TEXT)}")
        if len(self.sources) > MOST_SOURCES or len({one.key for one in self.sources}) < len(self.sources):
            raise ValueError(f"{len(self.sources)} sources, or two of one key")
        if self.approximate is not None and self.approximate.covered > self.slots:
            raise ValueError(f"approximate.covered is {self.approximate.covered} of {self.slots} slots")

    @property
    def stride(self) -> int:
        """Bytes of one vector."""
        return 4 * self.dimension

    @property
    def vector_file(self) -> str:
        """Name of the vector file."""
        return f"vectors-{self.generation}.f32"

    def places(self, directory: Path) -> dict[str, Path | str]:
        """Return where the pictures of an index at `directory` are: folders, or URLs of stores."""
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
            raise DataError(f"{where}: index format {_short(found)}, but this version reads {FORMAT}; index again")
        value["fields"] = {name: Field(**item) for name, item in value["fields"].items()}
        if value["approximate"] is not None:
            value["approximate"] = Approximate(**value["approximate"])
        value.setdefault("read_text", "auto")
        value["sources"] = tuple(source_from_json(one) for one in value.get("sources", ()))
        return Manifest(**{item.name: value[item.name] for item in fields(Manifest)})
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where}: the manifest is damaged ({error}); index again") from error


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or "\0" in value or len(value) > _MOST_TEXT:
        raise ValueError(f"{name} is {_short(value)}, not a text of at most {_MOST_TEXT} characters")


def _check_count(name: str, value: object) -> None:
    if type(value) is not int or not 0 <= value <= _MOST:
        raise ValueError(f"{name} is {_short(value)}, not a whole number from 0 to {_MOST}")


def _check_number(name: str, value: object, *, most: float) -> None:
    if type(value) not in (int, float) or not 0 <= value < math.inf or value > most:  # type: ignore[operator]
        raise ValueError(f"{name} is {_short(value)}, not a finite number from 0 to {most}")


def _short(value: object) -> str:
    """Return a value as it is quoted in messages."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
