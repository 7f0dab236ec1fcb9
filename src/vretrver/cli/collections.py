"""`vretrver mirror`, and Qdrant collections as `vretrver search` opens them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from .indexes import IndexOptions
from .output import emit_json, note, progress

if TYPE_CHECKING:
    from ..images import ImageStore
    from ..retrieval.retriever import Retriever


def mirror(
    directory: Annotated[Path, typer.Argument(help="An index directory.")],
    target: Annotated[str, typer.Argument(help="qdrant://HOST:PORT/COLLECTION, or qdrants:// for TLS.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Make a Qdrant collection hold what an index directory holds; what is there already is not sent again.

    The server's key, if it has one, is read from VRETRVER_QDRANT_API_KEY.
    """
    from ..retrieval.directory.database import ItemDatabase
    from ..retrieval.directory.index import DirectoryIndex
    from ..retrieval.qdrant.address import connect, parse_address
    from ..retrieval.qdrant.index import QdrantIndex
    from ..retrieval.qdrant.mirror import mirror as make_equal

    address = parse_address(target)
    with DirectoryIndex(directory) as source, progress("sending") as update:
        manifest = source.manifest
        collection = QdrantIndex.create(
            connect(address),
            address.collection,
            dimension=manifest.dimension,
            fingerprint=manifest.fingerprint,
            encoder=manifest.encoder,
            name=str(address),
        )
        total = len(source)
        items = ItemDatabase(directory)
        try:
            done = make_equal(
                items.all_candidates(), source.vectors_of, collection, progress=lambda count: update(count, total)
            )
        finally:
            items.close()
    if as_json:
        emit_json({"collection": str(address), **asdict(done)})
    else:
        note(f"{address}: {done.written} written, {done.unchanged} unchanged, {done.deleted} deleted")


def open_collection(
    url: str, options: IndexOptions, *, root: Path | str | None, query: Path | None
) -> tuple[Retriever, ImageStore]:
    """Return a retriever over a Qdrant collection, and the store its pictures are read from.

    Args:
        url: `qdrant://HOST:PORT/COLLECTION`.
        options: how it is searched; what is for index directories only is refused.
        root: where the pictures lie; None is the working directory.
        query: folder of the query's picture, found under the root `query`.

    Raises:
        ConfigError: the address or an option is wrong.
        DataError, IndexMismatch, ServiceError: as `QdrantIndex`.
    """
    from ..retrieval.encoders import encoder_named
    from ..retrieval.qdrant.address import connect, parse_address
    from ..retrieval.qdrant.index import QdrantIndex
    from ..retrieval.retriever import Retriever
    from .inputs import QUERY, store_of

    if options.resident_mb or options.approximate:
        raise ConfigError(
            "--resident-mb and --approximate are for index directories; a collection has its own set-up"
        )
    address = parse_address(url)
    index = QdrantIndex(connect(address), address.collection, name=str(address))
    named = {f"{name}/": folder for name, folder in options.named_roots.items()}
    images = store_of({"": root or Path(), **named, QUERY: query or Path()}, options.limits)
    name = options.encoder or index.encoder
    if not name:
        raise ConfigError(f"{address}: its vectors were imported ({index.fingerprint}); name their --encoder")
    view = index if options.where is None else index.narrowed(options.where)
    return Retriever(encoder_named(name, images, device=options.device), view, index), images
