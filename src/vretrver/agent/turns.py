"""The turns of runnings: asked of the policy, waited for, handed back in the order they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

from .policy import Completion, Policy, Request
from .seats import Seat


class Turns:
    """The turns of a driver's runnings; `nudge` may be called from any thread, all else is the driver's.

    Args:
        policy: writes them.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._waiting: dict[str, Seat[Any]] = {}
        self._names: set[str] = set()
        self._arrived: deque[tuple[Seat[Any] | None, Completion]] = deque()
        self._lock = threading.Lock()
        self._wakes = 0
        self._unexplained = 0

    @property
    def count(self) -> int:
        """Sessions that wait for a turn."""
        return len(self._waiting)

    def ask(self, seat: Seat[Any], request: Request) -> Exception | None:
        """Hand a request to the policy and release the session before it; return the running's error, if any."""
        fresh = request.session != seat.session
        if fresh and request.session in self._names:
            return RuntimeError(f"two running sessions are both named {request.session!r}")
        try:
            self.policy.submit(request)  # before the release: the request may start after the session that is left
        except Exception as raised:  # noqa: BLE001 - thrown into the running that asked
            if fresh:
                self.policy.release(request.session)
            return raised
        if fresh:
            self.leave(seat)
            self._names.add(request.session)
        seat.session = request.session
        self._waiting[seat.session] = seat
        return None

    def cancel(self, seat: Seat[Any]) -> None:
        """Cancel the turn a running waits for."""
        if seat.session in self._waiting:
            self.policy.cancel(seat.session)

    def leave(self, seat: Seat[Any]) -> None:
        """Release the session a running has finished; one that has asked for nothing yet has none."""
        session, seat.session = seat.session, ""
        if session:
            self._names.discard(session)
            if self._waiting.pop(session, None) is not None:
                self.policy.cancel(session)
            self.policy.release(session)

    def nudge(self) -> None:
        """Bring the driver back from the policy. Counted first: the wake itself may come late."""
        with self._lock:
            self._wakes += 1
        self.policy.wake()

    def collect(self, patience: float | None) -> None:
        """Wait for turns; raises RuntimeError when the policy has none and was not woken: it lost a request."""
        completions = self.policy.collect(patience=patience)
        self._arrived.extend((self._waiting.pop(done.session, None), done) for done in completions)
        if completions:
            self._unexplained = 0
        elif patience is None:
            self._explain()

    def _explain(self) -> None:
        """Count an empty list against a wake; the first one without may be owed to a driver before this one."""
        with self._lock:
            explained = self._wakes > 0
            self._wakes -= explained
        self._unexplained += not explained
        if self._unexplained > 1:
            lost = ", ".join([*self._waiting][:3])
            raise RuntimeError(f"the policy has nothing pending, but these sessions wait: {lost}")

    def take(self) -> Iterator[tuple[Seat[Any], Completion]]:
        """Yield the runnings whose turn has come, each with it; a turn of one that was closed meanwhile is dropped.

        Raises:
            RuntimeError: in the end, when the policy answered a session that is not waiting.
        """
        stranger = None
        while self._arrived:
            seat, completion = self._arrived.popleft()
            if seat is None:
                stranger = stranger or completion.session
            elif not seat.over:
                yield seat, completion
        if stranger is not None:
            raise RuntimeError(f"the policy answered session {stranger!r}, which is not waiting")

    def clear(self) -> None:
        """Forget the turns that nobody takes."""
        self._arrived.clear()
