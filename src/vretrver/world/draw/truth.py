"""What is true of a catalogue's pictures, kept beside the data and never shown to a model: `evidence.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...data.rows import picture_path, read_objects
from ...errors import DataError

EVIDENCE_FILE = "evidence.jsonl"
"""Name of the file in a catalogue's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """What one picture shows, and where its label is."""

    path: str
    """Path of the picture, relative to the catalogue."""
    did: str | None
    """Id of the candidate that is this picture alone; None for pictures of queries."""
    family: int
    """Number of the family."""
    twin: int
    """Which of the five twins, 0 .. 4."""
    detail: str
    """What the label says, in words."""
    box: tuple[int, int, int, int]
    """The label in native pixels: left, top, right, bottom (right and bottom outside)."""

    def to_row(self) -> dict[str, object]:
        """Return the line of the file."""
        return {
            "img_path": self.path,
            "did": self.did,
            "family": self.family,
            "twin": self.twin,
            "detail": self.detail,
            "box": list(self.box),
        }


def load_evidence(path: Path) -> dict[str, EvidenceRow]:
    """Read an evidence file.

    Returns:
        picture path -> evidence, in the order of the file.

    Raises:
        DataError: naming path:line, for a malformed line or a picture that appears twice.
    """
    loaded: dict[str, EvidenceRow] = {}
    for where, row in read_objects(path):
        evidence = _parsed(where, row)
        if evidence.path in loaded:
            raise DataError(f"{where}: picture {evidence.path!r} appears twice; remove one of its lines")
        loaded[evidence.path] = evidence
    return loaded


def _parsed(where: str, row: Mapping[str, object]) -> EvidenceRow:
    match row:
        case {
            "img_path": str(path),
            "did": str() | None as did,
            "family": int(family),
            "twin": int(twin),
            "detail": str(detail),
            "box": [int(left), int(top), int(right), int(bottom)],
        } if left < right and top < bottom:
            return EvidenceRow(
                path=picture_path(path, where),
                did=did,
                family=family,
                twin=twin,
                detail=detail,
                box=(left, top, right, bottom),
            )
        case _:
            raise DataError(
                f"{where}: a line needs img_path, did, family, twin, detail and box [left, top, right, bottom], "
                f"got {dict(row)!r}; write the catalogue again"
            )
