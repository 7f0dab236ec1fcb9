"""Pins how the reader's verdicts are told: per candidate in JSON, in short in a table, never for other policies."""

from __future__ import annotations

from pathlib import Path

from tests.drawn import DrawnFolder
from tests.unit.agent.given_texts import GivenTexts, line

from vretrver.agent.reranked import Reranked
from vretrver.assembly.agent import open_agent
from vretrver.assembly.results import ranked
from vretrver.assembly.spec import AgentSpec
from vretrver.assembly.verdicts import verdicts_by_did
from vretrver.records import Query, parts_of

RIGHT = [line("12 March 2024", 40, 60, 300, 80), line("Total 118.40 EUR", 40, 300, 300, 320)]
OTHER = [line("12 March 2024", 40, 60, 300, 80), line("Total 2.00\x1b[31m EUR", 40, 300, 300, 320)]


def reranked(drawn: DrawnFolder, policy: str) -> Reranked:
    for number in (1, 2):
        drawn.ref(number, (400, 400))
    query = Query(qid="q", parts=parts_of(text="invoice 2024-03-12 total 118.40"))
    with open_agent(
        AgentSpec(policy=policy), drawn.store, texts=GivenTexts({"1.png": OTHER, "2.png": RIGHT})
    ) as agent:
        return agent.reranker().rerank(query, drawn.hits(2))


def test_every_candidate_has_a_verdict_for_every_fact(drawn: DrawnFolder) -> None:
    told = ranked(reranked(drawn, "reader"), {"": Path()})
    first, second = told.value["ranking"]
    assert first["did"] == "1:2"
    assert first["verdicts"][1] == {
        "kind": "date",
        "wanted": "2024-03-12",
        "finding": "yes",
        "text": "12 March 2024",
        "picture": 1,
        "box": [40, 60, 300, 80],
        "unsure": False,
    }
    assert [(one["wanted"], one["finding"]) for one in second["verdicts"]] == [
        ("invoice", "unseen"),
        ("2024-03-12", "yes"),
        ("118.40", "no"),
    ]
    assert told.rows[0][-1] == "2024-03-12 yes, 118.40 yes"
    assert str(told.rows[1][-1]).startswith("2024-03-12 yes, 118.40 no: 2.00")
    assert "\x1b" not in str(told.rows[1])


def test_other_policies_give_none(drawn: DrawnFolder) -> None:
    result = reranked(drawn, "first-k")
    assert verdicts_by_did(result) == {}
    assert "verdicts" not in ranked(result, {"": Path()}).value["ranking"][0]
