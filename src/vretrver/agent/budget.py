"""What one query may cost, and what it has cost: shared by all its windows, also by those that run side by side.

Which of several windows side by side gets a turn, a look or tokens that do not suffice for all of them depends on
which asks first, so it may differ from run to run. That none of them is lost without an answer while turns are left
for it, and that no limit is exceeded, does not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from .refusals import Refusal, RefusalCode, refusal

_MANY = 1_000_000_000
"""Turns left without a limit."""


class Limit(StrEnum):
    """What a budget bounds."""

    SECONDS = "seconds"
    TURNS = "turns"
    LOOKS = "looks"
    LOOK_TOKENS = "look_tokens"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one query may cost; None is no limit. Where one is reached, the best order so far is the result."""

    seconds: float | None = None
    """Seconds from the start."""
    turns: int | None = None
    """Turns of the policy. One is held back for the answer of every window that has begun, and the last one that is
    left to a window is asked for the answer."""
    looks: int | None = None
    """Calls that show something; further ones are refused."""
    look_tokens: int | None = None
    """Pixels that looks may add, in visual tokens (one a cell); a look that would exceed them is refused."""
    tokens: int | None = None
    """Tokens of all conversations, read and written, each counted once; no turn is begun that would read beyond."""

    def __post_init__(self) -> None:
        """Refuse negative limits with ValueError."""
        for limit in Limit:
            value = getattr(self, limit.value)
            if value is not None and value < 0:
                raise ValueError(f"a budget is not negative, got {limit.value} {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a window cost of its query's budget. Seconds are not in it: a window that is known already takes none."""

    turns: int = 0
    """Turns that were begun."""
    looks: int = 0
    """Calls that brought something back."""
    look_tokens: int = 0
    """Visual tokens of them."""
    tokens: int = 0
    """Tokens read and written, each counted once."""
    reached: tuple[Limit, ...] = ()
    """Limits that something was refused or ended for."""


class Account:
    """What a query has spent. Tools spend on other threads; every method may be called from any.

    Args:
        budget: what may be spent.
        clock: seconds.
        started: when the seconds began to count; None is now.
    """

    def __init__(self, budget: Budget, clock: Callable[[], float], *, started: float | None = None) -> None:
        self.budget = budget
        self.started = clock() if started is None else started
        self.deadline = None if budget.seconds is None else self.started + budget.seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._turns = self._looks = self._look_tokens = self._tokens = 0
        self._held: dict[str, int] = {}
        self._ahead: dict[str, int] = {}
        self._reached: set[Limit] = set()

    @property
    def reached(self) -> tuple[Limit, ...]:
        """The limits that something was refused or ended for, in the order of `Limit`."""
        return tuple(limit for limit in Limit if limit in self._reached)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self.started

    @property
    def position(self) -> str:
        """What was spent of that which the budget bounds, as in `turns=2 looks=1`; seconds are left out.

        Two windows that begin at one position of one budget may come to the same; at another one they may not.
        """
        with self._lock:
            spent = {
                Limit.TURNS: self._turns,
                Limit.LOOKS: self._looks,
                Limit.LOOK_TOKENS: self._look_tokens,
                Limit.TOKENS: self._tokens,
            }
            return " ".join(
                f"{limit}={n}" for limit, n in spent.items() if getattr(self.budget, limit.value) is not None
            )

    def charge(self, spent: Spent) -> None:
        """Count what a window cost that is known already and therefore does not run."""
        with self._lock:
            self._turns += spent.turns
            self._looks += spent.looks
            self._look_tokens += spent.look_tokens
            self._tokens += spent.tokens
            self._reached |= {*spent.reached}

    def hold(self, sessions: Iterable[str]) -> None:
        """Hold back a turn for the answer of each window, as far as turns are left; once for each session.

        Args:
            sessions: names of the sessions that begin, in the order in which turns are given.
        """
        with self._lock:
            for session in sessions:
                if session not in self._held:
                    self._held[session] = min(1, self._free())

    def open(self, session: str) -> bool:
        """Hold back a first turn beside the answering one; say False when none is left and the answer is due at once.

        A window for which no turn at all is left also gets True: it is refused when it begins its turn.
        """
        self.hold([session])
        with self._lock:
            if self._held[session] and not self._free():
                return False
            self._held[session] += min(1, self._free())
            return True

    def last_turn(self, session: str) -> bool:
        """Say whether at most one more turn is left to a session."""
        with self._lock:
            return self._free() + self._held.get(session, 0) <= 1

    def end(self, session: str) -> None:
        """Give back what is held for a session."""
        with self._lock:
            self._held.pop(session, None)
            self._ahead.pop(session, None)

    def _free(self) -> int:
        """Return the turns that are left and held for nobody; many where there is no limit."""
        if self.budget.turns is None:
            return _MANY
        return max(0, self.budget.turns - self._turns - sum(self._held.values()))

    def begin_turn(self, session: str, tokens: int) -> Limit | None:
        """Count a turn that is about to begin, or return the limit that forbids it.

        Args:
            session: the session; what is held for it is used when nothing else is left.
            tokens: tokens that the turn reads anew, as an estimate; they count as spent until the turn has ended.
        """
        with self._lock:
            limit = self._forbidden(session, tokens)
            if limit is not None:
                self._reached.add(limit)
                return limit
            if self._held.get(session, 0) > 1 or not self._free():
                self._held[session] -= 1
            self._turns += 1
            self._ahead[session] = tokens
            return None

    def _forbidden(self, session: str, tokens: int) -> Limit | None:
        budget = self.budget
        if self.deadline is not None and self._clock() >= self.deadline:
            return Limit.SECONDS
        if not self._free() and not self._held.get(session, 0):
            return Limit.TURNS
        if budget.tokens is not None and self._tokens + sum(self._ahead.values()) + tokens > budget.tokens:
            return Limit.TOKENS
        return None

    def note_tokens(self, session: str, tokens: int) -> None:
        """Count the tokens that a session's turn read and wrote, in place of the estimate it began with."""
        with self._lock:
            self._ahead.pop(session, None)
            self._tokens += tokens

    def note_deadline(self) -> None:
        """Note that a turn was broken off at the deadline."""
        with self._lock:
            self._reached.add(Limit.SECONDS)

    def spend_look(self, tokens: int) -> Refusal | None:
        """Count a look of so many visual tokens, or return why it is not carried out."""
        with self._lock:
            budget = self.budget
            if budget.looks is not None and self._looks >= budget.looks:
                self._reached.add(Limit.LOOKS)
                return refusal(RefusalCode.LOOKS_SPENT)
            if budget.look_tokens is not None and self._look_tokens + tokens > budget.look_tokens:
                self._reached.add(Limit.LOOK_TOKENS)
                return refusal(RefusalCode.LOOK_BUDGET, left=budget.look_tokens - self._look_tokens)
            self._looks += 1
            self._look_tokens += tokens
            return None

    def return_look(self, tokens: int) -> None:
        """Take back a look that was counted and then showed nothing."""
        with self._lock:
            self._looks -= 1
            self._look_tokens -= tokens
