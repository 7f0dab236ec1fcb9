"""What is sent for an OpenAI-compatible chat completion, and what its refusals mean. No I/O.

Only standard fields are needed; the others of `DISPENSABLE` are for servers that take them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence

from ..agent.messages import Message, Piece
from ..agent.policy import Request
from ..errors import ServiceError

PATH = "chat/completions"
"""Where completions are asked for, below the address of the API."""

STOP_FIELDS = ("include_stop_str_in_output", "no_stop_trim")
"""Ask vLLM and SGLang, in this order, to keep the stop string; others ignore or refuse the names."""

DISPENSABLE = (*STOP_FIELDS, "return_token_ids", "top_logprobs", "logprobs", "seed")
"""Fields that are left out for a server that refuses a request because of them."""

_TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|maximum (?:input|sequence|prompt|model) length"
    r"|longer than the (?:model|context)|too many (?:input |prompt )?tokens|prompt is too long"
    r"|at most \d+ (?:image|picture)",
    re.IGNORECASE,
)


def message_json(message: Message) -> bytes:
    """Return a message as JSON: a string where there is no picture, else parts in order, pictures as data URLs.

    Lone surrogates, which have no UTF-8 form, become question marks.
    """
    content: object = _text(message.text)
    if message.pictures:
        content = [_part(piece) for piece in message.pieces]
    return json.dumps({"role": message.role, "content": content}).encode()


def turn_json(text: str) -> bytes:
    """Return the policy's own turn as JSON, verbatim."""
    return json.dumps({"role": "assistant", "content": _text(text)}).encode()


def _part(piece: Piece) -> dict[str, object]:
    if isinstance(piece, str):
        return {"type": "text", "text": _text(piece)}
    data = base64.b64encode(piece.picture.data).decode()
    return {"type": "image_url", "image_url": {"url": f"data:{piece.picture.media_type};base64,{data}"}}


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def sampling_fields(request: Request, *, count: int, seed: int, tokens: bool) -> dict[str, object]:
    """Return the fields of a request besides model and messages.

    Args:
        request: sampling, stop strings and tokens to score.
        count: completions wanted.
        seed: of the draw; left out when the draw is greedy.
        tokens: whether token ids and log-probabilities are wanted.
    """
    sampling = request.sampling
    fields: dict[str, object] = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    if count > 1:
        fields["n"] = count
    if sampling.temperature > 0:
        fields["seed"] = seed
    if request.stop:
        fields |= {"stop": list(request.stop), **dict.fromkeys(STOP_FIELDS, True)}
    if tokens:
        fields |= {"return_token_ids": True, "logprobs": True}
    if request.score_tokens:
        fields |= {"logprobs": True, "top_logprobs": 20}
    return fields


def body_json(model: str, messages: Sequence[bytes], fields: Mapping[str, object]) -> bytes:
    """Return the body of a request; `messages` are JSON already, so that pictures are encoded once a session."""
    rest = json.dumps({"model": model, **fields})[:-1]
    return rest.encode() + b', "messages": [' + b", ".join(messages) + b"]}"


def is_overflow(error: ServiceError) -> bool:
    """Say whether a request was refused because the conversation, or its pictures, do not fit."""
    return error.status == 413 or (error.status in (400, 422) and _TOO_LONG.search(error.words) is not None)


def refused_field(error: ServiceError, sent: Mapping[str, object]) -> str | None:
    """Return which of the fields sent a server says it does not take, of those that can be done without.

    `max_tokens` counts when the server wants `max_completion_tokens` in its place.
    """
    if error.status not in (400, 422) or is_overflow(error):
        return None
    if "max_tokens" in sent and "max_completion_tokens" in error.words:
        return "max_tokens"
    return next((name for name in DISPENSABLE if name in sent and re.search(rf"\b{name}\b", error.words)), None)
