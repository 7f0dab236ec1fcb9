"""Single items put into an index that is there: files below its folders, and rows of its table."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..data.folder import read_file
from ..data.hits import read_candidate_rows
from ..data.rows import read_objects
from ..data.sources.columns import Columns, candidate_of
from ..data.sources.source import read_source
from ..errors import ConfigError, DataError
from ..images import ImageStore
from ..records import Candidate, ImageRef
from ..retrieval.directory.index import DirectoryIndex
from ..retrieval.directory.manifest import Manifest
from ..retrieval.directory.sources import SourceRecord
from ..retrieval.directory.update import UpdateReport, update_index
from ..retrieval.directory.writer import IndexWriter
from ..retrieval.encoder import Encoder
from .confirmed import Note, confirmed_roots
from .opened_sources import columns_of
from .source_places import place_of
from .sources import kind_of


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexTarget:
    """An index that items are put into."""

    directory: Path
    """Its directory."""
    manifest: Manifest
    """What it says of itself."""
    images: ImageStore
    """Reads its pictures."""

    @property
    def table(self) -> SourceRecord | None:
        """The table it is made of, None where it is made of files."""
        return next((one for one in self.manifest.sources if one.kind == "table"), None)


def target_of(directory: Path, *, trust: bool, note: Note) -> IndexTarget:
    """Open an index to put items into it.

    Raises:
        ConfigError: its pictures lie outside of it, where the user has not confirmed them.
        DataError: there is no index, or it is damaged.
    """
    with DirectoryIndex(directory) as opened:
        manifest = opened.manifest
    if not manifest.sources:
        raise ConfigError(f"{directory}: it does not remember what it is made of; run `vretrver index SOURCE` once")
    roots = confirmed_roots(directory, manifest.places(directory), note=note, trust=trust)
    return IndexTarget(directory=directory, manifest=manifest, images=ImageStore(roots))


def add_items(
    target: IndexTarget, things: Sequence[str], encoder: Encoder, *, progress: Callable[[int], None] | None = None
) -> UpdateReport:
    """Put items into an index; one whose id is there replaces it.

    Args:
        target: the index.
        things: paths of pictures and documents below its folders, paths of tables with its columns, and rows as JSON
            objects.
        encoder: the encoder of the index.
        progress: called with the number of items done.

    Raises:
        DataError: a thing is not there or cannot be read; what came before it is in the index.
    """
    candidates = (candidate for thing in things for candidate in _candidates(target, thing))
    with IndexWriter(target.directory) as writer:
        return update_index(writer, candidates, encoder, target.images, progress=progress)


def _candidates(target: IndexTarget, thing: str) -> Iterator[Candidate]:
    if thing.lstrip().startswith("{"):
        yield from _row(target, thing)
        return
    path = Path(thing)
    if not path.is_file():
        raise DataError(f"{thing}: no such file; name a picture, a document or a table, or write a row as JSON")
    if kind_of(path) != "table":
        yield from _file(target, path)
        return
    if target.table is None:
        raise _of_files(target, thing)
    source = read_source(path, columns=columns_of(target.table.columns), root=target.images.roots.get(""))
    yield from source.candidates()
    if source.refused:
        raise DataError(f"{source.refused[0].path}: {source.refused[0].reason}")


def _row(target: IndexTarget, text: str) -> Iterator[Candidate]:
    """Yield the candidate of a row written on the command line, with the columns that the index remembers."""
    table = target.table
    if table is None:
        raise _of_files(target, "a row")
    columns = columns_of(table.columns)
    if columns is None:
        yield from read_candidate_rows(io.StringIO(text), name="the row")
        return
    for where, row in read_objects(io.StringIO(text), name="the row"):
        yield _with_columns(row, columns, where)


def _with_columns(row: dict[str, object], columns: Columns, where: str) -> Candidate:
    unknown = [name for name in row if name not in columns.names]
    if unknown:
        raise DataError(f"{where}: no column {unknown[0]!r}; the index keeps {', '.join(columns.names)}")
    try:
        return candidate_of(row, columns, root="")
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def _file(target: IndexTarget, path: Path) -> Iterator[Candidate]:
    """Yield the picture, or the pages, of a file below one of the index's folders, with the ids it has there."""
    for one in target.manifest.sources:
        folder = place_of(target.directory, one.path)
        if one.kind == "folder" and path.resolve().is_relative_to(folder.resolve()):
            below = PurePosixPath(path.resolve().relative_to(folder.resolve())).as_posix()
            name = f"{one.key}/{below}" if one.key else below
            found, refused = read_file(target.images, ImageRef(path=below, root=one.root_name), name=name)
            if refused:
                raise DataError(f"{refused[0].path}: {refused[0].reason}")
            yield from found
            return
    if target.table is not None:
        raise ConfigError(f"{path}: {target.directory} is of a table; add a row that names the picture")
    folders = ", ".join(str(place_of(target.directory, one.path)) for one in target.manifest.sources)
    raise ConfigError(
        f"{path}: it lies in none of the folders of {target.directory} ({folders}); copy it into one, or add its "
        f"folder with `vretrver index {path.parent} -o {target.directory}`"
    )


def _of_files(target: IndexTarget, what: str) -> ConfigError:
    return ConfigError(f"{what}: {target.directory} is made of files, not of a table; name a picture or a document")
