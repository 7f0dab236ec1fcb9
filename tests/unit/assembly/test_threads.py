"""Pins how threads share an agent: `rank` in turns, `serve` all at once, anything else with a sentence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from vretrver.assembly.agent import assembled
from vretrver.assembly.spec import AgentSpec
from vretrver.errors import PolicyInUse
from vretrver.policies.scripted import first_k
from vretrver.records import Candidate, Hit, Query, TextPart

DOCUMENTS = ["a red mug", "a blue mug", "a jug"]


def hits() -> list[Hit]:
    return [
        Hit(candidate=Candidate(did=text, parts=(TextPart(text=text),)), score=1 / place)
        for place, text in enumerate(DOCUMENTS, start=1)
    ]


def query(number: int) -> Query:
    return Query(qid=f"q{number}", parts=(TextPart(text=f"mug {number}"),))


def test_rank_is_called_from_threads() -> None:
    agent = assembled(AgentSpec(), first_k())
    with ThreadPoolExecutor(8) as pool:
        rankings = list(pool.map(lambda number: agent.rank(f"mug {number}", DOCUMENTS), range(32)))
    assert [[row["corpus_id"] for row in ranking] for ranking in rankings] == [[0, 1, 2]] * 32


def test_an_engine_serves_threads() -> None:
    agent = assembled(AgentSpec(), first_k())
    with agent.serve() as engine, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: engine.submit(query(number), hits()).result(10), range(32)))
    assert [one.query.qid for one in found] == [f"q{number}" for number in range(32)]
    assert {tuple(ranked.did for ranked in one.ranking) for one in found} == {tuple(DOCUMENTS)}


def test_a_second_way_at_once_is_refused_with_what_to_do() -> None:
    agent = assembled(AgentSpec(), first_k())
    rest = agent.rerank_many((query(number), hits()) for number in range(64))
    next(rest)
    with pytest.raises(PolicyInUse, match=r"or let all callers share one Engine: Agent\.serve\(\)"):
        agent.rank("mug", DOCUMENTS)
    rest.close()
    assert len(agent.rank("mug", DOCUMENTS)) == 3
