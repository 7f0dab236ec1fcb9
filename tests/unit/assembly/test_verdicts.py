"""Pins how the reader's verdicts are told: per candidate in JSON, in short in a table, never for other policies."""

from __future__ import annotations

from pathlib import Path

from tests.drawn import DrawnFolder
from tests.unit.agent.given_texts import GivenTexts, line

from vretrver.agent.reranked import Reranked
from vretrver.assembly.agent import open_agent
from vretrver.assembly.results import ranked
from vretrver.assembly.spec import AgentSpec
from vretrver.assembly.verdicts import remarks_on, verdicts_by_did
from vretrver.records import Candidate, Citation, Hit, ImageRef, Query, parts_of

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


def asked(drawn: DrawnFolder, text: str, hit: Hit, policy: str = "reader") -> Reranked:
    drawn.ref(1, (400, 400))
    query = Query(qid="q", parts=parts_of(text=text))
    with open_agent(AgentSpec(policy=policy), drawn.store, texts=GivenTexts({"1.png": OTHER})) as agent:
        return agent.reranker().rerank(query, [hit])


def test_what_cannot_be_opened_is_told_so(drawn: DrawnFolder) -> None:
    gone = Candidate(did="gone", parts=parts_of(images=[ImageRef(path="gone.png")]))
    (row,) = ranked(asked(drawn, "AK-102", Hit(candidate=gone, score=1.0)), {"": Path()}).rows
    assert row == (1, "gone", 1, 1.0, "could not be opened")


def test_a_query_without_facts_and_what_the_reader_does_not_read_are_told(drawn: DrawnFolder) -> None:
    (hit,) = drawn.hits(1)
    named = Hit(candidate=hit.candidate, score=1.0, citation=Citation(text="AK-102", source="name"))
    no_fact = "no fact to check, as a date, a sum, a code or a name, is in the query"
    assert remarks_on(asked(drawn, "AK-102", hit)) == []
    assert remarks_on(asked(drawn, "AK-102", named)) == [
        "some were found by their name, which the reader does not read"
    ]
    assert remarks_on(asked(drawn, "of the", hit)) == [f"{no_fact}; the order before is kept"]
    assert remarks_on(asked(drawn, "sunny beach", hit)) == [
        f"{no_fact}; candidates that show the same of its words keep the order before"
    ]
    assert remarks_on(asked(drawn, "sunny beach", named, "first-k")) == []


def test_other_policies_give_none(drawn: DrawnFolder) -> None:
    result = reranked(drawn, "first-k")
    assert verdicts_by_did(result) == {}
    assert "verdicts" not in ranked(result, {"": Path()}).value["ranking"][0]
