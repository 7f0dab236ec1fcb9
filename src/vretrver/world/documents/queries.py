"""What the documents are asked for: three facts each, written in another way than they stand there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...prng import Stream
from .content import FACTS, WORDS, Content, FactName, twin_of, written_day, written_sum

Sort = Literal["single", "twin", "swapped", "unanswerable"]
"""Whether a document has no twin, one that differs in a fact asked for, one that has sum and deposit the other way
round, or whether no document fits at all."""

MOST_TRIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentQuery:
    """One query."""

    qid: str
    """Its name."""
    text: str
    """Its words."""
    sort: Sort
    """What makes it easy or hard."""
    answer: int | None
    """Number of the document that fits; None where none does."""


def queries_of(
    documents: Sequence[Content], twins: dict[int, int], seed: int, *, unanswerable: int
) -> list[DocumentQuery]:
    """Return a query for every document, and some that no document fits.

    Args:
        documents: by number.
        twins: number -> number of the other of a pair, both ways.
        seed: of the words.
        unanswerable: how many queries have no answer.
    """
    asked = []
    for number, content in enumerate(documents):
        other = documents[twins[number]] if number in twins else content
        change = other.changed or content.changed
        stream = Stream(seed, "query", number)
        facts = _three(stream, "total" if change == "swapped" else change)
        sort: Sort = "single" if change is None else "swapped" if change == "swapped" else "twin"
        asked.append(DocumentQuery(qid=f"q{number}", text=_text(content, facts, stream), sort=sort, answer=number))
    for number in range(unanswerable):
        stream = Stream(seed, "unanswerable", number)
        facts = _three(stream, None)
        wanted = _like_none(documents, facts, stream)
        asked.append(
            DocumentQuery(qid=f"none{number}", text=_text(wanted, facts, stream), sort="unanswerable", answer=None)
        )
    return asked


def _three(stream: Stream, needed: FactName | None) -> tuple[FactName, ...]:
    """Return three facts in some order, among them the one that is needed."""
    order = [FACTS[place] for place in stream.permutation(len(FACTS))]
    left_out = next(fact for fact in order if fact != needed)
    return tuple(fact for fact in order if fact != left_out)


def _like_none(documents: Sequence[Content], facts: Sequence[FactName], stream: Stream) -> Content:
    """Return a document that is like one of these but for one of the facts, and is none of them."""
    known = {_key(content, facts) for content in documents}
    for _ in range(MOST_TRIES):
        wanted = twin_of(stream.choice(documents), stream.choice(facts), stream)
        if _key(wanted, facts) not in known:
            return wanted
    raise ValueError(f"no document unlike the {len(documents)} was drawn in {MOST_TRIES} tries")


def _key(content: Content, facts: Sequence[FactName]) -> tuple[object, ...]:
    values = {"name": content.name, "date": content.day, "total": content.cents, "code": content.code}
    return tuple(values[fact] for fact in facts)


def _text(content: Content, facts: Sequence[FactName], stream: Stream) -> str:
    words = {name: word.lower() for name, word in WORDS[content.language].items()}
    style = content.style + 1 + stream.below(2)
    said: dict[FactName, str] = {
        "name": content.name,
        "date": written_day(content.day, content.language, style),
        "total": f"{words['total']} {written_sum(content.cents, content.language, 0)}",
        "code": content.code if stream.below(2) else f"{words['code']} {content.code}",
    }
    return " ".join([words[content.kind], *(said[fact] for fact in facts)])
