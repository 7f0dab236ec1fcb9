"""Policies without a model, for tests and baselines: replay, first-k, random, misbehaving. All are deterministic."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..agent.grammar import Grammar
from ..agent.messages import Message
from ..agent.policy import Completion, Failure, FailureKind, FinishReason, PolicyLimits, Request, Usage
from ..agent.wire import estimate_tokens
from ..errors import PolicyError
from .conversations import TURNS, refuse_untimely


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a script knows when it writes a turn."""

    session: str
    """The session's name."""
    stream: str
    """Name of the random stream; the same for a window whatever its session is called. Random scripts draw by it."""
    messages: tuple[Message, ...]
    """All messages so far, without the script's own turns."""
    said: tuple[str, ...]
    """The script's own turns so far."""
    grammar: Grammar | None = None
    """What the turn is constrained to; None when the caller did not say."""
    prefix: str = ""
    """Text the turn begins with, whether or not the script writes it."""

    @property
    def count(self) -> int:
        """Number of candidates, as the grammar gives it; raises PolicyError when there is no such grammar."""
        if self.grammar is None or self.grammar.permutation is None:
            raise PolicyError(
                f"session {self.session}: the script needs the number of candidates, and the request has no grammar "
                "that gives it"
            )
        return self.grammar.permutation

    @property
    def forced(self) -> bool:
        """Whether only an answer is wanted now."""
        return self.grammar is not None and self.grammar.whole_turn

    @property
    def has_tools(self) -> bool:
        """Whether the system message offers tools."""
        return "<tools>" in self.messages[0].text


Script = Callable[[Moment], str | Completion]
"""Writes one turn; a Completion lets it fail on purpose, and so does a PolicyError."""


@dataclass(slots=True)
class _Conversation:
    messages: list[Message] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def fork(self) -> _Conversation:
        return _Conversation(list(self.messages), list(self.said))

    def add(self, messages: Sequence[Message]) -> None:
        self.messages += [message for message in messages if message.role != "assistant"]
        self.said += [message.text for message in messages if message.role == "assistant"]

    def tokens(self) -> int:
        return estimate_tokens(self.messages) + sum(-(-len(text) // 4) for text in self.said)


class ScriptedPolicy:
    """A policy whose turns are written by a function, inside `collect`.

    Threads: `cancel` and `wake` may be called by any thread; one thread makes all other calls, and the script runs on
    it. `collect` never waits, so `wake` and `patience` change nothing.

    Args:
        script: writes a turn from all that was said.
        name: part of the fingerprint.
        limits: what the policy pretends to take.
    """

    revision = 0
    """A script has no weights."""
    scripted = True
    """It measures nothing."""

    def __init__(self, script: Script, *, name: str, limits: PolicyLimits | None = None) -> None:
        self.script = script
        self.fingerprint = f"scripted:{name}"
        self.limits = limits or PolicyLimits()
        self._lock = threading.Lock()
        self._conversations: dict[str, _Conversation] = {}
        self._pending: dict[str, Request] = {}
        self._cancelled: set[str] = set()

    def submit(self, request: Request) -> None:
        """Take a request; see `Policy.submit`."""
        refuse_untimely(request, known=self._conversations, pending=self._pending)
        if request.after is not None:
            self._conversations[request.session] = self._conversations[request.after].fork()
        self._conversations.setdefault(request.session, _Conversation()).add(request.messages)
        with self._lock:
            self._pending[request.session] = request

    def collect(self, *, patience: float | None = None) -> list[Completion]:  # noqa: ARG002 - the protocol's
        """Write all pending turns, in the order they were asked for."""
        done = []
        for session in list(self._pending):
            with self._lock:
                request = self._pending.pop(session)
                cancelled = session in self._cancelled
                self._cancelled.discard(session)
            done.append(_cancelled(session) if cancelled else self._answer(request))
        return done

    def wake(self) -> None:
        """Do nothing: `collect` never waits. Any thread may call it."""

    def cancel(self, session: str) -> None:
        """End a pending turn as CANCELLED; any thread may call it."""
        with self._lock:
            if session in self._pending:
                self._cancelled.add(session)

    def release(self, session: str) -> None:
        """Forget a session and what it was asked."""
        self._conversations.pop(session, None)
        with self._lock:
            self._pending.pop(session, None)
            self._cancelled.discard(session)

    def close(self) -> None:
        """Forget everything."""
        self._conversations.clear()
        with self._lock:
            self._pending.clear()
            self._cancelled.clear()

    def _answer(self, request: Request) -> Completion:
        conversation = self._conversations[request.session]
        read = Usage(prompt_tokens=conversation.tokens(), estimated=True)
        if request.read_only:
            return Completion(session=request.session, text="", usage=read)
        moment = Moment(
            session=request.session,
            stream=request.stream or request.session,
            messages=tuple(conversation.messages),
            said=tuple(conversation.said),
            grammar=request.grammar,
            prefix=request.prefix,
        )
        written = self._written(moment)
        if isinstance(written, str):
            text = _begun(written, request.prefix)
            written = Completion(
                session=request.session, text=text, usage=replace(read, completion_tokens=-(-len(text) // 4))
            )
        elif written.finish in TURNS:
            written = replace(written, text=_begun(written.text, request.prefix))
        if written.finish in TURNS:
            conversation.said.append(written.text)
        return written

    def _written(self, moment: Moment) -> str | Completion:
        try:
            return self.script(moment)
        except PolicyError as error:
            return refused(moment, str(error))


def refused(moment: Moment, words: str) -> Completion:
    """Return the completion of a script that cannot write this turn, and could not if it were asked again."""
    failure = Failure(kind=FailureKind.REFUSED, words=words)
    return Completion(session=moment.session, text="", finish=FinishReason.ERROR, failure=failure)


def _begun(text: str, prefix: str) -> str:
    """Return a turn that begins with the prefix; a script that wrote the prefix itself has done so already."""
    return text if text.startswith(prefix) else prefix + text


def _cancelled(session: str) -> Completion:
    return Completion(session=session, text="", finish=FinishReason.CANCELLED)


def answer_text(numbers: Sequence[int], think: str = "", none_fits: bool = False) -> str:
    """Return a turn that answers.

    Args:
        numbers: candidates by number, best first.
        think: what is thought before; empty is no think block.
        none_fits: whether the answer says that no candidate fits, in the form `ranking-or-none`. Without it the
            answer is of every form.
    """
    reasoning = f"<think>{think}</think>" if think else ""
    return f"{reasoning}<answer>{'none ' if none_fits else ''}[{', '.join(map(str, numbers))}]</answer>"


def replay(turns: Mapping[str, Sequence[str]] | Sequence[str]) -> ScriptedPolicy:
    """Return a policy that repeats recorded turns.

    Args:
        turns: the turns by name of the stream, or one list that every session repeats.

    A session that asks for more turns than were recorded ends with finish reason ERROR.
    """

    def script(moment: Moment) -> str | Completion:
        lines = turns.get(moment.stream, ()) if isinstance(turns, Mapping) else turns
        if len(moment.said) < len(lines):
            return lines[len(moment.said)]
        return refused(moment, f"the recording has {len(lines)} turns for session {moment.stream}")

    return ScriptedPolicy(script, name="replay")


def first_k() -> ScriptedPolicy:
    """Return the policy that answers with the order given: the coarse stage as a baseline."""
    return ScriptedPolicy(lambda moment: answer_text(range(1, moment.count + 1)), name="first-k")


def shuffled(seed: int) -> ScriptedPolicy:
    """Return the policy that answers with a random order, the same for a seed and stream."""

    def script(moment: Moment) -> str:
        def key(number: int) -> bytes:
            return hashlib.blake2b(f"{seed}/{moment.stream}/{number}".encode()).digest()

        return answer_text(sorted(range(1, moment.count + 1), key=key))

    return ScriptedPolicy(script, name=f"random({seed})")


HOSTILE = (
    "",
    "I think the answer is 3, then 1.",
    "<answer>3, 1</answer>",
    "<answer>[3, 1",
    "<answer>[99, 99, 0, -1]</answer>",
    "<answer>[1, 1, 1]</answer>",
    "<answer>__import__('os').system('true')</answer>",
    "<answer>[1]</answer><answer>[2]</answer>",
    "<think>never closed <answer>[1]</answer>",
    "<tool_call>{}</tool_call>",
    '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 1, "bbox_2d": [900, 0, 100, 1000]}}</tool_call>',
    '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 999, "bbox_2d": [0, 0, 10, 10]}}</tool_call>',
    '<tool_call>{"name": "zoom_in", "arguments": {"target_image": "../../etc/passwd", "bbox_2d": []}}</tool_call>',
    '<tool_call>{"name": "open_url", "arguments": {"url": "http://localhost/"}}</tool_call>',
    '<tool_call>{"name": "select_images", "arguments": {"target_images": [0, 1, 2, 3, 4, 5]}}</tool_call>',
    '<tool_call>{"name": "select_images", "arguments": {"target_images": [NaN]}}</tool_call>',
    "<tool_call>" + "[" * 5000,
    "<tool_call>" + '{"a":' * 2000 + "1" + "}" * 2000 + "</tool_call>",
    "\ud800 lone surrogate <answer>[1]</answer>",
    "<answer>[" + "1" * 5000 + "]</answer>",
)
"""Turns a parser must survive."""


def misbehaving(seed: int) -> ScriptedPolicy:
    """Return the policy that writes hostile and malformed turns, the same for a seed and stream."""

    def script(moment: Moment) -> str:
        digest = hashlib.blake2b(f"{seed}/{moment.stream}/{len(moment.said)}".encode(), digest_size=8).digest()
        return HOSTILE[int.from_bytes(digest, "big") % len(HOSTILE)]

    return ScriptedPolicy(script, name=f"misbehaving({seed})")
