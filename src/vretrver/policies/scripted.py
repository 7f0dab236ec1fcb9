"""Policies without a model, for tests and baselines: replay, first-k, random, misbehaving. All are deterministic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..agent.messages import Message
from ..agent.policy import Completion, FinishReason, PolicyLimits, Request, Usage
from ..agent.task import WindowTask
from ..agent.wire import estimate_tokens
from ..errors import PolicyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a script knows when it writes a turn."""

    session: str
    """The session's name."""
    task: WindowTask | None
    """Query and candidates; None when the caller did not give them."""
    messages: tuple[Message, ...]
    """All messages so far, without the script's own turns."""
    said: tuple[str, ...]
    """The script's own turns so far."""
    forced: bool
    """Whether only an answer is wanted now."""

    @property
    def count(self) -> int:
        """Number of candidates; raises PolicyError when the task is not known."""
        if self.task is None:
            raise PolicyError(f"session {self.session}: a scripted policy needs the window's task in the request")
        return len(self.task.candidates)

    @property
    def has_tools(self) -> bool:
        """Whether the system message offers tools."""
        return "<tools>" in self.messages[0].text


Script = Callable[[Moment], str | Completion]
"""Writes one turn; a Completion lets it fail on purpose."""


@dataclass(slots=True)
class _Talk:
    messages: list[Message] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class ScriptedPolicy:
    """A policy whose turns are written by a function.

    Args:
        script: writes a turn from all that was said.
        name: stands in the fingerprint.
        limits: what the policy pretends to take.
    """

    def __init__(self, script: Script, *, name: str, limits: PolicyLimits | None = None) -> None:
        self.script = script
        self.fingerprint = f"scripted:{name}"
        self.limits = limits or PolicyLimits()
        self._talks: dict[str, _Talk] = {}
        self._pending: list[tuple[str, Request]] = []
        self._cancelled: set[str] = set()

    def submit(self, request: Request) -> None:
        """Take a request for one or more sessions."""
        for session in request.sessions:
            talk = self._talks.setdefault(session, _Talk())
            talk.messages += [message for message in request.messages if message.role != "assistant"]
            talk.said += [message.text for message in request.messages if message.role == "assistant"]
            self._pending.append((session, request))

    def collect(self) -> list[Completion]:
        """Write all pending turns, in the order they were asked for."""
        pending, self._pending = self._pending, []
        return [self._write(session, request) for session, request in pending]

    def cancel(self, session: str) -> None:
        """End a pending turn as CANCELLED."""
        if any(session == waiting for waiting, _ in self._pending):
            self._cancelled.add(session)

    def release(self, session: str) -> None:
        """Forget a session and what it was asked."""
        self._talks.pop(session, None)
        self._pending = [(waiting, request) for waiting, request in self._pending if waiting != session]
        self._cancelled.discard(session)

    def close(self) -> None:
        """Forget everything."""
        self._talks.clear()
        self._pending.clear()
        self._cancelled.clear()

    def _write(self, session: str, request: Request) -> Completion:
        talk = self._talks[session]
        prompt = estimate_tokens(talk.messages) + sum(-(-len(text) // 4) for text in talk.said)
        if session in self._cancelled:
            self._cancelled.discard(session)
            return Completion(session=session, text="", finish=FinishReason.CANCELLED)
        moment = Moment(
            session=session,
            task=request.task,
            messages=tuple(talk.messages),
            said=tuple(talk.said),
            forced=request.answer_only,
        )
        try:
            written = self.script(moment)
        except PolicyError as error:
            written = Completion(session=session, text="", finish=FinishReason.ERROR, error=str(error))
        text = written.text if isinstance(written, Completion) else written
        talk.said.append(text)
        if isinstance(written, Completion):
            return written
        usage = Usage(prompt_tokens=prompt, completion_tokens=-(-len(text) // 4), estimated=True)
        return Completion(session=session, text=text, usage=usage)


def answer_text(numbers: Sequence[int], think: str = "") -> str:
    """Return a turn that answers."""
    reasoning = f"<think>{think}</think>" if think else ""
    return f"{reasoning}<answer>[{', '.join(map(str, numbers))}]</answer>"


def replay(turns: Mapping[str, Sequence[str]] | Sequence[str]) -> ScriptedPolicy:
    """Return a policy that repeats recorded turns.

    Args:
        turns: the turns of every session, or one list that every session repeats.

    A session that asks for more turns than were recorded ends with finish reason ERROR.
    """

    def script(moment: Moment) -> str | Completion:
        lines = turns.get(moment.session, ()) if isinstance(turns, Mapping) else turns
        if len(moment.said) < len(lines):
            return lines[len(moment.said)]
        error = f"the recording has {len(lines)} turns for session {moment.session}"
        return Completion(session=moment.session, text="", finish=FinishReason.ERROR, error=error)

    return ScriptedPolicy(script, name="replay")


def first_k() -> ScriptedPolicy:
    """Return the policy that answers with the order given: the coarse stage as a baseline."""
    return ScriptedPolicy(lambda moment: answer_text(range(1, moment.count + 1)), name="first-k")


def shuffled(seed: int) -> ScriptedPolicy:
    """Return the policy that answers with a random order, the same for a seed and session."""

    def script(moment: Moment) -> str:
        def key(number: int) -> bytes:
            return hashlib.blake2b(f"{seed}/{moment.session}/{number}".encode()).digest()

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
    """Return the policy that writes hostile and malformed turns, the same for a seed and session."""

    def script(moment: Moment) -> str:
        digest = hashlib.blake2b(f"{seed}/{moment.session}/{len(moment.said)}".encode(), digest_size=8).digest()
        return HOSTILE[int.from_bytes(digest, "big") % len(HOSTILE)]

    return ScriptedPolicy(script, name=f"misbehaving({seed})")
