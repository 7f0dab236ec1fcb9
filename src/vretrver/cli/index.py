"""`vretrver index`: make an index directory of a source, bring it up to date, compact it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from .columns import IdColumn, ImageColumns, MaxMbOption, MetadataColumns, RootOption, TextColumns
from .confirmed import TrustOption
from .models import ENCODERS, DeviceOption, note_default, note_shipped
from .output import emit_json, note
from .progress import counted
from .source_options import source_options
from .texts import ReadTextOption, note_texts

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
    from ..assembly.index_texts import bring_words, prune_texts
    from ..assembly.indexing import index_sources
    from ..retrieval.directory.precomputed import read_vectors
    from ..retrieval.directory.writer import IndexWriter
    from ..retrieval.lexical.update import WordsReport
    from ..text.files import checked_mode

    told = None if read_text is None else checked_mode(read_text)
    done: dict[str, object] = {"index": str(out)}
    texts: dict[str, int] = {}
    words = WordsReport()
    if sources or not (compact or approximate):
        options = source_options(
            sources or (), out, id_column=id_column, text_columns=text_columns, image_columns=image_columns,
            metadata_columns=metadata_columns, root=root, max_mb=max_mb, moved=moved,
        )  # fmt: skip
        imported = None
        if vectors is not None:
            imported = partial(
                read_vectors, vectors, ids=ids, column=vector_column, made_by=made_by, normalise=normalise
            )
        report = index_sources(
            out,
            sources or (),
            replace(options, encoder=encoder, read_text=told, delete=delete, batch_size=batch_size, trust=trust),
            encoder=partial(_encoder, imported=imported, device=device or "auto"),
            may_delete=None if yes else partial(_few_enough, out),
            note=note,
            progress=counted,
        )
        done |= {**asdict(report.items), "refused": len(report.items.refused) + len(report.left_out)}
        texts, words = note_texts(report.texts), report.words
    if compact or approximate:
        with IndexWriter(out) as writer:
            done |= _finish(writer, compact=compact, approximate=approximate)
            if compact:
                prune_texts(writer)
        words = words.joined(bring_words(out, note=note, progress=counted))
    done["words"] = words.indexed
    if as_json:
        emit_json({**done, "text": texts})
    else:
        note(", ".join(f"{name} {value}" for name, value in done.items() if value != 0))


def _encoder(
    name: str, images: ImageStore, *, imported: Callable[..., PrecomputedVectors] | None, device: str
) -> Encoder:
    """Return the encoder of a name, `hash` for none, or imported vectors, which are then said to be made by it."""
    from ..retrieval.encoders import encoder_named

    note_shipped([name], images)
    if imported is not None:
        return imported(encoder=encoder_named(name, images, device=device) if name else None)
    used = encoder_named(name or "hash", images, device=device)
    note_default(name or None, used)
    return used


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
