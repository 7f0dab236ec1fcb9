"""Pins how a trace is gone on with: what counts as done, and what is refused or done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.drawn import DrawnFolder, draw

from vretrver.agent.budget import Budget
from vretrver.agent.config import AgentConfig
from vretrver.agent.policy import PolicyLimits
from vretrver.agent.reranker import Reranker
from vretrver.assembly.agent import assembled
from vretrver.assembly.plans import ReferencePlan
from vretrver.assembly.resuming import done_before, read_run, rerank_into
from vretrver.assembly.spec import AgentSpec
from vretrver.config import resolved
from vretrver.errors import ConfigError, DataError
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text, first_k
from vretrver.records import Candidate, Hit, Query, parts_of
from vretrver.run_folder import RunFolder

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
    with pytest.raises(ConfigError, match="query 2 has other candidates in it, or another order of them; choose"):
        done_before(trace, other, reranker())
    assert list(done_before(trace, other, reranker(), strict=False)) == ["1"]
    with pytest.raises(ConfigError, match="query 1 was ranked by another agent"):
        done_before(trace, PAIRS, reranker(depth=3))
    assert done_before(trace, PAIRS, reranker(depth=3), strict=False) == {}


def test_what_the_agent_never_sees_may_change(trace: Path) -> None:
    query, hits = PAIRS[0]
    cheaper = [replace(hit, score=0.5, candidate=replace(hit.candidate, metadata={"price": 9})) for hit in hits]
    done = done_before(trace, [(replace(query, metadata={"seen": 1}), cheaper)], reranker())
    assert [hit.candidate.metadata for hit in done["1"].hits] == [{"price": 9}, {"price": 9}]
    assert (done["1"].query.metadata, done["1"].ranking[0].did) == ({"seen": 1}, "a")


def test_what_changed_is_named(trace: Path) -> None:
    query, hits = PAIRS[0]
    rewritten = replace(hits[1], candidate=replace(hits[1].candidate, parts=parts_of(text="new")))
    remedy = "choose another --trace file, or remove this one"
    for pair, said in [
        ((replace(query, parts=parts_of(text="y")), hits), "query 1 asks for something else in it"),
        ((query, [hits[0], rewritten]), "query 1 has candidate b in it with another text or picture"),
        ((query, hits[:1]), "query 1 has other candidates in it, or another order of them"),
    ]:
        with pytest.raises(ConfigError) as raised:
            done_before(trace, [pair], reranker())
        assert str(raised.value) == f"{trace}: {said}; {remedy}"


def test_what_was_broken_off_is_done_again(tmp_path: Path) -> None:
    broken = assembled(AgentSpec(workers=0, budget=Budget(seconds=0)), first_k()).reranker()
    list(rerank_into(tmp_path / "t.jsonl", broken, PAIRS[:1]))
    assert done_before(tmp_path / "t.jsonl", PAIRS, broken) == {}


def test_what_a_budget_ended_is_done(tmp_path: Path) -> None:
    spent = assembled(AgentSpec(workers=0, budget=Budget(turns=0)), first_k()).reranker()
    list(rerank_into(tmp_path / "t.jsonl", spent, PAIRS[:1]))
    assert list(done_before(tmp_path / "t.jsonl", PAIRS, spent)) == ["1"]


@pytest.mark.parametrize("place", ["trace", "folder"])
@pytest.mark.parametrize(
    ("change", "again"),
    [
        ("nothing", False),
        ("picture", True),
        ("limits", True),
        ("in_flight", False),
        ("budget", True),
        ("agent", True),
    ],
)
def test_one_rule_says_what_is_done_in_a_trace_and_in_a_folder(
    drawn: DrawnFolder, tmp_path: Path, place: str, change: str, again: bool
) -> None:
    asked: list[str] = []

    def script(moment: Moment) -> str:
        asked.append(moment.session)
        return answer_text([2, 1])

    def run(limits: PolicyLimits, budget: Budget, name: str) -> None:
        config = AgentConfig(budget=budget)
        with RunFolder(tmp_path / "run", config="a: 1") as folder:
            memo, trace = (folder, None) if place == "folder" else (None, tmp_path / "t.jsonl")
            policy = ScriptedPolicy(script, name=name, limits=limits)
            reranker = Reranker(policy, drawn.store, config, memo=memo, workers=0)
            done = done_before(trace, pairs, reranker, strict=False)
            assert len(done) + len(
                list(rerank_into(trace, reranker, [one for one in pairs if not done], folder=memo))
            )

    pairs = [(drawn.query(), tuple(drawn.hits(2)))]
    run(PolicyLimits(), Budget(), "a")
    if change == "picture":
        draw(77).save(drawn.path / "1.png")
    run(
        PolicyLimits(
            context_tokens=99_999 if change == "limits" else None, in_flight=3 if change == "in_flight" else 8
        ),
        Budget(looks=3) if change == "budget" else Budget(),
        "b" if change == "agent" else "a",
    )
    assert len(asked) == 1 + again


def test_a_run_is_read_back_from_its_trace_and_from_its_folder(tmp_path: Path) -> None:
    spec = AgentSpec(workers=0, plan=ReferencePlan(depth=2, size=2))
    with RunFolder(tmp_path / "run", config=resolved(spec)) as folder:
        one = assembled(spec, first_k()).reranker(memo=folder)
        live = list(rerank_into(tmp_path / "t.jsonl", one, PAIRS, folder=folder))
    assert list(read_run(tmp_path / "t.jsonl")) == list(read_run(tmp_path / "run")) == live


def test_hits_that_differ_from_those_of_the_folder_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", config="a: 1") as folder:
        folder.keep_hits(*PAIRS[0])
        again = rerank_into(None, reranker(), [pair("2", "a"), pair("1", "b", "a")], folder=folder)
        with pytest.raises(DataError, match="query 1 is kept with other candidates; choose a new folder"):
            next(again)
