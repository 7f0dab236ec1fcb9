"""faiss in front of the memory map: vectors held in memory at half precision, or sorted into cells.

Both only propose slots. Results are scored again on the memory map, and vectors added since the structure was built
are searched exactly. The resident structure proposes enough slots to be exact; the approximate one is as good as its
measured recall.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._optional import require
from ...errors import ConfigError, DataError, StorageError
from ...files import open_own, refuse_foreign
from ..encoder import Vectors
from ..exact import Best, Slots, exact_search, merged, rescored
from .manifest import Approximate, Manifest
from .vectors import sync_folder

RECALL = 0.99
"""Recall at 50 that the number of probes is chosen for."""

_DEPTH = 50
_SAMPLE = 256  # the standard error of a recall of 0.99 over 256 x 50 neighbours is 0.001
_BLOCK = 65536  # rows copied to memory at a time: 256 MiB at 1,024 numbers
_TRAINING = 40  # vectors per cell for k-means; faiss warns below 39
_HALF_STEP = 2.0**-11  # largest relative rounding error of half precision
_HALF_LEAST = 2.0**-25  # largest absolute one, below its normal range

Mask = NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class Accelerator:
    """A faiss index over the first slots of one generation."""

    index: Any
    """The faiss index; its ids are slots."""
    generation: int
    """Generation of the vector file it was built from."""
    covered: int
    """Slots below this are in it."""
    error: Callable[[float], float] | None
    """Query length -> bound on the error of a score; None when slots may be missed."""
    probes: int = 0
    """Cells read for a query; 0 where there are none."""

    def propose(self, queries: Vectors, count: int, allowed: Mask | None) -> tuple[Vectors, Slots]:
        """Return scores and slots [Q, count], best first; slots are -1 past the last one."""
        faiss = require("faiss", extra="index")
        selector = None
        if allowed is not None:
            bits = np.packbits(allowed[: self.covered], bitorder="little")
            selector = faiss.IDSelectorBitmap(self.covered, faiss.swig_ptr(bits))
        if self.probes:
            parameters = faiss.SearchParametersIVF(sel=selector, nprobe=self.probes)
        else:
            parameters = faiss.SearchParameters(sel=selector) if selector is not None else None
        scores, slots = self.index.search(np.ascontiguousarray(queries), count, params=parameters)
        return scores, slots


def resident(matrix: Vectors, manifest: Manifest, *, megabytes: int) -> Accelerator | None:
    """Return the vectors of an index held in memory at half precision, None when they do not fit.

    Args:
        matrix: [slots, D], as mapped.
        manifest: the manifest of the same commit.
        megabytes: memory it may take, in units of 2**20 bytes.
    """
    if not len(matrix) or 2 * matrix.size > megabytes * 2**20:
        return None
    faiss = require("faiss", extra="index")
    index = faiss.IndexScalarQuantizer(manifest.dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.train(matrix[:1])  # half precision has nothing to learn, but faiss requires the call
    _fill(index, matrix)
    bound = manifest.longest * (_HALF_STEP + manifest.dimension * 2.0**-22) + manifest.dimension**0.5 * _HALF_LEAST
    return Accelerator(
        index=index, generation=manifest.generation, covered=len(matrix), error=lambda length: bound * length
    )


def open_approximate(directory: Path, manifest: Manifest) -> Accelerator:
    """Return the structure for approximate search; its vectors stay on disk until they are needed.

    Raises:
        ConfigError: none was built.
        DataError: its file is missing or damaged.
    """
    built = manifest.approximate
    if built is None:
        raise ConfigError(
            f"{directory}: no structure for approximate search; build it with "
            f"`vretrver index -o {directory} --approximate`"
        )
    faiss = require("faiss", extra="index")
    refuse_foreign(directory / built.file)
    try:
        index = faiss.read_index(str(directory / built.file), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        if (index.d, index.ntotal) != (manifest.dimension, built.covered):
            raise RuntimeError(f"{index.ntotal} vectors of {index.d} numbers")
    except RuntimeError as error:
        raise DataError(
            f"{directory / built.file}: cannot be read; build it again with `vretrver index -o {directory} "
            "--approximate`"
        ) from error
    return Accelerator(
        index=index, generation=manifest.generation, covered=built.covered, error=None, probes=built.probes
    )


def build_approximate(
    directory: Path, manifest: Manifest, matrix: Vectors, live: Slots, *, recall: float = RECALL, seed: int = 1
) -> Approximate:
    """Sort vectors into cells, measure how many cells a query must read, and write the file.

    The sample consists of stored vectors used as queries. Real queries may be farther from the cells than stored
    vectors are, so measure with your own where it matters.

    Args:
        directory: where the file is written, completely or not at all.
        manifest: the manifest of the same commit.
        matrix: [slots, D].
        live: the slots that can be found; at least one.
        recall: share of the exact 50 best that must be found, over the sample.
        seed: seed of the sample.
    """
    if not len(live):
        raise DataError(f"{directory}: the index is empty; there is nothing to sort")
    faiss = require("faiss", extra="index")
    generator = np.random.default_rng(seed)
    # A query compares `lists` centroids and n / lists vectors per probe. The two balance at sqrt(probes * n) cells,
    # so 2 * sqrt(n) suits 4 probes. _TRAINING vectors per cell at least: fewer make poor centroids.
    lists = max(1, min(int(2 * len(live) ** 0.5), len(live) // _TRAINING))
    quantizer = faiss.IndexFlatIP(manifest.dimension)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, manifest.dimension, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.min_points_per_centroid = 1
    index.train(_sampled(matrix, live, _TRAINING * lists, generator))
    _fill(index, matrix)
    allowed = np.zeros(len(matrix), np.bool_)
    allowed[live] = True
    queries = _sampled(matrix, live, _SAMPLE, generator)
    exact = exact_search(matrix, queries, _DEPTH, longest=manifest.longest, allowed=allowed)
    accelerator = Accelerator(index=index, generation=manifest.generation, covered=len(matrix), error=None, probes=1)
    while (found := _recall(accelerator, matrix, queries, allowed, exact)) < recall and accelerator.probes < lists:
        accelerator.probes = min(2 * accelerator.probes, lists)
    name = f"approximate-{manifest.generation}-{manifest.version}.faiss"
    _write(faiss, index, directory / name)
    return Approximate(
        file=name,
        covered=len(matrix),
        lists=lists,
        probes=accelerator.probes,
        recall=round(found, 4),
        sample=len(queries),
    )


def accelerated_search(
    accelerator: Accelerator, matrix: Vectors, queries: Vectors, k: int, *, longest: float, allowed: Mask | None
) -> list[Best]:
    """Return for each query the k best slots: those proposed and those added since, scored on the memory map."""
    tail = exact_search(matrix, queries, k, longest=longest, allowed=allowed, first=accelerator.covered)
    head = _heads(accelerator, matrix, queries, k, allowed)
    return [merged([first, last], k) for first, last in zip(head, tail, strict=True)]


def _heads(accelerator: Accelerator, matrix: Vectors, queries: Vectors, k: int, allowed: Mask | None) -> list[Best]:
    """Return the k best covered slots; request more proposals until no other slot could be better."""
    best: list[Best | None] = [None] * len(queries)
    count = min(2 * k + 16, max(1, accelerator.covered))
    left = list(range(len(queries)))
    while left:
        scores, slots = accelerator.propose(queries[left], count, allowed)
        undecided = []
        for place, number in enumerate(left):
            found = slots[place][slots[place] >= 0]
            best[number] = rescored(matrix, queries[number], np.sort(found), k)
            if not _complete(accelerator, queries[number], scores[place], len(found), best[number], k):
                undecided.append(number)
        left = undecided
        count = min(4 * count, max(1, accelerator.covered))
    return [result for result in best if result is not None]


def _complete(
    accelerator: Accelerator, query: Vectors, scores: Vectors, found: int, best: Best | None, k: int
) -> bool:
    """Return whether the k best are certain to be among the proposed slots."""
    if accelerator.error is None or found < len(scores) or found >= accelerator.covered or best is None:
        return True
    error = accelerator.error(float(np.linalg.norm(query.astype(np.float64))))
    return len(best[1]) == k and float(scores[found - 1]) + error < float(best[1][-1])


def _recall(accelerator: Accelerator, matrix: Vectors, queries: Vectors, allowed: Mask, exact: list[Best]) -> float:
    found = _heads(accelerator, matrix, queries, _DEPTH, allowed)
    shares = [len(np.intersect1d(f[0], e[0])) / max(1, len(e[0])) for f, e in zip(found, exact, strict=True)]
    return float(np.mean(shares))


def _sampled(matrix: Vectors, live: Slots, count: int, generator: np.random.Generator) -> Vectors:
    chosen = generator.choice(live, size=min(count, len(live)), replace=False)
    return np.ascontiguousarray(matrix[np.sort(chosen)])


def _fill(index: Any, matrix: Vectors) -> None:
    for start in range(0, len(matrix), _BLOCK):
        index.add(np.ascontiguousarray(matrix[start : start + _BLOCK]))


def _write(faiss: Any, index: Any, path: Path) -> None:
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        os.close(open_own(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL))  # faiss would write through a link
        faiss.write_index(index, str(draft))
        descriptor = open_own(draft, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        draft.rename(path)
        sync_folder(path.parent)
    except (OSError, RuntimeError) as error:
        draft.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot be written: {error}; the index is as before") from error
