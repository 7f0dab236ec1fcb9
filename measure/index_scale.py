"""The index directory from ten thousand to a million vectors: time to build, open and search, memory, size.

The vectors lie in clusters, as those of encoders do: 2,000 centres in a subspace of 48 dimensions, plus noise.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from measure.chart import write_chart
from measure.envelope import RESULTS, envelope, write_result
from measure.index_world import World, candidates, world_of
from vretrver.images import ImageStore
from vretrver.retrieval.directory.accelerate import build_approximate
from vretrver.retrieval.directory.entries import content_hash, entry_of
from vretrver.retrieval.directory.manifest import Manifest
from vretrver.retrieval.directory.precomputed import PrecomputedVectors
from vretrver.retrieval.directory.update import update_index
from vretrver.retrieval.directory.writer import IndexWriter


@contextmanager
def stopwatch(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Note the seconds of a step on the clock and those of processors; under load only the latter compare."""
    clock, processor = time.perf_counter(), time.process_time()
    yield
    seconds[f"{name}_seconds"] = round(time.perf_counter() - clock, 1)
    seconds[f"{name}_cpu_seconds"] = round(time.process_time() - processor, 1)


def build(directory: Path, vectors: Path, count: int) -> None:
    """Build an index of the first vectors of a file."""
    matrix = np.load(vectors, mmap_mode="r")[:count]
    imported = PrecomputedVectors(fingerprint="drawn", matrix=matrix, places={f"1:{n}": n for n in range(count)})
    with IndexWriter(directory, new=Manifest(fingerprint="drawn", dimension=matrix.shape[1])) as writer:
        images = ImageStore({"": directory})
        update_index(writer, candidates(count), imported, images, batch_size=8192, content=imported.content)


def delete(directory: Path, count: int) -> None:
    """Delete a tenth of the items."""
    gone = [f"1:{n}" for n in range(0, count, 10)]
    with IndexWriter(directory) as writer:
        for at in range(0, len(gone), 1000):
            writer.delete(gone[at : at + 1000])


def change(directory: Path, world: World, count: int, seed: int) -> None:
    """Replace the vectors of a tenth of the items."""
    generator = np.random.default_rng(seed)
    changed = [item for n, item in enumerate(candidates(count)) if n % 10 == 3]
    with IndexWriter(directory) as writer:
        for at in range(0, len(changed), 1000):
            some = changed[at : at + 1000]
            entries = [entry_of(item, content_hash(item)[:-1] + b"2") for item in some]
            writer.put(entries, world.draw(len(some), generator))


def approximate(directory: Path) -> None:
    """Build approximate search."""
    with IndexWriter(directory) as writer:
        built = build_approximate(directory, writer.manifest, writer.vectors(), writer.live_slots())
        writer.set_approximate(built)


def compact(directory: Path) -> None:
    """Compact."""
    with IndexWriter(directory) as writer:
        writer.compact()


def measured(directory: Path, queries: Path) -> dict[str, Any]:
    """Measure an index in a fresh process."""
    command = [sys.executable, "-m", "measure.index_measure", str(directory), str(queries)]
    result: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return result


def write_vectors(path: Path, world: World, count: int, dimension: int, seed: int) -> None:
    """Write vectors to a NumPy file, in blocks."""
    generator = np.random.default_rng(seed)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(count, dimension))
    for start in range(0, count, 65536):
        file[start : start + 65536] = world.draw(min(65536, count - start), generator)


def run(folder: Path, sizes: list[int], *, dimension: int, queries: int, seed: int) -> dict[str, Any]:
    """Build and measure every size, and the largest again after deletes and updates and after compaction."""
    world = world_of(dimension, seed)
    write_vectors(folder / "vectors.npy", world, max(sizes), dimension, seed + 1)
    np.save(folder / "queries.npy", world.draw(queries, np.random.default_rng(seed + 2)))
    result: dict[str, Any] = {}

    def note(name: str, directory: Path, seconds: dict[str, float]) -> None:
        result[name] = {**seconds, **measured(directory, folder / "queries.npy")}
        sys.stderr.write(f"{name}: {json.dumps(result[name])}\n")

    for size in sizes:
        directory, seconds = folder / f"index-{size}", {}
        with stopwatch(seconds, "build"):
            build(directory, folder / "vectors.npy", size)
        with stopwatch(seconds, "approximate_build"):
            approximate(directory)
        note(f"{size}", directory, seconds)
    seconds = {}
    with stopwatch(seconds, "delete"):
        delete(directory, size)
    with stopwatch(seconds, "update"):
        change(directory, world, size, seed + 3)
    note("after 10 % deletes and 10 % updates", directory, seconds)
    seconds = {}
    with stopwatch(seconds, "compact"):
        compact(directory)
    note("compacted", directory, seconds)
    return result


def chart(path: Path, result: dict[str, Any], sizes: list[int]) -> None:
    """Draw how times grow."""
    rows = [(size, result[f"{size}"]) for size in sizes]
    series = {
        "build (ms)": [(n, 1000 * row["build_seconds"]) for n, row in rows],
        "open (ms)": [(n, row["open_ms"]) for n, row in rows],
        "exact p50 (ms)": [(n, row["exact"]["p50_ms"]) for n, row in rows],
        "faiss Flat p50 (ms)": [(n, row["exact"]["faiss_flat_p50_ms"]) for n, row in rows],
        "10 % filter p50 (ms)": [(n, row["filter 10 %"]["p50_ms"]) for n, row in rows],
        "approximate p50 (ms)": [(n, row["approximate"]["p50_ms"]) for n, row in rows],
        "files (MiB)": [(n, sum(row["file_mb"].values())) for n, row in rows],
    }
    write_chart(path, series, title="Index directory, 512 dimensions, 2 cores", x="vectors", y="each in its unit")


def main() -> None:
    """Measure and write result file and chart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "index_scale.json")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        result = run(
            Path(folder), options.sizes, dimension=options.dimension, queries=options.queries, seed=options.seed
        )
    origin = envelope("index_scale")
    settings = {"k": 50, "dimension": options.dimension, "queries": options.queries, "seed": options.seed}
    libraries = {"faiss-cpu": version("faiss-cpu"), "sqlite": sqlite3.sqlite_version}
    load_averages = {"at the start": round(load, 1), "at the end": round(os.getloadavg()[0], 1)}
    write_result(
        options.out,
        {**origin, "libraries": libraries, "load": load_averages, "settings": settings, "results": result},
    )
    chart(options.out.with_suffix(".svg"), result, options.sizes)
