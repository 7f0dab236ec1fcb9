"""What happened, in sentences: what changed, how a query ended, which windows failed, what is a script.

A sentence says what was looked at and what followed; that a look decided is a claim a page cannot make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..agent.answers import Verdict
from ..agent.budget import Limit
from ..agent.reranked import Ended, Ranked, Reranked
from ..agent.trajectory import Trajectory

TEXT_CHARS = 4000
"""Most characters shown of one text; the trace has the rest."""

NAME_CHARS = 80
"""Most characters of a name; longer ones are cut in the middle, where paths differ least."""

_SCRIPTS = {
    "oracle": "knows the right answer and where its detail is, and uses the detail only once it has looked there. "
    "Its results are a ceiling for an agent, not a measurement of one",
    "first-k": "answers with the order it was given and never looks",
    "reader": "reads what candidates say and compares it with the query, fact by fact",
    "random": "answers with a random order and never looks",
    "replay": "repeats recorded turns",
    "misbehaving": "writes malformed and hostile turns on purpose",
}


class OrderOutcome(StrEnum):
    """What became of a query's order."""

    CHANGED = "order changed"
    """Every window was answered and some candidate has another place."""
    KEPT = "order kept"
    """Every window was answered and no candidate has another place."""
    NOTHING_FITS = "nothing fits"
    """Every window was answered, and that no candidate fits."""
    STOPPED = "stopped early"
    """Some windows were answered before the query was ended from outside."""
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
    """No window held it: it is below the depth, or the query ended first."""


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


def cut(text: str) -> str:
    """Return a text cut to a readable length, with how much of it is left out."""
    if len(text) <= TEXT_CHARS:
        return text
    return f"{text[:TEXT_CHARS]} ... ({counted(len(text) - TEXT_CHARS, 'more character')} in the trace)"


def outcome(reranked: Reranked) -> OrderOutcome:
    """Return what became of the order."""
    if reranked.verdict is Verdict.FAILED:
        return OrderOutcome.FAILED
    if reranked.ended is not Ended.COMPLETE:
        return OrderOutcome.STOPPED
    if reranked.failed:
        return OrderOutcome.PARTLY_FAILED
    if reranked.verdict is Verdict.NOTHING_FITS:
        return OrderOutcome.NOTHING_FITS
    moved = any(ranked.rank != ranked.coarse_rank for ranked in reranked.ranking)
    return OrderOutcome.CHANGED if moved else OrderOutcome.KEPT


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
    if result is OrderOutcome.FAILED:
        return "Coarse order, not confirmed."
    if result is OrderOutcome.NOTHING_FITS:
        return "No candidate fits, the agent says; the order is kept beside it."
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


def ending(reranked: Reranked) -> str | None:
    """Return the sentence on what ended a query early or was refused for its budget, or None."""
    limits = ", ".join(limit.value.replace("_", " ") for limit in reranked.reached if limit is not Limit.SECONDS)
    told = f" ({limits})" if limits else ""
    if reranked.ended is Ended.COMPLETE:
        return f"Looks beyond the budget{told} were refused." if limits else None
    by = {
        Ended.BUDGET: f"at the budget{told}",
        Ended.DEADLINE: "at the deadline",
        Ended.CANCELLED: "by the caller",
        Ended.UNFINISHED: "before its end",
    }
    order = "nothing was ranked by then" if reranked.verdict is Verdict.FAILED else "the best order so far"
    return f"Stopped {by[reranked.ended]}: {order}."


def failure(trajectory: Trajectory, *, window: int, windows: int) -> str:
    """Return the sentence on a window that failed.

    Args:
        trajectory: a trajectory without a ranking.
        window: its number, from 1.
        windows: how many windows the query had.
    """
    which = _which(trajectory, window=window, windows=windows)
    order = "is the coarse one" if trajectory.step.round == 0 else "is the one it was given"
    return f"{which} failed ({trajectory.stop.name}): its part of the order {order}, not confirmed."


def nothing_fits(trajectory: Trajectory, *, window: int, windows: int) -> str:
    """Return the sentence on a window of whose candidates none fits, numbered as in `failure`."""
    which = _which(trajectory, window=window, windows=windows)
    return f"{which}: no candidate fits, the agent says; its order is kept beside it."


def _which(trajectory: Trajectory, *, window: int, windows: int) -> str:
    return "This window" if windows == 1 else f"Window {window} ({places(trajectory)})"


def places(trajectory: Trajectory) -> str:
    """Return the part of the order a window was given: `places 1 to 20`, or a list where they are not in a row."""
    numbers = [place + 1 for place in trajectory.step.places]
    if not numbers:
        return "no places"
    first, last = numbers[0], numbers[-1]
    if numbers != list(range(first, last + 1)):
        return f"places {listed(numbers)}"
    return f"place {first}" if first == last else f"places {first} to {last}"


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
    """Return the sentence that says that a policy is a script and no model, or None for all others.

    A record names its policy by the fingerprint alone: a script is known by its prefix, here and nowhere else.
    """
    _, scripted, rest = fingerprint.partition("scripted:")
    if not scripted:
        return None
    script = next((known for known in _SCRIPTS if rest.startswith(known)), None)
    does = f" that {_SCRIPTS[script]}" if script else ""
    return f"{fingerprint} is a script{does}; no model wrote these turns."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
