"""What comes back for an OpenAI-compatible chat completion, as a turn. No I/O.

Differences between servers end here: who keeps a stop string, who takes thoughts apart, who counts tokens how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, Field, ValidationError

from .._validation import first_problem
from ..agent.policy import Completion, Failure, FailureKind, FinishReason, Request, Usage
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
class Reply:
    """One turn as a server answered it."""

    text: str
    """What was written, the request's prefix and the stop string included."""
    finish: FinishReason
    """STOP, LENGTH or ERROR."""
    failure: Failure | None = None
    """What is wrong with it, for ERROR."""
    token_ids: tuple[int, ...] | None = None
    """The ids; None unless there is a log-probability for each and no prefix, whose ids are not known."""
    logprobs: tuple[float, ...] | None = None
    """One per id."""
    held: tuple[tuple[int, int], ...] = ()
    """Ranges of the ids that a grammar decided."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Log-probability of the tokens that were asked for, as far as the server told."""
    usage: Usage | None = None
    """What it cost; None when the server does not say."""
    thoughts: str = ""
    """What the server had taken out of the text as thoughts, as it was put back, tags included."""

    @property
    def content(self) -> str:
        """The text as the server gave it, without the thoughts that were put back."""
        return self.text.removeprefix(self.thoughts)

    def completion(self, session: str, *, estimate: int) -> Completion:
        """Return the turn as a session's completion.

        Args:
            session: the session.
            estimate: tokens of the conversation, for a server that does not count.
        """
        guess = Usage(prompt_tokens=estimate, completion_tokens=-(-len(self.text) // 4), estimated=True)
        return Completion(
            session=session,
            text=self.text,
            finish=self.finish,
            token_ids=self.token_ids,
            logprobs=self.logprobs,
            held=self.held,
            scores=self.scores,
            usage=self.usage or guess,
            failure=self.failure,
        )


def read_reply(value: object, request: Request) -> Reply:
    """Read an answer; raises ServiceError when it is not a chat completion."""
    try:
        reply = _Reply.model_validate(value)
    except ValidationError as error:
        raise ServiceError(f"the answer is not a chat completion ({first_problem(error)})") from error
    choice, usage = reply.choices[0], _usage(reply.usage)
    said = choice.message
    content = said.content if isinstance(said.content, str) else "".join(part.text for part in said.content or ())
    thoughts = said.reasoning_content or said.reasoning or ""
    taken = f"<think>{thoughts}</think>" if thoughts else ""
    text = request.prefix + taken + content
    failure = _wrong(choice, request)
    if failure is not None:
        return Reply(text=text, finish=FinishReason.ERROR, failure=failure, usage=usage, thoughts=taken)
    finish = FinishReason.LENGTH if choice.finish_reason == "length" else FinishReason.STOP
    if finish is FinishReason.STOP:
        named = choice.stop_reason if choice.stop_reason is not None else choice.matched_stop
        text = with_stop(text, request.stop, named)
    tokens = choice.logprobs.content if choice.logprobs is not None and choice.logprobs.content else []
    whole = choice.token_ids is not None and len(tokens) == len(choice.token_ids) and not request.prefix
    return Reply(
        text=text,
        finish=finish,
        token_ids=tuple(choice.token_ids or ()) if whole else None,
        logprobs=tuple(token.logprob for token in tokens) if whole else None,
        scores=_scores(tokens, request.score_tokens),
        usage=usage,
        thoughts=taken,
    )


def _wrong(choice: _Choice, request: Request) -> Failure | None:
    """Return why a choice is not a turn of the agent, or None."""
    said = choice.message
    thoughts = said.reasoning_content or said.reasoning
    if choice.finish_reason == "content_filter" or said.refusal:
        return _failure(FailureKind.FILTERED, "the server withheld the answer (content filter)")
    if choice.finish_reason in ("abort", "error"):
        return _failure(FailureKind.BROKEN, f"the server broke the answer off ({choice.finish_reason})")
    if said.tool_calls:
        return _failure(
            FailureKind.REFUSED, "the server took tool calls out of the text; start it without a tool call parser"
        )
    if thoughts and request.prefix:
        return _failure(
            FailureKind.REFUSED, "the server took thoughts out of a turn it continued; start it without their parser"
        )
    if said.content is None and not thoughts:
        return _failure(FailureKind.BROKEN, "the answer holds no text")
    return None


def _failure(kind: FailureKind, words: str) -> Failure:
    return Failure(kind=kind, words=words)


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
