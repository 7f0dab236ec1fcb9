"""The policy behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, hosted models.

The whole conversation is sent each turn, its beginning byte for byte as before, so that the server's prefix cache
does the rest; a fork is a copy of it. A failed request is a completion that says why; only `check` and `probe` raise.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from .._http import Patience, Service, within
from .._secrets import KEY_VARIABLE, Secret
from .._text import storable
from ..agent.policy import Completion, Failure, FailureKind, FinishReason, PolicyLimits, Request
from ..errors import ServiceError
from .chat_endpoint import ChatEndpoint, SentConversation, failure_of, message_json
from .chat_probe import Continuing, Findings, check, probe
from .chat_reply import Reply
from .conversations import TURNS, refuse_untimely

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Ask:
    """A request that is worked on."""

    request: Request
    messages: tuple[bytes, ...]
    turns: int
    estimate: int
    future: Future[None] | None = None


class ChatPolicy:
    """A policy over HTTP.

    A grammar of a whole turn is sent to servers that take one; the reply is trusted no more for it. A request with a
    prefix fails as REFUSED where the server does not continue a turn, which is found out when the first one comes.

    Threads: `cancel` and `wake` may be called by any thread; one thread makes all other calls.

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
        self._conversations: dict[str, SentConversation] = {}
        self._pending: dict[str, _Ask] = {}
        self._finished: deque[Completion] = deque()
        self._woken = False
        self._fault: BaseException | None = None
        self._continuing = Continuing(self.endpoint)
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
    def revision(self) -> int:
        """0: which weights a server uses is not known here."""
        return 0

    @property
    def scripted(self) -> bool:
        """False."""
        return False

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
        with self._changed:
            pending = self._pending.keys() | {done.session for done in self._finished}
            refuse_untimely(request, known=self._conversations, pending=pending)
            if request.after is not None:
                self._conversations[request.session] = self._conversations[request.after].fork()
            conversation = self._conversations.setdefault(request.session, SentConversation())
            conversation.add(fresh, request.messages)
            if request.read_only:
                self._finished.append(Completion(session=request.session, text=""))
                return
            ask = _Ask(request, tuple(conversation.messages), conversation.turns, conversation.estimate)
            self._pending[request.session] = ask
            ask.future = self._service.run(lambda: self._work(ask))
        ask.future.add_done_callback(self._note_fault)

    def collect(self, *, patience: float | None = None) -> list[Completion]:
        """Wait for completions and return those that are there; see `Policy.collect`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._finished or not self._pending or self._fault is not None or self._woken, patience
            )
            self._woken = False
            if self._fault is not None:
                raise RuntimeError("internal error in the policy") from self._fault
            done = list(self._finished)
            self._finished.clear()
            return done

    def wake(self) -> None:
        """Make `collect`, this one or the next, return early; any thread may call it."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def cancel(self, session: str) -> None:
        """Answer a pending request as CANCELLED at once and drop its connection; any thread may call it."""
        with self._changed:
            if self._leave(session):
                self._finished.append(Completion(session=session, text="", finish=FinishReason.CANCELLED))
                self._changed.notify_all()

    def release(self, session: str) -> None:
        """Forget a session; a pending request is dropped."""
        with self._changed:
            self._leave(session)
            self._conversations.pop(session, None)
            self._finished = deque(done for done in self._finished if done.session != session)

    def close(self) -> None:
        """Drop what is pending and close the connections."""
        with self._changed:
            self._conversations.clear()
            self._pending.clear()
            self._finished.clear()
            self._changed.notify_all()
        self._service.close()

    def _leave(self, session: str) -> bool:
        """Drop a session's pending request; returns whether it had one."""
        ask = self._pending.pop(session, None)
        if ask is None:
            return False
        if ask.future is not None:
            ask.future.cancel()
        return True

    def _note_fault(self, future: Future[None]) -> None:
        """Hand an exception that should not have happened to whoever collects."""
        if not future.cancelled() and future.exception() is not None:
            with self._changed:
                self._fault = future.exception()
                self._changed.notify_all()

    async def _work(self, ask: _Ask) -> None:
        """Get the turn of a request and hand it over; failures become completions."""
        try:
            reply = await within(self._in_turn(ask), ask.request.deadline)
        except TimeoutError:
            self._finish(ask, _ended(ask, FinishReason.DEADLINE, None))
        except ServiceError as error:
            failure = failure_of(error)
            overflow = failure.kind is FailureKind.CONTEXT
            self._finish(ask, _ended(ask, FinishReason.OVERFLOW if overflow else FinishReason.ERROR, failure))
        else:
            self._finish(ask, reply)

    async def _in_turn(self, ask: _Ask) -> Completion | Reply:
        """Ask once a place is free."""
        async with self._places:
            why = await self._continuing.why_not() if ask.request.prefix else None
            if why is not None:
                failure = Failure(kind=FailureKind.REFUSED, words=f"{self._service.url} {why}")
                return _ended(ask, FinishReason.ERROR, failure)
            seed = _seed(ask.request, ask.turns)
            return await self.endpoint.ask(ask.messages, ask.request, seed=seed, tokens=self.tokens)

    def _finish(self, ask: _Ask, ended: Completion | Reply) -> None:
        """Hand over how a request ended, unless its session has left."""
        session = ask.request.session
        with self._changed:
            if self._pending.get(session) is not ask:
                return
            del self._pending[session]
            if isinstance(ended, Reply):
                self._go_on(self._conversations[session], ended)
                ended = ended.completion(session, estimate=ask.estimate)
            self._finished.append(ended)
            self._changed.notify_all()

    def _go_on(self, conversation: SentConversation, reply: Reply) -> None:
        """Keep a turn in its conversation, and notice a server that has lost part of it."""
        if reply.usage is not None:
            if reply.usage.prompt_tokens < conversation.read:
                self._warn(
                    "lost",
                    f"{self._service.url} read {reply.usage.prompt_tokens} tokens of a conversation that had "
                    f"{conversation.read}: it drops or rewrites earlier turns; give it a longer context or another "
                    "template",
                )
            conversation.read = reply.usage.prompt_tokens + reply.usage.completion_tokens
        if reply.thoughts:
            self._warn("split", f"{self._service.url} takes thoughts out of the text; start it without its parser")
        if reply.finish in TURNS:
            conversation.add_turn(reply.text)

    def _warn(self, kind: str, sentence: str) -> None:
        """Warn once of each kind."""
        if kind not in self._warned:
            self._warned.add(kind)
            log.warning("%s", sentence)


def _seed(request: Request, turn: int) -> int:
    """Return a seed of its own for every stream and turn, or equal conversations would draw equal turns."""
    name = storable(f"{request.sampling.seed}/{request.stream or request.session}/{turn}")
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big") >> 1


def _ended(ask: _Ask, finish: FinishReason, failure: Failure | None) -> Completion:
    return Completion(session=ask.request.session, text="", finish=finish, failure=failure)
