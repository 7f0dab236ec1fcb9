"""Tokens of texts, made alike for index and query.

A word gives itself in NFKC and casefolded, and without accents where that differs; compounds give their parts and the
whole. A date, an amount, a number or a code gives its normal form (see `text.facts`) behind a `=`, and its parts.
Scripts without spaces give every character and every pair. `Müller's INV-2024/0173` gives

    müllers mullers müller muller s  =inv-2024/0173 =inv20240173 inv2024 inv 2024 0173

Nothing here raises for any text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from ...text.facts import Fact, facts_in
from ...text.months import folded
from ...text.numbers import digits_of

VERSION = 1
"""Changes whenever a text gives other tokens; an index of another version is made anew."""

LONGEST = 64
"""Characters of a token; longer words are cut."""

MOST = 50_000
"""Tokens of one text; what follows is left out."""

_UNSPACED = (  # Han, kana, Hangul, Thai, Lao, Myanmar, Khmer
    "\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\u0e01-\u0e3a\u0e40-\u0e4e"
    "\u0e80-\u0ece\u1000-\u103f\u1780-\u17d3\U00020000-\U0003ffff"
)
_MARKS = (  # accents and vowel signs, which `\w` leaves out
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u0a01-\u0a03\u0a3c-\u0a51"
    "\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57\u0b82\u0bbe-\u0bd7\u0c00-\u0c04\u0c3c-\u0c56\u0c81-\u0c83"
    "\u0cbc-\u0cd6\u0d00-\u0d03\u0d3b-\u0d4d\u0dca-\u0ddf"
)
_LETTER = rf"(?:[^\W_{_UNSPACED}]|[{_MARKS}])"
_PIECE = re.compile(
    rf"(?P<unspaced>[{_UNSPACED}]+)|(?P<sign>[\u2600-\u27bf\U0001f300-\U0001faff])"
    rf"|(?P<word>{_LETTER}+(?:['\u2019\u02bc\u2010\u2011-]{_LETTER}+){{0,6}})"
)
_MARKED = re.compile("['\u2019\u02bc\u2010\u2011-]")
_AROUND = ".,;:!?()[]{}<>\"'\u2018\u2019\u201c\u201d\u00ab\u00bb\u2026"
_ALIKE = re.compile(r"\d+|\D+")
_UNSEEN = re.compile("[\u00ad\u0640\u200b-\u200f\u2060\ufeff]|[-\u2010]\r?\n(?=[^\\W\\d_])")
"""Characters that are not seen, and the hyphen of a word that goes on in the next line."""

LITTLE_WORDS = frozenset(
    word
    for line in (
        "a an and are as at be but by for from has have in is it its of on or that the their them there this to was",
        "were which while who with my me i you your we our over about show find",
        "can do does did not no must what when where how why",
        "der die das und ein eine einer eines im in am mit von zu auf ist fur den dem des",
        "le la les un une des du de et en dans sur avec pour est au aux",
        "el los las una y del con por para es al lo gli il di e per che",
    )
    for word in line.split()
)
"""Words that say nothing of what is wanted; a query leaves them out where it has others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word, number or code of a query."""

    text: str
    """As it stands in the query."""
    levels: tuple[tuple[str, ...], ...]
    """Tokens to look for, at least one level of at least one; the first level counts of which any is known."""


def tokens(text: str) -> list[str]:
    """Return the tokens of a text, in no order that matters, with repetitions, at most `MOST`."""
    found: list[str] = []
    for line in text.splitlines():
        for fact in facts_in(line):
            found += _forms(fact, days=True)
    for piece in _pieces(text):
        found += piece
        if len(found) >= MOST:
            break
    return found[:MOST]


def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of a query in order, each once; little words only where there are no others."""
    words: dict[tuple[tuple[str, ...], ...], Word] = {}
    left = text
    for fact in facts_in(text):
        start, end = fact.span
        forms = tuple(_forms(fact, days=False))
        parts = tuple(token for piece in _pieces(text[start:end]) for token in piece)
        whole = len(parts) == 1  # 2024 may stand alone or in a date, so both are looked for
        _add(words, text[start:end], *([forms + parts] if whole else [forms, parts]))
        left = f"{left[:start]}{' ' * (end - start)}{left[end:]}"
    for chunk in left.split():
        matches = list(_PIECE.finditer(_visible(chunk)))
        for match in matches:
            exact = tuple(_of_piece(match, pairs_only=True))
            shown = chunk.strip(_AROUND) if len(matches) == 1 else match[0]
            _add(words, shown, exact, _other_number(exact))
    telling = [word for word in words.values() if folded(word.text) not in LITTLE_WORDS]
    return tuple(telling or words.values())


def _add(words: dict[tuple[tuple[str, ...], ...], Word], text: str, *levels: tuple[str, ...]) -> None:
    kept = tuple(tuple(dict.fromkeys(level)) for level in levels if level)
    if kept:
        words.setdefault(kept, Word(text=text, levels=kept))


def _other_number(exact: tuple[str, ...]) -> tuple[str, ...]:
    """Return the plural of a word, or its singular, as English and several other languages write them with an s."""
    if len(exact) != 1 or len(exact[0]) < 3 or not exact[0].isalpha():
        return ()
    word = exact[0]
    return (word[:-1], word.removesuffix("es")) if word.endswith("s") else (f"{word}s", f"{word}es")


def _forms(fact: Fact, *, days: bool) -> Iterator[str]:
    """Yield the tokens of a fact; where `days`, a day gives its month too, so that a month finds its days."""
    for form in fact.forms:
        if fact.kind in ("amount", "number") and "." in form:
            form = form.rstrip("0").rstrip(".")  # 20.00 is 20
        yield f"={form}"
        if days and fact.kind == "date" and len(form) > len("2024-03"):
            yield f"={form[:7]}"


def _visible(text: str) -> str:
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()


def _pieces(text: str) -> Iterator[list[str]]:
    for match in _PIECE.finditer(_visible(text)):
        yield list(_of_piece(match, pairs_only=False))


def _of_piece(match: re.Match[str], *, pairs_only: bool) -> Iterator[str]:
    """Yield the tokens of a piece; a query's pairs stand for their characters, which alone say too little."""
    piece = match[0]
    if match["sign"]:
        yield piece
    elif match["unspaced"]:
        if not pairs_only or len(piece) == 1:
            yield from piece
        yield from (piece[place : place + 2] for place in range(len(piece) - 1))
    else:
        parts = _MARKED.split(piece)
        if len(parts) > 1:
            yield from _spellings("".join(parts))
        for part in parts:
            alike = _ALIKE.findall(part)
            for run in alike:
                yield from _spellings(run)
            if len(alike) > 1:
                yield from _spellings(part)


def _spellings(word: str) -> Iterator[str]:
    """Yield a word, and the same without accents where that is another."""
    if word.isascii():
        yield word[:LONGEST]
        return
    word = digits_of(word)
    yield word[:LONGEST]
    plain = folded(word)
    if plain and plain != word:
        yield plain[:LONGEST]
