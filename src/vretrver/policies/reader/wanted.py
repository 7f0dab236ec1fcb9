"""What a query asks for: dates, amounts, numbers, codes, quoted words, names, and the words that remain.

invoice 12 March 2024 total 118.40 Anna Schmidt
word    date          word  number name
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ...text.facts import Fact, facts_in
from ...text.months import folded

WantedKind = Literal["date", "amount", "number", "code", "quoted", "name", "word"]

HARD: frozenset[WantedKind] = frozenset(("date", "amount", "number", "code", "quoted", "name"))
"""Kinds that a candidate has to show in order to fit; words only bring it closer."""

_QUOTED = re.compile(
    r'"([^"\n]{2,80})"|\u201c([^\u201d\n]{2,80})\u201d|\u201e([^\u201c\u201d\n]{2,80})[\u201c\u201d]'
)
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_KINDS_OF_DOCUMENT = (
    "invoice bill receipt letter order offer contract statement report rechnung quittung beleg brief bestellung "
    "angebot vertrag facture recu lettre factura recibo carta fattura"
)
_LABELS = (
    "total sum amount subtotal net gross vat tax due paid deposit balance date dated number no nr code reference ref "
    "customer client payable until summe gesamt betrag netto brutto mwst steuer anzahlung datum nummer kunde kundin "
    "zahlbar bis montant numero importe fecha cliente totale importo data"
)
_EMPTY = (
    "a an the of from for to with at on in by and or is are was that this which show find me my please der die das "
    "den dem des ein eine einer vom von mit und oder zum zur im am bei ist le la les un une du de des avec et el los "
    "y con il lo"
)
_BESIDE = {
    "date": "date datum fecha data",
    "amount": "total sum amount summe gesamt betrag montant importe totale importo",
    "code": "number no nr nummer reference ref numero code",
    "name": "customer client kunde kundin cliente",
}
"""Kind -> labels of it that are common."""

_KIND_WORDS, _LABEL_WORDS, _EMPTY_WORDS = (
    frozenset(words.split()) for words in (_KINDS_OF_DOCUMENT, _LABELS, _EMPTY)
)
_BETWEEN = 12
"""Characters that may stand between a label and what it belongs to, as ` no.: `."""

MOST = 24
"""Most things a query is asked for; the rest of a long query is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One thing that a query asks for."""

    kind: WantedKind
    """What it is."""
    text: str
    """As the query has it."""
    fact: Fact | None = None
    """Its forms, of a date, amount, number or code."""
    label: str = ""
    """The word of the query that says which of several it is, folded, as `total`; empty where none does."""

    @property
    def hard(self) -> bool:
        """Whether a candidate has to show it in order to fit."""
        return self.kind in HARD

    @property
    def labels(self) -> frozenset[str]:
        """Words beside which it may stand, folded: the query's label, or those of its kind."""
        if self.label:
            return frozenset((self.label,))
        return frozenset(_BESIDE.get("amount" if self.kind == "number" else self.kind, "").split())

    @property
    def form(self) -> str:
        """The likeliest form of a fact, or the text."""
        return self.text if self.fact is None else self.fact.forms[0]


def wanted_in(query: str) -> tuple[Wanted, ...]:
    """Return what a query asks for, in its order, each once."""
    found: list[tuple[int, Wanted]] = []
    left = query
    for match in _QUOTED.finditer(query):
        found.append((match.start(), Wanted(kind="quoted", text=next(group for group in match.groups() if group))))
        left = _blanked(left, match.span())
    for fact in _apart(facts_in(left)):
        start, end = fact.span
        wanted = Wanted(kind=fact.kind, text=query[start:end], fact=fact, label=_label(left, start))
        found.append((start, wanted))
    for _, wanted in found:
        if wanted.fact is not None:
            left = _blanked(left, wanted.fact.span)
    found += _words(left)
    found.sort(key=lambda pair: pair[0])
    return tuple(dict.fromkeys(wanted for _, wanted in found))[:MOST]


def tokens_of(text: str) -> list[str]:
    """Return the words and numbers of a text, without case and accents."""
    return _WORD.findall(folded(text))


def _apart(facts: tuple[Fact, ...]) -> list[Fact]:
    """Return the facts of which none lies inside another: of two at one place, the longer."""
    longest = sorted(facts, key=lambda fact: fact.span[0] - fact.span[1])
    kept: list[Fact] = []
    for fact in longest:
        if all(fact.span[1] <= one.span[0] or fact.span[0] >= one.span[1] for one in kept):
            kept.append(fact)
    return kept


def _label(query: str, start: int) -> str:
    """Return the label that stands before a place, or nothing."""
    before = [*_WORD.finditer(query[:start])][-3:]
    for match in reversed(before):
        word = folded(match[0])
        if start - match.end() > _BETWEEN or (word not in _LABEL_WORDS and word not in _EMPTY_WORDS):
            return ""
        if word in _LABEL_WORDS:
            return word
        start = match.start()
    return ""


def _words(left: str) -> list[tuple[int, Wanted]]:
    """Return the names and the other words of what is left of a query, with their places.

    A name is a run of words with capitals; one that begins the query and stands alone may be there for the sentence.
    """
    found: list[tuple[int, Wanted]] = []
    run: list[re.Match[str]] = []
    for match in _WORD.finditer(left):
        word = folded(match[0])
        if _is_name(match[0], word):
            if run and left[run[-1].end() : match.start()].strip(" ."):
                found += _named(left, run)
                run = []
            run.append(match)
            continue
        found += _named(left, run)
        run = []
        if word not in _EMPTY_WORDS and word not in _LABEL_WORDS and len(word) > 1:
            found.append((match.start(), Wanted(kind="word", text=match[0])))
    return found + _named(left, run)


def _is_name(written: str, word: str) -> bool:
    return written[0].isupper() and word not in (_EMPTY_WORDS | _LABEL_WORDS | _KIND_WORDS)


def _named(left: str, run: list[re.Match[str]]) -> list[tuple[int, Wanted]]:
    if not run:
        return []
    start, end = run[0].start(), run[-1].end()
    alone = len(run) == 1 and not left[:start].strip()
    return [(start, Wanted(kind="word" if alone else "name", text=left[start:end]))]


def _blanked(text: str, span: tuple[int, int]) -> str:
    return f"{text[: span[0]]}{chr(0) * (span[1] - span[0])}{text[span[1] :]}"
