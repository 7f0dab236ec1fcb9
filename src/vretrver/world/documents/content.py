"""What stands in the drawn documents: four facts each, of which a twin changes one or swaps two places."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ...prng import Stream

Kind = Literal["letter", "invoice", "receipt"]
KINDS: tuple[Kind, ...] = ("letter", "invoice", "receipt")

FactName = Literal["name", "date", "total", "code"]
FACTS: tuple[FactName, ...] = ("name", "date", "total", "code")
"""The facts of every document: a person or a shop, the day, the sum, the number or reference."""

_FIRST = "Anna Bruno Clara David Elena Felix Greta Henrik Irina Jonas Katja Lukas Marta Nora Oskar Paula"
_LAST = (
    "Schmidt Novak Berger Lindqvist Okafor Tanaka Moreau Rossi Keller Hartmann Petersen Dvorak Fischer Almeida "
    "Brandt Castellano Drummond Eriksson Fontaine Gallagher Hofstetter Ivanova Jankowski Kowalczyk"
)
_GOODS = (
    "Desk lamp|Oak shelf|Printer paper|Ink cartridge|Repair work|Delivery|Garden chair|Copper pipe|Paint, white|"
    "Door handle|Coffee beans|Notebook A5|USB cable|Wall clock|Cleaning|Travel costs"
)
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "letter": "Letter", "invoice": "Invoice", "receipt": "Receipt", "name": "Customer", "date": "Date",
        "total": "Total", "code": "Number", "due": "Payable until", "paid": "Deposit", "of": "of",
        "greeting": "Dear Sir or Madam,", "regards": "Yours sincerely",
        "body": "please find below what we have agreed upon by telephone.",
    },
    "de": {
        "letter": "Brief", "invoice": "Rechnung", "receipt": "Quittung", "name": "Kunde", "date": "Datum",
        "total": "Summe", "code": "Nummer", "due": "Zahlbar bis", "paid": "Anzahlung", "of": "von",
        "greeting": "Sehr geehrte Damen und Herren,", "regards": "Mit freundlichen Grüßen",
        "body": "hier die Aufstellung, wie am Telefon besprochen.",
    },
}  # fmt: skip
"""Language -> what a thing is called on a document and in a query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one document says."""

    kind: Kind
    """What it is."""
    language: Literal["en", "de"]
    """Language of its words, and how it writes days and sums."""
    name: str
    """The person it is for."""
    day: datetime.date
    """Its day."""
    cents: int
    """Its sum in hundredths."""
    code: str
    """Its number."""
    due: datetime.date
    """The day by which it is to be paid; a receipt prints none."""
    paid: int
    """What was paid before, in hundredths."""
    goods: tuple[tuple[str, int], ...] = ()
    """Lines of goods with their prices in hundredths."""
    style: int = 0
    """Which of the ways of writing days and sums it uses."""
    changed: FactName | Literal["swapped"] | None = field(default=None)
    """What a twin has otherwise than its original; `swapped` is sum and deposit in one another's place."""

    def printed(self, fact: FactName) -> str:
        """Return a fact as it stands on the document."""
        written = {
            "name": self.name,
            "date": written_day(self.day, self.language, self.style),
            "total": written_sum(self.cents, self.language, self.style),
            "code": self.code,
        }
        return written[fact]


def draw_content(stream: Stream) -> Content:
    """Return a document that is drawn from a stream."""
    day = datetime.date(2019, 1, 1) + datetime.timedelta(days=stream.below(6 * 365))
    goods = tuple(
        (stream.choice(_GOODS.split("|")), stream.between(150, 60_000)) for _ in range(stream.between(1, 4))
    )
    cents = sum(price for _, price in goods)
    return Content(
        kind=stream.choice(KINDS),
        language=stream.choice(("en", "de")),
        name=_name(stream),
        day=day,
        cents=cents,
        code=_code(stream),
        due=day + datetime.timedelta(days=stream.between(7, 40)),
        paid=stream.between(100, cents - 1),
        goods=goods,
        style=stream.below(12),
    )


def twin_of(content: Content, change: FactName | Literal["swapped"], stream: Stream) -> Content:
    """Return a document that says the same but for one fact, or with sum and deposit in one another's place."""
    if change == "swapped":
        return replace(content, cents=content.paid, paid=content.cents, changed=change)
    changes: dict[FactName, dict[str, object]] = {
        "name": {"name": _name(stream)},
        "date": {"day": content.day + datetime.timedelta(days=stream.between(1, 60))},
        "total": {"cents": content.cents + stream.between(1, 9) * 10 ** stream.below(4)},
        "code": {"code": _code(stream)},
    }
    changed: dict[str, object] = changes[change]
    return replace(content, **changed, changed=change)  # type: ignore[arg-type]  # fields by name


def written_day(day: datetime.date, language: str, style: int) -> str:
    """Return a day in one of the ways of a language."""
    month = _MONTHS[language].split()[day.month - 1]
    english = (f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}", day.isoformat())
    german = (f"{day.day}. {month} {day.year}", f"{day.day:02}.{day.month:02}.{day.year}", day.isoformat())
    return (english if language == "en" else german)[style % 3]


def written_sum(cents: int, language: str, style: int) -> str:
    """Return a sum in one of the ways of a language."""
    grouped = f"{cents // 100:,}.{cents % 100:02}"
    if language == "de":
        grouped = grouped.replace(",", "_").replace(".", ",").replace("_", ".")
    return (grouped, f"{grouped} EUR", f"{grouped} \N{EURO SIGN}", f"EUR {grouped}")[style % 4]


def _name(stream: Stream) -> str:
    return f"{stream.choice(_FIRST.split())} {stream.choice(_LAST.split())}"


def _code(stream: Stream) -> str:
    letters = "".join(stream.choice("ABCDEFGHKLMNPRSTUVWXYZ") for _ in range(2))
    return f"{letters}-{stream.between(2019, 2025)}-{stream.below(10_000):04}"
