"""A policy whose time is counted in decode slices, so that figures are exact and the same everywhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

from vretrver.agent.policy import Completion, PolicyLimits, Request
from vretrver.policies.scripted import answer_text
from vretrver.prng import Stream

SHORTEST, LONGEST = 4, 64
"""Decode slices of the shortest and the longest turn."""

LOOK = '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 1, "bbox_2d": [0, 0, 500, 500]}}</tool_call>'
"""Every turn that looks."""


class CountedPool(ThreadPoolExecutor):
    """A pool that counts what it was given."""

    submitted = 0
    """Pieces of work given to it."""

    def submit(self, *args: Any, **options: Any) -> Future[Any]:
        """Count a piece of work and do it."""
        self.submitted += 1
        return super().submit(*args, **options)


@dataclass(slots=True)
class _Work:
    session: str
    slices: int
    text: str


@dataclass(slots=True, weakref_slot=True, eq=False)
class SlicedPolicy:
    """A policy that decodes its places in step, one slice at a time; what waits enters as soon as a place is free.

    Work of the driver's pool takes no slices: none is decoded until the pool has done all it was given and the driver
    was woken for it. So what is measured is whether the driver then asks for the next turns before it waits again.
    """

    slots: int
    """Turns decoded at once."""
    looks: Callable[[str], int]
    """Session -> turns that look before the one that answers."""
    slices: Callable[[str, int], int]
    """Session and turn -> decode slices the turn takes."""
    pool: CountedPool | None = None
    """The driver's pool."""
    busy: list[int] = field(default_factory=list)
    """Places in use, one entry per slice decoded."""
    ended: list[int] = field(default_factory=list)
    """Runnings that had ended before each slice."""
    results: list[Any] = field(default_factory=list)
    """Results of the runnings that have ended; whoever drives adds them."""
    revision: int = 0
    """There are no weights."""
    scripted: bool = True
    """It measures nothing of a model."""
    _waiting: deque[_Work] = field(default_factory=deque)
    _running: list[_Work] = field(default_factory=list)
    _turns: dict[str, int] = field(default_factory=dict)
    _woken: Condition = field(default_factory=Condition)
    _wakes: int = 0
    _wakes_seen: int = 0

    @property
    def fingerprint(self) -> str:
        """Name of the policy."""
        return f"sliced({self.slots})"

    @property
    def limits(self) -> PolicyLimits:
        """As many requests at once as there are places."""
        return PolicyLimits(in_flight=self.slots)

    def submit(self, request: Request) -> None:
        """Queue a turn; an opening that is only read takes one slice."""
        session = request.session
        turn = self._turns.setdefault(session, 0)
        if request.read_only:
            self._waiting.append(_Work(session=session, slices=1, text=""))
            return
        self._turns[session] += 1
        text = LOOK if turn < self.looks(session) else answer_text([1])
        self._waiting.append(_Work(session=session, slices=self.slices(session, turn), text=text))

    def collect(self, *, patience: float | None = None) -> list[Completion]:  # noqa: ARG002 - nobody is patient here
        """Decode slices until a turn is finished, or work of the pool is."""
        while self._waiting or self._running:
            if self._was_woken():
                return []
            while self._waiting and len(self._running) < self.slots:
                self._running.append(self._waiting.popleft())
            self.busy.append(len(self._running))
            self.ended.append(len(self.results))
            for work in self._running:
                work.slices -= 1
            finished = [work for work in self._running if work.slices == 0]
            self._running = [work for work in self._running if work.slices > 0]
            if finished:
                return [Completion(session=work.session, text=work.text) for work in finished]
        return []

    def _was_woken(self) -> bool:
        """Wait until the pool has done all it was given, and say whether any was done since this was last asked."""
        with self._woken:
            self._woken.wait_for(lambda: self.pool is None or self._wakes >= self.pool.submitted)
            fresh, self._wakes_seen = self._wakes > self._wakes_seen, self._wakes
            return fresh

    def wake(self) -> None:
        """Note that a piece of work is done; the pool's threads call it."""
        with self._woken:
            self._wakes += 1
            self._woken.notify_all()

    def cancel(self, session: str) -> None:
        """Nothing is cancelled here."""

    def release(self, session: str) -> None:
        """Forget a session."""
        self._turns.pop(session, None)

    def close(self) -> None:
        """Nothing is held."""


def sliced_policy(slots: int, *, seed: int, pool: CountedPool | None = None) -> SlicedPolicy:
    """Return a policy with `slots` places; looks and lengths of turns are drawn from the session's name."""
    return SlicedPolicy(
        slots=slots,
        looks=lambda session: Stream(seed, session).below(5),
        slices=lambda session, turn: Stream(seed, session, turn).between(SHORTEST, LONGEST),
        pool=pool,
    )
