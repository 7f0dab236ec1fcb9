"""The policy behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, hosted models.

The whole conversation is sent each turn, its beginning byte for byte as before, so that the server's prefix cache
does the rest. A failed request is a completion that says why; only `check` and `probe` raise.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from .._http import Patience, Service, within
from .._secrets import KEY_VARIABLE, Secret
from ..agent.policy import Completion, FinishReason, PolicyLimits, Request, Usage
from ..agent.wire import estimate_tokens
from ..errors import ServiceError
from .chat_endpoint import ChatEndpoint
from .chat_probe import Findings, check, probe
from .chat_reply import Choice, Reply
from .chat_wire import is_overflow, message_json, turn_json

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Talk:
    """A conversation as it is sent."""

    messages: list[bytes] = field(default_factory=list)
    turns: int = 0
    estimate: int = 0
    read: int = 0


@dataclass(slots=True, eq=False)
class _Ask:
    """A request that is worked on; sessions leave it as they are cancelled or released."""

    request: Request
    messages: tuple[bytes, ...]
    turns: int
    estimate: int
    waiting: set[str]
    future: Future[None] | None = None


class ChatPolicy:
    """A policy over HTTP.

    Args:
        url: address of the API, as in `http://localhost:8000/v1`.
        model: the model's name, as the server lists it.
        limits: what the server takes; `in_flight` requests are kept running.
        key_variable: environment variable that holds the key.
        patience: how long the server is waited for, and how often.
        tokens: whether token ids and log-probabilities are asked for (vLLM gives both); training needs them.
        extra: further fields of every request, as `{"chat_template_kwargs": {"enable_thinking": False}}`.

    Raises:
        ConfigError: the address or the key cannot be used.
        MissingDependency: the extra `http` is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str,
        limits: PolicyLimits | None = None,
        key_variable: str = KEY_VARIABLE,
        patience: Patience | None = None,
        tokens: bool = False,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        self.model = model
        self.tokens = tokens
        self.extra = dict(extra or {})
        self.findings = Findings()
        self._limits = limits or PolicyLimits(in_flight=16)
        self._service = Service(url, secret=Secret(key_variable), patience=patience)
        self.endpoint = ChatEndpoint(self._service, model, self.extra)
        self._places = asyncio.Semaphore(self._limits.in_flight)
        self._changed = threading.Condition()
        self._talks: dict[str, _Talk] = {}
        self._pending: dict[str, _Ask] = {}
        self._finished: deque[Completion] = deque()
        self._fault: BaseException | None = None
        self._warned: set[str] = set()

    def __repr__(self) -> str:
        return f"ChatPolicy({self._service.url!r}, model={self.model!r})"

    @property
    def fingerprint(self) -> str:
        """Model, extra fields, and what the probe found; never the address or the key."""
        extra = f" {json.dumps(self.extra, sort_keys=True)}" if self.extra else ""
        found = f" [{'; '.join(self.findings.marks)}]" if self.findings.marks else ""
        return f"http:{self.model}{extra}{found}"

    @property
    def limits(self) -> PolicyLimits:
        """What was set; the context's length as the server gave it to the probe, where it was not set."""
        return self.findings.limited(self._limits)

    def check(self) -> None:
        """Ask for a few tokens; raises PolicyError, one sentence, when the server will not do."""
        self._service.run(lambda: check(self.endpoint)).result()

    def probe(self, *, cell: int = 32, thumbnail: tuple[int, int] | None = None) -> Findings:
        """Find out with four short requests whether the server changes what it is sent, and warn of it once.

        What is found stands in `fingerprint` and `limits` from then on; call it before a run.

        Args:
            cell: pixels a visual token and side, as of the size rule in use.
            thumbnail: width and height in pixels of what candidates are shown as; None takes 8 x 8 cells.

        Raises:
            PolicyError: the server cannot be asked.
        """
        self.findings = self._service.run(lambda: probe(self.endpoint, cell=cell, thumbnail=thumbnail)).result()
        for mark, sentence in zip(self.findings.marks, self.findings.sentences, strict=True):
            self._warn(mark, f"{self._service.url} {sentence}")
        return self.findings

    def submit(self, request: Request) -> None:
        """Take a request; see `Policy.submit`."""
        fresh = [message_json(message) for message in request.messages]
        estimate = estimate_tokens(request.messages)
        with self._changed:
            for session in request.sessions:
                talk = self._talks.setdefault(session, _Talk())
                talk.messages += fresh
                talk.turns += sum(message.role == "assistant" for message in request.messages)
                talk.estimate += estimate
            talk = self._talks[request.sessions[0]]
            ask = _Ask(request, tuple(talk.messages), talk.turns, talk.estimate, set(request.sessions))
            self._pending.update(dict.fromkeys(request.sessions, ask))
            ask.future = self._service.run(lambda: self._work(ask))
        ask.future.add_done_callback(self._note_fault)

    def collect(self) -> list[Completion]:
        """Wait for completions and return those that are there; see `Policy.collect`."""
        with self._changed:
            while not self._finished and self._pending and self._fault is None:
                self._changed.wait()
            if self._fault is not None:
                raise RuntimeError("the policy broke down; this is a fault of the program") from self._fault
            done = list(self._finished)
            self._finished.clear()
            return done

    def cancel(self, session: str) -> None:
        """Answer a pending request as CANCELLED at once and drop its connection."""
        with self._changed:
            if self._leave(session):
                self._finished.append(Completion(session=session, text="", finish=FinishReason.CANCELLED))
                self._changed.notify_all()

    def release(self, session: str) -> None:
        """Forget a session; a pending request is dropped."""
        with self._changed:
            self._leave(session)
            self._talks.pop(session, None)
            self._finished = deque(done for done in self._finished if done.session != session)

    def close(self) -> None:
        """Drop what is pending and close the connections."""
        with self._changed:
            self._talks.clear()
            self._pending.clear()
            self._finished.clear()
            self._changed.notify_all()
        self._service.close()

    def _leave(self, session: str) -> bool:
        """Take a session out of its request, which is dropped with the last; says whether it had one."""
        ask = self._pending.pop(session, None)
        if ask is None:
            return False
        ask.waiting.discard(session)
        if not ask.waiting and ask.future is not None:
            ask.future.cancel()
        return True

    def _note_fault(self, future: Future[None]) -> None:
        """Hand an exception that should not have happened to whoever collects."""
        if not future.cancelled() and future.exception() is not None:
            with self._changed:
                self._fault = future.exception()
                self._changed.notify_all()

    async def _work(self, ask: _Ask) -> None:
        """Get all turns of a request and hand them over; failures become completions."""
        try:
            replies = await within(self._in_turn(ask), ask.request.deadline)
        except TimeoutError:
            self._fail(ask, FinishReason.DEADLINE, None)
        except ServiceError as error:
            finish = FinishReason.OVERFLOW if is_overflow(error) else FinishReason.ERROR
            self._fail(ask, finish, str(error))
        else:
            self._deliver(ask, replies)

    async def _in_turn(self, ask: _Ask) -> list[Reply]:
        """Ask until there is a turn for every session: some servers give one at a time whatever they are asked."""
        async with self._places:
            replies: list[Reply] = []
            missing = len(ask.request.sessions)
            while missing > 0:
                seed = _seed(ask.request, ask.turns, len(ask.request.sessions) - missing)
                replies.append(
                    await self.endpoint.ask(ask.messages, ask.request, count=missing, seed=seed, tokens=self.tokens)
                )
                missing -= len(replies[-1].choices)
            return replies

    def _deliver(self, ask: _Ask, replies: Sequence[Reply]) -> None:
        turns = [
            turn for reply in replies for turn in zip(reply.choices, reply.costs(read=ask.estimate), strict=True)
        ]
        with self._changed:
            for session, (choice, usage) in zip(ask.request.sessions, turns, strict=False):
                if self._pending.get(session) is not ask:
                    continue
                del self._pending[session]
                self._go_on(self._talks[session], choice, usage)
                self._finished.append(_completion(session, choice, usage))
            self._changed.notify_all()

    def _go_on(self, talk: _Talk, choice: Choice, usage: Usage) -> None:
        """Keep a turn in its conversation, and notice a server that has lost part of it."""
        if not usage.estimated:
            if usage.prompt_tokens < talk.read:
                self._warn(
                    "lost",
                    f"{self._service.url} read {usage.prompt_tokens} tokens of a conversation that had {talk.read}: "
                    "it drops or rewrites earlier turns; give it a longer context or another template",
                )
            talk.read = usage.prompt_tokens + usage.completion_tokens
        if choice.split:
            self._warn("split", f"{self._service.url} takes thoughts out of the text; start it without its parser")
        if choice.finish is not FinishReason.ERROR:
            talk.messages.append(turn_json(choice.text))
            talk.turns += 1
            talk.estimate += -(-len(choice.text) // 4)

    def _fail(self, ask: _Ask, finish: FinishReason, error: str | None) -> None:
        with self._changed:
            for session in ask.request.sessions:
                if self._pending.get(session) is ask:
                    del self._pending[session]
                    self._finished.append(Completion(session=session, text="", finish=finish, error=error))
            self._changed.notify_all()

    def _warn(self, kind: str, sentence: str) -> None:
        """Warn once of each kind."""
        if kind not in self._warned:
            self._warned.add(kind)
            log.warning("%s", sentence)


def _seed(request: Request, turn: int, drawn: int) -> int:
    """Return a seed of its own for every session and turn, or equal conversations would draw equal turns."""
    name = f"{request.sampling.seed}/{request.sessions[0]}/{turn}/{drawn}"
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=4).digest(), "big") >> 1


def _completion(session: str, choice: Choice, usage: Usage) -> Completion:
    return Completion(
        session=session,
        text=choice.text,
        finish=choice.finish,
        token_ids=choice.token_ids,
        logprobs=choice.logprobs,
        scores=choice.scores,
        usage=usage,
        error=choice.error,
    )
