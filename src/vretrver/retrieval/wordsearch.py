"""The words of a corpus, searched: an index of them with what it needs to know of the items."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..records import Candidate, Citation, Query
from ..text.reader import Texts
from .index import Found
from .lexical.citation import citation_of
from .lexical.index import Admits, LexicalIndex, QueryWords
from .lexical.lines import NoTexts


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSearch:
    """A lexical index over the items of a corpus."""

    index: LexicalIndex
    """Finds items by their words."""
    texts: Texts = field(default_factory=NoTexts)
    """Where the lines that were read on pictures are."""
    admits: Admits | None = None
    """Says which items may be found; None admits all that are indexed."""
    alone: bool = False
    """Whether vectors are left out."""

    def ask(self, query: Query) -> QueryWords:
        """Return the words of a query that stand in some item, and those that stand in none."""
        return self.index.ask(query.text)

    def search(self, query: Query, k: int) -> Found:
        """Return the k best (did, score) of a query's text, best first."""
        (found,) = self.index.search([query.text], k, admits=self.admits)
        return found

    def cite(self, candidate: Candidate, asked: QueryWords) -> Citation | None:
        """Return the line of an item that matches a query best; None where none holds a word of it."""
        return citation_of(candidate, asked.weights, self.texts) if asked.weights else None
