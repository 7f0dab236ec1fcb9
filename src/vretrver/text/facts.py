"""Facts in a text: dates, amounts, numbers and codes, in forms that do not depend on how they were written.

    Invoice INV-2024/0173 of 12 March 2024: 1.234,50 EUR
            code             date           amount
            inv-2024/0173    2024-03-12     1234.50

A query and a document are compared by these forms; see `agree`. Nothing here raises for any text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from .dates import dates_in
from .numbers import AMOUNT, LETTER, NUMBER, as_money, digits_of, readings

FactKind = Literal["date", "amount", "number", "code"]
"""What a fact is: a day or month, money, a number, or a run of letters and digits that names something."""

_CODE = re.compile(rf"[\d{LETTER}]+(?:[-\u2010-\u2013_/.#][\d{LETTER}]+|(?<=\d):(?=\d)\d+){{0,12}}")
_ACCOUNT = re.compile(
    r"(?<!\w)(?:[A-Z]{2}\d{2}|\d{4})(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)", re.IGNORECASE
)
_PHONE = re.compile(r"(?<![\w+.,/-])(?:\+|\(0|0(?=\d))[\d ()/.\u2013-]{5,22}\d(?![\w])")
_PHONE_DIGITS = (7, 15)
_LONGEST = 64
"""Characters of a code; a longer run names nothing that anybody types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A date, an amount, a number or a code in a text."""

    kind: FactKind
    """What it is."""
    span: tuple[int, int]
    """Where it stands in the text: start, end."""
    forms: tuple[str, ...]
    """What it may mean, the likelier form first, at least one: a date as 2024-03-12 or, of a month, 2024-03; an
    amount as 1234.50; a number as 1234.5; a code casefolded, as written and, where it has marks, without them."""


def facts_in(text: str) -> tuple[Fact, ...]:
    """Return the facts of a text in the order in which they begin.

    They do not overlap, except that a date inside a code (`scan-2024-03-12.pdf`) or in eight digits (`20240312`) is
    found beside the code or the number.
    """
    if not any(letter.isdecimal() for letter in text):
        return ()
    facts: list[Fact] = []
    left = _without_dates(text, facts)
    for pattern, read in _KINDS:
        left = pattern.sub(_taker(read, facts), left)
    return tuple(sorted(facts, key=lambda fact: (fact.span, fact.kind)))


def agree(one: Fact, other: Fact) -> bool:
    """Return whether two facts may mean the same.

    Amounts and numbers are compared by value (`20` is `20.00`), a month agrees with its days, a code with a number of
    the same digits.
    """
    if one.kind == "date" or other.kind == "date":
        return one.kind == other.kind and any(_same_day(a, b) for a in one.forms for b in other.forms)
    if "code" in (one.kind, other.kind):
        return not set(one.forms).isdisjoint(other.forms)
    return not {Decimal(form) for form in one.forms}.isdisjoint(map(Decimal, other.forms))


def _same_day(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _without_dates(text: str, facts: list[Fact]) -> str:
    """Add the dates to `facts` and return the text with those blanked that are part of nothing longer."""
    taken, left = [False] * len(text), list(text)
    for start, end, forms in dates_in(text):
        if any(taken[start:end]):
            continue
        taken[start:end] = [True] * (end - start)
        facts.append(Fact(kind="date", span=(start, end), forms=forms))
        if not (text[start:end].isdecimal() or _is_glued(text, start - 1, -1) or _is_glued(text, end, 1)):
            left[start:end] = "\0" * (end - start)
    return "".join(left)


def _is_glued(text: str, place: int, step: int) -> bool:
    """Return whether a mark stands at a place and a letter or digit behind it, so that what is beside it goes on."""
    return (
        0 <= place < len(text)
        and text[place] in "-_/.#"
        and 0 <= place + step < len(text)
        and text[place + step].isalnum()
    )


_Read = Callable[[re.Match[str]], tuple[FactKind, tuple[str, ...]] | None]


def _taker(read: _Read, facts: list[Fact]) -> Callable[[re.Match[str]], str]:
    """Return what adds a match to `facts` and blanks it, or leaves it for the next pattern."""

    def take(match: re.Match[str]) -> str:
        found = read(match)
        if found is None:
            return match[0]
        kind, forms = found
        facts.append(Fact(kind=kind, span=match.span(), forms=forms))
        return "\0" * len(match[0])

    return take


def _account(match: re.Match[str]) -> tuple[FactKind, tuple[str, ...]] | None:
    """Read an IBAN whose check digits are right, or the digits of a card, in groups of four."""
    joined = match[0].replace(" ", "").casefold()
    if joined.isdecimal():
        return ("code", (digits_of(joined),)) if " " in match[0] else None
    if not joined.isascii() or not joined[:2].isalpha():
        return None
    checked = int("".join(str(int(letter, 36)) for letter in joined[4:] + joined[:4])) % 97
    return ("code", (joined,)) if checked == 1 else None


def _phone(match: re.Match[str]) -> tuple[FactKind, tuple[str, ...]] | None:
    text = match[0].replace("(0)", "") if match[0].startswith("+") else match[0]
    digits = digits_of("".join(letter for letter in text if letter.isdecimal()))
    few, many = _PHONE_DIGITS
    if not few <= len(digits) <= many or digits == digits_of(match[0]):
        return None
    return "code", (digits,)


def _amount(match: re.Match[str]) -> tuple[FactKind, tuple[str, ...]] | None:
    number = match["after"] or match["before"] or match["dash"]
    return "amount", tuple(as_money(form) for form in readings(number))


def _number(match: re.Match[str]) -> tuple[FactKind, tuple[str, ...]] | None:
    plain = digits_of(match["number"])
    if plain.isdecimal() and plain[0] == "0" and len(plain) > 1:
        return "code", (plain,)  # the zeros before it are part of a name: 0173 is not 173
    return "number", readings(plain)


def _code(match: re.Match[str]) -> tuple[FactKind, tuple[str, ...]] | None:
    if not any(letter.isdecimal() for letter in match[0]) or len(match[0]) > _LONGEST:
        return None
    whole = digits_of(unicodedata.normalize("NFKC", match[0]).casefold())
    return "code", tuple(dict.fromkeys((whole, "".join(letter for letter in whole if letter.isalnum()))))


_KINDS: tuple[tuple[re.Pattern[str], _Read], ...] = (
    (_ACCOUNT, _account),
    (AMOUNT, _amount),
    (_PHONE, _phone),
    (NUMBER, _number),
    (_CODE, _code),
)
