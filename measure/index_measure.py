"""Measures one index directory in a process of its own, so that its memory means something; prints JSON.

Every query is asked of the index and of plain faiss Flat in turn, so that whatever else the machine does slows both.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from measure.index_world import Vectors
from vretrver.retrieval.directory.accelerate import open_approximate, resident
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.index import Found

K = 50
"""Hits asked for."""

FILTERS = {"10 %": "price < 10", "1 %": "price < 10 AND shop = 'shop 3'"}
"""Share that matches -> filter."""

Search = Callable[[Vectors], object]


def measure(directory: Path, queries: Vectors) -> dict[str, Any]:
    """Return times, memory and sizes of an index."""
    before = memory()
    started = time.perf_counter()
    index = DirectoryIndex(directory)
    len(index)
    manifest, matrix = index.mapped()
    opened = time.perf_counter() - started
    started = time.perf_counter()
    index.search(queries[:1], K)
    first = time.perf_counter() - started
    after = memory()
    flat = flat_of(matrix, index.live())
    exact = index.search(queries, K)
    result: dict[str, Any] = {
        "items": len(index),
        "slots": manifest.slots,
        "open_ms": round(1000 * opened, 2),
        "first_search_ms": round(1000 * first, 1),
        "memory_mb": {name: round(after[name] - before[name], 1) for name in after},
        "file_mb": {path.name: round(path.stat().st_size / 2**20, 1) for path in sorted(directory.iterdir())},
        "exact": against_flat(lambda q: index.search(q, K), lambda q: flat.search(q, K), list(queries[:, None])),
        "exact_64_queries": against_flat(
            lambda q: index.search(q, K), lambda q: flat.search(q, K), [queries[:64]] * 5
        ),
    }
    for share, where in FILTERS.items():
        started = time.perf_counter()
        index.search(queries[:1], K, where=where)
        cold = time.perf_counter() - started
        warm = times(lambda q, where=where: index.search(q, K, where=where), list(queries[:, None]))
        result[f"filter {share}"] = {"matches": index.count(where), "first_ms": round(1000 * cold, 1), **spread(warm)}
    if manifest.approximate is not None:
        index.use(open_approximate(directory, manifest))
        result["approximate"] = {
            **spread(times(lambda q: index.search(q, K), list(queries[:, None]))),
            "recall@50": recall(index.search(queries, K), exact),
            "recall@50 of the build's sample": manifest.approximate.recall,
            "lists": manifest.approximate.lists,
            "probes": manifest.approximate.probes,
        }
    index.use(resident(matrix, manifest, megabytes=10**6))
    result["resident"] = {
        "megabytes": round(2 * matrix.size / 2**20, 1),
        **spread(times(lambda q: index.search(q, K), list(queries[:, None]))),
        "equal_to_exact": index.search(queries, K) == exact,
    }
    return result


def flat_of(matrix: Vectors, live: np.ndarray | None) -> Any:
    """Return a plain faiss Flat index of what can be found."""
    flat = faiss.IndexFlatIP(matrix.shape[1])
    rows = np.arange(len(matrix)) if live is None else np.flatnonzero(live)
    for at in range(0, len(rows), 65536):
        flat.add(np.ascontiguousarray(matrix[rows[at : at + 65536]]))
    return flat


def against_flat(ours: Search, theirs: Search, batches: Sequence[Vectors]) -> dict[str, float]:
    """Time both in turn over the same batches, after one of each that is not counted."""
    ours(batches[0]), theirs(batches[0])
    pairs = [(times(ours, [batch])[0], times(theirs, [batch])[0]) for batch in batches]
    mine, flat = spread([pair[0] for pair in pairs]), spread([pair[1] for pair in pairs])
    return {
        **mine,
        **{f"faiss_flat_{name}": value for name, value in flat.items()},
        "ratio_of_medians": round(mine["p50_ms"] / flat["p50_ms"], 2),
    }


def times(search: Search, batches: Sequence[Vectors]) -> list[float]:
    """Return the seconds of each batch."""
    found = []
    for batch in batches:
        started = time.perf_counter()
        search(batch)
        found.append(time.perf_counter() - started)
    return found


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return median and 99th percentile in milliseconds."""
    return {f"p{p}_ms": round(1000 * float(np.percentile(seconds, p)), 2) for p in (50, 99)}


def recall(found: list[Found], exact: list[Found]) -> float:
    """Return the share of the exact hits that were found, mean over queries."""
    shares = [
        len({did for did, _ in row} & {did for did, _ in right}) / len(right)
        for row, right in zip(found, exact, strict=True)
    ]
    return round(float(np.mean(shares)), 4)


def memory() -> dict[str, float]:
    """Return this process's resident memory in MiB: its own, and pages of files the system may take back."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith("Rss")}
    return {"private": kilobytes["RssAnon"] / 1024, "of_files": kilobytes["RssFile"] / 1024}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]), np.load(sys.argv[2]))))
