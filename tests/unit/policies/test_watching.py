"""Pins scripted policies that are told what a window is about."""

from __future__ import annotations

from tests.drawn import DrawnFolder

from vretrver.agent.events import WindowBegan
from vretrver.agent.policy import Completion, FailureKind, Request, Sampling
from vretrver.agent.reranker import Reranker
from vretrver.agent.task import WindowStep, WindowTask
from vretrver.policies.scripted import Moment, answer_text
from vretrver.policies.watching import WatchingPolicy


def _last_first(_: Moment, task: WindowTask) -> str:
    """Order the candidates by their names, the last one first."""
    dids = [candidate.did for candidate in task.candidates]
    return answer_text([dids.index(did) + 1 for did in sorted(dids, reverse=True)])


def _asked(policy: WatchingPolicy, session: str) -> Completion:
    policy.submit(Request(session=session, messages=(), sampling=Sampling()))
    (done,) = policy.collect()
    return done


def test_the_reranker_tells_it_of_every_window(drawn: DrawnFolder) -> None:
    policy = WatchingPolicy(_last_first, name="x")
    reranked = Reranker(policy, drawn.store, watch=policy.watch).rerank(drawn.query(), drawn.hits(3))
    assert [ranked.did for ranked in reranked.ranking] == ["1:3", "1:2", "1:1"]


def test_a_window_it_was_not_told_of_is_a_failure_that_says_so() -> None:
    failure = _asked(WatchingPolicy(_last_first, name="x"), "s").failure
    assert failure is not None
    assert failure.kind is FailureKind.REFUSED
    assert failure.words == (
        "session s: scripted:x was not told of the window; pass watch=policy.watch to the reranker"
    )


def test_a_released_session_is_forgotten(drawn: DrawnFolder) -> None:
    step = WindowStep(plan="whole", index=0, round=0, places=(0, 1))
    task = WindowTask(session="s", query=drawn.query(), candidates=drawn.candidates(2), step=step)
    policy = WatchingPolicy(_last_first, name="x")
    policy.watch(WindowBegan("s", task, ()))
    assert _asked(policy, "s").text == "<answer>[2, 1]</answer>"
    policy.release("s")
    assert _asked(policy, "s").failure is not None
