"""What a parsed filter consists of; `filters` makes it of a text, and both indexes search by it."""

from __future__ import annotations

from dataclasses import dataclass

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with a value of its kind."""

    field: str
    sign: str
    """One of = != < <= > >=."""
    value: Scalar


@dataclass(frozen=True, slots=True)
class InList:
    """A field whose value is in a list."""

    field: str
    values: tuple[Scalar, ...]
    """At least one."""


@dataclass(frozen=True, slots=True)
class Like:
    """A text that matches a LIKE pattern."""

    field: str
    pattern: Scalar


@dataclass(frozen=True, slots=True)
class Span:
    """A date from one to before another, written as in `dates.span_of`; one of the two may be missing."""

    field: str
    first: str | None
    """The first moment; None has no beginning."""
    end: str | None
    """The moment after the last; None has no end."""


@dataclass(frozen=True, slots=True)
class PartOf:
    """A part of a date compared with a whole number."""

    field: str
    part: str
    """A key of `dates.PARTS`."""
    sign: str
    """One of = < <= > >=."""
    value: int


@dataclass(frozen=True, slots=True)
class IsNull:
    """A field without a value; unlike the other terms it is always true or false."""

    field: str


@dataclass(frozen=True, slots=True)
class Not:
    """A negated term."""

    term: Term


@dataclass(frozen=True, slots=True)
class Junction:
    """Terms joined by AND or by OR."""

    word: str
    """AND or OR."""
    terms: tuple[Term, ...]
    """At least two."""


Term = Comparison | InList | Like | Span | PartOf | IsNull | Not | Junction
