"""Pins the policies without a model: replay, first-k, random, misbehaving, and how a script may fail."""

from __future__ import annotations

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import window

from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, FinishReason, Request, Sampling
from vretrver.agent.task import WindowTask
from vretrver.policies.scripted import (
    HOSTILE,
    Moment,
    ScriptedPolicy,
    answer_text,
    first_k,
    misbehaving,
    replay,
    shuffled,
)


def _request(*sessions: str, task: WindowTask | None = None, text: str = "Go on.") -> Request:
    message = Message(role="user", pieces=(text,))
    return Request(sessions=sessions, messages=(message,), sampling=Sampling(), task=task)


def _said(policy: ScriptedPolicy, request: Request) -> str:
    policy.submit(request)
    (completion,) = policy.collect()
    return completion.text


@pytest.fixture
def task(drawn: DrawnFolder) -> WindowTask:
    return window(drawn.candidates(5), drawn.query())


def test_replay_repeats_turns_for_every_session_and_then_fails() -> None:
    policy = replay(["one", "two"])
    assert [_said(policy, _request("a")), _said(policy, _request("b")), _said(policy, _request("a"))] == [
        "one",
        "one",
        "two",
    ]
    policy.submit(_request("a"))
    (failed,) = policy.collect()
    assert (failed.finish, failed.error) == (FinishReason.ERROR, "the recording has 2 turns for session a")


def test_replay_takes_turns_by_session() -> None:
    policy = replay({"a": ["one"]})
    assert _said(policy, _request("a")) == "one"
    policy.submit(_request("b"))
    assert policy.collect()[0].error == "the recording has 0 turns for session b"


def test_first_k_keeps_the_order_given(task: WindowTask) -> None:
    assert _said(first_k(), _request("s", task=task)) == "<answer>[1, 2, 3, 4, 5]</answer>"


def test_random_is_a_permutation_that_depends_on_seed_and_session_alone(task: WindowTask) -> None:
    texts = [_said(shuffled(seed), _request(session, task=task)) for seed in (1, 2) for session in ("a", "b", "a")]
    assert texts[0] == texts[2]
    assert len(set(texts)) == 4
    assert {"".join(sorted(text)) for text in texts} == {"".join(sorted(answer_text([1, 2, 3, 4, 5])))}


def test_misbehaving_writes_hostile_turns_the_same_for_a_seed(task: WindowTask) -> None:
    def turns(seed: int) -> list[str]:
        policy = misbehaving(seed)
        return [_said(policy, _request(f"s{number % 3}", task=task)) for number in range(12)]

    assert turns(1) == turns(1) != turns(2)
    assert set(turns(1)) <= set(HOSTILE)


def test_a_script_is_told_what_was_said_so_far(task: WindowTask) -> None:
    moments: list[Moment] = []

    def listening(moment: Moment) -> str:
        moments.append(moment)
        return f"turn {len(moments)}"

    policy = ScriptedPolicy(listening, name="listening")
    _said(policy, _request("s", task=task, text="first"))
    _said(policy, _request("s", task=task, text="second"))
    assert [message.text for message in moments[1].messages] == ["first", "second"]
    assert moments[1].said == ("turn 1",)
    assert (moments[1].count, moments[1].forced) == (5, False)


def test_a_script_without_its_task_fails_as_a_completion_and_the_others_are_answered(task: WindowTask) -> None:
    policy = first_k()
    policy.submit(_request("a"))
    policy.submit(_request("b", task=task))
    failed, answered = policy.collect()
    assert (failed.session, failed.finish) == ("a", FinishReason.ERROR)
    assert failed.error == "session a: a scripted policy needs the window's task in the request"
    assert answered == Completion(session="b", text="<answer>[1, 2, 3, 4, 5]</answer>", usage=answered.usage)


def test_the_tokens_of_the_whole_conversation_are_estimated() -> None:
    policy = replay(["12345678", "1234"])
    policy.submit(_request("a", text="1234"))
    (first,) = policy.collect()
    policy.submit(_request("a", text="1234"))
    (second,) = policy.collect()
    assert (first.usage.prompt_tokens, first.usage.completion_tokens) == (6, 2)
    assert (second.usage.prompt_tokens, second.usage.completion_tokens) == (14, 1)
    assert second.usage.estimated


def test_a_cancelled_turn_does_not_cancel_the_next() -> None:
    policy = replay(["one"])
    policy.submit(_request("a"))
    policy.cancel("a")
    assert policy.collect()[0].finish is FinishReason.CANCELLED
    assert _said(policy, _request("a")) == "one"


def test_closing_forgets_everything() -> None:
    policy = replay(["one"])
    policy.submit(_request("a"))
    policy.cancel("a")
    policy.close()
    assert policy.collect() == []
    assert _said(policy, _request("a")) == "one"
