"""Filters over metadata: a small part of SQL's WHERE, parsed here into terms and turned into SQL with parameters.

    price < 20 AND (colour = 'red' OR colour IN ('blue', 'navy')) AND NOT name LIKE '%sale%' AND taken IS NOT NULL

Comparisons with a missing value are neither true nor false, as in SQL: `NOT price < 20` leaves out items without a
price. LIKE knows `%` and `_` and ignores the case of ASCII letters. No text of the expression enters the SQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import ConfigError
from .manifest import Field, FieldKind

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*")|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d]\w*)|(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,))""",
    re.VERBOSE,
)
_WORDS = frozenset({"AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL", "TRUE", "FALSE"})
_COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_DEPTH = 50  # keeps the recursion of the parser, and of SQLite, shallow
_VALUES = 1000  # far below the 32,766 parameters that SQLite takes

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


Term = Comparison | InList | Like | IsNull | Not | Junction


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A parsed filter."""

    term: Term
    """What was parsed."""
    sql: str
    """Statement that selects the slots, with `?` for every value."""
    values: tuple[Scalar, ...]
    """The values, in order."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """text, name, word (upper case), number, sign or end."""
    value: str


def parse_filter(expression: str, fields: Mapping[str, Field]) -> Condition:
    """Return the condition of an expression.

    Args:
        expression: see the docstring of this module.
        fields: the fields that may be used.

    Raises:
        ConfigError: it cannot be parsed, names an unknown field, or compares a field with another kind of value.
    """
    term = _Parser(expression, fields).parsed()
    values: list[Scalar] = []
    sql = _sql(term, fields, values)
    return Condition(term=term, sql=f"SELECT slot FROM fields WHERE {sql}", values=tuple(values))  # noqa: S608


def _sql(term: Term, fields: Mapping[str, Field], values: list[Scalar]) -> str:
    """Return a term as SQL and append its values."""
    match term:
        case Comparison(name, sign, value):
            values.append(value)
            return f"{fields[name].column} {sign} ?"
        case InList(name, several):
            values.extend(several)
            return f"{fields[name].column} IN ({', '.join('?' * len(several))})"
        case Like(name, pattern):
            values.append(pattern)
            return f"{fields[name].column} LIKE ?"
        case IsNull(name):
            return f"{fields[name].column} IS NULL"
        case Not(inner):
            return f"NOT ({_sql(inner, fields, values)})"
        case Junction(word, terms):
            return f" {word} ".join(f"({_sql(inner, fields, values)})" for inner in terms)


class _Parser:
    """Recursive descent, one method a level; each returns a term."""

    def __init__(self, expression: str, fields: Mapping[str, Field]) -> None:
        self._expression = expression
        self._fields = fields
        self._tokens = _tokens(expression)
        self._values = 0
        self._depth = 0

    def parsed(self) -> Term:
        term = self._disjunction()
        if self._tokens[0].kind != "end":
            raise self._refused(f"unexpected {self._tokens[0].value!r}; join conditions with AND or OR")
        return term

    def _disjunction(self) -> Term:
        terms = [self._conjunction()]
        while self._took("OR"):
            terms.append(self._conjunction())
        return Junction("OR", tuple(terms)) if len(terms) > 1 else terms[0]

    def _conjunction(self) -> Term:
        terms = [self._negation()]
        while self._took("AND"):
            terms.append(self._negation())
        return Junction("AND", tuple(terms)) if len(terms) > 1 else terms[0]

    def _negation(self) -> Term:
        self._depth += 1
        if self._depth > _DEPTH:
            raise self._refused(f"more than {_DEPTH} levels of NOT and parentheses")
        if self._took("NOT"):
            term: Term = Not(self._negation())
        elif self._took("("):
            term = self._disjunction()
            self._need(")")
        else:
            term = self._comparison()
        self._depth -= 1
        return term

    def _comparison(self) -> Term:
        name, field = self._field()
        if self._took("IS"):
            negated = self._took("NOT")
            self._need("NULL")
            return Not(IsNull(name)) if negated else IsNull(name)
        negated = self._took("NOT")
        if self._took("IN"):
            listed = InList(name, self._list(field))
            return Not(listed) if negated else listed
        if self._took("LIKE"):
            if field.kind != "text":
                raise self._refused(f"LIKE needs a field of kind text, this one is of kind {field.kind}")
            like = Like(name, self._scalar(field))
            return Not(like) if negated else like
        sign = self._tokens[0]
        if negated or sign.value not in _COMPARISONS or sign.kind != "sign":
            raise self._refused(f"{sign.value!r} where one of = != < <= > >= IN LIKE IS is needed")
        self._tokens.pop(0)
        if field.kind == "truth" and sign.value not in ("=", "!=", "<>"):
            raise self._refused(f"true and false have no order; use = or != instead of {sign.value}")
        return Comparison(name, "!=" if sign.value == "<>" else sign.value, self._scalar(field))

    def _field(self) -> tuple[str, Field]:
        token = self._tokens.pop(0)
        if token.kind != "name":
            raise self._refused(f"{token.value!r} where a field is needed; {self._known()}")
        if token.value not in self._fields:
            raise self._refused(f"unknown field {token.value!r}; {self._known()}")
        return token.value, self._fields[token.value]

    def _known(self) -> str:
        named = ", ".join(f"{name} ({field.kind})" for name, field in self._fields.items())
        return f"the fields are {named}" if named else "the index has no metadata"

    def _list(self, field: Field) -> tuple[Scalar, ...]:
        self._need("(")
        values = [self._scalar(field)]
        while self._took(","):
            values.append(self._scalar(field))
        self._need(")")
        return tuple(values)

    def _scalar(self, field: Field) -> Scalar:
        token = self._tokens.pop(0)
        value, kind = self._value(token)
        if kind != field.kind:
            raise self._refused(f"{token.value} is of kind {kind}, the field of kind {field.kind}")
        self._values += 1
        if self._values > _VALUES:
            raise self._refused(f"more than {_VALUES} values")
        return value

    def _value(self, token: _Token) -> tuple[Scalar, FieldKind]:
        if token.kind == "text":
            return token.value, "text"
        if token.kind == "number":
            whole = re.fullmatch(r"[+-]?\d{1,18}", token.value)
            return (int(token.value) if whole else float(token.value)), "number"
        if token.kind == "word" and token.value in ("TRUE", "FALSE"):
            return token.value == "TRUE", "truth"
        if token.value == "NULL":
            raise self._refused("nothing equals NULL; write IS NULL or IS NOT NULL")
        raise self._refused(f"{token.value!r} where a value is needed: a number, 'text', TRUE or FALSE")

    def _took(self, value: str) -> bool:
        token = self._tokens[0]
        if token.kind in ("word", "sign") and token.value == value:
            self._tokens.pop(0)
            return True
        return False

    def _need(self, value: str) -> None:
        if not self._took(value):
            raise self._refused(f"{self._tokens[0].value!r} where {value} is needed")

    def _refused(self, why: str) -> ConfigError:
        return ConfigError(f"filter {self._expression[:200]!r}: {why}")


def _tokens(expression: str) -> list[_Token]:
    """Return the tokens and an end mark."""
    if any("\ud800" <= letter <= "\udfff" for letter in expression):
        raise ConfigError(f"filter {expression[:200]!r}: it is not valid text")
    tokens: list[_Token] = []
    place, end = 0, len(expression.rstrip())
    while place < end:
        match = _TOKEN.match(expression, place)
        if match is None:
            raise ConfigError(f"filter {expression[:200]!r}: {expression[place : place + 20]!r} cannot be read")
        tokens.append(_token(match))
        place = match.end()
    return [*tokens, _Token("end", "the end")]


def _token(match: re.Match[str]) -> _Token:
    kind, value = str(match.lastgroup), match[str(match.lastgroup)]
    if kind == "text":
        return _Token("text", value[1:-1].replace("''", "'"))
    if kind == "quoted":
        return _Token("name", value[1:-1].replace('""', '"'))
    if kind == "word":
        return _Token("word", value.upper()) if value.upper() in _WORDS else _Token("name", value)
    return _Token(kind, value)
