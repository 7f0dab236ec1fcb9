"""Of an item that was found by words, the line that says why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...records import Candidate, Citation
from ...text.reader import Texts
from .lines import lines_of, words_text
from .tokens import tokens

_SENTENCE = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+(?=\S)")
_LONG = 200
"""Characters from which a line of text is cited by its best sentence."""


def citation_of(candidate: Candidate, weights: Mapping[str, float], store: Texts) -> Citation | None:
    """Return the line of an item that matches a query best; None where no line holds a word of it.

    Args:
        candidate: the item.
        weights: token of the query -> how rare it is; the sum over a line's tokens decides, and between equal lines
            the order of `lines_of`.
        store: where the lines of pictures are.
    """
    best, most = None, 0.0
    for line in lines_of(candidate, store):
        weight = _weight(words_text(line), weights)
        if weight > most:
            best, most = line, weight
    if best is None or len(best.text) <= _LONG:
        return best
    return replace(best, text=max(_sentences(best.text), key=lambda text: _weight(text, weights)))


def _weight(text: str, weights: Mapping[str, float]) -> float:
    return sum(weights[token] for token in weights.keys() & set(tokens(text)))


def _sentences(text: str) -> Iterator[str]:
    yield from _SENTENCE.split(text)
