"""`vretrver index`: make an index directory of a source, bring it up to date, compact it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from .columns import (
    IdColumn,
    ImageColumns,
    MaxMbOption,
    MetadataColumns,
    RootOption,
    TextColumns,
    limits_of,
    roots_of,
)
from .models import ENCODERS, DeviceOption, note_default, note_shipped
from .output import emit_json, note, progress, refuse_foreign

if TYPE_CHECKING:
    from ..data.sources.source import Source
    from ..images import ImageStore
    from ..records import Candidate
    from ..retrieval.directory.precomputed import PrecomputedVectors
    from ..retrieval.directory.update import UpdateReport
    from ..retrieval.directory.writer import IndexWriter
    from ..retrieval.encoder import Encoder

_IMPORT_BATCH = 8192


def index(
    source: Annotated[
        Path | None, typer.Argument(help="A folder of pictures, a document, a table, or a pool of M-BEIR.")
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
    batch_size: Annotated[int, typer.Option(help="Items encoded and committed at once.", min=1)] = 64,
    vectors: Annotated[Path | None, typer.Option(help="Import vectors: a .npy or .parquet file.")] = None,
    ids: Annotated[str | None, typer.Option(help="Their ids: a file, one a line; for parquet a column.")] = None,
    vector_column: Annotated[str, typer.Option(help="For parquet: the column of the vectors.")] = "vector",
    made_by: Annotated[str, typer.Option(help="What made them, when it is no encoder known here.")] = "elsewhere",
    normalise: Annotated[bool, typer.Option("--normalise", help="Bring imported vectors to length 1.")] = False,
    compact: Annotated[bool, typer.Option("--compact", help="At the end, drop dead vectors.")] = False,
    approximate: Annotated[bool, typer.Option("--approximate", help="At the end, build approximate search.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Index a source: encode what is new or changed, keep the rest. Stopped at any moment, run it again to go on."""
    from ..assembly.confirmed import confirmed_encoder, remember_encoder
    from ..data.sources.columns import columns_from
    from ..data.sources.source import read_source
    from ..retrieval.directory.fresh import no_empty_index
    from ..retrieval.directory.manifest import DATABASE, LOCK
    from ..retrieval.directory.precomputed import read_vectors
    from ..retrieval.directory.writer import IndexWriter
    from ..retrieval.encoders import lasting_name

    if source is None and not (compact or approximate):
        raise ConfigError("nothing to do; name a SOURCE, or give --compact or --approximate")
    done: dict[str, object] = {"index": str(out)}
    if source is not None:
        refuse_foreign(out, ours=(DATABASE, LOCK), what="index", option="-o")
        base, named = roots_of(root)
        columns = columns_from(id_column=id_column, text=text_columns, image=image_columns, metadata=metadata_columns)
        known, sound = _known(out)
        opened = read_source(
            source, columns=columns, root=base, named_roots=named, limits=limits_of(max_mb), sound=sound
        )
        images = opened.images
        name = encoder or confirmed_encoder(known, where=out, note=note) or ("hash" if vectors is None else "")
        imported = None
        if vectors is not None:
            imported = partial(
                read_vectors, vectors, ids=ids, column=vector_column, made_by=made_by, normalise=normalise
            )
        note_shipped([name], images)
        used = _encoder(name, images, imported, device=device or "auto")
        note_default(encoder or known or None, used)
        kept = None if columns is None else [column.name.strip() for column in columns.metadata]
        with no_empty_index(out):
            report = _update(
                opened, out, used, images,
                name=name, metadata=kept, delete=delete, yes=yes, moved=moved, batch_size=batch_size,
            )  # fmt: skip
        remember_encoder(lasting_name(name), note=note)
        done |= {**asdict(report), "refused": len(report.refused) + len(opened.refused)}
    if compact or approximate:
        with IndexWriter(out) as writer:
            done |= _finish(writer, compact=compact, approximate=approximate)
    if source is not None:
        done |= _words(out)
    if as_json:
        emit_json(done)
    else:
        note(", ".join(f"{name} {value}" for name, value in done.items() if value != 0))


def _words(out: Path) -> dict[str, object]:
    """Bring the words of the items up to date; returns what to tell."""
    from ..assembly.words import bring_words

    with progress("words") as update:
        report = bring_words(out, note=note, progress=update)
    return {"words": report.indexed}


def _known(out: Path) -> tuple[str, set[str]]:
    """Return the encoder name of an index and the hashes of its pictures; nothing where there is no index yet."""
    from ..retrieval.directory.database import ItemDatabase
    from ..retrieval.directory.manifest import DATABASE

    if not (out / DATABASE).is_file():
        return "", set()
    database = ItemDatabase(out)
    try:
        with database.reading():
            return database.manifest().encoder, database.picture_hashes()
    finally:
        database.close()


def _encoder(
    name: str, images: ImageStore, imported: Callable[..., PrecomputedVectors] | None, *, device: str
) -> Encoder:
    """Return the encoder of a name, or the imported vectors, which are then said to be made by it."""
    from ..retrieval.encoders import encoder_named

    if imported is not None:
        return imported(encoder=encoder_named(name, images, device=device) if name else None)
    return encoder_named(name, images, device=device)


def _update(
    source: Source,
    out: Path,
    encoder: Encoder,
    images: ImageStore,
    *,
    name: str,
    metadata: Sequence[str] | None,
    delete: bool,
    yes: bool,
    moved: bool,
    batch_size: int,
) -> UpdateReport:
    """Bring the index up to date and say what was left out."""
    from dataclasses import replace

    from ..assembly.confirmed import remember_pictures
    from ..assembly.corpus import left_out, not_encoded, nothing_encoded
    from ..retrieval.directory.index import check_encoder
    from ..retrieval.directory.manifest import Manifest
    from ..retrieval.directory.precomputed import PrecomputedVectors
    from ..retrieval.directory.update import update_index
    from ..retrieval.directory.writer import IndexWriter
    from ..retrieval.encoders import lasting_name

    name = lasting_name(name)
    manifest = Manifest(fingerprint=encoder.fingerprint, dimension=encoder.dimension, encoder=name)
    imported = encoder if isinstance(encoder, PrecomputedVectors) else None
    with progress("indexing") as update, ExitStack() as held:
        # the first candidate is read before the index is made: an empty source leaves nothing behind
        candidates = _begun(source.candidates(progress=update if imported is None else None))
        writer = held.enter_context(IndexWriter(out, new=manifest))
        _note_lost_fields(writer, metadata)
        check_encoder(out, writer.manifest, encoder)
        writer.set_encoder(name)
        _set_roots(writer, source.roots, moved=moved)
        remember_pictures(out, writer.manifest.places(out), note=note)
        run = partial(
            update_index,
            writer,
            images=images,
            delete=_deletable(source) if delete else None,
            may_delete=None if yes else partial(_few_enough, out),
        )
        if imported is None:
            report = run(candidates, encoder, batch_size=batch_size)
        else:
            report = run(
                imported.having_vectors(candidates), imported, batch_size=_IMPORT_BATCH, content=imported.content
            )
            report = replace(report, refused=(*report.refused, *imported.missing))
        empty = writer.manifest.slots == 0
    for sentence in left_out(source):
        note(sentence)
    if delete and source.path.is_file() and source.refused:
        note("nothing was deleted: a row that could not be read may be that of any item; correct the rows left out")
    for sentence in not_encoded(report.refused):
        note(sentence)
    if report.refused and empty:
        raise nothing_encoded(source, report.refused)
    return report


def _note_lost_fields(writer: IndexWriter, metadata: Sequence[str] | None) -> None:
    """Say which fields an index has and this run leaves out: its items keep what the last run says of them."""
    lost = [] if metadata is None else [name for name in writer.manifest.fields if name.strip() not in metadata]
    if lost:
        note(f"items of this run lose the fields {', '.join(lost)}: they are not among its --metadata-columns")


def _few_enough(out: Path, gone: int, before: int) -> bool:
    """Say whether items may be deleted: a few may, more than a tenth only where a person at the terminal agrees."""
    if gone * 10 <= before:
        return True
    what = f"{out}: --delete would remove {gone} of {before} items, more than a tenth"
    if sys.stdin.isatty() and sys.stderr.isatty():
        return typer.confirm(f"{what}. Remove them?", err=True)
    raise ConfigError(f"{what}; nothing was deleted, what is new was indexed. If it is meant, give --yes")


def _begun(candidates: Iterator[Candidate]) -> Iterator[Candidate]:
    """Return the same candidates with the first one read, and what is wrong with the source as a whole."""
    return chain(list(islice(candidates, 1)), candidates)


def _set_roots(writer: IndexWriter, roots: Mapping[str, Path | str], *, moved: bool) -> None:
    """Record where the pictures are; raises ConfigError when that would lose those that are indexed."""
    from ..retrieval.directory.manifest import stored_root

    new = {name: stored_root(root, writer.directory) for name, root in roots.items()}
    old = writer.manifest.roots
    if old and new != dict(old) and not moved and writer.database.has_pictures():
        before, now = (
            ", ".join(os.path.normpath(writer.directory / root) for root in some.values()) for some in (old, new)
        )
        raise ConfigError(
            f"{writer.directory}: its pictures lie in {before}, those of SOURCE in {now}; give --moved if they were "
            "moved there, or index SOURCE into another directory"
        )
    writer.set_roots(new)


def _deletable(source: Source) -> Callable[[str], bool]:
    """Return what says whether a did that the source did not yield may be deleted.

    What the source could not read is not gone: it stays, with what lies below a folder or in a document that could
    not be read. A row that could not be read may be any item's, so then nothing is deleted.
    """
    from ..data.rows import split_page

    def deletable(did: str) -> bool:
        refused = {item.path for item in source.refused}
        if source.path.is_file() and refused:
            return False
        file, _ = split_page(did)
        above = {str(parent) for parent in Path(file).parents}
        return not refused & {did, file, *above}

    return deletable


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
