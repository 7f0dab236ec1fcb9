"""`vretrver add` and `vretrver delete`: single items of an index directory, by file, by row and by id."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError, DataError
from .confirmed import TrustOption
from .models import ENCODERS, DeviceOption
from .output import emit_json, note
from .progress import counted, progress
from .texts import note_texts

_NAMED = 20

IndexArgument = Annotated[Path, typer.Argument(help="An index directory.")]


def add(
    index: IndexArgument,
    items: Annotated[
        list[str],
        typer.Argument(
            metavar="ITEM...",
            help="Pictures or documents in the index's folders; rows as JSON objects, or a table of them, with its "
            "columns.",
        ),
    ],
    encoder: Annotated[str | None, typer.Option(help=f"Where the index names none. {ENCODERS}")] = None,
    device: DeviceOption = None,
    trust: TrustOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Put single items into an index; one whose id is there is replaced. Nothing else is read again."""
    from dataclasses import asdict

    from ..assembly.adding import add_items, target_of
    from ..assembly.confirmed import confirmed_encoder
    from ..assembly.index_texts import bring_texts_and_words
    from ..assembly.left_out import not_encoded
    from ..retrieval.encoders import encoder_named

    target = target_of(index, trust=trust, note=note)
    name = encoder or confirmed_encoder(target.manifest.encoder, where=index, note=note, trust=trust)
    if not name:
        raise ConfigError(f"{index}: its vectors were imported; name their --encoder")
    used = encoder_named(name, target.images, device=device or "auto")
    with progress("adding", unit="items") as update:
        report = add_items(target, items, used, progress=lambda done: update(done, 0))
    mode = target.manifest.read_text
    texts, _ = bring_texts_and_words(index, target.images, mode=mode, note=note, progress=counted)
    note_texts(texts)
    for sentence in not_encoded(report.refused):
        note(sentence)
    done = {"index": str(index), **asdict(report), "refused": len(report.refused)}
    if as_json:
        emit_json(done)
    else:
        note(", ".join(f"{name} {value}" for name, value in done.items() if value != 0))
    if report.refused and not (report.encoded or report.copied or report.described or report.unchanged):
        raise DataError(f"{index}: nothing was added; {report.refused[0].did}: {report.refused[0].reason}")


def delete(
    index: IndexArgument,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of items, as search and info show them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Remove items from an index by id. What its sources still have comes back with the next `vretrver index`."""
    from ..assembly.index_texts import bring_words
    from ..retrieval.directory.writer import IndexWriter

    with IndexWriter(index) as writer:
        with writer.database.reading():
            known = writer.database.rows(ids)
        unknown = [did for did in dict.fromkeys(ids) if did not in known]
        if not known:
            raise DataError(f"{index}: none of the ids is in it, {unknown[0]!r} being the first; nothing was deleted")
        deleted = writer.delete(list(known))
        left = len(writer.live_slots())
    bring_words(index, note=note, progress=counted)
    for did in unknown[:_NAMED]:
        note(f"not in the index: {did}")
    if len(unknown) > _NAMED:
        note(f"not in the index: {len(unknown) - _NAMED} more")
    if as_json:
        emit_json({"index": str(index), "deleted": deleted, "unknown": unknown, "items": left})
    else:
        note(f"index {index}, deleted {deleted}, {f'unknown {len(unknown)}, ' if unknown else ''}items {left}")
