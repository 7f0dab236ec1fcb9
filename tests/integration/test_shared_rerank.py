"""Pins that real photographs and emoji go the whole way: load, coarse hits, session with looks, ranking, record.

Uses the data beside the checkout when it is there; skipped with a reason otherwise.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from vretrver.agent.reranker import Reranker
from vretrver.data.mbeir import open_mbeir
from vretrver.data.sources.source import read_source
from vretrver.geometry import Box
from vretrver.images import ImageStore
from vretrver.policies.scripted import replay
from vretrver.records import Query, parts_of
from vretrver.retrieval.hash_encoder import HashEncoder
from vretrver.retrieval.index import MemoryIndex
from vretrver.retrieval.retriever import Retriever
from vretrver.traces import reranked_to_json

DATA = Path(__file__).parents[3] / "shared" / "data"

SELECT = '<tool_call>{"name": "select_images", "arguments": {"target_images": [2, 3]}}</tool_call>'
ZOOM = '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 2, "bbox_2d": [250, 250, 500, 500]}}</tool_call>'
LOOKS = (f"<think>2 and 3 are alike.</think>{SELECT}{ZOOM}", "<answer>[2, 3, 1]</answer>")


def retriever_over(images: ImageStore, candidates: list) -> Retriever:
    """Return the coarse stage over candidates, encoded."""
    encoder = HashEncoder(images)
    index = MemoryIndex(dimension=encoder.dimension, fingerprint=encoder.fingerprint)
    retriever = Retriever(encoder, index, candidates)
    assert retriever.encode() == ()
    return retriever


def needs(folder: str) -> Path:
    """Return a shared folder or skip."""
    path = DATA / folder
    if not path.is_dir():
        pytest.skip(f"the shared data set {folder} is not beside the checkout")
    return path


def test_a_folder_of_photographs_reranks_with_looks_at_the_originals() -> None:
    folder = needs("coco_small") / "raw" / "images"
    images = ImageStore({"": folder})
    retriever = retriever_over(images, list(read_source(folder).candidates()))
    query = Query(qid="q", parts=parts_of(text="green grass under blue"))
    (hits,) = retriever.search([query], 20)
    reranked = Reranker(replay(LOOKS), images).rerank(query, hits)
    (trajectory,) = reranked.trajectories
    assert trajectory.stop == "answered"
    assert trajectory.looks == 2
    assert [ranked.coarse_rank for ranked in reranked.ranking[:4]] == [2, 3, 1, 4]
    seen = [cut for shown in trajectory.shown if shown.turn == 0 for cut in shown.cuts]
    assert [cut.address for cut in seen] == [2, 3, 2]
    width, height = seen[2].image.width, seen[2].image.height
    asked = Box(left=width // 4, top=height // 4, right=-(-width // 2), bottom=-(-height // 2))
    least = asked.grown(128, 128, within=(width, height))  # what is looked at has a least size
    assert seen[2].box == tuple(least.to_list())


def test_emoji_with_transparency_rerank_against_a_picture_query() -> None:
    folder = needs("emoji")
    images = ImageStore({"": folder})
    emoji = open_mbeir(folder, dataset="emoji", task=7)
    pool = {candidate.did: candidate for candidate in emoji.candidates()}
    row = next(row for row in emoji.queries() if row.negatives)
    chosen = [pool[did] for did in (*row.negatives, *row.positives)]
    (hits,) = retriever_over(images, chosen).search([row.query], len(chosen))
    reranked = Reranker(replay(LOOKS), images).rerank(row.query, hits)
    assert sorted(ranked.did for ranked in reranked.ranking) == sorted(candidate.did for candidate in chosen)
    assert not reranked.failed
    assert len(reranked_to_json(reranked)) > 1000
