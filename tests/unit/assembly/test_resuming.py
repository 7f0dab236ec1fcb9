"""Pins how a trace is gone on with: what counts as done, and what is refused or done again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from vretrver.agent.budget import Budget
from vretrver.agent.reranker import Reranker
from vretrver.assembly.agent import assembled
from vretrver.assembly.plans import ReferencePlan
from vretrver.assembly.resuming import done_before, rerank_into
from vretrver.assembly.spec import AgentSpec
from vretrver.errors import ConfigError
from vretrver.policies.scripted import first_k
from vretrver.records import Candidate, Hit, Query, parts_of

Pair = tuple[Query, Sequence[Hit]]


def pair(qid: str, *texts: str) -> Pair:
    hits = tuple(Hit(candidate=Candidate(did=text, parts=parts_of(text=text)), score=1.0) for text in texts)
    return Query(qid=qid, parts=parts_of(text="x")), hits


PAIRS: list[Pair] = [pair("1", "a", "b"), pair("2", "a", "b")]


def reranker(depth: int = 50) -> Reranker:
    return assembled(AgentSpec(workers=0, plan=ReferencePlan(depth=depth)), first_k()).reranker()


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A trace of both queries."""
    assert len(list(rerank_into(tmp_path / "t.jsonl", reranker(), PAIRS))) == 2
    return tmp_path / "t.jsonl"


def test_what_a_trace_holds_is_done(trace: Path, tmp_path: Path) -> None:
    assert sorted(done_before(trace, [*PAIRS, pair("3", "a")], reranker())) == ["1", "2"]
    assert done_before(None, PAIRS, reranker()) == done_before(tmp_path / "none.jsonl", PAIRS, reranker()) == {}


def test_other_hits_and_other_agents_are_refused_or_done_again(trace: Path) -> None:
    other = [PAIRS[0], pair("2", "b", "a")]
    with pytest.raises(ConfigError, match="query 2 is in it with other content; choose another --trace"):
        done_before(trace, other, reranker())
    assert list(done_before(trace, other, reranker(), strict=False)) == ["1"]
    with pytest.raises(ConfigError, match="query 1 was ranked by another agent"):
        done_before(trace, PAIRS, reranker(depth=3))
    assert done_before(trace, PAIRS, reranker(depth=3), strict=False) == {}


def test_what_was_broken_off_is_done_again(tmp_path: Path) -> None:
    broken = assembled(AgentSpec(workers=0, budget=Budget(turns=0)), first_k()).reranker()
    list(rerank_into(tmp_path / "t.jsonl", broken, PAIRS[:1]))
    assert done_before(tmp_path / "t.jsonl", PAIRS, broken) == {}
