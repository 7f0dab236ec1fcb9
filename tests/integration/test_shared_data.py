"""Loads whole data sets in M-BEIR's layout that lie beside the checkout, where they do; skipped elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from vretrver.data.instructions import TASKS
from vretrver.data.mbeir import open_mbeir, read_queries
from vretrver.data.mbeir_ids import hash_did, hash_qid, unhash_did, unhash_qid
from vretrver.data.sources.source import read_source
from vretrver.geometry import PixelBudget
from vretrver.images import ImageStore
from vretrver.records import ImageRef, modality_of
from vretrver.runs import read_qrels

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def folder(name: str) -> Path:
    path = (DATA / name).resolve()
    if not path.is_dir():
        pytest.skip(f"the shared data set {name} is not beside this checkout")
    return path


@pytest.mark.parametrize(
    ("name", "dataset", "task", "queries", "candidates"),
    [
        ("coco_small", "cocosmall", 0, 470, 94),
        ("coco_small", "cocosmall", 3, 94, 470),
        ("emoji", "emoji", 0, 3059, 2299),
        ("emoji", "emoji", 3, 1644, 1644),
        ("emoji", "emoji", 7, 913, 2299),
        ("emoji", "flags", 0, 344, 351),
        ("emoji", "flags", 3, 349, 344),
    ],
)
def test_whole_sets_load_with_the_counts_of_their_readme(
    name: str, dataset: str, task: int, queries: int, candidates: int
):
    found = open_mbeir(folder(name), dataset=dataset, task=task)
    pool = {candidate.did: candidate for candidate in found.candidates()}
    rows = list(found.queries())
    qrels = found.qrels()
    assert (len(rows), len(pool), len(qrels)) == (queries, candidates, queries)
    for row in rows:
        assert row.query.instruction
        assert row.modality == TASKS[task][0]
        assert qrels.relevant(row.query.qid) == set(row.positives) <= set(pool)
        assert set(row.negatives) <= set(pool)
    assert {modality_of(candidate.parts) for candidate in pool.values()} == {TASKS[task][1]}


def test_transparent_and_palette_pictures_lie_on_white():
    directory = folder("emoji")
    store = ImageStore({"": directory}, cache_bytes=0)
    found = open_mbeir(directory, dataset="emoji", task=0)
    corners = [
        store.original(candidate.pictures[0]).getpixel((0, 0))
        for place, candidate in enumerate(found.candidates())
        if place % 10 == 0
    ]
    assert len(corners) == 230
    assert sum(corner == (255, 255, 255) for corner in corners) > 220


def test_every_photograph_and_flag_is_read():
    for name, count in (("coco_small/raw/images", 94), ("emoji/raw/flags", 351)):
        source = read_source(folder(name))
        assert (len(list(source.candidates())), source.refused) == (count, [])


def test_a_photograph_becomes_a_thumbnail_of_the_rule():
    directory = folder("coco_small")
    rule = PixelBudget(cell=32, tokens=64)
    store = ImageStore({"": directory})
    photo = store.identify(ImageRef(path="raw/images/000000000790.jpg"))
    assert photo.width is not None
    assert photo.height is not None
    assert store.thumbnail(photo, rule).size == rule.fit(photo.width, photo.height)


@pytest.mark.parametrize(
    ("dataset", "task", "queries", "rows"),
    [("cirr", 7, 4170, 4216), ("mscoco", 3, 5000, 24989), ("nights", 4, 2120, 2120)],
)
def test_real_queries_of_the_benchmark_agree_with_their_qrels(
    tmp_path: Path, dataset: str, task: int, queries: int, rows: int
):
    directory = folder("mbeir_test")
    path = directory / "topics" / f"topics.mbeir-{dataset}_task{task}.test.jsonl.gz"
    read = list(read_queries(path))
    qrels = read_qrels(directory / "qrels" / f"qrels.m-beir-{dataset}-task{task}.test.txt.gz")
    assert (len(read), len(qrels), sum(map(len, qrels.judged.values()))) == (queries, queries, rows)
    for row in read:
        assert qrels.relevant(row.query.qid) == set(row.positives)
        assert unhash_qid(hash_qid(row.query.qid)) == row.query.qid
        assert [unhash_did(hash_did(did)) for did in row.positives] == list(row.positives)
