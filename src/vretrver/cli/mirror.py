"""`vretrver mirror`: a Qdrant collection that holds what an index directory holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .output import emit_json, note
from .progress import progress


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
