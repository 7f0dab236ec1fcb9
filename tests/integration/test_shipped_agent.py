"""Pins that the shipped models have learned something: on a catalogue that neither has seen, and only by looking.

Bounds are far below what `measure/results` says of them, so that twenty queries decide.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from vretrver.agent.reranker import Reranked, Reranker
from vretrver.data.mbeir import MbeirQuery, open_mbeir
from vretrver.images import ImageStore
from vretrver.policies.named import LocalOptions, opened
from vretrver.prng import Stream
from vretrver.records import Candidate, Hit, Query
from vretrver.retrieval.encoders import encoder_named
from vretrver.world.demo.arms import DemoArm, arms_of, told_and_shown
from vretrver.world.draw.write import write_catalogue

SEED, ITEMS, QUERIES = 990_001, 25, 20
"""A seed that no training uses; five families of twins."""

GUESS = 0.2
"""hit@1 of a guess among five twins."""

Asked = tuple[list[MbeirQuery], dict[str, Candidate]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small catalogue."""
    folder = tmp_path_factory.mktemp("catalogue")
    write_catalogue(folder, seed=SEED, items=ITEMS)
    return folder


def asked(world: Path) -> Asked:
    opened_set = open_mbeir(world, dataset="catalogue", task=0)
    return list(opened_set.queries())[:QUERIES], {c.did: c for c in opened_set.candidates()}


def windows(world: Path) -> list[tuple[Query, list[Hit]]]:
    """Return each query with the five twins one of which answers it, in an order drawn by lot."""
    rows, pool = asked(world)
    pairs = []
    for row in rows:
        dids = sorted([*row.positives, *row.negatives])
        order = Stream(SEED, "order", row.query.qid).permutation(len(dids))
        pairs.append((row.query, [Hit(candidate=pool[dids[n]], score=-float(k)) for k, n in enumerate(order)]))
    return pairs


def ranked(arm: DemoArm, world: Path) -> list[Reranked]:
    return list(Reranker(arm.policy, ImageStore({"": world}), arm.config).rerank_many(windows(world)))


def hit(done: list[Reranked], world: Path) -> float:
    right = {row.query.qid: set(row.positives) for row in asked(world)[0]}
    return sum(one.ranking[0].did in right[one.query.qid] for one in done) / len(done)


def test_the_encoder_finds_the_family(world: Path) -> None:
    rows, pool = asked(world)
    encoder = encoder_named("shipped", ImageStore({"": world}))
    candidates = list(pool.values())
    scores = encoder.encode_queries([row.query for row in rows]) @ encoder.encode_candidates(candidates).T
    found = [{candidates[slot].did for slot in row.argsort()[::-1][:5]} for row in scores]
    share = sum(bool(dids & set(row.positives)) for dids, row in zip(found, rows, strict=True)) / len(rows)
    assert share >= 0.9


def test_the_agent_tells_twins_apart_by_looking_and_not_without(world: Path) -> None:
    with opened("shipped", local=LocalOptions(device="cpu")) as policy:
        looking, blind = arms_of(policy, *told_and_shown("shipped"))
        done, guessed = ranked(looking, world), ranked(blind, world)
    assert sum(not one.failed for one in done) >= 0.9 * QUERIES
    assert sum(t.looks for one in done for t in one.trajectories) >= QUERIES
    assert hit(done, world) >= 3.5 * GUESS
    assert hit(guessed, world) <= 1.5 * GUESS
