"""Pins the local policy's promises one by one: what is never written, what ends a turn, what fails and how."""

from __future__ import annotations

import gc
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.tiny_models import loaded, shown
from tests.unit.policies.local.conversations import alone, ask, everything, opening, reply

from vretrver.agent.messages import Message
from vretrver.agent.parsing import parse_turn
from vretrver.agent.policy import FinishReason, Sampling
from vretrver.models.keyvalues import KeyValues
from vretrver.models.loading import LocalModel
from vretrver.models.vision import Vision
from vretrver.policies.local import reading, talk, writing
from vretrver.policies.local.policy import LocalPolicy

LONG = Sampling(max_tokens=40)


@pytest.fixture
def model() -> LocalModel:
    """The small Qwen3-VL with a memory of pictures of its own."""
    shared = loaded("qwen3_vl")
    return replace(shared, vision=Vision(shared.model.model.visual, shared.folder.geometry))


@pytest.fixture
def policy(model: LocalModel) -> LocalPolicy:
    return LocalPolicy(model, slice_tokens=4)


def _raised(monkeypatch: pytest.MonkeyPatch, ids: list[int], by: float) -> None:
    """Raise the logits of ids, as a model that wants to write them would."""
    plain = writing.logits_of

    def raised(model: Any, hidden: torch.Tensor) -> torch.Tensor:
        return plain(model, hidden).index_add(-1, torch.tensor(ids), torch.full((*hidden.shape[:-1], len(ids)), by))

    monkeypatch.setattr(writing, "logits_of", raised)
    monkeypatch.setattr(reading, "logits_of", raised)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_special_tokens_are_never_written_however_much_the_model_wants_to(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch, temperature: float
) -> None:
    vocabulary = policy.model.vocabulary
    never = vocabulary.never_written(policy.model.outputs)
    assert {vocabulary.picture_pad, vocabulary.picture_start, vocabulary.turn_start} <= set(never)
    _raised(monkeypatch, never, 100.0)
    done = alone(policy, ask("a", messages=opening(), sampling=Sampling(temperature=temperature, max_tokens=40)))
    assert set(never).isdisjoint(done.token_ids or ())
    assert len(done.token_ids or ()) == 40
    assert max(done.logprobs or ()) < -50  # the model's own probabilities, nothing suppressed


def test_the_end_of_the_turn_ends_it_and_is_no_text(policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    _raised(monkeypatch, [policy.model.vocabulary.turn_end], 1000.0)
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


@pytest.mark.parametrize("temperature", [0.0, 1.0, 3.0])
def test_an_answer_only_request_is_always_answered_with_an_answer(policy: LocalPolicy, temperature: float) -> None:
    for seed in range(10):
        sampling = Sampling(temperature=temperature, max_tokens=14 + seed, seed=seed)
        policy.submit(ask(f"s{seed}", messages=opening(), sampling=sampling, answer_only=True))
        policy.submit(ask(f"free{seed}", messages=opening(), sampling=sampling))
    done = everything(policy)
    for seed in range(10):
        answer = done[f"s{seed}"]
        assert answer.finish is FinishReason.STOP
        assert parse_turn(answer.text).answer
        assert policy.model.vocabulary.decode(answer.token_ids or ()) == answer.text
    assert not any(parse_turn(done[f"free{seed}"].text).answer for seed in range(10))


@pytest.mark.parametrize("forced", [True, False])
@pytest.mark.parametrize("complete", [True, False])
def test_an_answer_names_every_candidate_once_where_that_is_asked_for(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch, forced: bool, complete: bool
) -> None:
    plain, step = writing.choose, count()
    said = policy.model.vocabulary.text("" if forced else "<think>not <answer>[7, 7, yet</think>\n<answer>[")

    def choose(scores: torch.Tensor, *more: Any) -> torch.Tensor:
        """Write what is said first, then what the model wants."""
        place = next(step)
        return torch.tensor([said[place]]) if place < len(said) else plain(scores, *more)

    monkeypatch.setattr(writing, "choose", choose)
    sampling = Sampling(temperature=2.0, max_tokens=len(said) + 120, complete_answers=complete)
    request = ask("a", messages=opening(), sampling=sampling, answer_only=forced, candidates=12)
    answer = parse_turn(alone(policy, request).text).answer
    assert (sorted(answer or ()) == list(range(1, 13))) == complete


def test_an_answer_ends_before_the_context_does(model: LocalModel) -> None:
    asked = ask("a", messages=opening(), answer_only=True, candidates=40, sampling=Sampling(complete_answers=True))
    prompt = alone(LocalPolicy(model), asked).usage.prompt_tokens
    for room in (20, 30, 40):
        done = alone(LocalPolicy(model, context_tokens=prompt + room), asked)
        assert done.finish is FinishReason.STOP
        assert 1 <= len(parse_turn(done.text).answer or ()) < 40


def test_a_deadline_that_has_passed_is_answered_unread_and_the_conversation_can_go_on(policy: LocalPolicy) -> None:
    done = alone(policy, ask("a", messages=opening(), deadline=0.0))
    assert (done.text, done.finish, done.usage.prompt_tokens) == ("", FinishReason.DEADLINE, 0)
    later = alone(policy, ask("a", messages=(reply(1),)))
    assert later.usage.prompt_tokens > 40


def test_a_deadline_is_honoured_between_tokens(policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr(talk.time, "monotonic", lambda: float(next(ticks)))
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
    policy.submit(ask("a", "b", messages=opening(), sampling=Sampling(max_tokens=3)))
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
    assert done.error == f"the conversation has {length} tokens, the policy takes {length}"
    policy = LocalPolicy(model, context_tokens=length + 4)
    done = alone(policy, ask("a", messages=opening(), sampling=LONG))
    assert (done.finish, len(done.token_ids or ())) == (FinishReason.OVERFLOW, 4)
    assert policy.limits.context_tokens == length + 4


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (replace(shown(9, 1, 1).picture, data=b"junk", sha256="0" * 64), "picture 9: cannot be decoded"),
        (shown(9, 1, 1, cell=28).picture, "no multiple of the model's cell of 32 pixels"),
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
    assert reason in (done["bad"].error or "")


def test_a_conversation_that_failed_stays_failed_until_it_is_released(policy: LocalPolicy) -> None:
    bad = Message(role="user", pieces=(shown(9, 1, 1, cell=28),))
    assert alone(policy, ask("a", messages=(bad,))).finish is FinishReason.ERROR
    again = alone(policy, ask("a", messages=opening()))
    assert again.finish is FinishReason.ERROR
    assert "release it" in (again.error or "")
    policy.release("a")
    assert alone(policy, ask("a", messages=opening())).finish is FinishReason.LENGTH


def test_want_of_memory_is_met_by_reading_one_by_one_and_ends_what_does_not_fit_alone(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = reading.run_language

    def short_of_memory(model: Any, ids: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        if ids.shape[0] > 1 or ids.shape[1] > 70:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return plain(model, ids, *rest, **more)

    monkeypatch.setattr(reading, "run_language", short_of_memory)
    for number in (0, 1, 9):
        policy.submit(ask(f"s{number}", messages=opening(number, pictures=1)))
    done = everything(policy)
    assert [done[f"s{number}"].finish for number in (0, 1)] == [FinishReason.LENGTH] * 2
    assert done["s9"].finish is FinishReason.ERROR
    assert "not enough memory" in (done["s9"].error or "")


def test_another_error_is_not_swallowed(policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> torch.Tensor:
        raise RuntimeError("a fault of the program")

    monkeypatch.setattr(reading, "run_language", broken)
    policy.submit(ask("a", messages=opening()))
    with pytest.raises(RuntimeError, match="a fault of the program"):
        policy.collect()


def _short_of_memory(*_: Any, **__: Any) -> Any:
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")


def test_what_an_error_broke_off_is_failed_and_the_policy_goes_on(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.submit(ask("done", messages=opening(), sampling=Sampling(max_tokens=3)))
    policy.submit(ask("written", messages=opening(1), sampling=LONG))
    assert [done.session for done in policy.collect()] == ["done"]
    policy.submit(ask("new", messages=opening(2)))

    def interrupt(*_: Any, **__: Any) -> torch.Tensor:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(writing, "run_language", interrupt)
        with pytest.raises(KeyboardInterrupt):
            policy.collect()
    broken = {done.session: (done.finish, done.error) for done in policy.collect()}
    assert broken == dict.fromkeys(("written", "new"), (FinishReason.ERROR, "an error broke the turn off"))
    assert alone(policy, ask("done", messages=(reply(1),))).finish is FinishReason.LENGTH  # it was at rest already
    policy.release("new")
    assert alone(policy, ask("new", messages=opening(2))).finish is FinishReason.LENGTH


def test_a_session_has_one_turn_at_once(policy: LocalPolicy) -> None:
    policy.submit(ask("a", messages=opening()))
    with pytest.raises(ValueError, match="session 'a' has a turn that is waited for; collect or release it first"):
        policy.submit(ask("b", "a", messages=(reply(1),)))
    assert set(everything(policy)) == {"a"}


def test_a_slice_without_tokens_is_refused(model: LocalModel) -> None:
    with pytest.raises(ValueError, match="a slice has at least one token, got slice_tokens 0"):
        LocalPolicy(model, slice_tokens=0)


def test_no_room_to_put_rows_together_costs_nothing_but_that(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {
        number: alone(policy, ask(f"s{number}", messages=opening(number), sampling=LONG)) for number in (1, 2)
    }
    policy.close()
    policy.submit(ask("short", messages=opening(), sampling=Sampling(max_tokens=3)))
    for number in (1, 2):
        policy.submit(ask(f"s{number}", messages=opening(number), sampling=LONG))
    assert [done.session for done in policy.collect()] == ["short"]
    policy.cancel("s1")
    monkeypatch.setattr(writing, "KeyValues", _short_of_memory)
    done = everything(policy)
    assert done["s2"].token_ids == expected[2].token_ids


def test_newcomers_that_find_no_room_end_and_those_who_write_stay_themselves(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = alone(policy, ask("long", messages=opening(1), sampling=LONG)).token_ids
    policy.close()
    policy.submit(ask("short", messages=opening(), sampling=Sampling(max_tokens=3)))
    policy.submit(ask("long", messages=opening(1), sampling=LONG))
    policy.collect()
    policy.submit(ask("new", messages=opening(2)))
    with monkeypatch.context() as patched:
        patched.setattr(writing, "torch", SimpleNamespace(**(vars(torch) | {"cat": _short_of_memory})))
        (new,) = policy.collect()
    assert (new.session, new.finish) == ("new", FinishReason.ERROR)
    assert "not enough memory" in (new.error or "")
    assert everything(policy)["long"].token_ids == expected
    assert alone(policy, ask("short", messages=(reply(1),))).finish is FinishReason.LENGTH


def test_a_conversation_for_which_there_is_no_room_at_rest_ends_with_a_sentence(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.submit(ask("short", messages=opening(), sampling=Sampling(max_tokens=3)))
    policy.submit(ask("long", messages=opening(1), sampling=LONG))
    policy.collect()
    monkeypatch.setattr(KeyValues, "row", _short_of_memory)
    assert {done.session: done.finish for done in policy.collect()} == {"long": FinishReason.LENGTH}
    again = alone(policy, ask("short", messages=(reply(1),)))
    assert again.finish is FinishReason.ERROR
    assert "the conversation ended before (there is not enough memory" in (again.error or "")


def test_pictures_are_encoded_one_by_one_where_memory_does_not_last(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = policy.model.vision.encode
    monkeypatch.setattr(
        policy.model.vision, "encode", lambda pixels: _short_of_memory() if len(pixels) > 2 else plain(pixels)
    )
    policy.submit(ask("a", messages=opening()))
    policy.submit(ask("b", messages=opening(1)))
    policy.submit(ask("three", messages=opening(2, pictures=3)))
    done = everything(policy)
    assert [done[name].finish for name in ("a", "b", "three")] == [FinishReason.LENGTH] * 2 + [FinishReason.ERROR]


def test_want_of_memory_while_rows_are_kept_reads_nothing_twice(
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
        KeyValues, "row", lambda cache, place: _short_of_memory() if next(step) == 1 else plain(cache, place)
    )
    done = all_three()
    for name in ("s0", "s1", "s2"):
        assert done[name].token_ids == expected[name].token_ids
        assert done[name].usage.prompt_tokens == expected[name].usage.prompt_tokens


def test_a_turn_that_is_cancelled_while_others_are_read_is_not_read(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, plain = LocalPolicy(model, read_tokens=1), reading.run_language

    def cancelling(*given: Any, **more: Any) -> torch.Tensor:
        policy.cancel("b")
        return plain(*given, **more)

    monkeypatch.setattr(reading, "run_language", cancelling)
    policy.submit(ask("a", messages=opening()))
    policy.submit(ask("b", messages=opening(1)))
    done = everything(policy)
    assert (done["a"].finish, done["b"].finish) == (FinishReason.LENGTH, FinishReason.CANCELLED)
    assert (done["b"].usage.prompt_tokens, policy.model.vision.encoded) == (0, 2)


def test_a_model_without_finite_probabilities_is_an_error(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    _raised(monkeypatch, [0], float("nan"))
    done = alone(policy, ask("a", messages=opening()))
    assert done.finish is FinishReason.ERROR
    assert "no finite probabilities" in (done.error or "")


def test_a_picture_is_encoded_once_whoever_shows_it(policy: LocalPolicy) -> None:
    for session in ("a", "b"):
        policy.submit(ask(session, messages=opening()))
    everything(policy)
    alone(policy, ask("a", messages=(reply(1),)))
    alone(policy, ask("b", messages=(reply(1),)))
    assert policy.model.vision.encoded == 3


def test_scores_are_the_log_probabilities_of_the_first_token(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    _raised(monkeypatch, [policy.model.vocabulary.text("a")[0]], 8.0)
    texts = ("a", "1", "not one token", "<|im_end|>", "\ud800")
    done = alone(policy, ask("a", messages=opening(), sampling=Sampling(max_tokens=2), score_tokens=texts))
    assert done.text[0] == "a"
    assert set(done.scores) == {"a", "1"}
    assert done.scores["a"] == pytest.approx((done.logprobs or (0.0,))[0], abs=1e-5)
    assert done.scores["1"] < done.scores["a"] - 4


def test_the_keys_and_values_grow_past_the_room_they_began_with(
    policy: LocalPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = Sampling(temperature=1.0, max_tokens=150)
    expected = alone(policy, ask("a", messages=opening(), sampling=long))
    policy.release("a")
    monkeypatch.setattr(writing, "_ROOM", 1)
    monkeypatch.setattr("vretrver.models.keyvalues._STEP", 1)
    assert alone(policy, ask("a", messages=opening(), sampling=long)).token_ids == expected.token_ids
