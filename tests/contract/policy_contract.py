"""What every policy must do, whatever writes its turns: one suite, run over each implementation.

A test module makes a class that inherits `PolicyContract` and has a fixture `policy`; its completions may say
anything. A policy that answers at once needs no more; one that works in the background must be slow enough here
that a request can still be cancelled right after it was submitted.
"""

from __future__ import annotations

import pytest
from tests.drawn import DrawnFolder

from vretrver.agent.bench import Bench
from vretrver.agent.dialects import dialect_named
from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, FinishReason, Policy, Request, Sampling
from vretrver.agent.prompt import open_prompt
from vretrver.agent.reranker import Reranker
from vretrver.agent.task import ScheduleStep, WindowTask

GO_ON = Message(role="user", pieces=("<tool_response>\nRefused: nothing to see.\n</tool_response>",))


class PolicyContract:
    """The suite; see the module's docstring."""

    @pytest.fixture
    def task(self, drawn: DrawnFolder) -> WindowTask:
        """A window of three drawn pictures."""
        step = ScheduleStep(schedule="whole", index=0, start=0, stop=3)
        return WindowTask(session="a", query=drawn.query(), candidates=drawn.candidates(3), step=step)

    @pytest.fixture
    def opening(self, task: WindowTask, drawn: DrawnFolder) -> tuple[Message, ...]:
        """System and user message, pictures included."""
        dialect = dialect_named("vretrver")
        bench = Bench(task, drawn.store, views=dialect.views, boxes=dialect.boxes)
        return open_prompt(dialect, bench).messages

    def test_it_says_who_it_is_and_what_it_takes(self, policy: Policy) -> None:
        assert policy.fingerprint
        assert policy.fingerprint == policy.fingerprint
        assert policy.limits.in_flight >= 1

    def test_with_nothing_pending_it_returns_nothing(self, policy: Policy) -> None:
        assert policy.collect() == []

    def test_every_request_is_answered_once(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        for session in ("a", "b", "c"):
            policy.submit(_ask((session,), opening, task))
        assert sorted(done.session for done in collected(policy, 3)) == ["a", "b", "c"]
        assert policy.collect() == []

    def test_a_completion_is_whole(self, policy: Policy, opening: tuple[Message, ...], task: WindowTask) -> None:
        policy.submit(_ask(("a",), opening, task))
        (done,) = collected(policy, 1)
        assert isinstance(done.text, str)
        assert (done.token_ids is None) == (done.logprobs is None)
        assert len(done.token_ids or ()) == len(done.logprobs or ())
        assert min(done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.cached_tokens) >= 0
        assert (done.error is not None) or done.finish is not FinishReason.ERROR

    def test_several_sessions_of_one_opening_are_answered_each_and_go_on_by_themselves(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        policy.submit(_ask(("a", "b", "c"), opening, task))
        assert sorted(done.session for done in collected(policy, 3)) == ["a", "b", "c"]
        policy.submit(_ask(("c",), (GO_ON,), task))
        policy.submit(_ask(("a",), (GO_ON,), task))
        assert sorted(done.session for done in collected(policy, 2)) == ["a", "c"]
        policy.release("a")
        policy.submit(_ask(("b",), (GO_ON,), task))
        assert [done.session for done in collected(policy, 1)] == ["b"]

    def test_a_request_may_join_while_others_are_worked_on(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        for session in ("a", "b"):
            policy.submit(_ask((session,), opening, task))
        first = policy.collect()
        assert first
        policy.submit(_ask(("late",), opening, task))
        answered = [*first, *collected(policy, 3 - len(first))]
        assert sorted(done.session for done in answered) == ["a", "b", "late"]

    def test_a_cancelled_request_is_answered_as_cancelled_and_the_others_as_ever(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        for session in ("a", "b"):
            policy.submit(_ask((session,), opening, task))
        policy.cancel("a")
        done = {completion.session: completion for completion in collected(policy, 2)}
        assert done["a"].finish is FinishReason.CANCELLED
        assert done["b"].finish is not FinishReason.CANCELLED

    def test_cancelling_what_is_not_pending_does_nothing(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        policy.cancel("never heard of")
        policy.submit(_ask(("a",), opening, task))
        collected(policy, 1)
        policy.cancel("a")
        assert policy.collect() == []
        policy.submit(_ask(("a",), (GO_ON,), task))
        assert collected(policy, 1)[0].finish is not FinishReason.CANCELLED

    def test_a_released_request_is_never_answered(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        for session in ("a", "b"):
            policy.submit(_ask((session,), opening, task))
        policy.cancel("a")
        policy.release("a")
        assert [done.session for done in collected(policy, 1)] == ["b"]
        assert policy.collect() == []

    def test_releasing_twice_or_what_is_unknown_does_nothing(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        policy.release("never heard of")
        policy.submit(_ask(("a",), opening, task))
        collected(policy, 1)
        policy.release("a")
        policy.release("a")
        assert policy.collect() == []

    def test_a_released_name_opens_a_new_conversation(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        texts, tokens = [], []
        for _ in range(2):
            policy.submit(_ask(("a",), opening, task))
            (done,) = collected(policy, 1)
            texts.append(done.text)
            tokens.append(done.usage.prompt_tokens)
            policy.release("a")
        assert texts[0] == texts[1]
        assert tokens[0] == tokens[1]

    def test_a_conversation_grows_with_every_turn(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        policy.submit(_ask(("a",), opening, task))
        (first,) = collected(policy, 1)
        policy.submit(_ask(("a",), (GO_ON,), task))
        (second,) = collected(policy, 1)
        if first.usage.prompt_tokens and second.usage.prompt_tokens:
            assert second.usage.prompt_tokens > first.usage.prompt_tokens + first.usage.completion_tokens

    def test_an_answer_only_request_is_answered(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        policy.submit(_ask(("a",), opening, task, answer_only=True))
        assert collected(policy, 1)[0].session == "a"

    def test_a_run_that_was_stopped_leaves_it_usable(self, policy: Policy, drawn: DrawnFolder) -> None:
        reranker = Reranker(policy, drawn.store)
        requests = [(drawn.query(qid=f"9:{number}"), drawn.hits(2)) for number in range(4)]
        stopped = reranker.rerank_many(requests)
        next(stopped)
        stopped.close()
        assert len(list(reranker.rerank_many(requests))) == 4
        assert policy.collect() == []

    def test_it_closes_with_work_pending(
        self, policy: Policy, opening: tuple[Message, ...], task: WindowTask
    ) -> None:
        policy.submit(_ask(("a",), opening, task))
        policy.close()


def _ask(
    sessions: tuple[str, ...], messages: tuple[Message, ...], task: WindowTask, *, answer_only: bool = False
) -> Request:
    return Request(sessions=sessions, messages=messages, sampling=Sampling(), answer_only=answer_only, task=task)


def collected(policy: Policy, count: int) -> list[Completion]:
    """Return `count` completions; every call of `collect` must bring at least one, and no more may come."""
    done: list[Completion] = []
    while len(done) < count:
        fresh = policy.collect()
        assert fresh, f"nothing came for {count - len(done)} of {count} pending sessions"
        done += fresh
    assert len(done) == count
    return done
