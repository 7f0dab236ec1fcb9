"""The words, signs and values of a filter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import ConfigError

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*")|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d]\w*)|(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,))""",
    re.VERBOSE,
)
_WORDS = frozenset({"AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL", "TRUE", "FALSE"})


@dataclass(frozen=True, slots=True)
class Token:
    """One of them."""

    kind: str
    """text, name, word (upper case), number, sign or end."""
    value: str


def tokens_of(expression: str) -> list[Token]:
    """Return the tokens and an end mark."""
    if any("\ud800" <= letter <= "\udfff" for letter in expression):
        raise ConfigError(f"filter {expression[:200]!r}: it is not valid text")
    tokens: list[Token] = []
    place, end = 0, len(expression.rstrip())
    while place < end:
        match = _TOKEN.match(expression, place)
        if match is None:
            raise ConfigError(f"filter {expression[:200]!r}: {expression[place : place + 20]!r} cannot be read")
        tokens.append(_token(match))
        place = match.end()
    return [*tokens, Token("end", "the end")]


def _token(match: re.Match[str]) -> Token:
    kind, value = str(match.lastgroup), match[str(match.lastgroup)]
    if kind == "text":
        return Token("text", value[1:-1].replace("''", "'"))
    if kind == "quoted":
        return Token("name", value[1:-1].replace('""', '"'))
    if kind == "word":
        return Token("word", value.upper()) if value.upper() in _WORDS else Token("name", value)
    return Token(kind, value)
