"""A parsed filter as a condition of SQLite, with a mark for every value."""

from __future__ import annotations

from collections.abc import Mapping

from .dates import PARTS
from .manifest import Field
from .terms import Comparison, InList, IsNull, Junction, Like, Not, PartOf, Scalar, Span, Term


def sql_of(term: Term, fields: Mapping[str, Field], values: list[Scalar]) -> str:
    """Return a term as SQL without any text from outside, and append its values; a field no item has is NULL."""
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
        case Span(name, first, end):
            # a date and a time may be parted by a blank
            bounds = [(sign, bound) for sign, bound in ((">=", first), ("<", end)) if bound is not None]
            values.extend(bound for _, bound in bounds)
            moment = f"replace({fields[name].column}, ' ', 'T')"
            return " AND ".join(f"{moment} {sign} ?" for sign, _ in bounds)
        case PartOf(name, part, sign, number):
            values.append(number)
            begins, letters = PARTS[part]
            return f"CAST(substr({fields[name].column}, {begins}, {letters}) AS INTEGER) {sign} ?"
        case IsNull(name):
            return f"{fields[name].column} IS NULL" if name in fields else "1"
        case Not(inner):
            return f"NOT ({sql_of(inner, fields, values)})"
        case Junction(word, terms):
            return f" {word} ".join(f"({sql_of(inner, fields, values)})" for inner in terms)
