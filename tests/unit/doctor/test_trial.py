"""Pins what one trial window tells of a policy: that it sees, keeps to the grammar, and answers at all."""

from __future__ import annotations

import re

from vretrver.agent.dialects import dialect_named
from vretrver.agent.policy import Completion, Failure, FailureKind, FinishReason
from vretrver.doctor.endpoint import window_tokens
from vretrver.doctor.findings import Severity
from vretrver.doctor.trial import try_window
from vretrver.policies.scripted import Moment, ScriptedPolicy, replay


def test_a_policy_that_finds_the_blue_square_is_well() -> None:
    finding = try_window(replay(["<think>the second</think><answer>[2, 1]</answer>"]), dialect_named("vretrver"))
    assert finding.severity is Severity.OK
    assert re.fullmatch(
        r"a blue square was found among three pictures: \d+\.\d s, \d+ tokens, 0 looks", finding.sentence
    )


def test_the_wrong_order_raises_the_question_whether_pictures_arrive() -> None:
    finding = try_window(replay(["<answer>[1, 2]</answer>"]), dialect_named("vretrver"))
    assert finding.severity is Severity.WARNING
    assert finding.sentence.startswith("a red square was put before a blue one")


def test_a_policy_that_only_turns_the_order_round_does_not_pass() -> None:
    finding = try_window(replay(["<answer>[3, 2, 1]</answer>"]), dialect_named("vretrver"))
    assert finding.severity is Severity.WARNING
    assert finding.sentence.startswith("a green square was put before a blue one")


def test_prose_is_no_answer_and_says_so() -> None:
    finding = try_window(replay(["It is the second one."]), dialect_named("released"))
    assert finding.severity is Severity.WARNING
    assert "no usable answer (malformed)" in finding.sentence
    assert "does not keep to dialect released" in finding.sentence


def test_a_policy_that_fails_is_wrong_with_its_reason() -> None:
    def fails(moment: Moment) -> Completion:
        failure = Failure(kind=FailureKind.UNREACHABLE, words="503: no capacity")
        return Completion(session=moment.session, text="", finish=FinishReason.ERROR, failure=failure)

    finding = try_window(ScriptedPolicy(fails, name="fails"), dialect_named("vretrver"))
    assert finding.severity is Severity.WRONG
    assert "policy_error (503: no capacity)" in finding.sentence


def test_the_tokens_a_window_can_need_follow_from_the_dialect() -> None:
    # vretrver: 1000 for texts; a 4:3 picture is 252 tokens as query and look, 63 as candidate; 4 turns of 4 looks
    assert window_tokens(dialect_named("vretrver")) == 1000 + 252 + 20 * 63 + 4 * (1024 + 4 * 252)
    # released: native size on a 28 px grid, 23 x 17; 3 turns of one look
    assert window_tokens(dialect_named("released")) == 1000 + 21 * 391 + 3 * (1024 + 391)
