"""Forms of an answer: what the model is told of it, how it is read, what it settles, how it can be constrained.

A form belongs to a dialect. Readers are total: nothing raises, nothing is evaluated, and digits in prose are not an
answer. Two forms exist: `ranking`, and `ranking-or-none`, which says beside the order that nothing fits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from .grammar import Grammar

MOST = 999
"""Most candidates a grammar is made for: numbers of up to three digits."""

COUNTED = 64
"""Up to this many candidates a grammar counts the numbers; beyond, an automaton that counts would grow too large."""

_NUMBERS = r"\[[ \t\n]*[0-9]{1,6}(?:[ \t\n]*,[ \t\n]*[0-9]{1,6})*[ \t\n]*\]"
_RANKING = re.compile(_NUMBERS)
_OR_NONE = re.compile(rf"(none[ \t\n]*)?({_NUMBERS})")


class Verdict(StrEnum):
    """What a window came to; three different things."""

    RANKED = "ranked"
    """There is an order, and the agent holds that its head fits."""
    NOTHING_FITS = "nothing_fits"
    """There is an order, and the agent holds that no candidate fits."""
    FAILED = "failed"
    """There is no usable answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingAnswer:
    """The numbers of an answer as written."""

    numbers: tuple[int, ...]
    """Best first; possibly outside the candidates, repeated or incomplete."""
    form: Literal["ranking"] = "ranking"
    """The form's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingOrNoneAnswer:
    """The numbers of an answer as written, and whether it says that nothing fits."""

    numbers: tuple[int, ...]
    """Best first; possibly outside the candidates, repeated or incomplete."""
    none_fits: bool
    """Whether it says that no candidate fits."""
    form: Literal["ranking-or-none"] = "ranking-or-none"
    """The form's name."""


Answer = RankingAnswer | RankingOrNoneAnswer
"""An answer of any form, told apart by `form`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """What was changed to make a permutation of an answer."""

    out_of_range: tuple[int, ...] = ()
    """Numbers dropped because no candidate has them."""
    repeated: tuple[int, ...] = ()
    """Numbers dropped because they had been named before."""
    missing: tuple[int, ...] = ()
    """Numbers appended because they were not named, in the order given."""

    @property
    def any(self) -> bool:
        """Whether anything was changed."""
        return bool(self.out_of_range or self.repeated or self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What an answer comes to."""

    verdict: Verdict
    """RANKED or NOTHING_FITS."""
    order: tuple[int, ...]
    """All candidates by number, from 1, best first."""
    repairs: Repairs
    """What was changed to get there."""


class AnswerForm(Protocol):
    """One form of an answer. Every method is pure."""

    @property
    def name(self) -> str:
        """The form's name; stands in every trajectory."""
        ...

    @property
    def taught(self) -> str:
        """What the system message says of the answer."""
        ...

    @property
    def described(self) -> str:
        """What an answer of another form is told."""
        ...

    def forced(self, count: int) -> str:
        """Return the form as it stands in a request for the answer over `count` candidates and nothing else."""
        ...

    def read(self, inner: str) -> Answer | None:
        """Read the text between the answer tags; None when it has another form. Never raises."""
        ...

    def settled(self, answer: Answer, count: int) -> Settled | None:
        """Return what an answer over `count` candidates comes to, None when no number of it is a candidate."""
        ...

    def grammar(self, count: int, *, whole_turn: bool, complete: bool) -> Grammar | None:
        """Return the constraint on an answer over `count` candidates; None when there is none for so many.

        Args:
            count: candidates of the window.
            whole_turn: whether the turn is the answer and nothing else.
            complete: whether every candidate is to be named once; else the numbers are free.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingForm:
    """All candidate numbers in brackets, best first: `[2, 1, 3]`."""

    name: str = "ranking"
    """The form's name."""
    taught: str = (
        "Reason between <think> and </think>. When nothing is undecided, list all candidate numbers, best first:\n"
        "<answer>[2, 1, 3]</answer>"
    )
    """What the system message says of the answer."""
    described: str = "an answer is a list of candidate numbers in brackets, as in <answer>[2, 1, 3]</answer>"
    """What an answer of another form is told."""

    def forced(self, count: int) -> str:
        """Return the form in a request for the answer."""
        return f"Answer now with all {count} candidate numbers: <answer>[...]</answer>"

    def read(self, inner: str) -> RankingAnswer | None:
        """Read a list of numbers in brackets."""
        content = inner.strip()
        return RankingAnswer(numbers=_numbers(content)) if _RANKING.fullmatch(content) else None

    def settled(self, answer: Answer, count: int) -> Settled | None:
        """Repair the order."""
        return _settled(answer, count, Verdict.RANKED)

    def grammar(self, count: int, *, whole_turn: bool, complete: bool) -> Grammar | None:
        """Return the constraint on a list of numbers in brackets."""
        return _grammar("<answer>[", "", count, whole_turn=whole_turn, complete=complete)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingOrNoneForm:
    """All candidate numbers, best first, with `none` before them where no candidate fits: `none [2, 1, 3]`.

    The order is given either way, so that what is measured of it does not depend on the verdict.
    """

    name: str = "ranking-or-none"
    """The form's name."""
    taught: str = (
        "Reason between <think> and </think>. When nothing is undecided, list all candidate numbers, best first, "
        "and write none before the list when no candidate fits the query:\n"
        "<answer>[2, 1, 3]</answer> or <answer>none [2, 1, 3]</answer>"
    )
    """What the system message says of the answer."""
    described: str = (
        "an answer is a list of candidate numbers in brackets, as in <answer>[2, 1, 3]</answer>, "
        "or <answer>none [2, 1, 3]</answer> when no candidate fits"
    )
    """What an answer of another form is told."""

    def forced(self, count: int) -> str:
        """Return the form in a request for the answer."""
        return (
            f"Answer now with all {count} candidate numbers: <answer>[...]</answer>, "
            "or <answer>none [...]</answer> when no candidate fits"
        )

    def read(self, inner: str) -> RankingOrNoneAnswer | None:
        """Read a list of numbers in brackets, with or without `none` before it."""
        found = _OR_NONE.fullmatch(inner.strip())
        if found is None:
            return None
        return RankingOrNoneAnswer(numbers=_numbers(found[2]), none_fits=found[1] is not None)

    def settled(self, answer: Answer, count: int) -> Settled | None:
        """Repair the order and take the verdict over."""
        none_fits = isinstance(answer, RankingOrNoneAnswer) and answer.none_fits
        return _settled(answer, count, Verdict.NOTHING_FITS if none_fits else Verdict.RANKED)

    def grammar(self, count: int, *, whole_turn: bool, complete: bool) -> Grammar | None:
        """Return the constraint on a list of numbers in brackets, with or without `none` before it."""
        return _grammar("<answer>", "none [", count, whole_turn=whole_turn, complete=complete)


FORMS: dict[str, AnswerForm] = {form.name: form for form in (RankingForm(), RankingOrNoneForm())}
"""The forms by name."""


def repair(answer: Sequence[int], count: int) -> tuple[tuple[int, ...], Repairs] | None:
    """Return a permutation of 1..count and what was changed, or None when no number of the answer is usable.

    Out-of-range numbers are dropped, then repeats, then the missing ones are appended in the order given.
    """
    outside = tuple(number for number in answer if not 1 <= number <= count)
    inside = [number for number in answer if 1 <= number <= count]
    named = tuple(dict.fromkeys(inside))
    if not named:
        return None
    seen: set[int] = set()
    repeated = tuple(number for number in inside if number in seen or seen.add(number))  # type: ignore[func-returns-value]
    missing = tuple(number for number in range(1, count + 1) if number not in seen)
    return (*named, *missing), Repairs(out_of_range=outside, repeated=repeated, missing=missing)


def _settled(answer: Answer, count: int, verdict: Verdict) -> Settled | None:
    repaired = repair(answer.numbers, count)
    return repaired and Settled(verdict=verdict, order=repaired[0], repairs=repaired[1])


def _numbers(content: str) -> tuple[int, ...]:
    return tuple(int(number) for number in content[1:-1].split(","))


def _grammar(opening: str, between: str, count: int, *, whole_turn: bool, complete: bool) -> Grammar | None:
    """Return a constraint: `opening`, perhaps `between`, numbers of at most three digits, the closing.

    A list that has to end early is allowed by the pattern: an answer that names too few is repaired and marked, one
    that is cut off is lost.
    """
    if not 1 <= count <= MOST:
        return None
    number = "[1-9][0-9]{0,2}"
    times = f"{{0,{count - 1}}}" if complete and count <= COUNTED else "*"
    head = r"<answer>(none )?\[" if between else r"<answer>\["
    everything = ", ".join(map(str, range(1, count + 1)))
    return Grammar(
        pattern=rf"{head}{number}(, ?{number}){times}\]</answer>",
        opening=opening,
        whole_turn=whole_turn,
        permutation=count if complete else None,
        longest=len(between) + len(everything) + len("]</answer>"),
    )
