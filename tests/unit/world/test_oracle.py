"""Pins the oracle: it finds the right twin by looking, and can only guess without."""

from __future__ import annotations

from tests.drawn import DrawnFolder

from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.policy import Request, Sampling
from vretrver.agent.reranker import AgentConfig, Reranked, Reranker
from vretrver.agent.session import SessionLimits
from vretrver.geometry import Box
from vretrver.records import Hit, Query
from vretrver.world.oracle import Evidence, Truth, oracle

TWINS = [f"1:{number}" for number in (2, 3, 4, 5, 6)]
DETAIL = Evidence(box=Box(left=100, top=50, right=140, bottom=70), width=800, height=400)


def _truth(relevant: str, *, qids: int = 1) -> Truth:
    """Candidates 2 to 6 are twins; each has its detail at the same place."""
    return Truth(
        relevant={f"9:{number}": frozenset({relevant}) for number in range(1, qids + 1)},
        alike={f"9:{number}": frozenset(TWINS) for number in range(1, qids + 1)},
        evidence={f"{number}.png": DETAIL for number in range(8)},
    )


def _rerank(drawn: DrawnFolder, truth: Truth, query: Query, **config: object) -> Reranked:
    for number in range(8):
        drawn.ref(number, (800, 400))
    return Reranker(oracle(truth), drawn.store, AgentConfig(**config)).rerank(query, drawn.hits(7))  # type: ignore[arg-type]


def test_it_looks_at_the_twins_and_puts_the_right_one_first(drawn: DrawnFolder) -> None:
    for did in TWINS:
        reranked = _rerank(drawn, _truth(did), drawn.query())
        assert reranked.ranking[0].did == did
        (record,) = reranked.trajectories
        looked = [seen.did for turn in record.turns for seen in turn.observations]
        assert looked == (TWINS if did == "1:6" else TWINS[:4])
        assert did in looked


def test_the_region_it_asks_for_holds_the_detail(drawn: DrawnFolder) -> None:
    (record,) = _rerank(drawn, _truth("1:4"), drawn.query()).trajectories
    for seen in record.turns[0].observations:
        assert seen.asked == [125, 125, 175, 175]
        assert seen.box is not None
        assert Box(left=seen.box[0], top=seen.box[1], right=seen.box[2], bottom=seen.box[3]).covers(DETAIL.box)


def test_it_looks_at_the_query_as_well_when_that_has_a_detail(drawn: DrawnFolder) -> None:
    (record,) = _rerank(drawn, _truth("1:2"), drawn.query(picture=0)).trajectories
    assert [seen.address for seen in record.turns[0].observations] == [0, 2, 3, 4]


def test_what_differs_by_more_than_a_detail_needs_no_look(drawn: DrawnFolder) -> None:
    truth = Truth(relevant={"9:1": frozenset({"1:5"})}, alike={}, evidence={"5.png": DETAIL})
    reranked = _rerank(drawn, truth, drawn.query())
    assert reranked.ranking[0].did == "1:5"
    assert reranked.trajectories[0].looks == 0


def test_without_tools_it_guesses_among_the_twins(drawn: DrawnFolder) -> None:
    hits = [Hit(candidate=candidate, score=0.0) for candidate in drawn.candidates(7)]
    requests = [(drawn.query(qid=f"9:{number}"), hits) for number in range(1, 101)]
    config = AgentConfig(dialect=vretrver(tools=False))
    first: list[str] = []
    for reranked in Reranker(oracle(_truth("1:4", qids=100)), drawn.store, config).rerank_many(requests):
        first.append(reranked.ranking[0].did)
        assert {ranked.did for ranked in reranked.ranking[:5]} == set(TWINS)
    assert set(first) == set(TWINS)
    assert 8 <= first.count("1:4") <= 35


def test_it_is_never_sure_of_a_twin_it_was_not_shown(drawn: DrawnFolder) -> None:
    limits = SessionLimits(look_tokens=0)
    reranked = _rerank(drawn, _truth("1:4"), drawn.query(), limits=limits)
    (record,) = reranked.trajectories
    assert record.looks == 0
    assert {call.outcome for turn in record.turns for call in turn.calls} == {"refused"}
    assert "fits best" in record.turns[-1].text
    assert {ranked.did for ranked in reranked.ranking[:5]} == set(TWINS)


def test_a_region_that_was_refused_is_not_asked_for_again(drawn: DrawnFolder) -> None:
    (record,) = _rerank(drawn, _truth("1:4"), drawn.query(), limits=SessionLimits(look_tokens=0)).trajectories
    asked = [call.arguments["target_image"] for turn in record.turns for call in turn.calls if call.arguments]
    assert asked == [2, 3, 4, 5, 6]


def test_without_its_task_it_answers_with_the_first() -> None:
    policy = oracle(_truth("1:4"))
    policy.submit(Request(sessions=("s",), messages=(), sampling=Sampling()))
    assert policy.collect()[0].text == "<answer>[1]</answer>"


def test_an_unknown_query_keeps_the_order(drawn: DrawnFolder) -> None:
    reranked = _rerank(drawn, _truth("1:4"), drawn.query(qid="9:404"))
    assert [ranked.did for ranked in reranked.ranking] == [f"1:{number}" for number in range(1, 8)]
