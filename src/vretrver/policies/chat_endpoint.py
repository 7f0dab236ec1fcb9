"""One model behind one OpenAI-compatible server: what is sent, what refusals mean, which fields the server takes.

Only standard fields are needed. The others are for servers that take them: those of `DISPENSABLE` are left out for a
server that refuses them, and of `GRAMMARS` the first is used that the server takes.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._http import AGAIN, Service
from .._text import storable
from ..agent.grammar import Grammar
from ..agent.messages import Message, Piece
from ..agent.policy import Failure, FailureKind, FinishReason, Request
from ..agent.wire import estimate_tokens
from ..errors import ServiceError
from .chat_reply import Reply, read_reply

log = logging.getLogger(__name__)

PATH = "chat/completions"
"""Where completions are asked for, below the address of the API."""

STOP_FIELDS = ("include_stop_str_in_output", "no_stop_trim")
"""Ask vLLM and SGLang, in this order, to keep the stop string; others ignore or refuse the names."""

DISPENSABLE = (*STOP_FIELDS, "return_token_ids", "top_logprobs", "logprobs", "seed", "add_generation_prompt")
"""Fields that are left out for a server that refuses a request because of them."""

GRAMMARS = ("structured_outputs", "guided_regex", "regex")
"""Fields for the regular expression of a turn: vLLM, vLLM before 0.12, SGLang. They are tried in this order."""

MISSES = 3
"""Finished turns in a row that do not match before a field counts as ignored; a single one may be an accident."""

_TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|maximum (?:input|sequence|prompt|model) length"
    r"|longer than the (?:model|context)|too many (?:input |prompt )?tokens|prompt is too long"
    r"|at most \d+ (?:image|picture)",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content[ _-](?:filter|management|policy)|safety system", re.IGNORECASE)
_UNREADABLE = re.compile(
    r"(?:cannot|could not|failed to|unable to) (?:identify|load|open|read|decode|process) \w*\s*image"
    r"|(?:invalid|corrupt\w*|truncated|broken) image",
    re.IGNORECASE,
)
_OF_GRAMMARS = re.compile(r"structured.?output|guided|grammar|regex|regular expression", re.IGNORECASE)


@dataclass(slots=True)
class SentConversation:
    """A conversation as it is sent."""

    messages: list[bytes] = field(default_factory=list)
    """Each as JSON."""
    turns: int = 0
    """Turns of the assistant among them."""
    estimate: int = 0
    """Tokens, estimated."""
    read: int = 0
    """Tokens as the server last counted them, its turn included."""

    def fork(self) -> SentConversation:
        """Return a copy that goes on by itself."""
        return replace(self, messages=list(self.messages))

    def add(self, encoded: Sequence[bytes], messages: Sequence[Message]) -> None:
        """Go on with messages, given as JSON as well."""
        self.messages += encoded
        self.turns += sum(message.role == "assistant" for message in messages)
        self.estimate += estimate_tokens(messages)

    def add_turn(self, text: str) -> None:
        """Go on with a turn of the policy."""
        self.messages.append(turn_json(text))
        self.turns += 1
        self.estimate += -(-len(text) // 4)


class ChatEndpoint:
    """Asks for completions.

    Threads: all requests are made by the loop of the service; nothing else calls it.

    Args:
        service: the server.
        model: the model's name.
        extra: further fields of every request.
    """

    def __init__(self, service: Service, model: str, extra: Mapping[str, object]) -> None:
        self.service = service
        self.model = model
        self.extra = extra
        self._renamed: dict[str, str | None] = {}
        self._grammars = list(GRAMMARS)
        self._missed: Counter[str] = Counter()

    async def ask(
        self,
        messages: Sequence[bytes],
        request: Request,
        *,
        seed: int = 0,
        tokens: bool = False,
        tries: int | None = None,
    ) -> Reply:
        """Return the turn that follows `messages`.

        Args:
            messages: the conversation, each message as JSON, without the request's prefix.
            request: sampling, stop strings, prefix, grammar and tokens to score.
            seed: of the draw.
            tokens: whether token ids and log-probabilities are wanted.
            tries: most times the request is sent; None is as the service's patience says.

        Raises:
            ServiceError: it was refused, failed every time, or the answer is not a completion.
        """
        if request.prefix:
            messages = [*messages, turn_json(request.prefix)]
        while True:
            grammar = self._grammar(request)
            wanted = sampling_fields(request, seed=seed, tokens=tokens) | grammar | dict(self.extra)
            names = {name: self._renamed.get(name, name) for name in wanted}
            sent = {new: wanted[name] for name, new in names.items() if new is not None}
            try:
                value = await self.service.call(PATH, body_json(self.model, messages, sent), tries=tries)
            except ServiceError as error:
                refused = refused_field(error, sent)
                if refused is None:
                    raise
                self._do_without(refused)
            else:
                return self._judged(read_reply(value, request), request, grammar)

    def _grammar(self, request: Request) -> dict[str, object]:
        """Return the field of the request's grammar, none where nothing is constrained or the server cannot.

        With a prefix nothing is constrained: servers apply the expression to what follows it.
        """
        grammar = request.grammar
        if grammar is None or not grammar.whole_turn or request.prefix or not self._grammars:
            return {}
        name = self._grammars[0]
        return {name: {"regex": grammar.pattern} if name == "structured_outputs" else grammar.pattern}

    def _judged(self, reply: Reply, request: Request, grammar: Mapping[str, object]) -> Reply:
        """Return a reply with the ids that a grammar decided, and learn from one that it did not decide.

        Servers ignore fields they do not know; finished turns that do not match show it. Thoughts that a server took
        out of a turn came before its grammar began, and are not judged.
        """
        if not grammar or request.grammar is None or reply.failure is not None:
            return reply
        (name,) = grammar
        if reply.finish is FinishReason.STOP:
            if not matches(request.grammar, reply.content):
                self._missed[name] += 1
                if self._missed[name] == MISSES:
                    self._do_without(name)
                return reply
            self._missed[name] = 0
        return replace(reply, held=((0, len(reply.token_ids)),) if reply.token_ids else ())

    def _do_without(self, name: str) -> None:
        if name in GRAMMARS:
            if self._grammars == [name]:
                log.warning("%s takes no grammar; answers are not constrained", self.service.url)
            self._grammars = [other for other in self._grammars if other != name]
            return
        new = self._renamed[name] = "max_completion_tokens" if name == "max_tokens" else None
        if new is None and name not in STOP_FIELDS:
            log.warning("%s takes no %s; requests go on without it", self.service.url, name)


def matches(grammar: Grammar, text: str) -> bool:
    """Return whether a turn is what a grammar allows."""
    return re.fullmatch(grammar.pattern, text) is not None


def message_json(message: Message) -> bytes:
    """Return a message as JSON: a string where there is no picture, else parts in order, pictures as data URLs."""
    content: object = storable(message.text)
    if message.pictures:
        content = [_part(piece) for piece in message.pieces]
    return json.dumps({"role": message.role, "content": content}).encode()


def turn_json(text: str) -> bytes:
    """Return the policy's own turn as JSON, verbatim."""
    return json.dumps({"role": "assistant", "content": storable(text)}).encode()


def _part(piece: Piece) -> dict[str, object]:
    if isinstance(piece, str):
        return {"type": "text", "text": storable(piece)}
    data = base64.b64encode(piece.picture.data).decode()
    return {"type": "image_url", "image_url": {"url": f"data:{piece.picture.media_type};base64,{data}"}}


def sampling_fields(request: Request, *, seed: int, tokens: bool) -> dict[str, object]:
    """Return the fields of a request besides model, messages and grammar.

    Args:
        request: sampling, stop strings, prefix and tokens to score.
        seed: of the draw; left out when the draw is greedy.
        tokens: whether token ids and log-probabilities are wanted.
    """
    sampling = request.sampling
    fields: dict[str, object] = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    if sampling.temperature > 0:
        fields["seed"] = seed
    if request.stop:
        fields |= {"stop": list(request.stop), **dict.fromkeys(STOP_FIELDS, True)}
    if request.prefix:
        fields |= {"continue_final_message": True, "add_generation_prompt": False}
    if tokens:
        fields |= {"return_token_ids": True, "logprobs": True}
    if request.score_tokens:
        fields |= {"logprobs": True, "top_logprobs": 20}
    return fields


def body_json(model: str, messages: Sequence[bytes], fields: Mapping[str, object]) -> bytes:
    """Return the body of a request; `messages` are JSON already, so that pictures are encoded once a session."""
    rest = json.dumps({"model": model, **fields})[:-1]
    return rest.encode() + b', "messages": [' + b", ".join(messages) + b"]}"


def failure_of(error: ServiceError) -> Failure:
    """Return what a request that came to nothing failed of."""
    return Failure(kind=_kind(error), words=str(error))


def _kind(error: ServiceError) -> FailureKind:
    if error.status is None or error.status in AGAIN or error.status >= 500:
        return FailureKind.UNREACHABLE
    if is_overflow(error):
        return FailureKind.CONTEXT
    if _FILTERED.search(error.words):
        return FailureKind.FILTERED
    return FailureKind.UNREADABLE if _UNREADABLE.search(error.words) else FailureKind.REFUSED


def is_overflow(error: ServiceError) -> bool:
    """Return whether a request was refused because the conversation, or its pictures, do not fit."""
    return error.status == 413 or (error.status in (400, 422) and _TOO_LONG.search(error.words) is not None)


def refused_field(error: ServiceError, sent: Mapping[str, object]) -> str | None:
    """Return which of the fields sent a server says it does not take, of those that can be done without.

    `max_tokens` counts when the server wants `max_completion_tokens` in its place, and the grammar when the server
    cannot use it.
    """
    if error.status not in (400, 422) or is_overflow(error):
        return None
    if "max_tokens" in sent and "max_completion_tokens" in error.words:
        return "max_tokens"
    named = next((name for name in DISPENSABLE if name in sent and re.search(rf"\b{name}\b", error.words)), None)
    if named is None and _OF_GRAMMARS.search(error.words):
        return next((name for name in GRAMMARS if name in sent), None)
    return named
