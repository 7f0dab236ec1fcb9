"""Pins the promises of the agent core under a few mutated replies, and that the fuzz notices a broken promise.

`make proofs` runs the full counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from measure import agent_fuzz, agent_fuzz_replies
from measure.agent_fuzz_replies import fuzz_replies
from measure.agent_fuzz_sessions import fuzz_sessions
from measure.agent_world import draw_world
from measure.mutations import MUTATIONS, mutated_reply, valid_reply

from vretrver.agent.answers import FORMS, AnswerForm, Repairs
from vretrver.agent.parsing import parse_turn
from vretrver.agent.trajectory import StopReason
from vretrver.prng import Stream


def test_no_promise_is_broken_by_mutated_replies() -> None:
    fuzzed = agent_fuzz.run(2000, 128, seed=7)
    assert fuzzed.broken == []
    assert fuzzed.session_count >= 128
    assert {
        *("call executed", "call refused", "call unreadable", "picture seen", "text read"),
        *("answer usable", "answer that nothing fits"),
    } <= set(+fuzzed.replies.seen)
    assert {
        *(f"stop {stop}" for stop in (StopReason.ANSWERED, StopReason.MALFORMED, StopReason.CANCELLED)),
        *("query complete", "query cancelled", "query budget", "query deadline", "verdict nothing_fits"),
        *("text read", "picture alone", "picture row"),
    } <= set(+fuzzed.sessions.seen)


def test_a_ranking_that_is_no_permutation_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unrepaired(answer: Sequence[int], count: int) -> tuple[Sequence[int], Repairs]:
        return answer, Repairs()

    monkeypatch.setattr("vretrver.agent.answers.repair", unrepaired)
    tally = fuzz_replies(draw_world(tmp_path), 200, seed=1)
    assert any(sentence.startswith("no permutation: ") for sentence in tally.broken)


def test_an_exception_is_noticed_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(text: str, form: AnswerForm) -> Sequence[object]:
        raise KeyError("name")

    monkeypatch.setattr(agent_fuzz_replies, "parse_turn", careless)
    tally = fuzz_replies(draw_world(tmp_path), 2, seed=1)
    assert tally.broken == ["reply 0: KeyError: 'name'", "reply 1: KeyError: 'name'"]


def test_a_call_too_deep_to_be_read_back_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vretrver.agent.parsing.MAX_CALL_DEPTH", 10_000)
    tally = fuzz_sessions(draw_world(tmp_path), 128, seed=1, directory=tmp_path)
    assert any("depth" in sentence or "recursion" in sentence for sentence in tally.broken)


def test_valid_replies_are_valid_and_the_same_for_a_seed() -> None:
    for number, (name, form) in itertools.product(range(100), FORMS.items()):
        or_none = name == "ranking-or-none"
        text = valid_reply(Stream(3, number), 6, or_none=or_none)
        assert text == valid_reply(Stream(3, number), 6, or_none=or_none)
        parsed = parse_turn(text, form)
        assert parsed.problem is None
        assert (parsed.answer is None) == bool(parsed.calls)
        assert all(call.problem is None for call in parsed.calls)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_mutation_takes_any_text(mutation: object) -> None:
    assert callable(mutation)
    for number, text in enumerate(["x", "[", "\ud800", "12", '{"a": 1}', "<answer>[1, 2]</answer>"] * 20):
        assert isinstance(mutation(text, Stream(5, number)), str)


def test_every_reply_is_really_damaged_unless_no_damage_is_allowed() -> None:
    for number in range(500):
        stream = Stream(1, number)
        assert mutated_reply(stream.child(), 6) != valid_reply(stream.child(), 6)
        assert parse_turn(mutated_reply(stream, 6, damages=(0,)), FORMS["ranking"]).problem is None
