"""Pins what happens when memory runs short, the model breaks, or an error comes out of `collect`."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
import torch
from tests.unit.policies.local.conversations import (
    LONG,
    alone,
    ask,
    everything,
    opening,
    raising,
    reply,
    short_of_memory,
    words_of,
)

from vretrver.agent.policy import FailureKind, FinishReason, Sampling
from vretrver.models.keyvalues import KeyValues
from vretrver.models.language import run_language
from vretrver.models.loading import LocalModel
from vretrver.policies.local.policy import LocalPolicy
from vretrver.policies.local.runtime import Runtime


def test_out_of_memory_is_met_by_prefilling_one_by_one_and_ends_what_does_not_fit_alone(model: LocalModel) -> None:
    def tight(model: Any, ids: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        prefill = ids.shape[1] > 1
        return (
            short_of_memory()
            if prefill and (ids.shape[0] > 1 or ids.shape[1] > 70)
            else run_language(model, ids, *rest, **more)
        )

    policy = LocalPolicy(model, slice_tokens=4, runtime=Runtime(forward=tight))
    for number in (0, 1, 9):
        policy.submit(ask(f"s{number}", messages=opening(number, pictures=1)))
    done = everything(policy)
    assert [done[f"s{number}"].finish for number in (0, 1)] == [FinishReason.LENGTH] * 2
    assert done["s9"].finish is FinishReason.ERROR
    assert "not enough memory" in words_of(done["s9"])
    assert done["s9"].failure is not None
    assert done["s9"].failure.may_pass


def test_another_error_is_not_swallowed(model: LocalModel) -> None:
    def broken(*_: Any, **__: Any) -> torch.Tensor:
        raise RuntimeError("a fault of the program")

    policy = LocalPolicy(model, runtime=Runtime(forward=broken))
    policy.submit(ask("a", messages=opening()))
    with pytest.raises(RuntimeError, match="a fault of the program"):
        policy.collect()


def test_what_an_error_interrupted_is_failed_and_the_policy_goes_on(model: LocalModel) -> None:
    interrupts = [False]

    def forward(*given: Any, **more: Any) -> torch.Tensor:
        if interrupts[0] and given[1].shape[1] == 1:
            raise KeyboardInterrupt
        return run_language(*given, **more)

    policy = LocalPolicy(model, slice_tokens=4, runtime=Runtime(forward=forward))
    policy.submit(ask("done", messages=opening(), sampling=Sampling(max_tokens=3)))
    policy.submit(ask("written", messages=opening(1), sampling=LONG))
    assert [done.session for done in policy.collect()] == ["done"]
    policy.submit(ask("new", messages=opening(2)))
    interrupts[0] = True
    with pytest.raises(KeyboardInterrupt):
        policy.collect()
    interrupts[0] = False
    broken = {done.session: (done.finish, words_of(done)) for done in policy.collect()}
    assert broken == dict.fromkeys(("written", "new"), (FinishReason.ERROR, "an error interrupted the turn"))
    assert alone(policy, ask("done", messages=(reply(1),))).finish is FinishReason.LENGTH  # it was at rest already
    policy.release("new")
    assert alone(policy, ask("new", messages=opening(2))).finish is FinishReason.LENGTH


def test_no_memory_to_drop_rows_costs_nothing_but_that(model: LocalModel) -> None:
    short = [False]

    def new_cache(*given: Any, **more: Any) -> KeyValues:
        return short_of_memory() if short[0] else KeyValues(*given, **more)  # type: ignore[no-any-return]

    policy = LocalPolicy(model, slice_tokens=4, runtime=Runtime(new_cache=new_cache))
    expected = alone(policy, ask("s2", messages=opening(2), sampling=LONG))
    policy.close()
    policy.submit(ask("short", messages=opening(), sampling=Sampling(max_tokens=3)))
    for number in (1, 2):
        policy.submit(ask(f"s{number}", messages=opening(number), sampling=LONG))
    assert [done.session for done in policy.collect()] == ["short"]
    policy.cancel("s1")
    short[0] = True
    assert everything(policy)["s2"].token_ids == expected.token_ids


def test_newcomers_that_find_no_memory_end_and_those_in_the_batch_go_on_unchanged(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = alone(policy, ask("long", messages=opening(1), sampling=LONG)).token_ids
    policy.close()
    policy.submit(ask("short", messages=opening(), sampling=Sampling(max_tokens=3)))
    policy.submit(ask("long", messages=opening(1), sampling=LONG))
    policy.collect()
    policy.submit(ask("new", messages=opening(2)))
    plain, outputs = torch.cat, policy.model.outputs

    def cat(tensors: Any, *more: Any, **named: Any) -> torch.Tensor:
        """Run short when logits of the batch and of newcomers are put together, the last thing that can fail."""
        return short_of_memory() if tensors[0].shape[-1] == outputs else plain(tensors, *more, **named)

    with monkeypatch.context() as patched:
        patched.setattr(torch, "cat", cat)
        (new,) = policy.collect()
    assert (new.session, new.finish) == ("new", FinishReason.ERROR)
    assert "not enough memory" in words_of(new)
    assert everything(policy)["long"].token_ids == expected
    assert alone(policy, ask("short", messages=(reply(1),))).finish is FinishReason.LENGTH


def test_a_conversation_for_which_there_is_no_memory_at_rest_ends_with_a_sentence(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.submit(ask("short", messages=opening(), sampling=Sampling(max_tokens=3)))
    policy.submit(ask("long", messages=opening(1), sampling=LONG))
    policy.collect()
    monkeypatch.setattr(KeyValues, "row", short_of_memory)
    assert {done.session: done.finish for done in policy.collect()} == {"long": FinishReason.LENGTH}
    again = alone(policy, ask("short", messages=(reply(1),)))
    assert again.finish is FinishReason.ERROR
    assert "the conversation ended before (there is not enough memory" in words_of(again)


def test_pictures_are_encoded_one_by_one_where_memory_does_not_suffice(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = policy.model.vision.encode
    monkeypatch.setattr(
        policy.model.vision, "encode", lambda pixels: short_of_memory() if len(pixels) > 2 else plain(pixels)
    )
    policy.submit(ask("a", messages=opening()))
    policy.submit(ask("b", messages=opening(1)))
    policy.submit(ask("three", messages=opening(2, pictures=3)))
    done = everything(policy)
    assert [done[name].finish for name in ("a", "b", "three")] == [FinishReason.LENGTH] * 2 + [FinishReason.ERROR]


def test_out_of_memory_while_rows_are_kept_reads_nothing_twice(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_three() -> dict[str, Any]:
        for number in range(3):
            policy.submit(ask(f"s{number}", messages=opening(number)))
        return everything(policy)

    expected = all_three()
    policy.close()
    plain, step = KeyValues.row, count()
    monkeypatch.setattr(
        KeyValues, "row", lambda cache, place: short_of_memory() if next(step) == 1 else plain(cache, place)
    )
    done = all_three()
    for name in ("s0", "s1", "s2"):
        assert done[name].token_ids == expected[name].token_ids
        assert done[name].usage.prompt_tokens == expected[name].usage.prompt_tokens


def test_a_model_without_finite_probabilities_is_an_error(model: LocalModel) -> None:
    done = alone(LocalPolicy(model, runtime=raising([0], float("nan"))), ask("a", messages=opening()))
    assert done.finish is FinishReason.ERROR
    assert "no finite probabilities" in words_of(done)
    assert done.failure is not None
    assert done.failure.kind is FailureKind.BROKEN
