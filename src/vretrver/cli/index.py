"""`vretrver index`: make an index directory of a source, bring it up to date, compact it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from ..files import refuse_filled
from .columns import IdColumn, ImageColumns, MaxMbOption, MetadataColumns, RootOption, TextColumns
from .confirmed import TrustOption
from .index_sources import SourceOptions, plan_of
from .models import ENCODERS, DeviceOption, note_default, note_shipped
from .output import emit_json, note
from .progress import progress
from .texts import ReadTextOption, index_words, read_index_texts

if TYPE_CHECKING:
    from ..images import ImageStore
    from ..retrieval.directory.precomputed import PrecomputedVectors
    from ..retrieval.directory.writer import IndexWriter
    from ..retrieval.encoder import Encoder


def index(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Folders of pictures and documents, a document, a table, or a pool of M-BEIR; default what the "
            "index was made of.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The index directory.")] = Path("index"),
    encoder: Annotated[
        str | None, typer.Option(help=f"What makes the vectors; default the index's, or hash. {ENCODERS}")
    ] = None,
    device: DeviceOption = None,
    root: RootOption = None,
    max_mb: MaxMbOption = None,
    id_column: IdColumn = None,
    text_columns: TextColumns = None,
    image_columns: ImageColumns = None,
    metadata_columns: MetadataColumns = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove items that SOURCE has no longer.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --delete: also when more than a tenth of the index goes.")
    ] = False,
    moved: Annotated[bool, typer.Option("--moved", help="The pictures lie where SOURCE is now.")] = False,
    trust: TrustOption = False,
    batch_size: Annotated[int, typer.Option(help="Items encoded and committed at once.", min=1)] = 64,
    vectors: Annotated[Path | None, typer.Option(help="Import vectors: a .npy or .parquet file.")] = None,
    ids: Annotated[str | None, typer.Option(help="Their ids: a file, one a line; for parquet a column.")] = None,
    vector_column: Annotated[str, typer.Option(help="For parquet: the column of the vectors.")] = "vector",
    made_by: Annotated[str, typer.Option(help="What made them, when it is no encoder known here.")] = "elsewhere",
    normalise: Annotated[bool, typer.Option("--normalise", help="Bring imported vectors to length 1.")] = False,
    read_text: ReadTextOption = None,
    compact: Annotated[bool, typer.Option("--compact", help="At the end, drop dead vectors.")] = False,
    approximate: Annotated[bool, typer.Option("--approximate", help="At the end, build approximate search.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Index sources: encode what is new or changed, keep the rest. Stopped at any moment, run it again to go on.

    The index remembers its sources, their columns and folders: `vretrver index -o INDEX` brings it up to date.
    """
    from ..assembly.confirmed import confirmed_encoder, remember_encoder
    from ..assembly.index_texts import prune_texts
    from ..assembly.indexing import known_index, read_text_of, update_from
    from ..assembly.opened_sources import open_plan
    from ..retrieval.directory.fresh import no_empty_index
    from ..retrieval.directory.manifest import DATABASE, LOCK
    from ..retrieval.directory.precomputed import read_vectors
    from ..retrieval.directory.writer import IndexWriter
    from ..retrieval.encoders import lasting_name
    from ..text.files import checked_mode
    from ..text.reading import ocr_at_hand

    told = None if read_text is None else checked_mode(read_text)
    done: dict[str, object] = {"index": str(out)}
    texts: dict[str, int] = {}
    words: list[int] = []  # items whose words changed, before and after texts were read
    if sources or not (compact or approximate):
        refuse_filled(out, ours=(DATABASE, LOCK), what="index", option="-o")
        manifest, sound = known_index(out)
        mode = read_text_of(told, manifest)
        ocr = ocr_at_hand(mode)
        options = SourceOptions(
            id_column=id_column, text_columns=text_columns, image_columns=image_columns,
            metadata_columns=metadata_columns, root=root, max_mb=max_mb, moved=moved,
        )  # fmt: skip
        known = "" if manifest is None else manifest.encoder
        name = encoder or confirmed_encoder(known, where=out, note=note, trust=trust)
        name = name or ("hash" if vectors is None else "")
        plan = plan_of(sources or [], out, manifest, options, trust=trust)
        opened = open_plan(plan, out, sound=sound)
        images = opened.images
        imported = None
        if vectors is not None:
            imported = partial(
                read_vectors, vectors, ids=ids, column=vector_column, made_by=made_by, normalise=normalise
            )
        note_shipped([name], images)
        used = _encoder(name, images, imported, device=device or "auto")
        note_default(encoder or known or None, used)
        with no_empty_index(out):
            report = update_from(
                opened, plan, out, used, name=name, read_text=mode, delete=delete, batch_size=batch_size,
                may_delete=None if yes else partial(_few_enough, out),
                note=note, progress=partial(progress, unit="files"),
            )  # fmt: skip
        remember_encoder(lasting_name(name), note=note)
        done |= {**asdict(report), "refused": len(report.refused) + len(opened.refused)}
        texts = read_index_texts(out, images, mode=mode, ocr=ocr, words=lambda: words.append(index_words(out)))
    if compact or approximate:
        with IndexWriter(out) as writer:
            done |= _finish(writer, compact=compact, approximate=approximate)
            if compact:
                prune_texts(writer)
    done["words"] = max(*words, index_words(out), 0)
    if as_json:
        emit_json({**done, "text": texts})
    else:
        note(", ".join(f"{name} {value}" for name, value in done.items() if value != 0))


def _encoder(
    name: str, images: ImageStore, imported: Callable[..., PrecomputedVectors] | None, *, device: str
) -> Encoder:
    """Return the encoder of a name, or the imported vectors, which are then said to be made by it."""
    from ..retrieval.encoders import encoder_named

    if imported is not None:
        return imported(encoder=encoder_named(name, images, device=device) if name else None)
    return encoder_named(name, images, device=device)


def _few_enough(out: Path, gone: int, before: int) -> bool:
    """Say whether items may be deleted: a few may, more than a tenth only where a person at the terminal agrees."""
    if gone * 10 <= before:
        return True
    what = f"{out}: --delete would remove {gone} of {before} items, more than a tenth"
    if sys.stdin.isatty() and sys.stderr.isatty():
        return typer.confirm(f"{what}. Remove them?", err=True)
    raise ConfigError(f"{what}; nothing was deleted, what is new was indexed. If it is meant, give --yes")


def _finish(writer: IndexWriter, *, compact: bool, approximate: bool) -> dict[str, object]:
    """Compact and build approximate search; returns what to tell."""
    done: dict[str, object] = {}
    if compact:
        done["compacted"] = writer.compact()
    if approximate:
        from ..retrieval.directory.accelerate import build_approximate

        built = build_approximate(writer.directory, writer.manifest, writer.vectors(), writer.live_slots())
        writer.set_approximate(built)
        done |= {"probes": built.probes, "lists": built.lists, "recall@50": built.recall}
    return done
