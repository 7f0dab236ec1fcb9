"""Pins reranking over windows: order, failed windows, deadlines, many queries at once, the configuration's hash."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import zoom

from vretrver.agent.answers import RankingOrNoneForm, Verdict
from vretrver.agent.bench import Views
from vretrver.agent.budget import Budget, Limit
from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects.released import released
from vretrver.agent.dialects.vretrver import VretrverWording, vretrver
from vretrver.agent.plans import BlocksPlanner, Outcome, Plan, ReferencePlanner, Window
from vretrver.agent.policy import Completion, Failure, FailureKind, FinishReason, PolicyLimits, Sampling
from vretrver.agent.reranked import Ended, Reranked
from vretrver.agent.reranker import Ask, Reranker
from vretrver.agent.task import WindowTask
from vretrver.agent.trajectory import StopReason
from vretrver.assembly.plans import BlocksPlan
from vretrver.assembly.spec import AgentSpec
from vretrver.assembly.told import config_of
from vretrver.errors import ConfigError, DataError
from vretrver.geometry import PixelBudget
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text, first_k, misbehaving, shuffled
from vretrver.policies.watching import KnowingScript, WatchingPolicy
from vretrver.records import Candidate, Hit, parts_of
from vretrver.traces import reranked_to_json


def _texts(count: int) -> list[Hit]:
    """Return text-only hits `1:1` to `1:<count>`, best first."""
    return [
        Hit(candidate=Candidate(did=f"1:{number}", parts=parts_of(text=f"text {number}")), score=1 / number)
        for number in range(1, count + 1)
    ]


def _rerank(drawn: DrawnFolder, script: KnowingScript, count: int, **config: Any) -> Reranked:
    policy = WatchingPolicy(script, name="test")
    made = replace(AgentConfig(), **config)
    reranker = Reranker(policy, drawn.store, made, watch=policy.watch, clock=lambda: 0.0)
    return reranker.rerank(drawn.query(), _texts(count))


def _favouring(did: str) -> KnowingScript:
    """Return a script that puts one candidate first and leaves the others as they are."""

    def script(moment: Moment, task: WindowTask) -> str:
        dids = [candidate.did for candidate in task.candidates]
        return answer_text([dids.index(did) + 1] if did in dids else [1])

    return script


def test_a_plan_that_forces_answers_is_refused_with_a_dialect_that_never_does(drawn: DrawnFolder) -> None:
    with pytest.raises(
        ConfigError, match=r"the plan blocks\(6,4,turns=0\) forces answers, which the dialect released"
    ):
        AgentConfig(planner=BlocksPlanner(depth=6, size=4, turns=0), dialect=released())
    with pytest.raises(ConfigError, match=r"the plan blocks\(50,20,turns=2\) forces answers"):
        config_of(AgentSpec(policy="first-k", dialect="released", plan=BlocksPlan(turns=2)))


def test_a_later_window_that_forces_its_answer_is_refused_when_it_is_due(drawn: DrawnFolder) -> None:
    class Late:
        """Two windows, and the second one is to answer at once."""

        name = "late"

        def plan(self, count: int) -> Plan:
            plan = ReferencePlanner(depth=6, size=4, stride=2).plan(count)
            due = plan.due
            plan.due = lambda: [replace(one, turns=0 if one.index else None) for one in due()]  # type: ignore[method-assign]
            return plan

    with pytest.raises(ConfigError, match="the plan late forces answers, which the dialect released never does"):
        _rerank(drawn, _favouring("1:5"), 6, planner=Late(), dialect=released())


def test_queries_of_any_ids_run_beside_one_another(drawn: DrawnFolder) -> None:
    """Names of sessions are those in use by nobody; streams, and so draws, are the query's whoever else is asked."""
    reranker = Reranker(shuffled(1), drawn.store, clock=lambda: 0.0)
    asked = [drawn.query(qid=qid) for qid in ("a#2", "a", "a", "a")]
    results = [*reranker.rerank_many((query, _texts(5)) for query in asked)]
    windows = [result.trajectories[0] for result in results]
    assert sorted(window.session for window in windows) == ["a#2/w0", "a#3/w0", "a#4/w0", "a/w0"]
    assert sorted(window.stream or window.session for window in windows) == ["a#2/w0", "a/w0", "a/w0", "a/w0"]
    assert len({window.ranking for window in windows if window.qid == "a"}) == 1


def test_a_candidate_is_carried_from_the_last_place_to_the_first(drawn: DrawnFolder) -> None:
    reranked = _rerank(drawn, _favouring("1:50"), 50)
    steps = [record.step for record in reranked.trajectories]
    assert [(step.index, step.places[0], step.places[-1] + 1) for step in steps] == [
        (0, 30, 50),
        (1, 20, 40),
        (2, 10, 30),
        (3, 0, 20),
    ]
    assert [record.candidates[0] for record in reranked.trajectories] == ["1:31", "1:21", "1:11", "1:1"]
    assert [record.candidates[10] for record in reranked.trajectories[1:]] == ["1:50"] * 3
    assert [ranked.did for ranked in reranked.ranking] == ["1:50", *(f"1:{number}" for number in range(1, 50))]
    assert (reranked.ranking[0].rank, reranked.ranking[0].coarse_rank) == (1, 50)


def test_scores_fall_strictly_and_are_not_called_probabilities(drawn: DrawnFolder) -> None:
    ranking = _rerank(drawn, _favouring("1:3"), 25).ranking
    assert all(ahead.score > behind.score for ahead, behind in pairwise(ranking))
    assert {(ranked.scored_by, ranked.probability) for ranked in ranking} == {("rank", None)}
    assert [ranked.rank for ranked in ranking] == list(range(1, 26))


def test_candidates_below_the_depth_keep_their_place(drawn: DrawnFolder) -> None:
    reranked = _rerank(drawn, lambda moment, _: answer_text(range(moment.count, 0, -1)), 60)
    assert [ranked.did for ranked in reranked.ranking[50:]] == [f"1:{number}" for number in range(51, 61)]
    assert len(reranked.ranking) == 60


def test_a_window_that_failed_leaves_its_part_of_the_order_and_is_marked(drawn: DrawnFolder) -> None:
    def script(moment: Moment, _: WindowTask) -> str:
        return "no idea" if moment.session.endswith("/w0") else answer_text(range(moment.count, 0, -1))

    planner = ReferencePlanner(depth=6, size=4, stride=2)
    reranked = _rerank(drawn, script, 6, planner=planner)
    assert [record.stop for record in reranked.trajectories] == [StopReason.MALFORMED, StopReason.ANSWERED]
    assert reranked.failed == reranked.trajectories[:1]
    assert [ranked.did for ranked in reranked.ranking] == ["1:4", "1:3", "1:2", "1:1", "1:5", "1:6"]
    assert not reranked.interrupted


@pytest.mark.parametrize(
    ("kind", "again"), [(FailureKind.UNREACHABLE, True), (FailureKind.FILTERED, False), (FailureKind.REFUSED, False)]
)
def test_a_policy_that_failed_leaves_the_window_and_the_others_go_on(
    drawn: DrawnFolder, kind: FailureKind, again: bool
) -> None:
    def script(moment: Moment, _: WindowTask) -> str | Completion:
        if moment.session.endswith("/w0"):
            failure = Failure(kind=kind, words="502")
            return Completion(session=moment.session, text="", finish=FinishReason.ERROR, failure=failure)
        return answer_text(range(moment.count, 0, -1))

    reranked = _rerank(drawn, script, 6, planner=ReferencePlanner(depth=6, size=4, stride=2))
    assert [record.stop for record in reranked.trajectories] == [StopReason.POLICY_ERROR, StopReason.ANSWERED]
    assert reranked.interrupted is again


def test_the_deadline_ends_the_schedule_and_keeps_what_was_ranked(drawn: DrawnFolder) -> None:
    now = [0.0]

    def script(moment: Moment) -> str:
        now[0] += 1.0
        return answer_text(range(moment.count, 0, -1))

    policy = ScriptedPolicy(script, name="slow")
    config = AgentConfig(planner=ReferencePlanner(depth=8, size=4, stride=2), budget=Budget(seconds=1.5))
    reranked = Reranker(policy, drawn.store, config, clock=lambda: now[0]).rerank(drawn.query(), _texts(8))
    assert [record.stop for record in reranked.trajectories] == [
        StopReason.ANSWERED,
        StopReason.ANSWERED,
        StopReason.DEADLINE,
    ]
    assert [record.turns for record in reranked.trajectories[2:]] == [()]
    assert [ranked.did for ranked in reranked.ranking] == [f"1:{number}" for number in (1, 2, 7, 8, 4, 3, 6, 5)]
    assert reranked.interrupted
    assert (reranked.ended, reranked.reached) == (Ended.DEADLINE, (Limit.SECONDS,))
    assert reranked.seconds == 2.0


@pytest.mark.parametrize("count", [1, 3, 20, 21, 50, 53])
@pytest.mark.parametrize("policy", [first_k(), shuffled(1), misbehaving(2)], ids=["first-k", "random", "misbehaving"])
def test_the_ranking_is_a_permutation_whatever_the_policy_does(
    drawn: DrawnFolder, policy: ScriptedPolicy, count: int
) -> None:
    reranked = Reranker(policy, drawn.store).rerank(drawn.query(), _texts(count))
    assert sorted(ranked.did for ranked in reranked.ranking) == sorted(hit.candidate.did for hit in reranked.hits)


@pytest.mark.parametrize("in_flight", [1, 3, 16])
def test_many_queries_at_once_give_the_bytes_of_one_after_another(drawn: DrawnFolder, in_flight: int) -> None:
    def script(moment: Moment) -> str:
        return zoom(1) * (1 + len(moment.session) % 3) if not moment.said else answer_text([2, 1])

    requests = [(drawn.query(qid=f"9:{10**number}"), drawn.hits(2)) for number in range(6)]
    runs = []
    for places in (1, in_flight):
        policy = ScriptedPolicy(script, name="test", limits=PolicyLimits(in_flight=places))
        results = Reranker(policy, drawn.store, clock=lambda: 0.0).rerank_many(requests)
        runs.append(sorted(reranked_to_json(reranked) for reranked in results))
    assert runs[0] == runs[1]


def test_a_query_without_hits_or_with_a_repeated_one_is_refused_and_the_finished_ones_are_kept(
    drawn: DrawnFolder,
) -> None:
    policy = ScriptedPolicy(lambda _: answer_text([1]), name="test", limits=PolicyLimits(in_flight=1))
    reranker = Reranker(policy, drawn.store)
    results = reranker.rerank_many([(drawn.query(qid="9:1"), _texts(2)), (drawn.query(qid="9:2"), [])])
    assert next(results).query.qid == "9:1"
    with pytest.raises(DataError, match="query 9:2 has no candidates to rerank"):
        next(results)
    with pytest.raises(DataError, match=r"query 9:1: candidate \S+ appears twice in its list"):
        reranker.rerank(drawn.query(), [*_texts(2), *_texts(1)])


RANKED, FAILED, NOTHING = Verdict.RANKED, Verdict.FAILED, Verdict.NOTHING_FITS


@pytest.mark.parametrize(
    ("windows", "verdict"),
    [
        ([NOTHING, NOTHING, NOTHING], NOTHING),
        ([RANKED, RANKED, NOTHING], NOTHING),  # the last window saw the best of those before
        ([NOTHING, NOTHING, RANKED], RANKED),
        ([FAILED, NOTHING, NOTHING], NOTHING),
        ([NOTHING, NOTHING, FAILED], NOTHING),
        ([NOTHING, RANKED, FAILED], RANKED),
        ([FAILED, FAILED, FAILED], FAILED),
    ],
)
def test_the_verdict_is_that_of_the_last_window_that_was_answered(
    drawn: DrawnFolder, windows: list[Verdict], verdict: Verdict
) -> None:
    def script(moment: Moment, task: WindowTask) -> str:
        said = windows[task.step.index]
        return "no idea" if said is FAILED else answer_text([2, 1], none_fits=said is NOTHING)

    plan, dialect = ReferencePlanner(depth=4, size=2, stride=1), vretrver(form=RankingOrNoneForm())
    reranked = _rerank(drawn, script, 4, dialect=dialect, planner=plan)
    assert [record.verdict for record in reranked.trajectories] == windows
    assert reranked.verdict is verdict


def test_that_a_budget_ended_it_does_not_turn_nothing_fits_into_an_order(drawn: DrawnFolder) -> None:
    plan, dialect = ReferencePlanner(depth=4, size=2, stride=1), vretrver(form=RankingOrNoneForm())
    reranked = _rerank(
        drawn,
        lambda *_: answer_text([2, 1], none_fits=True),
        4,
        dialect=dialect,
        planner=plan,
        budget=Budget(turns=2),
    )
    assert (reranked.verdict, reranked.ended) == (NOTHING, Ended.BUDGET)


@pytest.mark.parametrize("first", [RANKED, NOTHING])
def test_of_blocks_that_were_answered_one_that_found_something_counts(drawn: DrawnFolder, first: Verdict) -> None:
    def script(moment: Moment, task: WindowTask) -> str:
        return answer_text([1], none_fits=task.step.index > 0 or first is NOTHING)

    reranked = _rerank(
        drawn,
        script,
        6,
        dialect=vretrver(form=RankingOrNoneForm()),
        planner=BlocksPlanner(depth=6, size=4),
        budget=Budget(turns=2),
    )
    assert (reranked.verdict, reranked.ended) == (first, Ended.BUDGET)


@dataclass(frozen=True)
class _HeadFirst:
    """Ranks two candidates after two, from the front: places are settled one pair after another."""

    name: str = "head-first"

    def plan(self, count: int) -> _HeadFirstPlan:
        return _HeadFirstPlan(count)


class _HeadFirstPlan:
    def __init__(self, count: int) -> None:
        self.order, self.settled, self._next = list(range(count)), 0, 0

    def due(self) -> list[Window]:
        if self._next > self.settled or self._next == len(self.order):
            return []
        places = (self._next, self._next + 1)
        self._next += 2
        return [Window(index=places[0] // 2, round=places[0] // 2, candidates=places, places=places)]

    def told(self, window: Window, outcome: Outcome) -> None:
        self.settled = window.places[-1] + 1


@pytest.mark.parametrize(("wanted", "windows"), [(1, 1), (2, 1), (3, 2), (6, 3), (99, 3), (None, 3)])
def test_no_window_starts_once_the_wanted_places_are_settled(
    drawn: DrawnFolder, wanted: int | None, windows: int
) -> None:
    policy = ScriptedPolicy(lambda _: answer_text([1, 2]), name="test")
    reranker = Reranker(policy, drawn.store, AgentConfig(planner=_HeadFirst()))
    reranked = reranker.rerank(drawn.query(), _texts(6), wanted=wanted)
    assert (len(reranked.trajectories), reranked.ended, reranked.interrupted) == (windows, Ended.COMPLETE, False)


def test_fewer_than_one_wanted_place_is_refused(drawn: DrawnFolder) -> None:
    with pytest.raises(ValueError, match="at least one place is wanted, got 0"):
        Ask(query=drawn.query(), hits=_texts(1), wanted=0)


CHANGES: dict[str, dict[str, Any]] = {
    "dialect": {"dialect": released()},
    "tools": {"dialect": vretrver(tools=False)},
    "turns": {"dialect": replace(vretrver(), turns=5)},
    "wording": {"dialect": replace(vretrver(), wording=VretrverWording(calls=3))},
    "stop": {"dialect": replace(vretrver(), stop=("</answer>",))},
    "views": {"views": Views(zoom=PixelBudget(tokens=64))},
    "schedule": {"planner": ReferencePlanner(depth=20)},
    "sampling": {"sampling": Sampling(temperature=0.5)},
    "complete": {"complete_answers": False},
    "scores": {"score_tokens": ("yes",)},
    "form": {"dialect": vretrver(form=RankingOrNoneForm())},
    "blocks": {"planner": BlocksPlanner()},
    "looks": {"budget": Budget(look_tokens=9)},
    "seconds": {"budget": Budget(seconds=3.0)},
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_hash_of_a_configuration_tells_every_change(change: str) -> None:
    assert replace(AgentConfig(), **CHANGES[change]).sha256 != AgentConfig().sha256


def test_the_hash_tells_texts_taken_from_published_data_from_ours() -> None:
    hashes = {
        AgentConfig(dialect=dialect).sha256
        for dialect in (released(), released(guidelines="THEIRS"), released(system_text="THEIRS"))
    }
    assert len(hashes) == 3


def test_equal_configurations_have_one_hash() -> None:
    assert AgentConfig().sha256 == AgentConfig(views=Views()).sha256 == AgentConfig().sha256
