"""The one front to a corpus, whatever form it has: a folder, a document, a table with declared columns, a pool.

Candidates are read as they are asked for, in the order of the source; what cannot become one is left out and kept in
`Source.refused` with its reason. A file that is not well formed at all is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ...errors import ConfigError, DataError
from ...images import ImageLimits, ImageStore
from ...records import Candidate, ImagePart, ImageRef, Part
from ..folder import SUFFIXES, LeftOut, list_folder, nothing_found, read_file
from ..named import place_of_named
from ..trec_hits import read_corpus_of_either_form, root_of
from .columns import Columns, candidate_of
from .tables import Table, kind_of_table, open_table

Progress = Callable[[int, int], None]
"""Takes (files done, files to do)."""


@dataclass(slots=True, kw_only=True)
class Source:
    """A corpus to be read."""

    path: Path
    """The folder or the file."""
    images: ImageStore
    """Reads the pictures of the candidates, below a root with the name the source was opened with, and `NAME/` for
    each named one. Whoever reads them after the candidates does best to use it: it holds the files that were just
    read to list them."""
    refused: list[LeftOut] = field(default_factory=list)
    """What could not become a candidate; complete once `candidates` was read to its end."""
    others: Mapping[str, int] = field(default_factory=dict)
    """Endings of names that are not those of pictures and documents -> files of a folder left out; likewise."""
    links: int = 0
    """Symbolic links of a folder left out; likewise."""
    _read: Callable[[Source, Progress], Iterator[Candidate]]

    @property
    def roots(self) -> Mapping[str, Path | str]:
        """Image roots of the candidates, for an `ImageStore` of one's own."""
        return self.images.roots

    def candidates(self, *, progress: Progress | None = None) -> Iterator[Candidate]:
        """Yield the candidates; each call reads the source anew and empties `refused`.

        Args:
            progress: called with (files done, files to do) after each file of a folder; never called for a table,
                whose length is not known before.

        Raises:
            DataError: the source is damaged, or yielded no candidate at all.
        """
        self.refused.clear()
        empty = True
        for candidate in self._read(self, progress or _unwatched):
            empty = False
            yield candidate
        if empty:
            raise DataError(self._nothing_found())

    def _nothing_found(self) -> str:
        if kind_of_table(self.path) is None:
            return nothing_found(self.path, self.refused, others=self.others, links=self.links)
        if not self.refused:
            return f"{self.path}: the table holds no row"
        first = self.refused[0]
        return f"{self.path}: none of {len(self.refused)} rows could be read; the first, {first.path}: {first.reason}"


def read_source(
    path: Path,
    *,
    columns: Columns | None = None,
    root: Path | str | None = None,
    root_name: str = "",
    named_roots: Mapping[str, Path] | None = None,
    limits: ImageLimits | None = None,
    sound: Container[str] = frozenset(),
) -> Source:
    """Open a corpus.

    Args:
        path: a folder of pictures and documents; one such file; a JSONL, CSV, TSV or parquet table; an M-BEIR pool;
            or a JSONL of candidates as in rerank requests.
        columns: what the columns of a table hold; needed for tables, wrong for everything else.
        root: directory, or URL of a store, that a table's picture paths start from; default the folder of an M-BEIR
            layout, else the folder of the table. Wrong for a folder, which is its own root.
        root_name: name of the image root in the candidates.
        named_roots: NAME -> folder that the paths that begin with `NAME/` are read from, as where a layout's folder
            of pictures is a link. Its pictures have the root `NAME/`.
        limits: what one picture may cost.
        sound: hashes of picture files that were read before and found sound; a folder does not decode these again.

    Raises:
        DataError: there is no such source or root, it is of no known form, or a declared column is missing.
        ConfigError: columns or a root are given for a source that has none, or the root is a URL that may be none.
    """
    if not path.exists():
        raise DataError(f"{path}: no such folder or file; name a folder of pictures, a document, a table or a pool")
    kind = kind_of_table(path)
    if kind is None or path.is_dir():
        if columns is not None:
            raise ConfigError(f"{path}: columns are declared, but this is no JSONL, CSV, TSV or parquet table")
        if root is not None or named_roots:
            raise ConfigError(f"{path}: a root is given, but the pictures lie in the folder itself; leave it out")
        return _pictures(path, root_name, limits, sound)
    named = named_roots or {}
    images = _opened({root_name: root_of(path) if root is None else root}, named, limits)
    table = open_table(path)
    if columns is not None:
        columns = columns.of(table.names)
        table.check(columns.names)
        return Source(path=path, images=images, _read=partial(_read_table, table, columns, root_name, named))
    if kind == ".jsonl" and "did" in table.names:
        return Source(path=path, images=images, _read=partial(_read_pool, path, root_name, named))
    raise DataError(
        f"{path}: say what its columns hold with --id-column, --text-columns, --image-columns and "
        f"--metadata-columns; they are {table.listed}"
    )


def _opened(root: Mapping[str, Path | str], named: Mapping[str, Path], limits: ImageLimits | None) -> ImageStore:
    """Return a store over roots that can be opened, so that a wrong one is not found out after a long table."""
    images = ImageStore({**root, **{f"{name}/": folder for name, folder in named.items()}}, limits=limits)
    for place in images.roots.values():
        if isinstance(place, Path) and not place.is_dir():
            raise DataError(f"{place}: no such folder; a root is the folder that picture paths start from")
    return images


def _pictures(path: Path, root_name: str, limits: ImageLimits | None, sound: Container[str]) -> Source:
    directory, name = path, ""
    if not path.is_dir() and path.name.lower().endswith(SUFFIXES):
        directory, name = place_of_named(path)
    elif not path.is_dir():
        raise DataError(
            f"{path}: not a source; name a folder of pictures, one picture or document ({', '.join(SUFFIXES)}), or a "
            "table (.jsonl, .csv, .tsv, .parquet)"
        )
    read = partial(_read_pictures, path, name, root_name, sound)
    return Source(path=path, images=ImageStore({root_name: directory}, limits=limits), _read=read)


def _read_pictures(
    path: Path, file: str, root: str, sound: Container[str], source: Source, progress: Progress
) -> Iterator[Candidate]:
    """Yield the pictures of a folder, or those of one file that was named itself: `file`, below the root."""
    if file:
        found, wrong = read_file(source.images, ImageRef(path=file, root=root), name=path.name, sound=sound)
        source.refused += wrong
        progress(1, 1)
        yield from found
        return
    listing = list_folder(path)
    names = listing.pictures
    source.refused += listing.refused
    source.others, source.links = listing.others, listing.links
    for done, name in enumerate(names, start=1):
        found, wrong = read_file(source.images, ImageRef(path=name, root=root), sound=sound)
        source.refused += wrong
        progress(done, len(names))
        yield from found


def _read_pool(
    path: Path, root: str, named: Mapping[str, Path], source: Source, progress: Progress
) -> Iterator[Candidate]:
    """Yield the candidates of a pool; one that is wrong is an error, as in the benchmark."""
    del source, progress
    return (_placed(candidate, named) for candidate in read_corpus_of_either_form(path, root=root))


def _placed(candidate: Candidate, named: Mapping[str, Path]) -> Candidate:
    """Return the candidate with the pictures below a named root read from there."""
    if not named or not candidate.pictures:
        return candidate
    return replace(candidate, parts=tuple(_placed_part(part, named) for part in candidate.parts))


def _placed_part(part: Part, named: Mapping[str, Path]) -> Part:
    if isinstance(part, ImagePart):
        for name in named:
            if part.image.path.startswith(f"{name}/"):
                return ImagePart(image=replace(part.image, root=f"{name}/", path=part.image.path[len(name) + 1 :]))
    return part


def linked_folders(source: Source) -> list[str]:
    """Return the folders right below a source's roots that are links, which rows are not followed through."""
    places = (place for place in source.roots.values() if isinstance(place, Path) and place.is_dir())
    return sorted(path.name for place in places for path in place.iterdir() if path.is_symlink() and path.is_dir())


def _read_table(
    table: Table, columns: Columns, root: str, named: Mapping[str, Path], source: Source, progress: Progress
) -> Iterator[Candidate]:
    del progress
    first: dict[str, str] = {}
    for where, row in table.read(columns.names):
        try:
            candidate = candidate_of(row, columns, root=root)
        except DataError as error:
            source.refused.append(LeftOut(path=where, reason=str(error)))
            continue
        before = first.setdefault(candidate.did, where)
        if before != where:
            source.refused.append(LeftOut(path=where, reason=f"the id {candidate.did!r} stands already at {before}"))
            continue
        yield _placed(candidate, named)


def _unwatched(done: int, total: int) -> None:
    """Take what nobody watches."""
