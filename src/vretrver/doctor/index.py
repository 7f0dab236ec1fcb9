"""Checks an index directory: can it be opened, do its vectors find themselves, are its pictures still there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ..errors import VRetrverError
from ..images import ImageStore
from ..retrieval.directory.check import check_pictures, sampled
from ..retrieval.directory.database import ItemDatabase
from ..retrieval.directory.index import DirectoryIndex
from .findings import Finding, note, ok, warning, wrong

Places = Mapping[str, Path | str]
"""Root name -> folder, or URL of a store."""

SAMPLE = 100
"""Items whose pictures are read."""

_ASKED = 8
_DEAD_SHARE = 0.3
_ROUNDING = 1e-4


def check_index(directory: Path, *, hidden: Callable[[Path, Places], Places] = lambda _, __: {}) -> Iterator[Finding]:
    """Check an index directory without changing it; reads a sample of its pictures.

    Args:
        directory: the index directory.
        hidden: asked which of the folders of its pictures may not be read; while there are any, none is.
    """
    try:
        database = ItemDatabase(directory)
        try:
            dids = sampled(database.all_dids(), SAMPLE)
        finally:
            database.close()
        with DirectoryIndex(directory) as index:
            yield from _check_state(index)
            if dids:
                yield _check_search(index, dids[:_ASKED])
                yield _check_pictures(index, dids, hidden)
    except VRetrverError as error:
        yield wrong("index", str(error))


def _check_state(index: DirectoryIndex) -> Iterator[Finding]:
    count, manifest = len(index), index.manifest
    dead = manifest.slots - count
    if count == 0:
        yield warning("index", f"{index.directory} is empty; run: vretrver index SOURCE -o {index.directory}")
    else:
        fields = f", filters over {', '.join(manifest.fields)}" if manifest.fields else ""
        yield ok("index", f"{count} items of {manifest.dimension} numbers from {manifest.fingerprint}{fields}")
    if dead > _DEAD_SHARE * max(manifest.slots, 1):
        yield warning(
            "index", f"{dead} of {manifest.slots} vectors are deleted and still take up space; compact the index"
        )
    if index.holder is not None:
        yield note("index", f"it is being written by {index.holder}")


def _check_search(index: DirectoryIndex, dids: list[str]) -> Finding:
    """Ask for stored vectors; each must find a vector at least as near as itself."""
    vectors = index.vectors_of(dids)
    queries = np.stack([vectors[did] for did in dids])
    started = time.perf_counter()
    found = index.search(queries, 1)
    spent = (time.perf_counter() - started) * 1000 / len(dids)
    lost = [
        did
        for did, best, vector in zip(dids, found, queries, strict=True)
        if not best or best[0][1] < float(vector @ vector) - _ROUNDING
    ]
    if lost:
        return wrong("index search", f"{lost[0]!r} does not find itself: the vector file is damaged; index again")
    return ok("index search", f"{len(dids)} stored vectors find themselves, {spent:.0f} ms each")


def _check_pictures(index: DirectoryIndex, dids: list[str], hidden: Callable[[Path, Places], Places]) -> Finding:
    candidates = [candidate for candidate in index.candidates(dids).values() if candidate.pictures]
    places = index.manifest.places(index.directory)
    if not candidates or not places:
        return note("index pictures", "none of the sampled items has a picture")
    if foreign := hidden(index.directory, places):
        shown = ", ".join(repr(str(place))[:200] for place in list(foreign.values())[:3])
        sentence = f"not read: they are outside the index, in {shown}; confirm them with `vretrver info --trust`"
        return note("index pictures", sentence)
    found = check_pictures(candidates, ImageStore(places, cache_bytes=0))
    for state, names in (("gone", found.gone), ("changed", found.changed)):
        if names:
            sentence = (
                f"{len(names)} of {len(candidates)} sampled items have pictures that are {state}, {names[0]!r} first"
            )
            return warning("index pictures", f"{sentence}; update the index")
    return ok("index pictures", f"{found.looked} pictures of {len(candidates)} sampled items are unchanged")
