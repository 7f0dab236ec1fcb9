"""What one query may cost, and what it has cost: shared by all its windows, also by those that run side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .refusals import Refusal, RefusalCode, refusal


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
    """Turns of the policy; the last one that is left to a session is asked for the answer."""
    looks: int | None = None
    """Calls that show something; further ones are refused."""
    look_tokens: int | None = None
    """Pixels that looks may add, in visual tokens (one a cell); a look that would exceed them is refused."""
    tokens: int | None = None
    """Tokens of all conversations, read and written, each counted once; no further turn is begun beyond."""

    def __post_init__(self) -> None:
        """Refuse negative limits with ValueError."""
        for limit in Limit:
            value = getattr(self, limit.value)
            if value is not None and value < 0:
                raise ValueError(f"a budget is not negative, got {limit.value} {value}")


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
    def turns_left(self) -> int | None:
        """Turns that may still begin; None is no limit."""
        return None if self.budget.turns is None else max(0, self.budget.turns - self._turns)

    def begin_turn(self, tokens: int) -> Limit | None:
        """Count a turn that is about to begin, or return the limit that forbids it.

        Args:
            tokens: tokens that the turn reads anew, as an estimate.
        """
        with self._lock:
            limit = self._forbidden(tokens)
            if limit is None:
                self._turns += 1
            else:
                self._reached.add(limit)
            return limit

    def _forbidden(self, tokens: int) -> Limit | None:
        budget = self.budget
        if self.deadline is not None and self._clock() >= self.deadline:
            return Limit.SECONDS
        if budget.turns is not None and self._turns >= budget.turns:
            return Limit.TURNS
        if budget.tokens is not None and self._tokens + tokens > budget.tokens:
            return Limit.TOKENS
        return None

    def note_tokens(self, tokens: int) -> None:
        """Count tokens that were read or written."""
        with self._lock:
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
