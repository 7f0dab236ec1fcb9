"""Index directories as other commands open them: with their encoder, their pictures, a filter and an accelerator."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .output import note

if TYPE_CHECKING:
    from ..images import ImageLimits, ImageStore
    from ..retrieval.directory.index import DirectoryIndex
    from ..retrieval.retriever import Retriever


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """How an index directory is searched."""

    where: str | None = None
    """Filter over metadata; None finds everything."""
    resident_mb: int = 0
    """Hold the vectors in memory when they fit this many MiB; 0 reads them from the file."""
    approximate: bool = False
    """Use the structure for approximate search."""
    encoder: str | None = None
    """Name of the encoder of queries; None takes the one the index names."""
    device: str = "auto"
    """Where the encoder's model runs."""
    named_roots: Mapping[str, Path] = field(default_factory=dict)
    """NAME -> folder of the pictures whose paths begin with `NAME/`."""
    limits: ImageLimits | None = None
    """What a picture file may cost; None is the default."""


def is_index(path: Path) -> bool:
    """Return whether a path is an index directory."""
    from ..retrieval.directory.manifest import DATABASE

    return (path / DATABASE).is_file()


@contextmanager
def no_empty_index(out: Path) -> Iterator[None]:
    """Take away an index that a failed run has made and put nothing into."""
    from ..retrieval.directory.database import ItemDatabase

    fresh = not is_index(out)
    try:
        yield
    except BaseException:
        if fresh and is_index(out):
            database = ItemDatabase(out)
            try:
                with database.reading():
                    empty = database.manifest().slots == 0
            finally:
                database.close()
            if empty:
                shutil.rmtree(out)
        raise


def open_index(
    directory: Path, options: IndexOptions, *, root: Path | str | None, query: Path | None
) -> tuple[Retriever, ImageStore]:
    """Return a retriever over an index directory, and the store its pictures are read from.

    Args:
        directory: the index directory.
        options: how it is searched.
        root: where the pictures lie now; None takes what the index says.
        query: folder of the query's picture, found under the root `query`.

    Raises:
        ConfigError: the index has no encoder, the filter is wrong, or no approximate search was built.
        IndexMismatch: the encoder is not the one it was made with; the message says what differs.
    """
    from ..retrieval.directory.index import DirectoryIndex, check_encoder
    from ..retrieval.encoders import encoder_named
    from ..retrieval.retriever import Retriever
    from .inputs import QUERY, store_of

    opened = DirectoryIndex(directory)
    manifest = opened.manifest
    roots = manifest.places(directory) if root is None else {"": root}
    named = {f"{name}/": folder for name, folder in options.named_roots.items()}
    images = store_of({**roots, **named, QUERY: query or Path()}, options.limits)
    name = options.encoder or manifest.encoder
    if not name:
        raise ConfigError(f"{directory}: its vectors were imported ({manifest.fingerprint}); name their --encoder")
    encoder = encoder_named(name, images, device=options.device)
    check_encoder(directory, manifest, encoder)
    _accelerate(opened, options)
    view = opened if options.where is None else opened.where(options.where)
    return Retriever(encoder, view, opened), images


def _accelerate(opened: DirectoryIndex, options: IndexOptions) -> None:
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
