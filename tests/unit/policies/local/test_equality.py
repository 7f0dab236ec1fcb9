"""Pins that it does not matter how a conversation is computed: cached, batched, in which order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from tests.tiny_models import FAMILIES, loaded
from tests.unit.policies.local.conversations import (
    SAMPLED,
    alone,
    ask,
    assert_equal,
    everything,
    opening,
    reply,
    stock_logprobs,
    turn_of,
    whole,
)

from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, FinishReason, Sampling
from vretrver.policies.local.policy import LocalPolicy


def _play(policy: LocalPolicy, session: str, number: int, family: str) -> tuple[list[Message], list[Completion]]:
    """Run three turns of one session, a new picture in each; return all messages and the turns."""
    messages, turns = list(opening(number, family=family)), []
    new: Sequence[Message] = messages
    for place in range(3):
        turns.append(alone(policy, ask(session, messages=new)))
        messages.append(turn_of(turns[-1]))
        new = (reply(3 * number + place, family=family),)
        messages += new
    return messages[:-1], turns


@pytest.mark.parametrize("family", FAMILIES)
def test_turns_over_a_cache_are_those_of_one_stock_forward_pass(family: str) -> None:
    model = loaded(family)
    messages, turns = _play(LocalPolicy(model), "a", 1, family)
    encoded = whole(model, messages, turns)
    logprobs = stock_logprobs(model, encoded)
    starts = [
        place for place in range(1, len(encoded.ids)) if encoded.written[place] and not encoded.written[place - 1]
    ]
    for start, turn in zip(starts, turns, strict=True):
        ids = turn.token_ids or ()
        assert tuple(encoded.ids[start : start + len(ids)]) == ids
        assert turn.usage.prompt_tokens == start
        rows = torch.arange(start - 1, start - 1 + len(ids))
        torch.testing.assert_close(torch.tensor(turn.logprobs), logprobs[rows, torch.tensor(ids)], atol=1e-5, rtol=0)
    assert turns[0].usage.cached_tokens == 0
    assert turns[2].usage.cached_tokens == turns[1].usage.prompt_tokens + turns[1].usage.completion_tokens - 1


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_writes_what_its_sessions_write_alone(family: str) -> None:
    model = loaded(family)
    single = LocalPolicy(model)
    expected = {f"s{number}": _play(single, f"s{number}", number, family)[1] for number in range(5)}
    batched = LocalPolicy(model, slice_tokens=3)
    for number in range(5):
        batched.submit(ask(f"s{number}", messages=opening(number, family=family)))
    for place in range(3):
        done = everything(batched)
        for number in range(5):
            session = f"s{number}"
            assert_equal(done[session], expected[session][place])
            if place < 2:
                batched.submit(ask(session, messages=(reply(3 * number + place, family=family),)))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
@pytest.mark.parametrize("slice_tokens", [1, 5, 100])
def test_the_order_of_arrival_makes_no_difference(order: tuple[int, ...], slice_tokens: int) -> None:
    model = loaded("qwen3_vl")
    lengths = {number: Sampling(temperature=1.0, max_tokens=4 + 3 * number) for number in order}
    single = LocalPolicy(model)
    expected = {
        f"s{number}": alone(single, ask(f"s{number}", messages=opening(number), sampling=lengths[number]))
        for number in order
    }
    policy = LocalPolicy(model, slice_tokens=slice_tokens, in_flight=3)
    done: dict[str, Completion] = {}
    for number in order:  # each arrives while the ones before are being written
        policy.submit(ask(f"s{number}", messages=opening(number), sampling=lengths[number]))
        if number != order[-1]:
            done |= {completion.session: completion for completion in policy.collect()}
    done |= everything(policy)
    for session, completion in expected.items():
        assert_equal(done[session], completion)


def test_an_opening_with_turns_in_it_goes_on_as_if_they_had_been_written_here() -> None:
    model = loaded("qwen3_vl")
    first, second = LocalPolicy(model), LocalPolicy(model)
    canonical = Message(role="assistant", pieces=("<think>zoom in</think>",))
    messages = (*opening(1), canonical, reply(1))
    done = alone(first, ask("a", messages=messages))
    assert done.token_ids == alone(second, ask("a", messages=messages)).token_ids
    encoded = whole(
        model,
        (*messages, turn_of(done)),
        [Completion(session="a", text="", token_ids=tuple(model.vocabulary.text(canonical.text))), done],
    )
    logprobs = stock_logprobs(model, encoded)
    start = done.usage.prompt_tokens
    ids = torch.tensor(done.token_ids)
    rows = torch.arange(start - 1, start - 1 + len(ids))
    torch.testing.assert_close(torch.tensor(done.logprobs), logprobs[rows, ids], atol=1e-5, rtol=0)


def test_a_turn_that_ended_itself_and_one_that_was_cut_both_go_on_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    model = loaded("qwen3_vl")
    bias = torch.zeros(model.outputs)
    bias[model.vocabulary.turn_end] = 5.0
    plain = model.model.lm_head.forward  # the model's own, so that the stock pass below is raised too
    monkeypatch.setattr(model.model.lm_head, "forward", lambda hidden: plain(hidden) + bias)
    finishes = set()
    for number in range(6):
        messages, turns = _play(LocalPolicy(model), f"s{number}", number, "qwen3_vl")
        finishes |= {turn.finish for turn in turns}
        encoded = whole(model, messages, turns)
        logprobs = stock_logprobs(model, encoded)
        last, start = turns[-1], turns[-1].usage.prompt_tokens
        ids = torch.tensor(last.token_ids)
        rows = torch.arange(start - 1, start - 1 + len(ids))
        assert encoded.ids[start : start + len(ids)] == ids.tolist()
        torch.testing.assert_close(torch.tensor(last.logprobs), logprobs[rows, ids], atol=1e-5, rtol=0)
        assert all("<|im_end|>" not in turn.text for turn in turns)
    assert finishes == {FinishReason.STOP, FinishReason.LENGTH}


def test_the_same_request_draws_the_same_turn_and_another_seed_another() -> None:
    policy = LocalPolicy(loaded("qwen3_vl"))
    texts = []
    for seed in (1, 1, 2):
        sampling = Sampling(temperature=1.0, max_tokens=12, seed=seed)
        texts.append(alone(policy, ask("a", messages=opening(), sampling=sampling)).text)
        policy.release("a")
    assert texts[0] == texts[1] != texts[2]
    assert SAMPLED.seed == 5
