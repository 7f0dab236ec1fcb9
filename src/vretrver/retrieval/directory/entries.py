"""How items stand in the database: parts and metadata as JSON, and the hash of what an encoder sees."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import DataError
from ...records import Candidate, ImagePart, ImageRef, Part, TextPart
from .manifest import Kind

Value = str | int | float | bool | None
"""Value of a metadata field."""

_LARGEST = 2**63 - 1


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


def kind_of(value: str | int | float | bool) -> Kind:
    """Return the kind of a metadata value."""
    if isinstance(value, bool):
        return "truth"
    return "text" if isinstance(value, str) else "number"


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
    """Read stored parts."""
    return tuple(
        TextPart(text=item["text"]) if "text" in item else ImagePart(image=ImageRef(**item))
        for item in json.loads(text)
    )


def candidate_from_row(did: str, parts: str, metadata: str) -> Candidate:
    """Return the candidate of a row."""
    return Candidate(did=did, parts=parts_from_json(parts), metadata=json.loads(metadata))


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
