"""Filters over metadata: a small part of SQL's WHERE, parsed here into terms and turned into SQL with parameters.

    price < 20 AND (colour = 'red' OR colour IN ('blue', 'navy')) AND NOT name LIKE '%sale%' AND taken IS NOT NULL

Where all values of a field are dates, they are compared as dates: `taken = '2019'` is any day of the year, `taken >
'2019-06-01'` begins the day after. `year`, `month` and `day` are numbers taken from the one field of dates, or from
the one named: `year(taken) = 2019`. A field of truths stands for itself: `in_stock`, `NOT in_stock`.

Comparisons with a missing value are neither true nor false, as in SQL: `NOT price < 20` leaves out items without a
price. LIKE knows `%` and `_` and ignores the case of ASCII letters. No text of the expression enters the SQL. What
photos may tell, as `latitude`, is a field with IS NULL and IS NOT NULL also where no item has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import ConfigError
from .dates import LARGEST, PARTS, is_date, span_of
from .filter_sql import sql_of
from .manifest import Field, FieldKind
from .terms import Comparison, InList, IsNull, Junction, Like, Not, PartOf, Scalar, Span, Term
from .tokens import Token, tokens_of

_COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_DEPTH = 50  # keeps the recursion of the parser, and of SQLite, shallow
_VALUES = 1000  # far below the 32,766 parameters that SQLite takes
_ENDS = frozenset({"AND", "OR", ")"})  # what may follow a condition

OF_PHOTOS = ("taken", "latitude", "longitude")
"""Fields that photos have where their camera wrote them; that an index has none of them is an answer, no mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A parsed filter."""

    term: Term
    """What was parsed."""
    sql: str
    """Statement that selects the slots, with `?` for every value."""
    values: tuple[Scalar, ...]
    """The values, in order."""


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
    sql = sql_of(term, fields, values)
    return Condition(term=term, sql=f"SELECT slot FROM fields WHERE {sql}", values=tuple(values))  # noqa: S608


class _Parser:
    """Recursive descent, one method a level; each returns a term."""

    def __init__(self, expression: str, fields: Mapping[str, Field]) -> None:
        self._expression = expression
        self._fields = fields
        self._tokens = tokens_of(expression)
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
        if self._asks_of_photos():
            name = self._tokens.pop(0).value
            return self._null(name)
        name, field, part = self._field()
        if field.kind == "truth" and self._at_end():
            return Comparison(name, "=", value=True)
        if self._tokens[0].kind == "word" and self._tokens[0].value == "IS":
            return self._null(name)
        negated = self._took("NOT")
        if self._took("IN"):
            listed = self._listed(name, field, part)
            return Not(listed) if negated else listed
        if self._took("LIKE"):
            if part or field.kind not in ("text", "date"):
                kind = "number" if part else field.kind
                raise self._refused(f"LIKE needs a field of kind text, this one is of kind {kind}")
            like = Like(name, self._scalar(name, "text"))
            return Not(like) if negated else like
        sign = self._tokens[0]
        if negated or sign.value not in _COMPARISONS or sign.kind != "sign":
            raise self._refused(f"{sign.value!r} where one of = != < <= > >= IN LIKE IS is needed")
        self._tokens.pop(0)
        if field.kind == "truth" and sign.value not in ("=", "!=", "<>"):
            raise self._refused(f"true and false have no order; use = or != instead of {sign.value}")
        return self._compared(name, field, part, "!=" if sign.value == "<>" else sign.value)

    def _null(self, name: str) -> Term:
        self._need("IS")
        negated = self._took("NOT")
        self._need("NULL")
        return Not(IsNull(name)) if negated else IsNull(name)

    def _asks_of_photos(self) -> bool:
        """Return whether a field that photos may have, and no item does, is asked for with IS."""
        name, following = self._tokens[0], self._tokens[1:2]
        asked = bool(following) and (following[0].kind, following[0].value) == ("word", "IS")
        return asked and name.kind == "name" and name.value in OF_PHOTOS and name.value not in self._fields

    def _at_end(self) -> bool:
        token = self._tokens[0]
        return token.kind == "end" or (token.kind in ("word", "sign") and token.value in _ENDS)

    def _compared(self, name: str, field: Field, part: str, sign: str) -> Term:
        """Return a field, or a part of its date, compared with the value that follows."""
        if part == "year":
            year = self._number_of(part)
            return _spanned(name, sign, f"{year:04}", f"{year + 1:04}")
        if part:
            number = self._number_of(part)
            return Not(PartOf(name, part, "=", number)) if sign == "!=" else PartOf(name, part, sign, number)
        if field.kind != "date":
            return Comparison(name, sign, self._scalar(name, field.kind))
        given = self._date(name, sign)
        try:
            return _spanned(name, sign, *span_of(given))
        except ValueError as error:
            if is_date(given):  # with a time zone or parts of a second
                return Comparison(name, sign, given)
            raise self._refused(f"{given!r} is no date; write one as '2019-06-01', '2019-06' or '2019'") from error

    def _listed(self, name: str, field: Field, part: str) -> Term:
        """Return the term of a list."""
        if not part and field.kind != "date":
            return InList(name, self._list(name, field))
        self._need("(")
        terms = [self._compared(name, field, part, "=")]
        while self._took(","):
            terms.append(self._compared(name, field, part, "="))
        self._need(")")
        return Junction("OR", tuple(terms)) if len(terms) > 1 else terms[0]

    def _field(self) -> tuple[str, Field, str]:
        """Return the name of a field, the field, and the part of its date that is meant; empty for the whole."""
        token = self._tokens.pop(0)
        if token.kind != "name":
            raise self._refused(f"{token.value!r} where a field is needed; {self._known()}")
        part = token.value.lower() if token.value.lower() in PARTS else ""
        if part and self._took("("):
            name, field, _ = self._field()
            self._need(")")
            if field.kind != "date":
                raise self._refused(f"{name} holds no dates but values of kind {field.kind}")
            return name, field, part
        if token.value in self._fields:
            return token.value, self._fields[token.value], ""
        if not part:
            raise self._refused(f"unknown field {token.value!r}; {self._known()}")
        dates = [name for name, field in self._fields.items() if field.kind == "date"]
        if not dates:
            raise self._refused(f"no field holds dates, of which there would be a {part}; {self._known()}")
        if len(dates) > 1:
            raise self._refused(f"{part} of which date? Write {' or '.join(f'{part}({name})' for name in dates)}")
        return dates[0], self._fields[dates[0]], part

    def _known(self) -> str:
        named = ", ".join(f"{name} ({field.kind})" for name, field in self._fields.items())
        return f"the fields are {named}" if named else "the index has no metadata"

    def _list(self, name: str, field: Field) -> tuple[Scalar, ...]:
        self._need("(")
        values = [self._scalar(name, field.kind)]
        while self._took(","):
            values.append(self._scalar(name, field.kind))
        self._need(")")
        return tuple(values)

    def _scalar(self, name: str, wanted: FieldKind) -> Scalar:
        token = self._tokens.pop(0)
        value, kind = self._value(token)
        if kind != wanted:
            remedy = ""
            if (kind, wanted) == ("number", "text"):
                remedy = (
                    f"; write '{token.value}' in quotation marks, or for numbers declare it as {name}:float and make "
                    "the index again"
                )
            raise self._refused(f"{token.value} is of kind {kind}, the field of kind {wanted}{remedy}")
        self._count()
        return value

    def _date(self, name: str, sign: str) -> str:
        token = self._tokens.pop(0)
        value, kind = self._value(token)
        if not isinstance(value, str):
            raise self._refused(
                f"{name} holds dates, {token.value} is of kind {kind}; write {name} {sign} '2019-06-01', or "
                f"year {sign} 2019"
            )
        self._count()
        return value

    def _number_of(self, part: str) -> int:
        token = self._tokens.pop(0)
        value, _ = self._value(token)
        if type(value) is not int or not 1 <= value <= LARGEST[part]:
            raise self._refused(f"{token.value!r} is no {part}; write a whole number from 1 to {LARGEST[part]}")
        self._count()
        return value

    def _count(self) -> None:
        """Count a value."""
        self._values += 1
        if self._values > _VALUES:
            raise self._refused(f"more than {_VALUES} values")

    def _value(self, token: Token) -> tuple[Scalar, FieldKind]:
        if token.kind == "text":
            return token.value, "text"
        if token.kind == "number":
            whole = re.fullmatch(r"[+-]?\d{1,18}", token.value)
            return (int(token.value) if whole else float(token.value)), "number"
        if token.kind == "word" and token.value in ("TRUE", "FALSE"):
            return token.value == "TRUE", "truth"
        if token.value == "NULL":
            raise self._refused("nothing equals NULL; write IS NULL or IS NOT NULL")
        remedy = f"; write '{token.value}' in quotation marks" if token.kind == "name" else ""
        raise self._refused(f"{token.value!r} where a value is needed: a number, 'text', TRUE or FALSE{remedy}")

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


def _spanned(name: str, sign: str, first: str, end: str) -> Term:
    """Return a date compared with a span of time, which is before what comes after its end."""
    bounds = {"=": (first, end), "<": (None, first), "<=": (None, end), ">": (end, None), ">=": (first, None)}
    return Not(Span(name, first, end)) if sign == "!=" else Span(name, *bounds[sign])
