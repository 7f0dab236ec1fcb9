"""Pins forks: a session that starts after another writes what it would write had it read everything itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.tiny_models import FAMILIES, loaded, shown
from tests.unit.policies.local.conversations import (
    LONG,
    SAMPLED,
    alone,
    ask,
    assert_equal,
    everything,
    opening,
    ranking,
    reply,
    short_of_memory,
    stock_logprobs,
    turn_of,
    whole,
    words_of,
)

from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, FailureKind, FinishReason, Sampling
from vretrver.models.keyvalues import KeyValues
from vretrver.models.loading import LocalModel
from vretrver.policies.local.policy import LocalPolicy

GREEDY = Sampling(max_tokens=12)
GROUP = ("a", "b", "c", "d")


def read(policy: LocalPolicy, session: str, messages: tuple[Message, ...], **more: Any) -> Completion:
    """Read messages into a session and write nothing."""
    return alone(policy, ask(session, messages=messages, read_only=True, **more))


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_only_read_is_answered_empty(family: str) -> None:
    policy = LocalPolicy(loaded(family))
    messages = opening(1, family=family)
    done = read(policy, "o", messages)
    asked = alone(policy, ask("a", messages=messages))
    assert (done.text, done.finish, done.token_ids, done.logprobs, done.held) == ("", FinishReason.STOP, (), (), ())
    header = len(policy.model.vocabulary.text("assistant\n")) + 1
    assert done.usage.prompt_tokens == asked.usage.prompt_tokens - header
    assert (done.usage.cached_tokens, done.usage.completion_tokens) == (0, 0)


@pytest.mark.parametrize("sampling", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
@pytest.mark.parametrize("family", FAMILIES)
def test_forks_of_an_opening_write_what_conversations_that_read_it_themselves_write(
    family: str, sampling: Sampling
) -> None:
    model, messages = loaded(family), opening(2, family=family)
    fresh, policy = LocalPolicy(model), LocalPolicy(model)
    expected = {name: alone(fresh, ask(name, messages=messages, sampling=sampling)) for name in GROUP}
    later = {name: alone(fresh, ask(name, messages=(reply(6, family=family),))) for name in GROUP}
    held = read(policy, "opening", messages).usage.prompt_tokens
    for name in GROUP:
        policy.submit(ask(f"{name}'", messages=(), sampling=sampling, after="opening", stream=name))
    done = everything(policy)
    for name in GROUP:
        assert_equal(done[f"{name}'"], expected[name])
        assert done[f"{name}'"].usage.cached_tokens == held
        assert done[f"{name}'"].usage.prompt_tokens == expected[name].usage.prompt_tokens
        policy.submit(ask(f"{name}'", messages=(reply(6, family=family),), stream=name))
    assert len({expected[name].token_ids for name in GROUP}) == (1 if sampling is GREEDY else 4)
    done = everything(policy)
    for name in GROUP:
        assert_equal(done[f"{name}'"], later[name])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fork_after_a_turn_goes_on_with_a_picture_as_the_conversation_itself_would(family: str) -> None:
    model, messages = loaded(family), opening(1, family=family)
    looked, otherwise = reply(3, family=family), reply(4, family=family)
    fresh, policy = LocalPolicy(model), LocalPolicy(model)
    first = alone(fresh, ask("a", messages=messages))
    expected = alone(fresh, ask("a", messages=(looked,)))
    assert_equal(alone(policy, ask("a", messages=messages)), first)
    policy.submit(ask("fork", messages=(looked,), after="a", stream="a"))
    policy.submit(ask("a", messages=(otherwise,)))
    done = everything(policy)
    assert_equal(done["fork"], expected)
    assert done["a"].token_ids != expected.token_ids
    assert done["fork"].usage.cached_tokens == first.usage.prompt_tokens + first.usage.completion_tokens - 1
    encoded = whole(model, (*messages, turn_of(first), looked, turn_of(done["fork"])), [first, done["fork"]])
    ids, start = torch.tensor(done["fork"].token_ids), done["fork"].usage.prompt_tokens
    logprobs = stock_logprobs(model, encoded)[torch.arange(start - 1, start - 1 + len(ids)), ids]
    torch.testing.assert_close(torch.tensor(done["fork"].logprobs), logprobs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "more",
    [
        {"prefix": "<think>red"},
        {"grammar": ranking(5, whole_turn=True)},
        {"prefix": "<answer>[3", "grammar": ranking(5, whole_turn=True)},
        {"prefix": "<think>so</think><answer>[", "grammar": ranking(5, whole_turn=False)},
    ],
    ids=["prefix", "grammar", "both", "begun"],
)
def test_a_fork_takes_a_prefix_and_a_grammar(family: str, more: dict[str, Any]) -> None:
    model, messages = loaded(family), opening(2, family=family)
    sampling = Sampling(temperature=1.0, max_tokens=40)
    fresh, policy = LocalPolicy(model), LocalPolicy(model)
    expected = alone(fresh, ask("a", messages=messages, sampling=sampling, **more))
    read(policy, "opening", messages)
    fork = alone(policy, ask("f", messages=(), sampling=sampling, after="opening", stream="a", **more))
    assert_equal(fork, expected)
    assert fork.held
    later = (reply(1, family=family),)
    assert_equal(alone(policy, ask("f", messages=later, stream="a")), alone(fresh, ask("a", messages=later)))


def test_forks_of_forks_outlive_what_they_started_from(model: LocalModel) -> None:
    fresh, policy = LocalPolicy(model), LocalPolicy(model)
    first, second, third = opening(1), (reply(1),), (reply(2),)
    expected = alone(fresh, ask("a", messages=(*first, *second, *third)))
    read(policy, "first", first)
    read(policy, "second", second, after="first")
    policy.release("first")
    policy.submit(ask("third", messages=third, after="second", stream="a"))
    policy.release("second")
    assert_equal(everything(policy)["third"], expected)


def test_a_fork_shares_the_kv_cache_until_one_of_them_writes(policy: LocalPolicy) -> None:
    read(policy, "opening", opening())
    policy.submit(ask("fork", messages=(), after="opening"))
    conversations = policy._conversations
    shared = conversations["opening"].kv
    assert shared is not None
    assert conversations["fork"].kv is shared
    before = shared.clone()
    everything(policy)
    assert conversations["opening"].kv is shared
    assert torch.equal(shared, before)


def test_a_session_is_forked_while_its_kv_cache_is_in_the_batch(model: LocalModel) -> None:
    fresh, policy = LocalPolicy(model), LocalPolicy(model, slice_tokens=4)
    short = Sampling(temperature=1.0, max_tokens=3)
    alone(fresh, ask("short", messages=opening(), sampling=short))
    expected = alone(fresh, ask("short", messages=(reply(1),)))
    long = alone(fresh, ask("long", messages=opening(1), sampling=LONG))
    policy.submit(ask("short", messages=opening(), sampling=short))
    policy.submit(ask("long", messages=opening(1), sampling=LONG))
    assert [done.session for done in policy.collect()] == ["short"]
    policy.submit(ask("fork", messages=(reply(1),), after="short", stream="short"))
    policy.release("short")
    done = everything(policy)
    assert_equal(done["fork"], expected)
    assert_equal(done["long"], long)


def test_reading_goes_on_behind_a_turn_and_then_a_turn_behind_it(policy: LocalPolicy) -> None:
    for session in ("once", "apart"):
        alone(policy, ask(session, messages=opening(), stream="s"))
    expected = alone(policy, ask("once", messages=(reply(1), reply(2)), stream="s"))
    first = read(policy, "apart", (reply(1),))
    again = read(policy, "apart", ())
    assert (again.usage.prompt_tokens, again.usage.cached_tokens) == (first.usage.prompt_tokens,) * 2
    read(policy, "apart", (reply(2),))
    done = alone(policy, ask("apart", messages=(), stream="s"))
    assert_equal(done, expected)
    assert done.usage.prompt_tokens == expected.usage.prompt_tokens


def test_a_fork_takes_over_what_was_not_read_yet(policy: LocalPolicy) -> None:
    expected = alone(policy, ask("a", messages=opening()))
    assert read(policy, "late", opening(), deadline=0.0).finish is FinishReason.DEADLINE
    assert_equal(alone(policy, ask("fork", messages=(), after="late", stream="a")), expected)
    assert_equal(alone(policy, ask("late", messages=(), stream="a")), expected)


def test_starting_after_what_is_unknown_pending_or_too_late_is_refused(policy: LocalPolicy) -> None:
    with pytest.raises(ValueError, match="session 'o' is unknown; 'f' cannot start after it"):
        policy.submit(ask("f", messages=(), after="o"))
    policy.submit(ask("o", messages=opening()))
    with pytest.raises(ValueError, match="session 'o' has a pending turn; 'f' cannot start after it yet"):
        policy.submit(ask("f", messages=(), after="o"))
    everything(policy)
    alone(policy, ask("f", messages=(), after="o"))
    with pytest.raises(ValueError, match="session 'f' has a conversation and cannot start after 'o'"):
        policy.submit(ask("f", messages=(), after="o"))
    policy.release("f")
    assert alone(policy, ask("f", messages=(), after="o")).finish is FinishReason.LENGTH


def test_a_fork_of_a_conversation_that_failed_has_failed(policy: LocalPolicy) -> None:
    bad = Message(role="user", pieces=(shown(9, 1, 1, cell=28),))
    assert read(policy, "bad", (bad,)).finish is FinishReason.ERROR
    done = alone(policy, ask("fork", messages=opening(), after="bad"))
    assert done.finish is FinishReason.ERROR
    assert "the conversation ended before (picture 9: it is shown" in words_of(done)


def test_a_fork_that_fails_leaves_what_it_started_from_alone(policy: LocalPolicy) -> None:
    expected = alone(policy, ask("a", messages=opening()))
    read(policy, "opening", opening())
    bad = Message(role="user", pieces=(shown(9, 1, 1, cell=28),))
    assert alone(policy, ask("fork", messages=(bad,), after="opening")).finish is FinishReason.ERROR
    assert_equal(alone(policy, ask("opening", messages=(), stream="a")), expected)


def test_a_fork_for_which_there_is_no_memory_fails_and_what_it_started_from_goes_on(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(policy, ask("twin", messages=opening(), stream="a"))
    expected = alone(policy, ask("twin", messages=(reply(1),), stream="a"))
    alone(policy, ask("a", messages=opening()))
    with monkeypatch.context() as patched:
        patched.setattr(KeyValues, "row", short_of_memory)
        policy.submit(ask("fork", messages=(), after="a"))
    done = everything(policy)["fork"]
    assert done.finish is FinishReason.ERROR
    assert "there is not enough memory" in words_of(done)
    assert done.failure is not None
    assert done.failure.kind is FailureKind.REFUSED
    assert_equal(alone(policy, ask("a", messages=(reply(1),))), expected)
