"""Where the texts of a document stand on its page, in points from the upper left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...prng import Stream
from .content import WORDS, Content, FactName, written_day, written_sum

FONTS = (
    "Helvetica", "Times-Roman", "Courier", "Helvetica-Bold", "Times-Bold", "Courier-Bold", "Helvetica-Oblique",
    "Times-Italic",
)  # fmt: skip
"""Fonts that every reader of PDF has: the first three are for running text, their bold forms 3 further on."""

A4 = (595.0, 842.0)
TILL = (230.0, 460.0)
"""Width and height in points of a page and of a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedText:
    """A text at its place."""

    text: str
    """One line."""
    x: float
    """Where it begins, from the left."""
    y: float
    """Its baseline, from the top."""
    font: str
    """One of `FONTS`."""
    size: float
    """Height of the font in points."""
    fact: FactName | None = None
    """The fact that it prints, and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page with its texts."""

    size: tuple[float, float]
    """(width, height) in points."""
    runs: tuple[PlacedText, ...]
    """Its texts."""


def laid_out(content: Content, stream: Stream) -> Page:
    """Return the page of a document; the stream chooses its font, its size and how it is arranged."""
    body = stream.below(3)
    pen = _Pen(content, FONTS[body], FONTS[body + 3], stream)
    runs = tuple(pen.receipt() if content.kind == "receipt" else pen.sheet())
    return Page(size=TILL if content.kind == "receipt" else A4, runs=runs)


class _Pen:
    """Writes one page from the top to the bottom."""

    def __init__(self, content: Content, font: str, bold: str, stream: Stream) -> None:
        self.content, self.font, self.bold = content, font, bold
        self.words = WORDS[content.language]
        self.size = stream.between(18, 24) / 2
        self.right, self.apart = stream.between(300, 400), stream.below(2) == 1
        self.y = float(stream.between(60, 100))

    def sheet(self) -> Iterator[PlacedText]:
        """Yield an invoice or a letter: to whom, what, the facts in two columns, goods and sum."""
        content, words = self.content, self.words
        yield self._run(content.name, 60, fact="name")
        yield self._down("Lindenweg 12")
        yield self._down("20095 Hamburg")
        self.y += 40
        yield self._run(words[content.kind], 60, font=self.bold, size=self.size * 1.5)
        self.y += 14
        yield from self._labelled("code", content.code, fact="code")
        yield from self._labelled("date", content.printed("date"), fact="date")
        if content.kind == "letter":
            yield self._down(words["greeting"], before=24)
            yield self._down(words["body"], before=8)
        self.y += 16
        for name, price in content.goods:
            yield from self._pair(name, written_sum(price, content.language, content.style))
        yield from self._pair(words["paid"], self._sum(content.paid), before=8)
        yield from self._pair(words["total"], content.printed("total"), fact="total", font=self.bold)
        self.y += 20
        yield from self._labelled("due", written_day(content.due, content.language, content.style))
        if content.kind == "letter":
            yield self._down(words["regards"], before=24)

    def receipt(self) -> Iterator[PlacedText]:
        """Yield a receipt: one narrow column."""
        content, words = self.content, self.words
        self.size, self.right, self.y = min(self.size, 9.5), 130, 36.0
        yield self._run(words["receipt"], 20, font=self.bold, size=self.size * 1.4)
        yield from self._labelled("code", content.code, fact="code", x=20)
        yield from self._labelled("date", content.printed("date"), fact="date", x=20)
        self.y += 10
        for name, price in content.goods:
            yield from self._pair(name, self._sum(price), x=20)
        yield from self._pair(words["paid"], self._sum(content.paid), x=20, before=6)
        yield from self._pair(words["total"], content.printed("total"), x=20, fact="total", font=self.bold)
        self.y += 10
        yield from self._labelled("name", content.name, fact="name", x=20)

    def _sum(self, cents: int) -> str:
        return written_sum(cents, self.content.language, self.content.style)

    def _labelled(
        self, word: str, value: str, *, fact: FactName | None = None, x: float = 60
    ) -> Iterator[PlacedText]:
        """Yield a label and, behind it, its value."""
        behind = x + (6.6 if self.apart else 5.6) * self.size
        yield from self._pair(f"{self.words[word]}:", value, fact=fact, x=x, right=behind + 20)

    def _pair(
        self,
        left: str,
        right_text: str,
        *,
        fact: FactName | None = None,
        x: float = 60,
        right: float | None = None,
        before: float = 0,
        font: str | None = None,
    ) -> Iterator[PlacedText]:
        self.y += before + self.size * 1.6
        yield self._run(left, x, font=font)
        yield self._run(right_text, self.right if right is None else right, fact=fact, font=font)

    def _down(self, text: str, *, before: float = 0) -> PlacedText:
        self.y += before + self.size * 1.4
        return self._run(text, 60)

    def _run(
        self, text: str, x: float, *, fact: FactName | None = None, font: str | None = None, size: float | None = None
    ) -> PlacedText:
        return PlacedText(text=text, x=x, y=self.y, font=font or self.font, size=size or self.size, fact=fact)
