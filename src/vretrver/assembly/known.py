"""A corpus that knows its candidates by id, for hits that name them: an index directory, a collection, or a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data.hits import Known
from ..data.sources.columns import Columns
from ..data.sources.source import Source, read_source
from ..data.trec_hits import holds_candidates, named_among, read_corpus_of_either_form, root_of
from ..errors import ConfigError, DataError
from ..records import Candidate
from ..retrieval.directory.index import DirectoryIndex
from ..retrieval.qdrant.address import is_qdrant
from .confirmed import Note, confirmed_roots
from .corpus import is_index
from .left_out import left_out

_AT_ONCE = 1000  # ids looked up in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCorpus:
    """Candidates by id, and where their pictures are."""

    candidates: Known
    """Returns the candidates of ids; what is not there is left out."""
    roots: Mapping[str, Path | str]
    """Root name -> folder, or URL of a store."""


def known_corpus(
    place: str,
    *,
    root: Path | None = None,
    columns: Columns | None = None,
    trust: bool = False,
    note: Note,
) -> KnownCorpus:
    """Open what knows candidates by id.

    Args:
        place: an index directory, `qdrant://HOST:PORT/COLLECTION`, or a table, a pool or a file of candidates.
        root: where the pictures are; None takes what the place says.
        columns: of a table: what its columns hold.
        trust: whether to open, and remember, pictures that an index names outside of itself.
        note: takes messages for a person.

    Raises:
        ConfigError: columns are given for something else than a table, or pictures are not confirmed.
        DataError: it cannot be read.
    """
    if columns is not None and (is_qdrant(place) or is_index(Path(place))):
        raise ConfigError(f"{place}: an index knows its columns; leave --id-column and the others out")
    if is_qdrant(place):
        return _collection(place, root)
    if is_index(Path(place)):
        return _directory(Path(place), root, trust=trust, note=note)
    return _file(Path(place), root, columns, note)


def _directory(directory: Path, root: Path | None, *, trust: bool, note: Note) -> KnownCorpus:
    opened = DirectoryIndex(directory)
    told: dict[str, Path | str] = {} if root is None else {"": root}
    places = {name: place for name, place in opened.manifest.places(directory).items() if name not in told}
    roots = confirmed_roots(directory, places, note=note, trust=trust)
    return KnownCorpus(candidates=_in_parts(opened.candidates), roots={**roots, **told})


def _collection(url: str, root: Path | None) -> KnownCorpus:
    from ..retrieval.qdrant.address import connect, parse_address
    from ..retrieval.qdrant.index import QdrantIndex

    address = parse_address(url)
    index = QdrantIndex(connect(address), address.collection, name=str(address))
    return KnownCorpus(candidates=index.candidates, roots={"": root or Path()})


def _file(path: Path, root: Path | None, columns: Columns | None, note: Note) -> KnownCorpus:
    """Return a file's candidates; each look-up reads it once, row by row, and keeps what is asked for."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; --corpus takes the path of one, --index an index directory")
    if columns is None and holds_candidates(path):
        return KnownCorpus(
            candidates=_kept(lambda: read_corpus_of_either_form(path)), roots={"": root or root_of(path)}
        )
    source = read_source(path, columns=columns, root=root)
    return KnownCorpus(candidates=_kept(lambda: _told(source, note)), roots=source.roots)


def _told(source: Source, note: Note) -> Iterator[Candidate]:
    yield from source.candidates()
    for sentence in left_out(source):
        note(sentence)


def _kept(read: Callable[[], Iterator[Candidate]]) -> Known:
    def candidates(dids: Sequence[str]) -> dict[str, Candidate]:
        return named_among(read(), set(dids))

    return candidates


def _in_parts(look_up: Known) -> Known:
    def candidates(dids: Sequence[str]) -> dict[str, Candidate]:
        found: dict[str, Candidate] = {}
        for start in range(0, len(dids), _AT_ONCE):
            found |= look_up(dids[start : start + _AT_ONCE])
        return found

    return candidates
