"""Pins the local policy's promises one by one: what is never written, what ends a turn, what fails and how."""

from __future__ import annotations

import gc
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
import torch
from tests.tiny_models import shown
from tests.unit.policies.local.conversations import (
    LONG,
    alone,
    ask,
    assert_equal,
    everything,
    opening,
    raising,
    reply,
    words_of,
)

from vretrver.agent.messages import Message
from vretrver.agent.policy import FailureKind, FinishReason, Sampling
from vretrver.models.keyvalues import KeyValues
from vretrver.models.language import run_language
from vretrver.models.loading import LocalModel
from vretrver.policies.local.policy import LocalPolicy
from vretrver.policies.local.runtime import Runtime


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_special_tokens_are_never_written_however_much_the_model_wants_to(
    model: LocalModel, temperature: float
) -> None:
    vocabulary = model.vocabulary
    never = vocabulary.never_written(model.outputs)
    assert {vocabulary.picture_pad, vocabulary.picture_start, vocabulary.turn_start} <= set(never)
    policy = LocalPolicy(model, runtime=raising(never, 100.0))
    done = alone(policy, ask("a", messages=opening(), sampling=Sampling(temperature=temperature, max_tokens=40)))
    assert set(never).isdisjoint(done.token_ids or ())
    assert len(done.token_ids or ()) == 40
    assert max(done.logprobs or ()) < -50  # the model's own probabilities, nothing suppressed


def test_the_end_of_the_turn_ends_it_and_is_no_text(model: LocalModel) -> None:
    policy = LocalPolicy(model, runtime=raising([model.vocabulary.turn_end], 1000.0))
    done = alone(policy, ask("a", messages=opening()))
    assert (done.text, done.finish) == ("", FinishReason.STOP)
    assert done.token_ids == (policy.model.vocabulary.turn_end,)


def test_a_stop_string_ends_the_turn_and_stays_in_its_text(policy: LocalPolicy) -> None:
    greedy = Sampling(max_tokens=30)
    text = alone(policy, ask("a", messages=opening(2), sampling=greedy)).text
    stop = text[7:9]
    stopped = alone(policy, ask("b", messages=opening(2), sampling=greedy, stop=("never", stop)))
    assert stopped.finish is FinishReason.STOP
    assert text.startswith(stopped.text)
    assert stopped.text.find(stop) >= len(stopped.text) - 8  # the token that completes it is kept whole


@pytest.mark.parametrize("most", [1, 5])
def test_a_turn_has_at_most_max_tokens(policy: LocalPolicy, most: int) -> None:
    done = alone(policy, ask("a", messages=opening(), sampling=Sampling(max_tokens=most)))
    assert (len(done.token_ids or ()), done.finish) == (most, FinishReason.LENGTH)
    assert done.usage.completion_tokens == most


def test_a_deadline_that_has_passed_is_answered_unread_and_the_conversation_can_go_on(policy: LocalPolicy) -> None:
    done = alone(policy, ask("a", messages=opening(), deadline=0.0))
    assert (done.text, done.finish, done.usage.prompt_tokens) == ("", FinishReason.DEADLINE, 0)
    later = alone(policy, ask("a", messages=(reply(1),)))
    assert later.usage.prompt_tokens > 40


def test_a_deadline_is_honoured_between_tokens(model: LocalModel) -> None:
    ticks = iter(range(10_000))
    policy = LocalPolicy(model, slice_tokens=4, runtime=Runtime(clock=lambda: float(next(ticks))))
    done = alone(policy, ask("a", messages=opening(), sampling=LONG, deadline=10.0))
    assert done.finish is FinishReason.DEADLINE
    assert 5 <= len(done.token_ids or ()) <= 10
    assert alone(policy, ask("a", messages=(reply(1),))).finish is FinishReason.LENGTH


def test_a_turn_is_cancelled_while_it_is_written_and_the_others_go_on(policy: LocalPolicy) -> None:
    policy.submit(ask("short", messages=opening(), sampling=Sampling(max_tokens=3)))
    policy.submit(ask("long", messages=opening(1), sampling=LONG))
    policy.submit(ask("other", messages=opening(2), sampling=LONG))
    assert [done.session for done in policy.collect()] == ["short"]
    policy.cancel("long")
    assert [(done.session, done.finish) for done in policy.collect()] == [("long", FinishReason.CANCELLED)]
    assert [(done.session, len(done.token_ids or ())) for done in policy.collect()] == [("other", 40)]


def test_a_waiting_turn_is_cancelled_although_no_place_is_free(model: LocalModel) -> None:
    policy = LocalPolicy(model, in_flight=1, slice_tokens=4)
    policy.submit(ask("first", messages=opening(), sampling=LONG))
    policy.submit(ask("second", messages=opening(1), sampling=LONG))
    policy.cancel("second")
    assert [done.session for done in policy.collect()] == ["second"]


def _caches() -> list[object]:
    gc.collect()
    return [thing for thing in gc.get_objects() if type(thing) is KeyValues]


def test_releasing_the_sessions_frees_their_keys_and_values(policy: LocalPolicy) -> None:
    before = len(_caches())
    for session in ("a", "b"):
        policy.submit(ask(session, messages=opening(), sampling=Sampling(max_tokens=3)))
    everything(policy)
    assert len(_caches()) == before + 1
    policy.release("a")
    policy.release("b")
    assert len(_caches()) == before


def test_what_is_released_while_it_is_written_is_never_answered(policy: LocalPolicy) -> None:
    policy.submit(ask("short", messages=opening(), sampling=Sampling(max_tokens=3)))
    policy.submit(ask("long", messages=opening(1), sampling=LONG))
    policy.collect()
    policy.release("long")
    assert policy.collect() == []
    assert alone(policy, ask("long", messages=opening(1), sampling=LONG)).finish is FinishReason.LENGTH


def test_a_conversation_that_does_not_fit_is_an_overflow_before_and_during_a_turn(model: LocalModel) -> None:
    length = alone(LocalPolicy(model), ask("a", messages=opening())).usage.prompt_tokens
    policy = LocalPolicy(model, context_tokens=length)
    done = alone(policy, ask("a", messages=opening()))
    assert done.finish is FinishReason.OVERFLOW
    assert words_of(done) == f"the conversation has {length} tokens, the policy takes {length}"
    assert done.failure is not None
    assert done.failure.kind is FailureKind.CONTEXT
    policy = LocalPolicy(model, context_tokens=length + 4)
    done = alone(policy, ask("a", messages=opening(), sampling=LONG))
    assert (done.finish, len(done.token_ids or ())) == (FinishReason.OVERFLOW, 4)
    assert policy.limits.context_tokens == length + 4


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (replace(shown(9, 1, 1).picture, data=b"junk", sha256="0" * 64), "picture 9: cannot be decoded"),
        (shown(9, 1, 1, cell=28).picture, "not a multiple of the model's cell of 32 pixels"),
    ],
)
def test_a_picture_that_cannot_be_read_ends_its_own_session_only(
    policy: LocalPolicy, picture: Any, reason: str
) -> None:
    bad = replace(shown(9, 1, 1), picture=picture)
    policy.submit(ask("good", messages=opening()))
    policy.submit(ask("bad", messages=(Message(role="user", pieces=(bad,)),)))
    done = everything(policy)
    assert done["good"].finish is FinishReason.LENGTH
    assert done["bad"].finish is FinishReason.ERROR
    assert reason in words_of(done["bad"])
    assert done["bad"].failure is not None
    assert done["bad"].failure.kind is FailureKind.UNREADABLE


def test_a_conversation_that_failed_stays_failed_until_it_is_released(policy: LocalPolicy) -> None:
    bad = Message(role="user", pieces=(shown(9, 1, 1, cell=28),))
    assert alone(policy, ask("a", messages=(bad,))).finish is FinishReason.ERROR
    again = alone(policy, ask("a", messages=opening()))
    assert again.finish is FinishReason.ERROR
    assert "release it" in words_of(again)
    assert again.failure is not None
    assert not again.failure.may_pass
    policy.release("a")
    assert alone(policy, ask("a", messages=opening())).finish is FinishReason.LENGTH


def test_a_session_has_one_turn_at_once(policy: LocalPolicy) -> None:
    policy.submit(ask("a", messages=opening()))
    with pytest.raises(ValueError, match="session 'a' has a pending turn; collect or release it first"):
        policy.submit(ask("a", messages=(reply(1),)))
    assert set(everything(policy)) == {"a"}


def test_a_slice_without_tokens_is_refused(model: LocalModel) -> None:
    with pytest.raises(ValueError, match="a slice has at least one token, got slice_tokens 0"):
        LocalPolicy(model, slice_tokens=0)


def test_a_turn_that_is_cancelled_while_others_are_prefilled_is_not_read(model: LocalModel) -> None:
    def cancelling(*given: Any, **more: Any) -> torch.Tensor:
        policy.cancel("b")
        return run_language(*given, **more)

    policy = LocalPolicy(model, prefill_tokens=1, runtime=Runtime(forward=cancelling))
    policy.submit(ask("a", messages=opening()))
    policy.submit(ask("b", messages=opening(1)))
    done = everything(policy)
    assert (done["a"].finish, done["b"].finish) == (FinishReason.LENGTH, FinishReason.CANCELLED)
    assert (done["b"].usage.prompt_tokens, policy.model.vision.encoded) == (0, 2)


def test_a_picture_is_encoded_once_whoever_shows_it(policy: LocalPolicy) -> None:
    for session in ("a", "b"):
        policy.submit(ask(session, messages=opening()))
    everything(policy)
    alone(policy, ask("a", messages=(reply(1),)))
    alone(policy, ask("b", messages=(reply(1),)))
    assert policy.model.vision.encoded == 3


def test_scores_are_the_log_probabilities_of_the_first_token(model: LocalModel) -> None:
    policy = LocalPolicy(model, runtime=raising([model.vocabulary.text("a")[0]], 8.0))
    texts = ("a", "1", "not one token", "<|im_end|>", "\ud800")
    done = alone(policy, ask("a", messages=opening(), sampling=Sampling(max_tokens=2), score_tokens=texts))
    assert done.text[0] == "a"
    assert set(done.scores) == {"a", "1"}
    assert done.scores["a"] == pytest.approx((done.logprobs or (0.0,))[0], abs=1e-5)
    assert done.scores["1"] < done.scores["a"] - 4


def test_the_kv_cache_grows_past_the_room_it_began_with(policy: LocalPolicy) -> None:
    made = count()

    def tight(*given: Any, room: int, **more: Any) -> KeyValues:
        next(made)
        return KeyValues(*given, room=1 if room == 128 else room, step=1, **more)

    long = Sampling(temperature=1.0, max_tokens=150)
    expected = alone(policy, ask("a", messages=opening(), sampling=long))
    grown = LocalPolicy(policy.model, slice_tokens=4, runtime=Runtime(new_cache=tight))
    assert alone(grown, ask("a", messages=opening(), sampling=long)).token_ids == expected.token_ids
    assert next(made) > 100


def test_an_update_of_the_weights_counts_a_revision_and_renames_them(model: LocalModel) -> None:
    policy = LocalPolicy(model)
    loaded_as = policy.fingerprint
    assert (policy.revision, policy.scripted) == (0, False)
    alone(policy, ask("a", messages=opening()))
    model.updated(tower=False)
    policy.release("a")
    alone(policy, ask("a", messages=opening()))
    assert model.vision.encoded == 2
    assert (policy.revision, policy.fingerprint) == (1, f"{loaded_as} revision 1")
    model.updated(tower=True)
    policy.release("a")
    alone(policy, ask("a", messages=opening()))
    assert model.vision.encoded == 4
    assert policy.fingerprint == f"{loaded_as} revision 2"


@pytest.mark.parametrize("after", [False, True], ids=["opening", "later"])
@pytest.mark.parametrize("end", ["cancelled", "deadline"])
def test_a_turn_that_was_cut_short_is_taken_back(model: LocalModel, end: str, after: bool) -> None:
    """The conversation goes on as if the turn had not been begun: what was read is kept, what was written is not."""
    ticks = [0.0]
    policy = LocalPolicy(model, slice_tokens=4, runtime=Runtime(clock=lambda: ticks[0]))
    for session in ("cut", "never"):
        if after:
            alone(policy, ask(session, messages=opening(), stream="s"))
    messages = (reply(1),) if after else opening()
    policy.submit(ask("cut", messages=messages, sampling=LONG, deadline=10.0, stream="s"))
    assert policy.collect(patience=0) == []
    if end == "cancelled":
        policy.cancel("cut")
    else:
        ticks[0] = 11.0
    (cut,) = policy.collect()
    assert cut.finish is FinishReason(end)
    assert len(cut.token_ids or ()) == 4
    fork = alone(policy, ask("fork", messages=(reply(2),), after="cut", stream="s"))
    expected = alone(policy, ask("never", messages=(*messages, reply(2)), stream="s"))
    gone_on = alone(policy, ask("cut", messages=(reply(2),), stream="s"))
    assert gone_on.usage.prompt_tokens == expected.usage.prompt_tokens
    assert_equal(gone_on, expected)
    assert_equal(fork, expected)
