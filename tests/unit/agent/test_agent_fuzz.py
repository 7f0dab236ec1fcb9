"""Pins the promises of the agent core under a few mutated replies, and that the fuzz notices a broken promise.

`make proofs` runs the full counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from measure import agent_fuzz
from measure.agent_world import draw_world
from measure.mutations import MUTATIONS, mutated_reply, valid_reply

from vretrver.agent.parsing import parse_turn
from vretrver.agent.trajectory import StopReason
from vretrver.prng import Stream


def test_no_promise_is_broken_by_mutated_replies() -> None:
    fuzzed = agent_fuzz.run(3000, 300, seed=7)
    assert fuzzed.broken == []
    assert fuzzed.session_count >= 300
    assert {"call executed", "call refused", "call unreadable", "answer usable"} <= set(fuzzed.replies.seen)
    assert {f"stop {stop}" for stop in (StopReason.ANSWERED, StopReason.MALFORMED)} <= set(fuzzed.sessions.seen)


def test_a_ranking_that_is_no_permutation_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unrepaired(answer: Sequence[int], count: int) -> tuple[Sequence[int], None]:
        return answer, None

    monkeypatch.setattr(agent_fuzz, "repair", unrepaired)
    tally = agent_fuzz.fuzz_replies(draw_world(tmp_path), 200, seed=1)
    assert any(sentence.startswith("no permutation: ") for sentence in tally.broken)


def test_an_exception_is_noticed_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(text: str) -> Sequence[object]:
        raise KeyError("name")

    monkeypatch.setattr(agent_fuzz, "parse_turn", careless)
    tally = agent_fuzz.fuzz_replies(draw_world(tmp_path), 2, seed=1)
    assert tally.broken == ["reply 0: KeyError: 'name'", "reply 1: KeyError: 'name'"]


def test_a_call_too_deep_to_be_read_back_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vretrver.agent.parsing.MAX_CALL_DEPTH", 10_000)
    tally = agent_fuzz.fuzz_sessions(draw_world(tmp_path), 300, seed=1, directory=tmp_path)
    assert any("depth" in sentence or "recursion" in sentence for sentence in tally.broken)


def test_valid_replies_are_valid_and_the_same_for_a_seed() -> None:
    for number in range(200):
        text = valid_reply(Stream(3, number), 6)
        assert text == valid_reply(Stream(3, number), 6)
        parsed = parse_turn(text)
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
        assert parse_turn(mutated_reply(stream, 6, damages=(0,))).problem is None
