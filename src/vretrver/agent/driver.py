"""One driver for any number of sessions: it keeps a policy busy and hands results back as they finish.

Sessions are generators of requests. New ones are begun as soon as the policy has room, so that no session waits for
the slowest of a round. A conversation opened alike by several sessions (the rollouts of a group) is prefilled once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from .policy import Completion, Policy, Request

R = TypeVar("R")
Running = Generator[Request, Completion, R]
"""A session, or several one after another, with a result of any kind."""


@dataclass(slots=True)
class _Seat(Generic[R]):
    index: int
    running: Running[R]
    session: str = ""
    request: Request | None = field(default=None)


class Driver(Generic[R]):
    """Drives sessions over one policy.

    Args:
        policy: what writes the turns; `limits.in_flight` requests are kept outstanding.
        share_prefill: join opening requests into one that become ready at the same moment and are equal in
            everything, deadline included, but the session's name.
    """

    def __init__(self, policy: Policy, *, share_prefill: bool = False) -> None:
        self.policy = policy
        self.share_prefill = share_prefill
        self._seats: dict[str, _Seat[R]] = {}
        self._ready: deque[_Seat[R]] = deque()
        self._finished: deque[tuple[int, R]] = deque()

    def run(self, sessions: Iterable[Running[R]]) -> Generator[tuple[int, R], None, None]:
        """Yield (position in `sessions`, result) as sessions finish; `sessions` is read lazily.

        An exception of a session or of the policy ends the run, after the results that were there are yielded.
        However the run ends, every session that was begun is closed and released.

        Raises:
            RuntimeError: the policy lost a request or answered a session that is not waiting; two running sessions
                have one name, or one asks for others.
        """
        waiting = enumerate(sessions)
        busy = True
        try:
            while busy:
                try:
                    busy = self._step(waiting)
                finally:  # what is finished is handed over even when the step failed: it was paid for
                    while self._finished:
                        yield self._finished.popleft()
        finally:
            self._abandon()

    def cancel(self, session: str) -> None:
        """End a pending session as CANCELLED; sessions that are not waiting for the policy are ignored."""
        if session in self._seats:
            self.policy.cancel(session)

    def _step(self, waiting: Iterator[tuple[int, Running[R]]]) -> bool:
        """Take what the policy has finished, begin sessions, submit; says whether anything still runs."""
        if self._seats:
            self._collect()
        self._fill(waiting)
        self._submit()
        return bool(self._seats)

    def _fill(self, waiting: Iterator[tuple[int, Running[R]]]) -> None:
        """Begin sessions until the policy's places are taken."""
        room = self.policy.limits.in_flight
        while len(self._seats) + len(self._ready) < room:
            fresh = next(waiting, None)
            if fresh is None:
                return
            self._advance(_Seat(index=fresh[0], running=fresh[1]), None)
            self._submit_at_once()

    def _advance(self, seat: _Seat[R], completion: Completion | None) -> None:
        """Send a completion in and take the next request, or the result, out."""
        try:
            request = next(seat.running) if completion is None else seat.running.send(completion)
        except StopIteration as stop:
            self._leave(seat)
            self._finished.append((seat.index, stop.value))
            return
        if len(request.sessions) != 1:
            seat.running.close()
            raise RuntimeError(f"a running session asks for itself alone, got a request for {request.sessions}")
        session = request.sessions[0]
        if session == seat.session:
            del self._seats[session]
        else:
            self._leave(seat)
            if session in self._seats or any(session == other.session for other in self._ready):
                seat.running.close()
                raise RuntimeError(f"two running sessions are both named {session!r}")
        seat.session, seat.request = session, request
        self._ready.append(seat)

    def _leave(self, seat: _Seat[R]) -> None:
        """Release the session a seat has finished; a seat that has begun none yet has no name."""
        if seat.session:
            del self._seats[seat.session]
            self.policy.release(seat.session)
            seat.session = ""

    def _abandon(self) -> None:
        """Close and release whatever still runs."""
        for seat in [*self._seats.values(), *self._ready]:
            seat.running.close()
            self.policy.cancel(seat.session)
            self.policy.release(seat.session)
        self._seats.clear()
        self._ready.clear()
        self._finished.clear()

    def _submit_at_once(self) -> None:
        """Hand over what is ready while others are still advanced, unless equal openings must be seen together."""
        if not self.share_prefill:
            self._submit()

    def _submit(self) -> None:
        """Hand all ready requests to the policy, equal openings joined where asked for."""
        groups: dict[object, list[_Seat[R]]] = {}
        while self._ready:
            seat = self._ready.popleft()
            key = (_opening(seat) if self.share_prefill else None) or seat.session
            groups.setdefault(key, []).append(seat)
            self._seats[seat.session] = seat
        for seats in groups.values():
            self.policy.submit(replace(_request_of(seats[0]), sessions=tuple(seat.session for seat in seats)))

    def _collect(self) -> None:
        completions = self.policy.collect()
        if not completions:
            lost = ", ".join(list(self._seats)[:3])
            raise RuntimeError(f"the policy has nothing pending, but these sessions wait: {lost}")
        for completion in completions:
            seat = self._seats.get(completion.session)
            if seat is None:
                raise RuntimeError(f"the policy answered session {completion.session!r}, which is not waiting")
            self._advance(seat, completion)
            self._submit_at_once()


def _opening(seat: _Seat[R]) -> object:
    """Return what the openings of two sessions must share to be prefilled once; None when this is no opening."""
    request = _request_of(seat)
    if not request.messages or request.messages[0].role != "system":
        return None
    task = request.task and (request.task.query.qid, *(candidate.did for candidate in request.task.candidates))
    return replace(request, sessions=(), task=None), task


def _request_of(seat: _Seat[R]) -> Request:
    if seat.request is None:
        raise RuntimeError(f"session {seat.session!r} was submitted before it asked for anything")
    return seat.request
