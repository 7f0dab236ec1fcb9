"""Pins the policies without a model: replay, first-k, random, misbehaving, and how a script may fail."""

from __future__ import annotations

from typing import Any

import pytest

from vretrver.agent.answers import FORMS
from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, Failure, FailureKind, FinishReason, Request, Sampling
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

FIVE = FORMS["ranking"].grammar(5, whole_turn=False, complete=True)
FORCED = FORMS["ranking"].grammar(5, whole_turn=True, complete=True)


def _request(session: str, *, text: str = "Go on.", **fields: Any) -> Request:
    message = Message(role="user", pieces=(text,))
    return Request(session=session, messages=(message,), **{"sampling": Sampling(), "grammar": FIVE, **fields})


def _said(policy: ScriptedPolicy, request: Request) -> str:
    policy.submit(request)
    (completion,) = policy.collect()
    return completion.text


def test_replay_repeats_turns_for_every_session_and_then_fails() -> None:
    policy = replay(["one", "two"])
    assert [_said(policy, _request("a")), _said(policy, _request("b")), _said(policy, _request("a"))] == [
        "one",
        "one",
        "two",
    ]
    policy.submit(_request("a"))
    (failed,) = policy.collect()
    assert (failed.finish, failed.failure) == (
        FinishReason.ERROR,
        Failure(kind=FailureKind.REFUSED, words="the recording has 2 turns for session a"),
    )


def test_replay_takes_turns_by_stream_which_is_the_session_unless_named() -> None:
    policy = replay({"a": ["one"]})
    assert _said(policy, _request("a")) == "one"
    assert _said(policy, _request("17/a", stream="a")) == "one"
    policy.submit(_request("b"))
    assert str(policy.collect()[0].failure) == "the recording has 0 turns for session b"


def test_first_k_keeps_the_order_given() -> None:
    assert _said(first_k(), _request("s")) == "<answer>[1, 2, 3, 4, 5]</answer>"


def test_random_is_a_permutation_that_depends_on_seed_and_stream_alone() -> None:
    texts = [
        _said(shuffled(seed), _request(session, stream=stream))
        for seed in (1, 2)
        for session, stream in (("a", ""), ("b", ""), ("7/a", "a"))
    ]
    assert texts[0] == texts[2]
    assert len(set(texts)) == 4
    assert {"".join(sorted(text)) for text in texts} == {"".join(sorted(answer_text([1, 2, 3, 4, 5])))}


def test_misbehaving_writes_hostile_turns_the_same_for_a_seed() -> None:
    def turns(seed: int, before: str = "") -> list[str]:
        policy = misbehaving(seed)
        return [_said(policy, _request(f"{before}s{number % 3}", stream=f"s{number % 3}")) for number in range(12)]

    assert turns(1) == turns(1, "ticket 4/") != turns(2)
    assert set(turns(1)) <= set(HOSTILE)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (answer_text([2, 1]), "<answer>[2, 1]</answer>"),
        (answer_text([2, 1], "so"), "<think>so</think><answer>[2, 1]</answer>"),
        (answer_text([2, 1], none_fits=True), "<answer>none [2, 1]</answer>"),
    ],
)
def test_an_answer_is_written_in_either_form(written: str, text: str) -> None:
    assert written == text
    answer = FORMS["ranking-or-none"].read(text.partition("<answer>")[2].removesuffix("</answer>"))
    assert answer is not None
    assert answer.numbers == (2, 1)


def test_a_script_is_told_what_was_said_so_far() -> None:
    moments: list[Moment] = []

    def listening(moment: Moment) -> str:
        moments.append(moment)
        return f"turn {len(moments)}"

    policy = ScriptedPolicy(listening, name="listening")
    _said(policy, _request("s", text="first"))
    _said(policy, _request("s", text="second", grammar=FORCED, prefix="tu"))
    assert [message.text for message in moments[1].messages] == ["first", "second"]
    assert moments[1].said == ("turn 1",)
    assert [(moment.count, moment.forced, moment.prefix) for moment in moments] == [(5, False, ""), (5, True, "tu")]


def test_a_script_that_needs_the_count_is_refused_without_a_grammar_and_the_others_are_answered() -> None:
    policy = first_k()
    policy.submit(_request("a", grammar=None))
    policy.submit(_request("b"))
    failed, answered = policy.collect()
    assert (failed.session, failed.finish) == ("a", FinishReason.ERROR)
    assert failed.failure is not None
    assert (failed.failure.kind, failed.failure.may_pass) == (FailureKind.REFUSED, False)
    assert failed.failure.words.startswith("session a: the script needs the number of candidates")
    assert answered == Completion(session="b", text="<answer>[1, 2, 3, 4, 5]</answer>", usage=answered.usage)


def test_a_session_whose_turn_failed_goes_on_without_it() -> None:
    policy = replay(["one"])
    _said(policy, _request("a"))
    policy.submit(_request("a"))
    policy.collect()
    policy.submit(_request("b", after="a"))
    assert str(policy.collect()[0].failure) == "the recording has 1 turns for session b"


def test_the_script_follows_the_prefix_and_is_not_doubled() -> None:
    policy = replay(["[1]</answer>", "<answer>[2]</answer>"])
    assert _said(policy, _request("s", prefix="<answer>")) == "<answer>[1]</answer>"
    assert _said(policy, _request("s", prefix="<answer>")) == "<answer>[2]</answer>"


def test_a_turn_that_is_a_completion_begins_with_the_prefix_too() -> None:
    def script(moment: Moment) -> Completion:
        return Completion(session=moment.session, text="1]", finish=FinishReason.LENGTH)

    policy = ScriptedPolicy(script, name="x")
    policy.submit(_request("s", prefix="["))
    assert policy.collect() == [Completion(session="s", text="[1]", finish=FinishReason.LENGTH)]


def test_reading_runs_no_script_and_a_fork_knows_what_was_read() -> None:
    moments: list[Moment] = []

    def script(moment: Moment) -> str:
        moments.append(moment)
        return moment.session

    policy = ScriptedPolicy(script, name="x")
    assert _said(policy, _request("a", text="first", read_only=True)) == ""
    assert moments == []
    assert _said(policy, _request("b", text="second", after="a")) == "b"
    assert _said(policy, _request("c", text="third", after="b")) == "c"
    assert [[message.text for message in moment.messages] for moment in moments] == [
        ["first", "second"],
        ["first", "second", "third"],
    ]
    assert [moment.said for moment in moments] == [(), ("b",)]


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
