"""Pins turns that follow a grammar or begin with a prefix: their text, their ids, and which ids were held."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count

import pytest
import torch
from tests.unit.policies.local.conversations import LONG, alone, ask, everything, opening, ranking, reply, words_of

from vretrver.agent.answers import FORMS
from vretrver.agent.grammar import Grammar
from vretrver.agent.policy import Completion, FailureKind, FinishReason, Sampling
from vretrver.models.loading import LocalModel
from vretrver.policies.local.policy import LocalPolicy
from vretrver.policies.local.runtime import Runtime
from vretrver.policies.local.sampling import choose

THOUGHT = "<think>not <answer>[7, 7, yet</think>\n<answer>["


def numbers(text: str, form: str = "ranking") -> tuple[int, ...]:
    """Return the numbers of the answer with which a turn ends; none where it ends otherwise."""
    found = re.search(r"<answer>([^<]*)</answer>$", text)
    answer = FORMS[form].read(found[1]) if found else None
    return answer.numbers if answer else ()


def saying(ids: Sequence[int]) -> Runtime:
    """Return the functions of a model that writes these ids first, then what it wants; for one turn alone."""
    step = count()

    def chosen(scores: torch.Tensor, samplings: Sequence[Sampling], draws: Sequence[float]) -> torch.Tensor:
        place = next(step)
        return torch.tensor([ids[place]]) if place < len(ids) else choose(scores, samplings, draws)

    return Runtime(choose=chosen)


def ids_of(done: Completion) -> tuple[int, ...]:
    """Return the ids of a completion, and see that there is a log-probability for each."""
    assert done.token_ids is not None
    assert done.logprobs is not None
    assert len(done.token_ids) == len(done.logprobs)
    return done.token_ids


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("temperature", [0.0, 1.0, 3.0])
def test_a_constrained_turn_is_always_an_answer(policy: LocalPolicy, temperature: float, form: str) -> None:
    grammar = FORMS[form].grammar(8, whole_turn=True, complete=True)
    assert grammar is not None
    for seed in range(10):
        sampling = Sampling(temperature=temperature, max_tokens=14 + seed, seed=seed)
        policy.submit(ask(f"s{seed}", messages=opening(), sampling=sampling, grammar=grammar))
        policy.submit(ask(f"free{seed}", messages=opening(), sampling=sampling))
    done = everything(policy)
    for seed in range(10):
        answer, free = done[f"s{seed}"], done[f"free{seed}"]
        assert answer.finish is FinishReason.STOP
        assert numbers(answer.text, form)
        assert re.fullmatch(grammar.pattern, answer.text)
        assert policy.model.vocabulary.decode(ids_of(answer)) == answer.text
        assert answer.held == ((0, len(ids_of(answer))),)
        assert not numbers(free.text, form)
        assert free.held == ()


@pytest.mark.parametrize("complete", [True, False])
def test_a_constrained_turn_names_every_candidate_once_where_that_is_asked_for(
    policy: LocalPolicy, complete: bool
) -> None:
    grammar = ranking(12, whole_turn=True, complete=complete)
    sampling = Sampling(temperature=2.0, max_tokens=120)
    answer = numbers(alone(policy, ask("a", messages=opening(), sampling=sampling, grammar=grammar)).text)
    assert answer
    assert (sorted(answer) == list(range(1, 13))) == complete


@pytest.mark.parametrize("constrained", [True, False])
def test_an_answer_that_the_model_starts_on_its_own_is_constrained_from_there(
    model: LocalModel, constrained: bool
) -> None:
    said = model.vocabulary.text(THOUGHT)
    policy = LocalPolicy(model, slice_tokens=4, runtime=saying(said))
    sampling = Sampling(temperature=2.0, max_tokens=len(said) + 120)
    grammar = ranking(12, whole_turn=False) if constrained else None
    done = alone(policy, ask("a", messages=opening(), sampling=sampling, grammar=grammar))
    assert done.text.startswith(THOUGHT)
    assert (sorted(numbers(done.text)) == list(range(1, 13))) == constrained
    assert done.held == (((len(said), len(ids_of(done))),) if constrained else ())


@pytest.mark.parametrize("short_of", [0, 1])
def test_an_answer_that_would_not_fit_whole_goes_on_freely(model: LocalModel, short_of: int) -> None:
    said = model.vocabulary.text(THOUGHT)
    policy = LocalPolicy(model, slice_tokens=4, runtime=saying(said))
    grammar = ranking(12, whole_turn=False)
    sampling = Sampling(temperature=2.0, max_tokens=len(said) + grammar.longest - short_of)
    done = alone(policy, ask("a", messages=opening(), sampling=sampling, grammar=grammar))
    assert bool(done.held) == (short_of == 0)


def test_an_answer_ends_before_the_context_does(model: LocalModel) -> None:
    asked = ask("a", messages=opening(), grammar=ranking(40, whole_turn=True), sampling=Sampling())
    prompt = alone(LocalPolicy(model), asked).usage.prompt_tokens
    for room in (20, 30, 40):
        done = alone(LocalPolicy(model, context_tokens=prompt + room), asked)
        assert done.finish is FinishReason.STOP
        assert 1 <= len(numbers(done.text)) < 40


def test_probabilities_of_held_ids_are_the_models_own(policy: LocalPolicy) -> None:
    free = alone(policy, ask("free", messages=opening(), sampling=Sampling(max_tokens=1), score_tokens=("<answer>",)))
    held = alone(policy, ask("held", messages=opening(), grammar=ranking(3, whole_turn=True)))
    first = policy.model.vocabulary.single("<answer>")
    assert ids_of(held)[0] == first
    assert (held.logprobs or ())[0] == pytest.approx(free.scores["<answer>"], abs=1e-5)


def test_a_prefix_begins_the_turn_and_counts_as_held(policy: LocalPolicy) -> None:
    prefix = "<think>red cup"
    given = policy.model.vocabulary.text(prefix)
    plain = alone(policy, ask("plain", messages=opening()))
    done = alone(policy, ask("a", messages=opening(), prefix=prefix))
    assert done.text.startswith(prefix)
    assert ids_of(done)[: len(given)] == tuple(given)
    assert done.logprobs is not None
    assert set(done.logprobs[: len(given)]) == {0.0}
    assert max(done.logprobs[len(given) :]) < 0
    assert done.held == ((0, len(given)),)
    assert len(ids_of(done)) == len(given) + 12  # max_tokens counts what was sampled
    assert done.usage.prompt_tokens == plain.usage.prompt_tokens
    later = alone(policy, ask("a", messages=(reply(1),)))
    assert later.usage.cached_tokens == done.usage.prompt_tokens + done.usage.completion_tokens - 1


def test_scores_are_those_after_the_prefix(policy: LocalPolicy) -> None:
    one = Sampling(max_tokens=1)
    done = alone(policy, ask("a", messages=opening(), prefix="<answer>[", sampling=one, score_tokens=("1", "2")))
    assert done.logprobs is not None
    again = alone(
        policy,
        ask(
            "b",
            messages=opening(),
            prefix="<answer>[",
            sampling=one,
            grammar=Grammar(pattern=r"<answer>\[[12]", opening="<answer>[", whole_turn=True),
        ),
    )
    best = max(done.scores, key=lambda text: done.scores[text])
    assert again.text == f"<answer>[{best}"
    assert (again.logprobs or ())[-1] == pytest.approx(done.scores[best], abs=1e-5)


def test_a_grammar_continues_from_the_prefix(policy: LocalPolicy) -> None:
    sampling = Sampling(temperature=2.0, max_tokens=60)
    for name, whole_turn in (("whole", True), ("begun", False)):
        grammar = ranking(6, whole_turn=whole_turn)
        done = alone(policy, ask(name, messages=opening(), prefix="<answer>[4, ", grammar=grammar, sampling=sampling))
        assert numbers(done.text)[0] == 4
        assert sorted(numbers(done.text)) == list(range(1, 7))
        assert done.held == ((0, len(ids_of(done))),)


def test_a_prefix_that_is_a_whole_match_is_the_turn(policy: LocalPolicy) -> None:
    prefix = "<answer>[2, 1]</answer>"
    done = alone(policy, ask("a", messages=opening(), prefix=prefix, grammar=ranking(2, whole_turn=True)))
    assert (done.text, done.finish) == (prefix, FinishReason.STOP)
    assert ids_of(done)[-1] == policy.model.vocabulary.turn_end


def test_a_stop_string_in_the_prefix_ends_nothing(policy: LocalPolicy) -> None:
    prefix = "<think>red</think>"
    done = alone(policy, ask("a", messages=opening(), prefix=prefix, stop=("</think>",), sampling=LONG))
    assert done.text.startswith(prefix)
    assert len(ids_of(done)) == len(policy.model.vocabulary.text(prefix)) + 40
    again = Sampling(max_tokens=100)
    model = policy.model
    saying_it = LocalPolicy(model, runtime=saying([*model.vocabulary.text("</think>")]))
    done = alone(saying_it, ask("a", messages=opening(), prefix=prefix, stop=("</think>",), sampling=again))
    assert (done.text, done.finish) == (f"{prefix}</think>", FinishReason.STOP)


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        (ranking(3, whole_turn=True), "no match of the grammar begins with the prefix 'red'"),
        (Grammar(pattern="(", opening="", whole_turn=True), "the grammar cannot be followed"),
        (Grammar(pattern="(", opening="x", whole_turn=False), "the grammar cannot be followed"),
    ],
)
def test_a_grammar_that_cannot_be_followed_ends_its_own_session_only(
    policy: LocalPolicy, grammar: Grammar, reason: str
) -> None:
    policy.submit(ask("good", messages=opening()))
    policy.submit(ask("bad", messages=opening(), prefix="red", grammar=grammar))
    done = everything(policy)
    assert done["good"].finish is FinishReason.LENGTH
    assert done["bad"].finish is FinishReason.ERROR
    assert reason in words_of(done["bad"])
    assert done["bad"].failure is not None
    assert done["bad"].failure.kind is FailureKind.REFUSED


def test_a_prefix_without_ids_is_unreadable(policy: LocalPolicy) -> None:
    done = alone(policy, ask("a", messages=opening(), prefix="\ud800"))
    assert done.finish is FinishReason.ERROR
    assert "no UTF-8 form" in words_of(done)
