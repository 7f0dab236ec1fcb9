"""Which columns of a table hold what, and a candidate made of one row.

A declared type is applied, none is guessed: a column of a CSV file is text unless it is declared otherwise.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal, get_args

from ...errors import ConfigError, DataError
from ...records import Candidate, ImagePart, ImageRef, Part, TextPart
from ..names import is_name
from ..rows import picture_ref

Kind = Literal["text", "int", "float", "bool", "date"]
"""Types a metadata column may be declared as."""

Value = str | int | float | bool | None
"""A metadata value."""

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LARGEST = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataColumn:
    """A column kept as metadata."""

    name: str
    """Name in the table."""
    kind: Kind | None = None
    """Type its values are turned into; None keeps numbers, truth values and texts as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns of a table hold."""

    id: str
    """Column of the did."""
    text: tuple[str, ...] = ()
    """Columns of texts, shown in this order after the pictures."""
    image: tuple[str, ...] = ()
    """Columns of picture paths, shown in this order."""
    metadata: tuple[MetadataColumn, ...] = ()
    """Columns kept as metadata."""

    def __post_init__(self) -> None:
        """Refuse columns that make no candidate with ConfigError."""
        if not self.text and not self.image:
            raise ConfigError("no column holds text or pictures; name --text-columns, --image-columns, or both")
        for role in (self.text, self.image, tuple(column.name for column in self.metadata)):
            if len(set(role)) < len(role) or not all(role):
                raise ConfigError(f"columns {', '.join(role)}: name every column once")

    def of(self, table: Sequence[str]) -> Columns:
        """Return the columns by the names they have in a table.

        A name is taken as it is written; where the table has no such column, blanks around both are overlooked. A
        metadata column called `a:int` in the table is that column, not a column `a` of whole numbers. Raises
        ConfigError for a type that is not one of `Kind`.
        """
        bare: dict[str, str] = {}
        for name in table:
            bare.setdefault(name.strip(), name)

        def known(name: str) -> str:
            return name if name in table else bare.get(name.strip(), name)

        def kept(column: MetadataColumn) -> MetadataColumn:
            whole = known(f"{column.name}:{column.kind}")
            if column.kind is not None and known(column.name) not in table and whole in table:
                return MetadataColumn(name=whole)
            name, colon, kind = column.name.rpartition(":")
            if column.kind is None and colon and known(column.name) not in table and known(name) in table:
                raise ConfigError(
                    f"--metadata-columns {column.name}: unknown type {kind!r}; types are {', '.join(get_args(Kind))}"
                )
            return replace(column, name=known(column.name))

        return Columns(
            id=known(self.id),
            text=tuple(known(name) for name in self.text),
            image=tuple(known(name) for name in self.image),
            metadata=tuple(kept(column) for column in self.metadata),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, each once."""
        kept = (column.name for column in self.metadata)
        return tuple(dict.fromkeys((self.id, *self.text, *self.image, *kept)))


def columns_from(
    *,
    id_column: str | None,
    text: str | None,
    image: str | None,
    metadata: str | None,
    remembered: Columns | None = None,
) -> Columns | None:
    """Return the columns that the options of a command declare, or None where none is given.

    Args:
        id_column: one name.
        text: names separated by commas; one that holds a comma stands in double quotes.
        image: likewise.
        metadata: likewise, each with `:type` where one of `Kind` is wanted, as in `price:float`.
        remembered: columns that count where an option is not given.

    Raises:
        ConfigError: some are given and no id column, or they make no candidate.
    """
    if id_column is None and not (text or image or metadata):
        return remembered
    id_column = id_column or (None if remembered is None else remembered.id)
    if id_column is None:
        raise ConfigError("columns are declared and no --id-column; name the column of the ids")
    declared = tuple(_metadata_column(name) for name in _names(metadata))
    if remembered is None:
        return Columns(id=id_column, text=_names(text), image=_names(image), metadata=declared)
    return Columns(
        id=id_column,
        text=remembered.text if text is None else _names(text),
        image=remembered.image if image is None else _names(image),
        metadata=remembered.metadata if metadata is None else declared,
    )


def candidate_of(row: Mapping[str, object], columns: Columns, *, root: str) -> Candidate:
    """Return the candidate of a row; empty cells are skipped.

    Args:
        row: column -> value; a column that is missing counts as empty.
        columns: what the columns hold.
        root: name of the image root.

    Raises:
        DataError: the id is missing or no printable text, a value has the wrong type, a picture's path leaves its
            root or is a URL, or there is neither text nor a picture. The message names the column, not the row.
    """
    parts: list[Part] = []
    for name in columns.image:
        parts += [
            ImagePart(image=_picture(path, f"column {name!r}", root))
            for path in _texts(row.get(name), f"column {name!r}")
        ]
    for name in columns.text:
        parts += [TextPart(text=text) for text in _texts(row.get(name), f"column {name!r}")]
    if not parts:
        filled = ", ".join((*columns.image, *columns.text))
        raise DataError(f"neither text nor a picture in {filled}; fill one of them or leave the row out")
    metadata = {
        column.name: _metadata(row.get(column.name), column.kind, f"column {column.name!r}")
        for column in columns.metadata
    }
    return Candidate(did=_did(row.get(columns.id), columns.id), parts=tuple(parts), metadata=metadata)


def _names(option: str | None) -> tuple[str, ...]:
    """Return the names of an option as they are written, blanks around them included."""
    if not option:
        return ()
    try:
        (names,) = csv.reader([option.replace(', "', ',"')], strict=True)
    except (csv.Error, ValueError) as error:
        raise ConfigError(f"columns {option}: {error}; write names with commas between them") from error
    return tuple(names)


def _metadata_column(option: str) -> MetadataColumn:
    name, colon, kind = option.rpartition(":")
    for known in get_args(Kind):
        if colon and kind == known:
            return MetadataColumn(name=name, kind=known)
    return MetadataColumn(name=option)


def _did(value: object, name: str) -> str:
    did = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(did, str) or not is_name(did):
        raise DataError(f"column {name!r}: the id {value!r} is not one line of text or a whole number")
    return did


def _texts(value: object, where: str) -> Iterator[str]:
    """Yield the texts of a cell: one, or those of a list; numbers as they are written; nothing for an empty cell."""
    cells: Iterable[object] = value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
    for cell in cells:
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            continue
        if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal):
            held = f"{where} holds {_shown(cell)}; it must hold text, a number, or a list of them"
            if isinstance(cell, bytes) or (isinstance(cell, Mapping) and isinstance(cell.get("bytes"), bytes)):
                held += ": save the pictures as files and name their paths"
            raise DataError(held)
        if text := str(cell).strip():
            yield text


def _picture(value: str, where: str, root: str) -> ImageRef:
    if "://" in value:
        raise DataError(f"{where}: {value!r} is a URL, and nothing is fetched; save the picture and name its path")
    return picture_ref(value, where, root=root)


def _metadata(value: object, kind: Kind | None, where: str) -> Value:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, Decimal):
        value = float(value)
    elif isinstance(value, date | time):
        value = value.isoformat()
    if not isinstance(value, str | int | float):
        raise DataError(f"{where} holds {_shown(value)}; metadata is text, a number or a truth value")
    try:
        return _checked(value if kind is None else _converted(value, kind))
    except (ValueError, OverflowError) as error:
        wanted = {"date": "date, as 2019-06-01"}.get(kind or "", kind or "finite number of at most 64 bits")
        raise DataError(f"{where}: {_shown(value)} is no {wanted}") from error


def _converted(value: str | float, kind: Kind) -> Value:
    if kind == "text":
        return str(value)
    if isinstance(value, str) and not value.strip():
        return None
    if kind == "bool":
        known = _TRUTH.get(str(value).strip().lower())
        if known is None:
            raise ValueError("no truth value")
        return known
    if kind == "float":
        return float(value)
    if kind == "date":
        return _date(str(value).strip())
    if isinstance(value, float) and not value.is_integer():
        raise ValueError("no whole number")
    return int(value)


def _date(text: str) -> str:
    """Return a date, or a date and a time, in ISO form; raises ValueError for anything else."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return datetime.fromisoformat(text).isoformat()


def _checked(value: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not finite")
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise OverflowError("more than 64 bits")
    return value


def _shown(value: object) -> str:
    text = f"{len(value)} bytes" if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
