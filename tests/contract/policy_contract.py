"""What every policy must do, whatever writes its turns: one suite, run over each implementation.

A test module makes a class that inherits `PolicyContract` and has a fixture `policy`; its completions may say
anything. It may say more of its policy:

- `constrains`, a fixture: whether turns keep to a grammar of the whole turn.
- `slow`, a fixture: makes answers slow enough that a request can be cancelled right after it was submitted; a policy
  that writes inside `collect` is so already.
- `waits`, a class attribute: whether `collect` waits for turns that are written in the background, once `slow` is on.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.contract.run_contract import RunContract
from tests.drawn import draw

from vretrver.agent.answers import FORMS
from vretrver.agent.messages import Message, ShownPicture
from vretrver.agent.parsing import parse_turn
from vretrver.agent.policy import Completion, FailureKind, FinishReason, Policy, Request, Sampling
from vretrver.geometry import visual_tokens
from vretrver.images import encode_picture
from vretrver.policies.conversations import TURNS
from vretrver.records import Address

COUNT = 3
"""Candidates of the window."""

FREE = FORMS["ranking"].grammar(COUNT, whole_turn=False, complete=True)
"""The grammar of a turn that may look or answer."""

GO_ON = Message(role="user", pieces=("<tool_response>\nRefused: nothing to see.\n</tool_response>",))

FAILED = (FinishReason.ERROR, FinishReason.OVERFLOW)


class PolicyContract(RunContract):
    """The suite; see the module's docstring."""

    waits = False

    @pytest.fixture
    def constrains(self) -> bool:
        """A policy need not."""
        return False

    @pytest.fixture
    def slow(self) -> None:
        """Most policies write inside `collect`."""

    @pytest.fixture
    def opening(self) -> tuple[Message, ...]:
        """System and user message, a picture for each candidate included."""
        pieces: list[str | ShownPicture] = ["Query: a cup\n"]
        for number in range(1, COUNT + 1):
            picture = encode_picture(draw(number, (96, 64)))
            tokens = visual_tokens((96, 64), 32)
            pieces += [
                f"({number}) ",
                ShownPicture(address=Address(item=number), picture=picture, tokens=tokens),
                "\n",
            ]
        return (
            Message(role="system", pieces=("Rank the candidates.",)),
            Message(role="user", pieces=tuple(pieces)),
        )

    def test_it_says_who_it_is_and_use_does_not_change_it(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        before = (policy.fingerprint, policy.revision, policy.scripted, policy.limits)
        assert policy.fingerprint
        assert policy.revision >= 0
        assert policy.limits.in_flight >= 1
        policy.submit(ask("a", opening))
        collected(policy, 1)
        assert (policy.fingerprint, policy.revision, policy.scripted, policy.limits) == before

    def test_with_nothing_pending_it_returns_nothing_at_once(self, policy: Policy) -> None:
        started = time.monotonic()
        assert policy.collect() == []
        assert policy.collect(patience=30.0) == []
        assert time.monotonic() - started < 10

    def test_every_request_is_answered_once(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        for session in ("a", "b", "c"):
            policy.submit(ask(session, opening))
        assert sorted(done.session for done in collected(policy, 3)) == ["a", "b", "c"]
        assert policy.collect() == []

    def test_conversations_go_on_by_themselves(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        for session in ("a", "b", "c"):
            policy.submit(ask(session, opening))
        collected(policy, 3)
        policy.submit(ask("c", (GO_ON,)))
        policy.submit(ask("a", (GO_ON,)))
        assert sorted(done.session for done in collected(policy, 2)) == ["a", "c"]
        policy.release("a")
        policy.submit(ask("b", (GO_ON,)))
        assert [done.session for done in collected(policy, 1)] == ["b"]

    def test_a_request_may_join_while_others_are_worked_on(
        self, policy: Policy, opening: tuple[Message, ...]
    ) -> None:
        for session in ("a", "b"):
            policy.submit(ask(session, opening))
        first = policy.collect()
        assert first
        policy.submit(ask("late", opening))
        answered = [*first, *collected(policy, 3 - len(first))]
        assert sorted(done.session for done in answered) == ["a", "b", "late"]

    def test_a_session_has_one_request_at_a_time(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        policy.submit(ask("a", opening))
        with pytest.raises(ValueError, match="'a'"):
            policy.submit(ask("a", (GO_ON,)))
        (first,) = collected(policy, 1)
        policy.submit(ask("a", (GO_ON,)))
        (second,) = collected(policy, 1)
        assert second.usage.prompt_tokens > first.usage.prompt_tokens

    def test_equal_streams_and_conversations_draw_equal_turns_whatever_the_session_is_called(
        self, policy: Policy, opening: tuple[Message, ...]
    ) -> None:
        for session in ("a", "b"):
            policy.submit(ask(session, opening, stream="9:1/w0", sampling=Sampling(temperature=0.7, seed=5)))
        one, two = collected(policy, 2)
        assert one.text == two.text

    def test_a_conversation_grows_with_every_turn(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        policy.submit(ask("a", opening))
        (first,) = collected(policy, 1)
        policy.submit(ask("a", (GO_ON,)))
        (second,) = collected(policy, 1)
        assert first.usage.prompt_tokens > sum(message.visual_tokens for message in opening)
        assert second.usage.prompt_tokens > first.usage.prompt_tokens + first.usage.completion_tokens

    def test_a_released_name_opens_a_new_conversation(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        texts, tokens = [], []
        for _ in range(2):
            policy.submit(ask("a", opening))
            (done,) = collected(policy, 1)
            texts.append(done.text)
            tokens.append(done.usage.prompt_tokens)
            policy.release("a")
        assert texts[0] == texts[1]
        assert tokens[0] == tokens[1] > 0

    def test_releasing_twice_or_what_is_unknown_does_nothing(
        self, policy: Policy, opening: tuple[Message, ...]
    ) -> None:
        policy.release("never heard of")
        policy.submit(ask("a", opening))
        collected(policy, 1)
        policy.release("a")
        policy.release("a")
        assert policy.collect() == []

    @pytest.mark.usefixtures("slow")
    def test_a_released_request_is_never_answered(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        for session in ("a", "b"):
            policy.submit(ask(session, opening))
        policy.release("a")
        assert [done.session for done in collected(policy, 1)] == ["b"]
        assert policy.collect() == []
        policy.submit(ask("a", opening))
        assert [done.session for done in collected(policy, 1)] == ["a"]

    @pytest.mark.usefixtures("slow")
    def test_a_request_that_was_cancelled_and_released_is_never_answered(
        self, policy: Policy, opening: tuple[Message, ...]
    ) -> None:
        for session in ("a", "b"):
            policy.submit(ask(session, opening))
        policy.cancel("a")
        policy.release("a")
        assert [done.session for done in collected(policy, 1)] == ["b"]
        assert policy.collect() == []

    @pytest.mark.usefixtures("slow")
    def test_a_cancelled_request_is_answered_as_cancelled_and_the_others_as_ever(
        self, policy: Policy, opening: tuple[Message, ...]
    ) -> None:
        for session in ("a", "b"):
            policy.submit(ask(session, opening))
        policy.cancel("a")
        done = {completion.session: completion for completion in collected(policy, 2)}
        assert done["a"].finish is FinishReason.CANCELLED
        assert done["b"].finish is not FinishReason.CANCELLED

    @pytest.mark.usefixtures("slow")
    def test_another_thread_may_cancel_while_it_collects(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        policy.submit(ask("a", opening))
        with soon(lambda: policy.cancel("a")):
            (done,) = collected(policy, 1)
        assert done.session == "a"
        if self.waits:
            assert done.finish is FinishReason.CANCELLED
        policy.submit(ask("a", (GO_ON,)))
        assert collected(policy, 1)[0].finish is not FinishReason.CANCELLED

    def test_cancelling_what_is_not_pending_does_nothing(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        policy.cancel("never heard of")
        policy.submit(ask("a", opening))
        collected(policy, 1)
        policy.cancel("a")
        assert policy.collect() == []
        policy.submit(ask("a", (GO_ON,)))
        assert collected(policy, 1)[0].finish is not FinishReason.CANCELLED

    @pytest.mark.usefixtures("slow")
    @pytest.mark.parametrize("cut", ["cancelled before", "cancelled while", "too late"])
    def test_a_conversation_goes_on_with_turns_that_were_finished_and_with_no_others(
        self, policy: Policy, opening: tuple[Message, ...], cut: str
    ) -> None:
        late = {"deadline": time.monotonic()} if cut == "too late" else {}
        policy.submit(ask("a", opening, stream="s", **late))
        early = policy.collect(patience=0) if cut == "cancelled while" else []
        if cut != "too late":
            policy.cancel("a")
        (done,) = [*early, *collected(policy, 1 - len(early))]
        turn = (Message(role="assistant", pieces=(done.text,)),) if done.finish in TURNS else ()
        if self.waits or cut == "cancelled before":
            assert turn == ()
        policy.submit(ask("a", (GO_ON,), stream="s"))
        (gone_on,) = collected(policy, 1)
        policy.submit(ask("b", (*opening, *turn, GO_ON), stream="s"))
        (at_once,) = collected(policy, 1)
        assert (gone_on.text, gone_on.finish) == (at_once.text, at_once.finish)
        assert gone_on.usage.prompt_tokens == at_once.usage.prompt_tokens

    @pytest.mark.usefixtures("slow")
    @pytest.mark.parametrize("patience", [0, 0.05])
    def test_patience_bounds_the_wait_and_loses_nothing(
        self, policy: Policy, opening: tuple[Message, ...], patience: float
    ) -> None:
        policy.submit(ask("a", opening))
        early = policy.collect(patience=patience)
        if self.waits:
            assert early == []
        done = [*early, *collected(policy, 1 - len(early))]
        assert [completion.session for completion in done] == ["a"]

    @pytest.mark.usefixtures("slow")
    def test_a_wake_before_collect_makes_it_return_early_once(
        self, policy: Policy, opening: tuple[Message, ...]
    ) -> None:
        policy.submit(ask("a", opening))
        policy.wake()
        early = policy.collect()
        if self.waits:
            assert early == []
        done = [*early, *collected(policy, 1 - len(early))]
        assert [completion.session for completion in done] == ["a"]

    @pytest.mark.usefixtures("slow")
    def test_another_thread_may_wake_it_while_it_collects(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        policy.submit(ask("a", opening))
        with soon(policy.wake):
            early = policy.collect()
        if self.waits:
            assert early == []
        done = [*early, *collected(policy, 1 - len(early), empty=1)]
        assert [completion.session for completion in done] == ["a"]

    def test_a_fork_goes_on_by_itself_and_its_source_too(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        policy.submit(ask("a", opening))
        collected(policy, 1)
        policy.submit(ask("b", (GO_ON,), after="a", stream="s"))
        (fork,) = collected(policy, 1)
        policy.submit(ask("a", (GO_ON,), stream="s"))
        (source,) = collected(policy, 1)
        assert (fork.session, source.session) == ("b", "a")
        assert (fork.text, fork.usage.prompt_tokens) == (source.text, source.usage.prompt_tokens)
        for session in ("a", "b"):
            policy.submit(ask(session, (GO_ON,)))
        grown = collected(policy, 2)
        assert {done.session for done in grown} == {"a", "b"}
        assert min(done.usage.prompt_tokens for done in grown) > fork.usage.prompt_tokens

    def test_forks_of_an_opening_that_was_only_read_are_the_conversation_opened_at_once(
        self, policy: Policy, opening: tuple[Message, ...]
    ) -> None:
        policy.submit(ask("a", opening, read_only=True))
        (read,) = collected(policy, 1)
        assert (read.session, read.text, read.finish) == ("a", "", FinishReason.STOP)
        assert not read.token_ids
        policy.submit(ask("b", (), after="a", stream="s"))
        policy.submit(ask("c", (), after="a", stream="s"))
        forks = collected(policy, 2)
        policy.submit(ask("d", opening, stream="s"))
        (at_once,) = collected(policy, 1)
        assert {done.session for done in forks} == {"b", "c"}
        assert {done.text for done in forks} == {at_once.text}
        assert {done.usage.prompt_tokens for done in forks} == {at_once.usage.prompt_tokens}
        policy.submit(ask("a", (GO_ON,)))
        assert [done.session for done in collected(policy, 1)] == ["a"]

    def test_releasing_the_source_keeps_the_fork(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        policy.submit(ask("a", opening, read_only=True))
        collected(policy, 1)
        policy.submit(ask("b", (), after="a"))
        policy.release("a")
        (first,) = collected(policy, 1)
        policy.submit(ask("b", (GO_ON,)))
        (second,) = collected(policy, 1)
        assert (first.session, second.session) == ("b", "b")
        assert second.usage.prompt_tokens > first.usage.prompt_tokens > sum(m.visual_tokens for m in opening)

    def test_a_fork_starts_after_a_session_that_is_known_and_has_nothing_pending(
        self, policy: Policy, opening: tuple[Message, ...]
    ) -> None:
        with pytest.raises(ValueError, match="'never heard of'"):
            policy.submit(ask("b", (GO_ON,), after="never heard of"))
        policy.submit(ask("a", opening))
        with pytest.raises(ValueError, match="'a'"):
            policy.submit(ask("b", (GO_ON,), after="a"))
        assert [done.session for done in collected(policy, 1)] == ["a"]
        policy.submit(ask("b", (GO_ON,), after="a"))
        assert [done.session for done in collected(policy, 1)] == ["b"]
        policy.release("a")
        with pytest.raises(ValueError, match="'a'"):
            policy.submit(ask("c", (GO_ON,), after="a"))
        assert policy.collect() == []

    def test_a_prefix_begins_the_turn_and_the_conversation_goes_on_with_it(
        self, policy: Policy, opening: tuple[Message, ...]
    ) -> None:
        policy.submit(ask("a", opening, prefix="<answer>["))
        (first,) = collected(policy, 1)
        assert first.failure is None
        assert first.text.startswith("<answer>[")
        assert first.held == () or first.held[0][0] == 0
        policy.submit(ask("a", (GO_ON,)))
        (second,) = collected(policy, 1)
        assert second.usage.prompt_tokens > first.usage.prompt_tokens

    @pytest.mark.parametrize("form", FORMS)
    def test_a_turn_held_to_a_form_is_an_answer_of_it(
        self, policy: Policy, opening: tuple[Message, ...], form: str, constrains: bool
    ) -> None:
        grammar = FORMS[form].grammar(COUNT, whole_turn=True, complete=True)
        assert grammar is not None
        policy.submit(ask("a", opening, grammar=grammar))
        (done,) = collected(policy, 1)
        assert done.finish is FinishReason.STOP
        if not constrains:
            assert done.held == ()  # nothing is claimed that was not done
            parsed = parse_turn(done.text, FORMS[form])
            assert (parsed.answer is None) == (parsed.problem is not None or bool(parsed.calls))
        else:
            assert re.fullmatch(grammar.pattern, done.text)
            answer = FORMS[form].read(done.text.removeprefix("<answer>").removesuffix("</answer>"))
            assert answer is not None
            assert FORMS[form].settled(answer, COUNT) is not None

    def test_a_request_without_a_grammar_is_answered(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        policy.submit(ask("a", opening, grammar=None))
        assert collected(policy, 1)[0].session == "a"

    def test_it_closes_with_work_pending(self, policy: Policy, opening: tuple[Message, ...]) -> None:
        policy.submit(ask("a", opening))
        policy.close()


def ask(session: str, messages: tuple[Message, ...], **fields: Any) -> Request:
    """Return a request for a greedy turn that may look or answer."""
    return Request(session=session, messages=messages, **{"sampling": Sampling(), "grammar": FREE, **fields})


def collected(policy: Policy, count: int, *, empty: int = 0) -> list[Completion]:
    """Return `count` completions, each of them sound; no more may come.

    Args:
        policy: what is asked.
        count: completions pending.
        empty: most calls of `collect` that may bring none.
    """
    done: list[Completion] = []
    while len(done) < count:
        fresh = policy.collect()
        empty -= not fresh
        assert empty >= 0, f"nothing came for {count - len(done)} of {count} pending sessions"
        done += fresh
    assert len(done) == count
    for completion in done:
        check_sound(completion)
    return done


def check_sound(done: Completion) -> None:
    """Check what holds for every completion."""
    assert (done.failure is not None) == (done.finish in FAILED)
    if done.failure is not None:
        assert done.failure.kind in FailureKind
        assert (done.failure.kind is FailureKind.CONTEXT) == (done.finish is FinishReason.OVERFLOW)
        assert done.failure.words
        assert "\n" not in done.failure.words
    assert (done.token_ids is None) == (done.logprobs is None)
    assert len(done.token_ids or ()) == len(done.logprobs or ())
    assert min(done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.cached_tokens) >= 0
    ends = [0, *(place for held in done.held for place in held), len(done.token_ids or ())]
    assert ends == sorted(ends)
    assert all(start < end for start, end in done.held)
    assert all(end < start for (_, end), (start, _) in zip(done.held, done.held[1:], strict=False))


@contextmanager
def soon(call: Callable[[], None]) -> Iterator[None]:
    """Make a call from another thread in a moment; it has been made when the block is left."""
    timer = threading.Timer(0.05, call)
    timer.start()
    try:
        yield
    finally:
        timer.join()
