"""Pins that the resident search is exact, that the approximate one is measured, and what later changes do to both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vretrver.errors import ConfigError, DataError
from vretrver.retrieval.directory.accelerate import build_approximate, open_approximate, resident
from vretrver.retrieval.directory.entries import bare_entry
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.manifest import Manifest
from vretrver.retrieval.directory.writer import IndexWriter
from vretrver.retrieval.encoder import Vectors

pytest.importorskip("faiss")

D = 16


def draw(count: int, seed: int, *, spread: float = 0.3) -> Vectors:
    """Return vectors in 30 clusters."""
    centres = np.random.default_rng(0).normal(size=(30, D))
    generator = np.random.default_rng(seed)
    vectors = centres[generator.integers(30, size=count)] + spread * generator.normal(size=(count, D))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    with IndexWriter(tmp_path, new=Manifest(fingerprint="drawn", dimension=D)) as writer:
        writer.put([bare_entry(f"d{n}") for n in range(3000)], draw(3000, 1))
        writer.delete([f"d{n}" for n in range(0, 3000, 7)])
    return tmp_path


def build(directory: Path) -> None:
    with IndexWriter(directory) as writer:
        writer.set_approximate(build_approximate(directory, writer.manifest, writer.vectors(), writer.live_slots()))


def change(directory: Path) -> None:
    with IndexWriter(directory) as writer:
        writer.put([bare_entry(f"d{n}") for n in range(2990, 3010)], draw(20, 2))
        writer.delete([f"d{n}" for n in range(1, 2990, 7)])


def test_the_resident_search_equals_the_exact_one(many: Path):
    queries = draw(40, 3)
    with DirectoryIndex(many) as index:
        exact = index.search(queries, 20)
        manifest, matrix = index.mapped()
        held = resident(matrix, manifest, megabytes=1)
        assert held is not None
        index.use(held)
        assert index.search(queries, 20) == exact
        change(many)
        later = index.search(queries, 20)
        index.use(None)
        assert later == index.search(queries, 20)
        assert later != exact


def test_vectors_nearer_than_half_precision_can_tell_are_still_in_order(tmp_path: Path):
    generator = np.random.default_rng(4)
    vectors = np.ones((2000, D), np.float32) / 4 + generator.normal(size=(2000, D)).astype(np.float32) * 1e-6
    with IndexWriter(tmp_path, new=Manifest(fingerprint="drawn", dimension=D)) as writer:
        writer.put([bare_entry(f"d{n}") for n in range(2000)], vectors)
    with DirectoryIndex(tmp_path) as index:
        exact = index.search(vectors[:5], 10)
        manifest, matrix = index.mapped()
        index.use(resident(matrix, manifest, megabytes=1))
        assert index.search(vectors[:5], 10) == exact


def test_what_does_not_fit_is_not_held(many: Path):
    with DirectoryIndex(many) as index:
        manifest, matrix = index.mapped()
        assert resident(matrix, manifest, megabytes=0) is None
        assert resident(matrix[:0], manifest, megabytes=1) is None


def test_approximate_search_has_the_recall_it_says(many: Path):
    build(many)
    queries = draw(100, 5)
    with DirectoryIndex(many) as index:
        exact = index.search(queries, 50)
        built = index.manifest.approximate
        assert built is not None
        assert (built.covered, built.sample) == (3000, 256)
        assert built.probes < built.lists
        assert built.recall >= 0.99
        index.use(open_approximate(many, index.manifest))
        found = index.search(queries, 50)
        index.use(None)
    shares = [len(dict(f).keys() & dict(e).keys()) / 50 for f, e in zip(found, exact, strict=True)]
    assert np.mean(shares) >= 0.97
    assert not {did for row in found for did, _ in row} & {f"d{n}" for n in range(0, 3000, 7)}
    assert all(scores == sorted(scores, reverse=True) for scores in ([s for _, s in row] for row in found))


def test_vectors_added_since_are_searched_exactly_and_deleted_ones_are_not_found(many: Path):
    build(many)
    change(many)
    with DirectoryIndex(many) as index:
        index.use(open_approximate(many, index.manifest))
        rows = index.search(draw(20, 2), 3)
        assert [row[0][0] for row in rows] == [f"d{n}" for n in range(2990, 3010)]
        assert not {did for row in rows for did, _ in row} & {f"d{n}" for n in range(1, 2990, 7)}


def test_compaction_drops_the_structure_and_readers_go_on_exactly(many: Path):
    build(many)
    with DirectoryIndex(many) as index:
        index.use(open_approximate(many, index.manifest))
        with IndexWriter(many) as writer:
            writer.compact()
        assert len(index.search(draw(1, 6), 5)[0]) == 5
        with pytest.raises(ConfigError, match=r"build it with `vretrver index -o .* --approximate`"):
            open_approximate(many, index.manifest)
    assert not list(many.glob("approximate-*"))


def test_building_again_replaces_the_file(many: Path):
    build(many)
    before = {path.name for path in many.glob("approximate-*")}
    change(many)
    build(many)
    after = {path.name for path in many.glob("approximate-*")}
    assert len(before) == len(after) == 1
    assert before != after


def test_a_structure_that_cannot_be_read_is_told(many: Path):
    build(many)
    (path,) = many.glob("approximate-*")
    path.write_bytes(b"something else")
    with DirectoryIndex(many) as index, pytest.raises(DataError, match="cannot be read; build it again"):
        open_approximate(many, index.manifest)


def test_an_empty_index_has_nothing_to_sort(tmp_path: Path):
    manifest = Manifest(fingerprint="drawn", dimension=D)
    with pytest.raises(DataError, match="the index is empty; there is nothing to sort"):
        build_approximate(tmp_path, manifest, draw(0, 1), np.zeros(0, np.int64))
