"""What the tests of the local policy share: requests, whole conversations, and what a stock model says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from tests.tiny_models import CELL, folder_of, shown

from vretrver.agent.answers import RankingForm
from vretrver.agent.grammar import Grammar
from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, Policy, Request, Sampling
from vretrver.models.conversation import Encoded, encode
from vretrver.models.language import logits_of
from vretrver.models.loading import LocalModel
from vretrver.models.patches import decoded
from vretrver.models.processor import open_processor
from vretrver.policies.local.runtime import Runtime

SAMPLED = Sampling(temperature=1.0, max_tokens=12, seed=5)
LONG = Sampling(max_tokens=40)


def opening(number: int = 0, *, family: str = "qwen3_vl", pictures: int = 2) -> tuple[Message, ...]:
    """Return system and user message; conversations of different numbers differ in text, pictures and length."""
    cell = CELL[family]
    pieces: list[Any] = [f"query {number} red cup " + "zoom in " * (3 * number)]
    for place in range(pictures):
        pieces += [f"\n({place + 1}) ", shown(10 * number + place, 1 + place, 2 + number % 2, cell=cell)]
    return (Message(role="system", pieces=("You rank.",)), Message(role="user", pieces=tuple(pieces)))


def reply(number: int, *, family: str = "qwen3_vl") -> Message:
    """Return an observation with a picture of its own."""
    return Message(
        role="user", pieces=("<tool_response>\n", shown(100 + number, 2, 3, cell=CELL[family]), "</tool_response>")
    )


def ask(session: str, *, messages: Sequence[Message], sampling: Sampling = SAMPLED, **more: Any) -> Request:
    """Return a request."""
    return Request(session=session, messages=tuple(messages), sampling=sampling, **more)


def ranking(count: int, *, whole_turn: bool, complete: bool = True) -> Grammar:
    """Return the constraint on a ranking of so many candidates."""
    grammar = RankingForm().grammar(count, whole_turn=whole_turn, complete=complete)
    assert grammar is not None
    return grammar


def words_of(completion: Completion) -> str:
    """Return what a failed completion says."""
    assert completion.failure is not None
    return completion.failure.words


def everything(policy: Policy) -> dict[str, Completion]:
    """Collect until nothing is pending; session -> completion."""
    done: dict[str, Completion] = {}
    while fresh := policy.collect():
        done |= {completion.session: completion for completion in fresh}
    return done


def alone(policy: Policy, request: Request) -> Completion:
    """Submit a request and return its completion."""
    policy.submit(request)
    (completion,) = everything(policy).values()
    return completion


def turn_of(completion: Completion) -> Message:
    """Return a completion as a message."""
    return Message(role="assistant", pieces=(completion.text,))


def assert_equal(done: Completion, expected: Completion) -> None:
    """Compare what was written, ids and text exactly and log-probabilities to 1e-5."""
    assert done.token_ids == expected.token_ids
    assert (done.text, done.finish, done.held) == (expected.text, expected.finish, expected.held)
    torch.testing.assert_close(torch.tensor(done.logprobs), torch.tensor(expected.logprobs), atol=1e-5, rtol=0)


def whole(model: LocalModel, messages: Sequence[Message], turns: Sequence[Completion]) -> Encoded:
    """Return a conversation of messages and sampled turns; assistant messages are in `messages` at their places."""
    places = [place for place, message in enumerate(messages) if message.role == "assistant"]
    sampled = {place: turn.token_ids or () for place, turn in zip(places, turns, strict=True)}
    return encode(messages, model.vocabulary, model.folder.geometry, sampled=sampled, ask=False)


def stock_logprobs(model: LocalModel, encoded: Encoded) -> torch.Tensor:
    """Return log-probabilities [length - 1, ids] of one stock pass: its processor, its positions, no cache."""
    images = [Image.fromarray(decoded(picture.picture.data)) for picture in encoded.pictures]
    processor = open_processor(folder_of(model.folder.family), model.folder.family)
    pixels = processor.image_processor(images=images, return_tensors="pt")
    ids = torch.tensor([encoded.ids])
    with torch.no_grad():
        out = model.model(
            input_ids=ids, mm_token_type_ids=(ids == model.vocabulary.picture_pad).int(), **pixels, use_cache=False
        )
    logprobs: torch.Tensor = out.logits[0, :-1].float().log_softmax(dim=-1)
    return logprobs


def raising(ids: list[int], by: float) -> Runtime:
    """Return the functions of a model that wants to write some ids: their logits are raised."""

    def raised(model: Any, hidden: torch.Tensor) -> torch.Tensor:
        more = torch.full((*hidden.shape[:-1], len(ids)), by)
        return logits_of(model, hidden).index_add(-1, torch.tensor(ids), more)

    return Runtime(logits=raised)


def short_of_memory(*_: Any, **__: Any) -> Any:
    """Fail as torch does on the CPU."""
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
