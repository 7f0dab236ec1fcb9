"""How items are stored in the database: parts and metadata as JSON, and the hash of what an encoder sees."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import DataError
from ...records import Candidate, ImagePart, ImageRef, Part, TextPart
from .dates import is_date
from .manifest import FieldKind

Value = str | int | float | bool | None
"""Value of a metadata field."""

_LARGEST = 2**63 - 1
_OF_TEXT = {"text": str}
_OF_PICTURE = {"path": str, "root": str, "page": int, "sha256": str, "width": int, "height": int}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row about to be stored."""

    did: str
    """The candidate."""
    content: bytes | None
    """Hash of what was encoded; None for a vector without an item."""
    parts: str | None
    """Parts as JSON; None for a vector without an item."""
    metadata: str
    """All metadata as JSON."""
    values: Mapping[str, Value]
    """The same metadata, for the columns that filters use."""


def entry_of(candidate: Candidate, content: bytes) -> Entry:
    """Return the row of a candidate.

    Raises:
        DataError: the did or a metadata value cannot be stored; the message names it.
    """
    metadata = dict(candidate.metadata)
    for name, value in metadata.items():
        if not _fits(name) or not _fits(value):
            raise DataError(f"{candidate.did!r}: metadata {name!r} is {value!r}, which cannot be stored; correct it")
    if not _fits(candidate.did):
        raise DataError(f"did {candidate.did!r} is not valid text; rename the item")
    return Entry(
        did=candidate.did,
        content=content,
        parts=parts_to_json(candidate.parts),
        metadata=json.dumps(metadata),
        values=metadata,
    )


def bare_entry(did: str) -> Entry:
    """Return the row of a vector without an item."""
    return Entry(did=did, content=None, parts=None, metadata="{}", values={})


def kind_of(value: str | int | float | bool) -> FieldKind:
    """Return the kind of a metadata value."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, str):
        return "date" if is_date(value) else "text"
    return "number"


def kind_with(known: FieldKind | None, value: str | int | float | bool) -> FieldKind | None:
    """Return the kind of a field once it also holds a value: dates and other texts are texts; None for two kinds."""
    kind = kind_of(value)
    if known is None or kind == known:
        return kind
    return "text" if {known, kind} == {"text", "date"} else None


def content_hash(candidate: Candidate) -> bytes:
    """Return the hash of what an encoder sees: texts, and the pictures' bytes and pages, in order; not their paths.

    Raises:
        ValueError: a picture was not read yet and so has no hash; see `ImageStore.pin`.
    """
    seen: list[tuple[str, str, int]] = []
    for part in candidate.parts:
        if isinstance(part, TextPart):
            seen.append(("text", part.text, 0))
        elif part.image.sha256 is None:
            raise ValueError(f"picture {part.image} has no hash yet; pin it first")
        else:
            seen.append(("image", part.image.sha256, part.image.page))
    return hashlib.sha256(json.dumps(seen).encode()).digest()


def parts_to_json(parts: tuple[Part, ...]) -> str:
    """Return parts as JSON, fields at their defaults left out."""
    return json.dumps([_part_to_dict(part) for part in parts])


def parts_from_json(text: str) -> tuple[Part, ...]:
    """Read stored parts; raises ValueError, TypeError or RecursionError for what `parts_to_json` does not write."""
    items = json.loads(text)
    if not isinstance(items, list) or not items:
        raise ValueError("parts that are not a list of texts and pictures")
    return tuple(_part_from(item) for item in items)


def candidate_from_row(did: str, parts: str, metadata: str) -> Candidate:
    """Return the candidate of a row; raises DataError for a row this package did not write."""
    try:
        values = json.loads(metadata)
        if not isinstance(values, dict) or not all(isinstance(value, Value) for value in values.values()):
            raise ValueError("metadata that are not texts, numbers and truths")
        if not isinstance(did, str):
            raise ValueError("an id that is not a text")
        return Candidate(did=did, parts=parts_from_json(parts), metadata=values)
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"item {str(did)[:60]!r}: its row is damaged ({str(error)[:100]}); index again") from error


def _part_from(item: object) -> Part:
    """Return a part; raises ValueError or TypeError for an object that is not one."""
    if not isinstance(item, dict):
        raise ValueError("a part that is not an object")
    kinds = _OF_TEXT if "text" in item else _OF_PICTURE
    for name, value in item.items():
        if type(value) is not kinds.get(name) or (isinstance(value, int) and not 0 <= value <= _LARGEST):
            raise ValueError(f"a part whose {str(name)[:40]} is {str(value)[:40]!r}")
    return TextPart(**item) if "text" in item else ImagePart(image=ImageRef(**item))


def _part_to_dict(part: Part) -> dict[str, str | int]:
    if isinstance(part, TextPart):
        return {"text": part.text}
    image = part.image
    optional: dict[str, str | int | None] = {
        "root": image.root,
        "page": image.page,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
    }
    return {"path": image.path, **{name: value for name, value in optional.items() if value}}


def _fits(value: Value) -> bool:
    """Return whether SQLite can hold a value: valid text, whole numbers of 64 bits, finite numbers."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
    elif isinstance(value, int):
        return abs(value) <= _LARGEST
    return not isinstance(value, float) or math.isfinite(value)
