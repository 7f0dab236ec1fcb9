"""Making an index of sources, or bringing one up to date: items, then the texts on their pictures, then words.

`vretrver index` and `index_sources` do the same through this module. Stopped at any moment, the same call goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path

from ..data.folder import LeftOut
from ..data.sources.columns import Columns
from ..data.sources.source import Source
from ..errors import ConfigError
from ..files import refuse_filled
from ..images import ImageStore
from ..records import Candidate
from ..retrieval.directory.database import ItemDatabase
from ..retrieval.directory.fresh import no_empty_index
from ..retrieval.directory.index import check_encoder
from ..retrieval.directory.manifest import DATABASE, LOCK, Manifest
from ..retrieval.directory.precomputed import PrecomputedVectors
from ..retrieval.directory.update import UpdateReport, update_index
from ..retrieval.directory.writer import IndexWriter
from ..retrieval.encoder import Encoder
from ..retrieval.encoders import encoder_named, lasting_name
from ..retrieval.lexical.update import WordsReport
from ..text.files import ReadTextMode
from ..text.reading import TextReport, ocr_at_hand
from .confirmed import Note, confirmed_encoder, remember_encoder, remember_pictures
from .corpus import Progress, unsaid, unseen
from .index_texts import bring_texts_and_words
from .left_out import left_out, not_encoded, nothing_encoded
from .opened_sources import deletable, open_plan, roots_after
from .source_places import places_of, remember
from .sources import SourcePlan, plan_named, plan_remembered

_IMPORT_BATCH = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """How sources are indexed; what is left at None is taken from an index that is there already."""

    encoder: str | None = None
    """Name of what makes the vectors, as in `retrieval.encoders`; None is the index's, for a new one `hash`."""
    device: str = "auto"
    """Where the encoder's model runs."""
    columns: Columns | None = None
    """Of a table: which columns hold what."""
    root: Path | str | None = None
    """Of a table: where its picture paths start from; None is its own folder."""
    named_roots: Mapping[str, Path] = field(default_factory=dict)
    """NAME -> folder of the pictures whose paths begin with `NAME/`."""
    max_mb: int | None = None
    """Limit of a picture file or a document in MiB; None is the index's, for a new one 64."""
    moved: bool = False
    """Whether the sources are those of the index, which lie elsewhere now."""
    read_text: ReadTextMode | None = None
    """How much of the text on pictures and pages is read; for a new index None is `auto`."""
    delete: bool = False
    """Whether items that the sources have no longer are removed."""
    batch_size: int = 64
    """Items encoded and committed at once."""
    trust: bool = False
    """Whether to open, and remember, what the index names outside of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What indexing did."""

    items: UpdateReport
    """Items by what became of them."""
    left_out: tuple[LeftOut, ...] = ()
    """Files and rows of the sources that could not become items, and why."""
    texts: TextReport | None
    """Pages and pictures by how their text was read; None where none was to be read."""
    words: WordsReport
    """Items whose words changed."""


def index_sources(
    directory: Path | str,
    sources: Sequence[Path | str] | Path | str = (),
    options: IndexOptions | None = None,
    *,
    encoder: Callable[[str, ImageStore], Encoder] | None = None,
    may_delete: Callable[[int, int], bool] | None = None,
    note: Note = unsaid,
    progress: Progress = unseen,
) -> IndexReport:
    """Make an index of folders, documents or a table, or bring it up to date; only what is new or changed is encoded.

    Args:
        directory: the index directory; made when it is missing.
        sources: what is indexed, one or several; none takes what the index remembers.
        options: how.
        encoder: makes the encoder, or brings `PrecomputedVectors`, of the name that counts, empty where none is
            known, and of what opens the pictures; None takes the one of that name.
        may_delete: asked once with (items to delete, items in the index) before any is; None agrees.
        note: takes messages for a person, as what was left out.
        progress: shows how far it is: `indexing`, `reading text`, `words`.

    Raises:
        ConfigError: the sources do not go together, the folder holds other things, or the index names a model or
            pictures outside of itself that the user has not confirmed.
        DataError: a source is not there or holds nothing that can be indexed.
        IndexBusy: another process is writing.
        IndexMismatch: the index was made with another encoder.
        StorageError: the disk is full. After any error, what was committed is kept.
    """
    options, out = options or IndexOptions(), Path(directory)
    refuse_filled(out, ours=(DATABASE, LOCK), what="index", option="-o")
    manifest = known_manifest(out)
    mode = read_text_of(options.read_text, manifest)
    ocr_at_hand(mode)  # what reading needs and is not installed is said before anything is done
    known = "" if manifest is None else manifest.encoder
    name = options.encoder or confirmed_encoder(known, where=out, note=note, trust=options.trust)
    named = [sources] if isinstance(sources, Path | str) else sources
    plan = _plan(out, [Path(source) for source in named], manifest, options, note)
    opened = open_plan(plan, out, sound=frozenset() if manifest is None else _hashes(out))
    if encoder is None:
        used = encoder_named(name or "hash", opened.images, device=options.device)
    else:
        used = encoder(name, opened.images)
    if not isinstance(used, PrecomputedVectors):
        name = name or "hash"
    with no_empty_index(out):
        items = update_from(
            opened, plan, out, used, name=name, read_text=mode, delete=options.delete, may_delete=may_delete,
            batch_size=options.batch_size, note=note, progress=progress,
        )  # fmt: skip
    remember_encoder(lasting_name(name), note=note)
    texts, words = bring_texts_and_words(out, opened.images, mode=mode, note=note, progress=progress)
    return IndexReport(items=items, left_out=tuple(opened.refused), texts=texts, words=words)


def _plan(
    out: Path, sources: Sequence[Path], manifest: Manifest | None, options: IndexOptions, note: Note
) -> SourcePlan:
    if sources:
        return plan_named(
            sources, out, manifest, columns=options.columns, root=options.root, named=options.named_roots,
            max_mb=options.max_mb, moved=options.moved, trust=options.trust, note=note,
        )  # fmt: skip
    if manifest is None:
        raise ConfigError(f"{out}: there is no index, so it remembers no sources; name a SOURCE")
    return plan_remembered(out, manifest, trust=options.trust, note=note)


def known_manifest(directory: Path) -> Manifest | None:
    """Return the manifest of an index; None where there is no index yet.

    Raises:
        DataError: the index is damaged.
    """
    if not (directory / DATABASE).is_file():
        return None
    with closing(ItemDatabase(directory)) as database, database.reading():
        return database.manifest()


def _hashes(directory: Path) -> set[str]:
    """Return the hashes of the pictures of an index, which were found sound before; reads every item."""
    with closing(ItemDatabase(directory)) as database, database.reading():
        return database.picture_hashes()


def read_text_of(told: ReadTextMode | None, manifest: Manifest | None) -> ReadTextMode:
    """Return how much of the text on pictures is read: what is told, else what the index remembers, else `auto`."""
    return told or ("auto" if manifest is None else manifest.read_text)


def update_from(
    source: Source,
    plan: SourcePlan,
    directory: Path,
    encoder: Encoder,
    *,
    name: str,
    read_text: ReadTextMode = "auto",
    delete: bool = False,
    may_delete: Callable[[int, int], bool] | None = None,
    batch_size: int = 64,
    note: Note = unsaid,
    progress: Progress = unseen,
) -> UpdateReport:
    """Bring an index up to date with the opened sources of a plan, and say what was left out.

    Args:
        source: what is read.
        plan: which sources that are, and which the index has after it.
        directory: the index directory; made when it is missing, once the first item was read.
        encoder: makes the vectors, or brings them.
        name: its name, as the index will remember it.
        read_text: how much of the text on pictures is read, as the index will remember it.
        delete: whether items that the sources have no longer are removed.
        may_delete: asked once with (items to delete, items in the index); None agrees.
        batch_size: items encoded and committed at once.
        note: takes messages for a person.
        progress: shows how far it is, as `indexing`.

    Raises:
        DataError: nothing of the sources could be encoded.
    """
    name = lasting_name(name)
    manifest = Manifest(fingerprint=encoder.fingerprint, dimension=encoder.dimension, encoder=name)
    imported = encoder if isinstance(encoder, PrecomputedVectors) else None
    with progress("indexing") as update, ExitStack() as held:
        # the first candidate is read before the index is made: an empty source leaves nothing behind
        candidates = _begun(source.candidates(progress=update if imported is None else None))
        writer = held.enter_context(IndexWriter(directory, new=manifest))
        _note_lost_fields(writer, _kept_fields(plan), note)
        check_encoder(directory, writer.manifest, encoder)
        writer.set_read_text(read_text)
        _describe(writer, source, plan, name, note)
        run = partial(
            update_index,
            writer,
            images=source.images,
            delete=deletable(plan, source) if delete else None,
            may_delete=may_delete,
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


def _describe(writer: IndexWriter, source: Source, plan: SourcePlan, name: str, note: Note) -> None:
    """Let an index remember its encoder, sources and folders, and the user's word that it may read there."""
    directory = writer.directory
    writer.set_encoder(name)
    pictures = writer.database.has_pictures()
    writer.set_roots(roots_after(plan, source, directory, writer.manifest, pictures=pictures))
    writer.set_sources(plan.all)
    remember(directory, places_of(directory, plan.now), note=note)
    places = writer.manifest.places(directory)
    remember_pictures(directory, {name: places[name] for name in source.roots}, note=note)  # others: the index's word


def _kept_fields(plan: SourcePlan) -> list[str] | None:
    """Return the names of the metadata columns that a run keeps; None where its source has no columns."""
    (record, *others) = plan.now
    return None if others or record.columns is None else [name.strip() for name, _ in record.columns.metadata]


def _note_lost_fields(writer: IndexWriter, metadata: Sequence[str] | None, note: Note) -> None:
    """Say which fields an index has and this run leaves out: its items keep what the last run says of them."""
    lost = [] if metadata is None else [name for name in writer.manifest.fields if name.strip() not in metadata]
    if lost:
        note(f"items of this run lose the fields {', '.join(lost)}: they are not among its --metadata-columns")


def _begun(candidates: Iterator[Candidate]) -> Iterator[Candidate]:
    """Return the same candidates with the first one read, and what is wrong with the source as a whole."""
    return chain(list(islice(candidates, 1)), candidates)
