"""A corpus opened to be searched: an index directory, a Qdrant collection, or a source that is encoded in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from ..data.named import QUERY
from ..data.sources.columns import Columns
from ..data.sources.source import read_source
from ..errors import ConfigError, DataError
from ..images import ImageLimits, ImageStore
from ..records import Query, parts_of
from ..retrieval.directory.index import DirectoryIndex, check_encoder
from ..retrieval.directory.manifest import DATABASE, Manifest
from ..retrieval.encoder import Encoder, NoEncoder
from ..retrieval.encoders import encoder_named
from ..retrieval.finding import NO_ITEMS
from ..retrieval.index import MemoryIndex
from ..retrieval.qdrant.address import is_qdrant
from ..retrieval.retriever import RefusedCandidate, Retriever
from ..retrieval.searched import Searched
from .confirmed import Note, confirmed_encoder, confirmed_roots
from .left_out import left_out, not_encoded, nothing_encoded
from .texts import TextsOfPictures
from .words import no_words_of_collection, words_of_directory, words_of_source

Words = Literal["auto", "only", "never"]
"""Whether words are searched."""

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Shows how far a piece of work is: name -> function of (done, total)."""


@contextmanager
def unseen(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show nothing."""
    del what
    yield lambda *_: None


def unsaid(message: str) -> None:
    """Drop a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusOptions:
    """How a corpus is opened and searched; what does not belong to the kind of place is refused."""

    encoder: str | None = None
    """Name of the encoder of queries; None takes the one the index names, for a source `hash`."""
    device: str = "auto"
    """Where the encoder's model runs."""
    where: str | None = None
    """Of indexes and collections: filter over metadata; None finds everything."""
    resident_mb: int = 0
    """Of index directories: hold the vectors in memory when they fit this many MiB; 0 reads them from the file."""
    approximate: bool = False
    """Of index directories: use the structure for approximate search."""
    trust: bool = False
    """Whether to open, and remember, what an index names outside of itself."""
    pictures: bool = True
    """Whether the pictures of an index will be read."""
    columns: Columns | None = None
    """Of tables: which columns hold what."""
    named_roots: Mapping[str, Path] = field(default_factory=dict)
    """NAME -> folder of the pictures whose paths begin with `NAME/`."""
    limits: ImageLimits | None = None
    """What a picture file may cost; None is the default."""
    words: Words = "auto"
    """Whether the words of items are searched: beside the vectors where there are any, alone, or never."""
    listed: bool = False
    """Of index directories: what passes `where` is listed without a query; neither encoder nor words are opened."""
    query: Path = field(default_factory=Path)
    """Folder of the query's picture, found under the root `query`."""

    def told(self, root: Path | str | None) -> dict[str, Path | str]:
        """Return the roots of pictures that the user named, with `root` as the one without a name."""
        named: dict[str, Path | str] = {f"{name}/": folder for name, folder in self.named_roots.items()}
        return named if root is None else {"": root, **named}


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A corpus that can be searched, from any number of threads; close it, or enter it with `with`."""

    retriever: Retriever
    """Finds candidates by vectors."""
    images: ImageStore
    """Where pictures of candidates and query are read."""
    left_out: int = 0
    """Items of a source that could not be encoded."""
    where: str | None = None
    """The filter that it was opened with."""
    held: ExitStack = field(default_factory=ExitStack, repr=False, compare=False)
    """What is closed with it."""

    def __enter__(self) -> Self:
        """Return the corpus."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close its files."""
        self.held.close()

    @property
    def texts(self) -> TextsOfPictures:
        """What reads the text of pictures for an agent's tools: first what was read when it was indexed."""
        words = self.retriever.words
        return TextsOfPictures(self.images, kept=None if words is None else words.texts)

    def search(self, queries: Sequence[Query | str], k: int, *, min_score: float | None = None) -> list[Searched]:
        """Return what is found for each query, in the order of the queries: at most k hits, or why there are none.

        Args:
            queries: at least one; a string is a query of that text.
            k: at least 1.
            min_score: what vectors find below this coarse score is left out; None keeps all. It is a score of the
                encoder, and does not touch what is found by words.

        Raises:
            ConfigError: k is less than 1.
            DataError: the queries are one string.
            PictureError: a query's picture cannot be read.
        """
        if isinstance(queries, str):
            raise DataError("the queries are one string; give a list of them")
        if k < 1:
            raise ConfigError(f"k must be at least 1, got {k}; it is how many hits a query may have")
        asked = [
            Query(qid=str(number), parts=parts_of(text=query)) if isinstance(query, str) else query
            for number, query in enumerate(queries, start=1)
        ]
        empty = NO_ITEMS if self.where is None else "no item passes --filter"
        return self.retriever.find(asked, k, min_score=min_score, empty=empty)


def open_corpus(
    place: str,
    options: CorpusOptions | None = None,
    *,
    root: Path | str | None = None,
    note: Note = unsaid,
    progress: Progress = unseen,
) -> Corpus:
    """Open what is searched, told apart by what it is.

    Args:
        place: an index directory, `qdrant://HOST:PORT/COLLECTION`, or a source as of `data.sources`, which is read
            and encoded in memory.
        options: how it is opened and searched.
        root: where the pictures are; None takes what an index says, for a collection the working directory.
        note: takes messages for a person: what was left out, what cannot be remembered.
        progress: shows how far reading and encoding are.

    Raises:
        ConfigError: an option is wrong or belongs to another kind of place, an index names no encoder, or it names a
            model folder or pictures outside of itself that the user has not confirmed.
        DataError: the source or the index cannot be read.
        IndexMismatch: the encoder is not the one the index was made with; the message says what differs.
        ServiceError: the server of a collection cannot be reached.
    """
    options = options or CorpusOptions()
    if is_qdrant(place):
        if options.listed:
            raise ConfigError(f"{place}: only an index directory lists what passes --filter; give --text or --image")
        return _collection(place, options, root=root, note=note)
    if is_index(Path(place)):
        return _directory(Path(place), options, root=root, note=note)
    if options.where is not None or options.resident_mb or options.approximate:
        raise ConfigError(f"{place}: --filter, --resident-mb and --approximate need an index")
    return _source(Path(place), options, root=root, note=note, progress=progress)


def is_index(path: Path) -> bool:
    """Return whether a path is an index directory."""
    return (path / DATABASE).is_file()


def _directory(directory: Path, options: CorpusOptions, *, root: Path | str | None, note: Note) -> Corpus:
    with ExitStack() as held:
        opened = held.enter_context(DirectoryIndex(directory))
        manifest = opened.manifest
        told = options.told(root)
        places = {name: place for name, place in manifest.places(directory).items() if name not in told}
        roots = confirmed_roots(directory, places, note=note, trust=options.trust, needed=options.pictures)
        images = ImageStore({**roots, **told, QUERY: options.query}, limits=options.limits)
        encoder = _encoder_of(directory, manifest, images, options, note)
        _accelerate(opened, options, note)
        view = opened if options.where is None else opened.where(options.where)
        words = None
        if options.words != "never" and not options.listed:
            words = words_of_directory(directory, view, alone=options.words == "only", note=note, held=held)
        retriever = Retriever(encoder, view, opened, words=words)
        return Corpus(retriever=retriever, images=images, where=options.where, held=held.pop_all())


def _encoder_of(
    directory: Path, manifest: Manifest, images: ImageStore, options: CorpusOptions, note: Note
) -> Encoder:
    """Return the encoder of an index's queries; where vectors are not searched, none is opened."""
    if options.words == "only" or options.listed:
        return NoEncoder(dimension=manifest.dimension, fingerprint=manifest.fingerprint)
    name = options.encoder or confirmed_encoder(manifest.encoder, where=directory, note=note, trust=options.trust)
    if not name:
        raise ConfigError(
            f"{directory}: its vectors were imported ({manifest.fingerprint}); name their --encoder, or search its "
            "texts with --words only"
        )
    encoder = encoder_named(name, images, device=options.device)
    check_encoder(directory, manifest, encoder)
    return encoder


def _accelerate(opened: DirectoryIndex, options: CorpusOptions, note: Note) -> None:
    from ..retrieval.directory.accelerate import open_approximate, resident

    if options.approximate and options.resident_mb:
        raise ConfigError("--approximate and --resident-mb are two ways to search; give one of them")
    if options.approximate:
        opened.use(open_approximate(opened.directory, opened.manifest))
    elif options.resident_mb:
        manifest, matrix = opened.mapped()
        held = resident(matrix, manifest, megabytes=options.resident_mb)
        opened.use(held)
        if held is None:
            needed = -(-2 * matrix.size // 2**20)
            note(f"the vectors need {needed} MiB, more than --resident-mb {options.resident_mb}: read from the file")


def _collection(url: str, options: CorpusOptions, *, root: Path | str | None, note: Note) -> Corpus:
    from ..retrieval.qdrant.address import connect, parse_address
    from ..retrieval.qdrant.index import QdrantIndex

    if options.resident_mb or options.approximate:
        raise ConfigError(
            "--resident-mb and --approximate are for index directories; a collection has its own set-up"
        )
    if options.words != "never":
        no_words_of_collection(url, alone=options.words == "only", note=note)
    address = parse_address(url)
    index = QdrantIndex(connect(address), address.collection, name=str(address))
    images = ImageStore({**options.told(root or Path()), QUERY: options.query}, limits=options.limits)
    name = options.encoder
    name = name or confirmed_encoder(index.encoder, where=str(address), note=note, trust=options.trust)
    if not name:
        raise ConfigError(f"{address}: its vectors were imported ({index.fingerprint}); name their --encoder")
    view = index if options.where is None else index.narrowed(options.where)
    encoder = encoder_named(name, images, device=options.device)
    return Corpus(retriever=Retriever(encoder, view, index), images=images, where=options.where)


def _source(path: Path, options: CorpusOptions, *, root: Path | str | None, note: Note, progress: Progress) -> Corpus:
    """Read and encode a source in memory."""
    if not path.exists():
        raise DataError(
            f"{path}: no such index, folder or file; name an index directory, a folder of pictures, a document, a "
            "table or a pool"
        )
    source = read_source(
        path, root=root, named_roots=options.named_roots, columns=options.columns, limits=options.limits
    )
    with progress("reading") as update:
        candidates = list(source.candidates(progress=update))
    for sentence in left_out(source):
        note(sentence)
    images = ImageStore({**source.roots, QUERY: options.query}, limits=options.limits)
    alone = options.words == "only"
    encoder = encoder_named("hash" if alone else options.encoder or "hash", images, device=options.device)
    index = MemoryIndex(dimension=encoder.dimension, fingerprint=encoder.fingerprint)
    retriever = Retriever(encoder, index, candidates)
    refused: tuple[RefusedCandidate, ...] = ()
    if not alone:
        with progress("encoding") as update:
            refused = retriever.encode(progress=update)
    for sentence in not_encoded(refused):
        note(sentence)
    if len(refused) == len(candidates):
        raise nothing_encoded(source, refused)
    if options.words != "never":
        left = {item.did for item in refused}
        found = [item for item in candidates if item.did not in left]
        with progress("words") as update:
            retriever.words = words_of_source(found, images, alone=alone, note=note, progress=update)
    return Corpus(retriever=retriever, images=images, left_out=len(refused))
