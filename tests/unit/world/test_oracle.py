"""Pins the oracle: it finds the right twin by looking, and can only guess without."""

from __future__ import annotations

from tests.drawn import DrawnFolder

from vretrver.agent.budget import Budget
from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.policy import FailureKind, Request, Sampling
from vretrver.agent.reranked import Reranked
from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import PictureShown, Trajectory
from vretrver.geometry import Box
from vretrver.records import Hit, Query
from vretrver.world.oracle import DetailRegion, OracleTruth, oracle

TWINS = [f"1:{number}" for number in (2, 3, 4, 5, 6)]
DETAIL = DetailRegion(box=Box(left=100, top=50, right=140, bottom=70), width=800, height=400)


def _truth(relevant: str, *, qids: int = 1) -> OracleTruth:
    """Candidates 2 to 6 are twins; each has its detail at the same place."""
    return OracleTruth(
        relevant={f"9:{number}": frozenset({relevant}) for number in range(1, qids + 1)},
        alike={f"9:{number}": frozenset(TWINS) for number in range(1, qids + 1)},
        evidence={f"{number}.png": DETAIL for number in range(8)},
    )


def _rerank(drawn: DrawnFolder, truth: OracleTruth, query: Query, **config: object) -> Reranked:
    for number in range(8):
        drawn.ref(number, (800, 400))
    policy = oracle(truth)
    reranker = Reranker(policy, drawn.store, AgentConfig(**config), watch=policy.watch)  # type: ignore[arg-type]
    return reranker.rerank(query, drawn.hits(7))


def _seen(record: Trajectory, turn: int) -> list[PictureShown]:
    """Return the pictures that a turn's looks brought back."""
    return [shown for shown in record.observations(turn) if isinstance(shown, PictureShown)]


def test_it_looks_at_the_twins_and_puts_the_right_one_first(drawn: DrawnFolder) -> None:
    for did in TWINS:
        reranked = _rerank(drawn, _truth(did), drawn.query())
        assert reranked.ranking[0].did == did
        (record,) = reranked.trajectories
        looked = [shown.cuts[0].did for number in range(len(record.turns)) for shown in _seen(record, number)]
        assert looked == (TWINS if did == "1:6" else TWINS[:4])
        assert did in looked


def test_the_region_it_asks_for_holds_the_detail(drawn: DrawnFolder) -> None:
    (record,) = _rerank(drawn, _truth("1:4"), drawn.query()).trajectories
    for shown in _seen(record, 0):
        (cut,) = shown.cuts
        assert cut.asked == (125, 125, 175, 175)
        assert cut.box is not None
        assert Box(left=cut.box[0], top=cut.box[1], right=cut.box[2], bottom=cut.box[3]).covers(DETAIL.box)


def test_it_looks_at_the_query_as_well_when_that_has_a_detail(drawn: DrawnFolder) -> None:
    (record,) = _rerank(drawn, _truth("1:2"), drawn.query(picture=0)).trajectories
    assert [shown.cuts[0].address for shown in _seen(record, 0)] == [0, 2, 3, 4]


def test_what_differs_by_more_than_a_detail_needs_no_look(drawn: DrawnFolder) -> None:
    truth = OracleTruth(relevant={"9:1": frozenset({"1:5"})}, alike={}, evidence={"5.png": DETAIL})
    reranked = _rerank(drawn, truth, drawn.query())
    assert reranked.ranking[0].did == "1:5"
    assert reranked.trajectories[0].looks == 0


def test_without_tools_it_guesses_among_the_twins(drawn: DrawnFolder) -> None:
    hits = [Hit(candidate=candidate, score=0.0) for candidate in drawn.candidates(7)]
    requests = [(drawn.query(qid=f"9:{number}"), hits) for number in range(1, 101)]
    config = AgentConfig(dialect=vretrver(tools=False))
    first: list[str] = []
    policy = oracle(_truth("1:4", qids=100))
    for reranked in Reranker(policy, drawn.store, config, watch=policy.watch).rerank_many(requests):
        first.append(reranked.ranking[0].did)
        assert {ranked.did for ranked in reranked.ranking[:5]} == set(TWINS)
    assert set(first) == set(TWINS)
    assert 8 <= first.count("1:4") <= 35


def test_it_is_never_sure_of_a_twin_it_was_not_shown(drawn: DrawnFolder) -> None:
    reranked = _rerank(drawn, _truth("1:4"), drawn.query(), budget=Budget(look_tokens=0))
    (record,) = reranked.trajectories
    assert record.looks == 0
    assert {call.outcome for turn in record.turns for call in turn.calls} == {"refused"}
    assert "fits best" in record.turns[-1].text
    assert {ranked.did for ranked in reranked.ranking[:5]} == set(TWINS)


def test_a_region_that_was_refused_is_not_asked_for_again(drawn: DrawnFolder) -> None:
    (record,) = _rerank(drawn, _truth("1:4"), drawn.query(), budget=Budget(look_tokens=0)).trajectories
    asked = [call.arguments["target_image"] for turn in record.turns for call in turn.calls if call.arguments]
    assert asked == [2, 3, 4, 5, 6]


def test_a_window_it_was_not_told_of_is_refused() -> None:
    policy = oracle(_truth("1:4"))
    policy.submit(Request(session="s", messages=(), sampling=Sampling()))
    failure = policy.collect()[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.REFUSED
    assert "pass watch=policy.watch to the reranker" in failure.words


def test_an_unknown_query_keeps_the_order(drawn: DrawnFolder) -> None:
    reranked = _rerank(drawn, _truth("1:4"), drawn.query(qid="9:404"))
    assert [ranked.did for ranked in reranked.ranking] == [f"1:{number}" for number in range(1, 8)]
