"""What happened, in sentences: names of items, what changed, which windows failed and why, what a policy is.

A sentence says what was looked at and what followed; that a look decided is a claim a page cannot make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..agent.reranker import Ranked, Reranked
from ..agent.trajectory import StopReason, Trajectory

NAME_CHARS = 80
"""Most characters of a name; longer ones are cut in the middle, where paths differ least."""

STOPS: Mapping[StopReason, str] = {
    StopReason.ANSWERED: "A usable answer was given.",
    StopReason.MALFORMED: "The last turn held no usable answer.",
    StopReason.MAX_TURNS: "The turns were used up on looks.",
    StopReason.MAX_TOKENS: "The last turn was cut off at its length limit before an answer.",
    StopReason.CONTEXT_OVERFLOW: "The conversation did not fit what the policy takes.",
    StopReason.BUDGET: "The token budget was used up.",
    StopReason.DEADLINE: "The deadline passed.",
    StopReason.CANCELLED: "The caller cancelled it.",
    StopReason.POLICY_ERROR: "The policy failed after its retries.",
}
"""One sentence per stop reason."""

_SCRIPTS = {
    "oracle": "knows the right answer and where its detail is, and uses the detail only once it has looked there. "
    "Its results are a ceiling for an agent, not a measurement of one",
    "first-k": "answers with the order it was given and never looks",
    "random": "answers with a random order and never looks",
    "replay": "repeats recorded turns",
    "misbehaving": "writes malformed and hostile turns on purpose",
}


class Outcome(StrEnum):
    """What became of a query's order."""

    CHANGED = "order changed"
    """Every window was answered and some candidate has another place."""
    KEPT = "order kept"
    """Every window was answered and no candidate has another place."""
    PARTLY_FAILED = "partly failed"
    """Some windows were answered and some were not."""
    FAILED = "failed"
    """No window was answered."""


class Standing(StrEnum):
    """How far a candidate's place can be relied on."""

    CONFIRMED = "confirmed"
    """The last window that held it was answered."""
    UNCONFIRMED = "not confirmed"
    """The last window that held it failed."""
    UNREAD = "not read"
    """No window held it: it lies below the depth, or the time was up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How items are called."""

    given: Mapping[str, str]
    """did -> name; others are called by their did."""

    def short(self, did: str) -> str:
        """Return the name alone, cut to a readable length."""
        name = self.given.get(did, did)
        half = NAME_CHARS // 2 - 2
        return name if len(name) <= NAME_CHARS else f"{name[:half]} ... {name[-half:]}"

    def full(self, did: str) -> str:
        """Return `candidate did`, or the given name."""
        return self.short(did) if did in self.given else f"candidate {self.short(did)}"


def counted(number: int, noun: str) -> str:
    """Return `1 look`, `2 looks`, `1,200 looks`; nouns that take an s only."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def outcome(reranked: Reranked) -> Outcome:
    """Return what became of the order."""
    failed, windows = len(reranked.failed), len(reranked.trajectories)
    if failed or not windows:
        return Outcome.PARTLY_FAILED if failed < windows else Outcome.FAILED
    moved = any(ranked.rank != ranked.coarse_rank for ranked in reranked.ranking)
    return Outcome.CHANGED if moved else Outcome.KEPT


def standings(reranked: Reranked) -> dict[str, Standing]:
    """Return did -> how far its place can be relied on, for every candidate."""
    result = {hit.candidate.did: Standing.UNREAD for hit in reranked.hits}
    for trajectory in reranked.trajectories:
        standing = Standing.UNCONFIRMED if trajectory.ranking is None else Standing.CONFIRMED
        result.update(dict.fromkeys(trajectory.candidates, standing))
    return result


def headline(reranked: Reranked, names: Names) -> str:
    """Return the one sentence on what changed; looks of failed windows are not counted, as nothing came of them."""
    result = outcome(reranked)
    if result is Outcome.FAILED:
        return "The order is the coarse one: nothing confirmed it."
    looks = sum(trajectory.looks for trajectory in reranked.trajectories if trajectory.ranking is not None)
    after = f"after {counted(looks, 'look')}" if looks else "without a look"
    moved = [ranked for ranked in reranked.ranking if ranked.rank != ranked.coarse_rank]
    if not moved:
        return _kept(reranked, looks)
    first = reranked.ranking[0]
    if first in moved:
        return f"{_capital(names.full(first.did))} moved from {first.coarse_rank} to 1 {after}."
    risen = max(moved, key=lambda ranked: (ranked.coarse_rank - ranked.rank, -ranked.rank))
    lead = f"{_capital(names.full(first.did))} stayed first"
    return f"{lead}; {_rise(risen, names)} {after}."


def _kept(reranked: Reranked, looks: int) -> str:
    if not looks:
        return "The order was kept without a look."
    if len(reranked.ranking) == 1:
        return f"There was one candidate, and {counted(looks, 'look')} at it."
    return f"The order was kept after {counted(looks, 'look')}."


def _rise(ranked: Ranked, names: Names) -> str:
    return f"{names.full(ranked.did)} moved from {ranked.coarse_rank} to {ranked.rank}"


def failure(trajectory: Trajectory, *, window: int, windows: int) -> str:
    """Return the sentence on a window that failed.

    Args:
        trajectory: a trajectory without a ranking.
        window: its number, from 1.
        windows: how many windows the query had.
    """
    which = "This window" if windows == 1 else f"Window {window} ({places(trajectory)})"
    order = "is the coarse one" if window == 1 else "is the one it was given"
    return f"{which} failed ({trajectory.stop.name}): its part of the order {order}, not confirmed."


def places(trajectory: Trajectory) -> str:
    """Return `places 1 to 20`, the part of the order a window was given."""
    first, last = trajectory.step.start + 1, trajectory.step.stop
    return f"place {first}" if first >= last else f"places {first} to {last}"


def repaired(trajectory: Trajectory) -> str | None:
    """Return what had to be changed to make a ranking of the answer, or None."""
    repairs = trajectory.repairs
    done = [
        f"{listed(numbers)} {what}"
        for numbers, what in (
            (repairs.out_of_range, "dropped (no candidate has the number)"),
            (repairs.repeated, "dropped (named before)"),
            (repairs.missing, "appended in the order given (not named)"),
        )
        if numbers
    ]
    return f"The answer was repaired: {'; '.join(done)}." if done else None


def listed(numbers: Sequence[int], most: int = 30) -> str:
    """Return numbers with commas, the first `most` of them and how many more there are."""
    listed = ", ".join(str(number) for number in numbers[:most])
    return f"{listed} and {len(numbers) - most} more" if len(numbers) > most else listed


def about_policy(fingerprint: str) -> str | None:
    """Return the sentence that says that a policy is a script and no model, or None for all others."""
    _, scripted, rest = fingerprint.partition("scripted:")
    if not scripted:
        return None
    script = next((known for known in _SCRIPTS if rest.startswith(known)), None)
    does = f" that {_SCRIPTS[script]}" if script else ""
    return f"{fingerprint} is a script{does}; no model wrote these turns."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
