"""A policy that writes down what the driver does to it, and may answer in any order; and sessions made for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from vretrver.agent.driver import Driver
from vretrver.agent.effects import Running
from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, FinishReason, Policy, PolicyLimits, Request, Sampling

Asking = Running[list[str]]
"""A session that returns the texts it was sent."""

Choice = Callable[[list[str]], list[str]]
"""Which of the waiting sessions, in the order they were asked for, are answered now."""


def everything(waiting: list[str]) -> list[str]:
    """Answer all, in order."""
    return waiting


class Ledger:
    """Answers turn n of a session with `<session>:<n>`.

    Args:
        in_flight: requests it takes at once.
        choose: which waiting sessions `collect` answers.
    """

    def __init__(self, in_flight: int = 4, choose: Choice = everything) -> None:
        self.fingerprint = "ledger"
        self.revision = 0
        self.scripted = True
        self.limits = PolicyLimits(in_flight=in_flight)
        self.choose = choose
        self.requests: list[Request] = []
        """All requests, in order."""
        self.outstanding: list[int] = []
        """Sessions waiting at each call of `collect`."""
        self.released: Counter[str] = Counter()
        """How often each session was released."""
        self.waiting: list[str] = []
        """Sessions not answered yet."""
        self._turns: Counter[str] = Counter()
        self._cancelled: set[str] = set()

    def submit(self, request: Request) -> None:
        """Take a request."""
        self.requests.append(request)
        self.waiting.append(request.session)

    def collect(self, *, patience: float | None = None) -> list[Completion]:
        """Answer the sessions chosen."""
        self.outstanding.append(len(self.waiting))
        chosen = self.choose(list(self.waiting))
        self.waiting = [session for session in self.waiting if session not in chosen]
        return [self._answer(session) for session in chosen]

    def _answer(self, session: str) -> Completion:
        if session in self._cancelled:
            return Completion(session=session, text="", finish=FinishReason.CANCELLED)
        self._turns[session] += 1
        return Completion(session=session, text=f"{session}:{self._turns[session]}")

    def cancel(self, session: str) -> None:
        """End a waiting session."""
        if session in self.waiting:
            self._cancelled.add(session)

    def wake(self) -> None:
        """It never waits."""

    def release(self, session: str) -> None:
        """Forget a session."""
        self.released[session] += 1
        self.waiting = [waiting for waiting in self.waiting if waiting != session]

    def close(self) -> None:
        """Nothing is held."""


def driven(policy: Policy) -> Driver[list[str]]:
    """Return a driver of such sessions."""
    return Driver(policy)


def ask(session: str, *, text: str | None = None, deadline: float | None = None) -> Request:
    """Return a request; with a text it opens a conversation."""
    messages = () if text is None else (Message(role="system", pieces=(text,)),)
    return Request(session=session, messages=messages, sampling=Sampling(), deadline=deadline)


def asking(session: str, turns: int, *, closed: list[str] | None = None) -> Asking:
    """Return a session of so many turns that ends early when it is cancelled.

    Args:
        session: its name.
        turns: what it asks for.
        closed: takes the name when the session is closed before its end.
    """
    heard: list[str] = []
    try:
        for _ in range(turns):
            completion = yield ask(session)
            if completion.finish is FinishReason.CANCELLED:
                return [*heard, "cancelled"]
            heard.append(completion.text)
    except GeneratorExit:
        if closed is not None:
            closed.append(session)
        raise
    return heard
