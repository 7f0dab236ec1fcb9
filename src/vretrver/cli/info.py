"""`vretrver info`: what an index directory holds, who is writing to it, with --check its pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..trust import unconfirmed
from .confirmed import TrustOption
from .output import emit_json, emit_table, note

if TYPE_CHECKING:
    from ..retrieval.directory.index import DirectoryIndex

_NAMED = 20


def info(
    directory: Annotated[Path, typer.Argument(help="An index directory.")],
    check: Annotated[bool, typer.Option("--check", help="Read every picture: which are gone or changed?")] = False,
    trust: TrustOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what an index holds; with --check, whether its pictures are still the ones that were encoded."""
    from ..assembly.confirmed import remember_pictures
    from ..doctor.index_abilities import index_abilities
    from ..retrieval.directory.index import DirectoryIndex

    with DirectoryIndex(directory) as opened:
        searched = index_abilities(directory, opened.manifest)
        if trust:
            remember_pictures(opened.directory, opened.manifest.places(opened.directory), note=note)
        facts = {**_facts(opened), **searched, "pictures": _pictures(opened) if check else None}
    if as_json:
        emit_json(facts)
    else:
        facts["pictures"] = facts["pictures"] or "not read; --check reads them"
        emit_table(("what", "value"), [(name, _shown(value)) for name, value in facts.items()])


def _facts(opened: DirectoryIndex) -> dict[str, object]:
    from dataclasses import asdict

    manifest, live, holder = opened.manifest, len(opened), opened.holder
    return {
        "items": live,
        "dead": manifest.slots - live,
        "dimension": manifest.dimension,
        "encoder": manifest.encoder or "imported",
        "fingerprint": manifest.fingerprint,
        "fields": {name: field.kind for name, field in manifest.fields.items()},
        "sources": [_normal(opened.directory / one.path) for one in manifest.sources],
        "roots": {name: _normal(place) for name, place in manifest.places(opened.directory).items()},
        "approximate": asdict(manifest.approximate) if manifest.approximate else None,
        "megabytes": round(sum(path.lstat().st_size for path in opened.directory.iterdir()) / 2**20, 1),
        "created": manifest.created,
        "generation": manifest.generation,
        "writer": str(holder) if holder else None,
    }


def _pictures(opened: DirectoryIndex) -> dict[str, int]:
    """Return how many pictures were read, and how many are gone or changed; names the first of those.

    None is read while a folder outside of the index is not confirmed.
    """
    from ..assembly.confirmed import unconfirmed_sentence
    from ..images import ImageStore
    from ..retrieval.directory.check import check_pictures

    roots = opened.manifest.places(opened.directory)
    if foreign := unconfirmed(opened.directory, roots):
        note(f"pictures are not read: {unconfirmed_sentence(opened.directory, foreign)}")
        return {"read": 0, "gone": 0, "changed": 0}
    if not roots:
        return {"read": 0, "gone": 0, "changed": 0}
    found = check_pictures(opened.items(), ImageStore(roots, cache_bytes=0))
    for state, dids in (("gone", found.gone), ("changed", found.changed)):
        for did in dids[:_NAMED]:
            note(f"{state}: {did}")
    return {"read": found.looked, "gone": len(found.gone), "changed": len(found.changed)}


def _normal(place: Path | str) -> str:
    """Return a folder without steps up and down, a store as it is."""
    return os.path.normpath(place) if isinstance(place, Path) else place


def _shown(value: object) -> str:
    """Return a value on one line."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "not remembered"
    if isinstance(value, dict):
        return ", ".join(f"{name or 'default'}: {item}" for name, item in value.items()) or "none"
    return "none" if value is None else str(value)
