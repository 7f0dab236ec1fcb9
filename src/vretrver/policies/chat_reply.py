"""What comes back for an OpenAI-compatible chat completion, as turns. No I/O.

Differences between servers end here: who keeps a stop string, who takes thoughts apart, who counts tokens how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, Field, ValidationError

from ..agent.policy import FinishReason, Request, Usage
from ..errors import ServiceError


class _Top(BaseModel):
    token: str
    logprob: float


class _Token(_Top):
    top_logprobs: list[_Top] | None = None


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _TextPart(BaseModel):
    text: str = ""


class _Said(BaseModel):
    content: str | list[_TextPart] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[object] | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    index: int | None = None
    message: _Said
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    matched_stop: str | int | None = None
    token_ids: list[int] | None = None
    logprobs: _Logprobs | None = None


class _Details(BaseModel):
    cached_tokens: int | None = Field(default=None, ge=0)


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    prompt_tokens_details: _Details | None = None


class _Reply(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One turn of an answer."""

    text: str
    """What was written, stop string included."""
    finish: FinishReason
    """STOP, LENGTH or ERROR."""
    error: str | None = None
    """What is wrong with it, for ERROR."""
    token_ids: tuple[int, ...] | None = None
    """The ids; None unless there is a log-probability for each."""
    logprobs: tuple[float, ...] | None = None
    """One per id."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Log-probability of the tokens that were asked for, as far as the server told."""
    split: bool = False
    """Whether the server had taken the thoughts out of the text, and they were put back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer."""

    choices: tuple[Choice, ...]
    """At least one, in the server's order."""
    usage: Usage | None
    """What all of them cost together; None when the server does not say."""

    def costs(self, *, read: int) -> list[Usage]:
        """Return what each choice cost: the server's count where it is of one choice, else a share of it.

        Args:
            read: tokens of the conversation, estimated, for a server that does not count.
        """
        if self.usage is not None and len(self.choices) == 1:
            return [self.usage]
        total = self.usage or Usage(prompt_tokens=read)
        letters = sum(len(choice.text) for choice in self.choices) or 1
        costs = []
        for choice in self.choices:
            written = -(-len(choice.text) // 4)
            if self.usage is not None:
                written = round(total.completion_tokens * len(choice.text) / letters)
            if choice.token_ids is not None:
                written = len(choice.token_ids)
            costs.append(replace(total, completion_tokens=written, estimated=True))
        return costs


def read_reply(value: object, request: Request) -> Reply:
    """Read an answer; raises ServiceError when it is no chat completion."""
    try:
        reply = _Reply.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise ServiceError(f"the answer is no chat completion ({place}: {first['msg']})") from error
    choices = sorted(reply.choices, key=lambda choice: choice.index or 0)
    return Reply(choices=tuple(_read(choice, request) for choice in choices), usage=_usage(reply.usage))


def _read(choice: _Choice, request: Request) -> Choice:
    said = choice.message
    content = said.content if isinstance(said.content, str) else "".join(part.text for part in said.content or ())
    thoughts = said.reasoning_content or said.reasoning or ""
    text = f"<think>{thoughts}</think>{content}" if thoughts else content
    finish = FinishReason.LENGTH if choice.finish_reason == "length" else FinishReason.STOP
    wrong = _wrong(choice)
    if wrong is not None:
        return Choice(text=text, finish=FinishReason.ERROR, error=wrong)
    if finish is FinishReason.STOP:
        named = choice.stop_reason if choice.stop_reason is not None else choice.matched_stop
        text = with_stop(text, request.stop, named)
    tokens = choice.logprobs.content if choice.logprobs is not None and choice.logprobs.content else []
    whole = choice.token_ids is not None and len(tokens) == len(choice.token_ids)
    return Choice(
        text=text,
        finish=finish,
        token_ids=tuple(choice.token_ids or ()) if whole else None,
        logprobs=tuple(token.logprob for token in tokens) if whole else None,
        scores=_scores(tokens, request.score_tokens),
        split=bool(thoughts),
    )


def _wrong(choice: _Choice) -> str | None:
    """Say why a choice is no turn of the agent, or None."""
    said = choice.message
    if choice.finish_reason == "content_filter" or said.refusal:
        return "the server withheld the answer (content filter)"
    if choice.finish_reason in ("abort", "error"):
        return f"the server broke the answer off ({choice.finish_reason})"
    if said.tool_calls:
        return "the server took tool calls out of the text; start it without a tool call parser"
    if said.content is None and not (said.reasoning_content or said.reasoning):
        return "the answer holds no text"
    return None


def with_stop(text: str, stops: Sequence[str], named: str | int | None) -> str:
    """Return a finished text with the stop string that ended it.

    Args:
        text: as the server gave it.
        stops: what was asked for.
        named: the stop string or token the server names; None when it names none. Then a closing tag is put back
            where its opening one stands without it.
    """
    if isinstance(named, str) and named in stops:
        return text if text.endswith(named) else text + named
    if named is not None or text.endswith(tuple(stops)):
        return text
    for stop in stops:
        if stop.startswith("</") and text.rfind(f"<{stop[2:]}") > text.rfind(stop):
            return text + stop
    return text


def _scores(tokens: Sequence[_Token], wanted: Sequence[str]) -> dict[str, float]:
    if not wanted or not tokens:
        return {}
    first = {top.token: top.logprob for top in [*(tokens[0].top_logprobs or ()), tokens[0]]}
    return {token: first[token] for token in wanted if token in first}


def _usage(usage: _Usage | None) -> Usage | None:
    if usage is None:
        return None
    details = usage.prompt_tokens_details
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=(details.cached_tokens or 0) if details is not None else 0,
        completion_tokens=usage.completion_tokens,
    )
