"""Pins how `collect` waits: patience, waking, and cancelling from another thread."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import torch
from tests.unit.policies.local.conversations import LONG, alone, ask, assert_equal, everything, opening

from vretrver.agent.policy import FinishReason, Sampling
from vretrver.models.language import run_language
from vretrver.models.loading import LocalModel
from vretrver.policies.local.policy import LocalPolicy
from vretrver.policies.local.runtime import Runtime


def at_step(number: int, action: Callable[[], None]) -> Runtime:
    """Return functions that do something from another thread while pass `number` runs; the first is 0."""
    passes = 0

    def forward(*given: Any, **more: Any) -> torch.Tensor:
        nonlocal passes
        if passes == number:
            thread = Thread(target=action)
            thread.start()
            thread.join()
        passes += 1
        return run_language(*given, **more)

    return Runtime(forward=forward)


def test_without_patience_one_slice_is_worked_at_most(policy: LocalPolicy) -> None:
    expected = alone(policy, ask("a", messages=opening(), sampling=LONG))
    policy.release("a")
    policy.submit(ask("a", messages=opening(), sampling=LONG))
    slices = 0
    while not (done := policy.collect(patience=0)):
        slices += 1
    assert slices == 40 // 4 - 1
    assert_equal(done[0], expected)
    assert policy.collect(patience=0) == []


def test_patience_ends_between_slices(model: LocalModel) -> None:
    now = [0.0]

    def forward(*given: Any, **more: Any) -> torch.Tensor:
        now[0] += 1.0
        return run_language(*given, **more)

    policy = LocalPolicy(model, slice_tokens=4, runtime=Runtime(forward=forward, clock=lambda: now[0]))
    policy.submit(ask("a", messages=opening(), sampling=LONG))
    assert policy.collect(patience=10.0) == []
    assert now[0] == 13.0  # one prefill and three slices of four steps
    assert policy.collect(patience=1000.0)[0].finish is FinishReason.LENGTH


def test_waking_returns_early_and_loses_nothing(model: LocalModel) -> None:
    policy = LocalPolicy(model, slice_tokens=4, runtime=at_step(6, lambda: policy.wake()))
    policy.submit(ask("a", messages=opening(), sampling=LONG))
    assert policy.collect() == []
    (done,) = policy.collect()
    assert (done.finish, len(done.token_ids or ())) == (FinishReason.LENGTH, 40)


def test_waking_before_collect_counts_once(policy: LocalPolicy) -> None:
    policy.submit(ask("a", messages=opening()))
    policy.wake()
    policy.wake()
    assert policy.collect() == []
    assert [done.session for done in policy.collect()] == ["a"]
    policy.wake()
    assert policy.collect() == []
    assert alone(policy, ask("b", messages=opening())).finish is FinishReason.LENGTH


def test_a_turn_is_cancelled_from_another_thread_while_it_is_written(model: LocalModel) -> None:
    policy = LocalPolicy(model, slice_tokens=100, runtime=at_step(5, lambda: policy.cancel("a")))
    policy.submit(ask("a", messages=opening(), sampling=Sampling(max_tokens=1000)))
    policy.submit(ask("b", messages=opening(1), sampling=LONG))
    done = everything(policy)
    assert (done["a"].finish, len(done["a"].token_ids or ())) == (FinishReason.CANCELLED, 5)
    assert done["b"].finish is FinishReason.LENGTH


def test_turns_are_cancelled_from_many_threads_while_sessions_come_and_go(policy: LocalPolicy) -> None:
    running = True

    def cancelling() -> None:
        number = 0
        while running:
            policy.cancel(f"s{number % 40}")
            number += 1

    threads = [Thread(target=cancelling) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for start in range(0, 40, 8):
            for number in range(start, start + 8):
                policy.submit(ask(f"s{number}", messages=opening(), sampling=Sampling(max_tokens=5)))
            done = everything(policy)
            assert set(done) == {f"s{number}" for number in range(start, start + 8)}
            assert {one.finish for one in done.values()} <= {FinishReason.CANCELLED, FinishReason.LENGTH}
    finally:
        running = False
        for thread in threads:
            thread.join()
