"""The filters of an index directory as Qdrant's conditions; what Qdrant cannot express is refused, not approximated.

A comparison with a missing value is neither true nor false, as in SQL. Qdrant's own negation also finds items
without a value, so NOT is pushed down to the single comparison, which then also requires a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..._optional import require
from ...errors import ConfigError
from ..directory.dates import whole_moment
from ..directory.filters import parse_filter
from ..directory.manifest import Field, FieldKind
from ..directory.terms import Comparison, InList, IsNull, Junction, Like, Not, PartOf, Scalar, Span, Term

_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_BOUND = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_OPPOSITE_BOUND = {"gte": "lt", "lt": "gte"}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def qdrant_filter(expression: str, kinds: Mapping[str, FieldKind]) -> Any:
    """Return a `qdrant_client.models.Filter`.

    Args:
        expression: see `directory.filters`.
        kinds: the metadata fields there are.

    Raises:
        ConfigError: the expression is wrong, or uses LIKE or an order of texts, which Qdrant does not have.
    """
    fields = {name: Field(column=name, kind=kind) for name, kind in kinds.items()}
    return _Writer(expression).filter(parse_filter(expression, fields).term, negated=False)


class _Writer:
    """Writes one expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._models = require("qdrant_client.models", extra="qdrant")

    def filter(self, term: Term, *, negated: bool) -> Any:
        """Return the filter of a term, or of its opposite."""
        match term:
            case Not(inner):
                return self.filter(inner, negated=not negated)
            case Junction(word, terms):
                parts = [self.filter(inner, negated=negated) for inner in terms]
                all_needed = (word == "AND") != negated
                return self._models.Filter(must=parts) if all_needed else self._models.Filter(should=parts)
            case IsNull(name):
                return self._models.Filter(**{"must_not" if negated else "must": [self._empty(name)]})
            case InList(name, values):
                return self._known(name, [self._equal(name, value) for value in values], negated=negated)
            case Comparison(name, "=" | "!=" as sign, value):
                return self._known(name, [self._equal(name, value)], negated=negated != (sign == "!="))
            case Comparison(name, sign, value):
                return self._models.Filter(must=[self._range(name, _OPPOSITE[sign] if negated else sign, value)])
            case Span(name, first, end):
                return self._span(name, first, end, negated=negated)
            case PartOf(_, part):
                raise self._refused(f"{part} of a date")
            case Like():
                raise self._refused("LIKE")

    def _known(self, name: str, conditions: Sequence[Any], *, negated: bool) -> Any:
        """Return the filter `one of the conditions`; negated, `a value, and none of the conditions`."""
        if negated:
            return self._models.Filter(must_not=[*conditions, self._empty(name)])
        return self._models.Filter(should=list(conditions))

    def _equal(self, name: str, value: Scalar) -> Any:
        if isinstance(value, str | bool):
            return self._models.FieldCondition(key=self._key(name), match=self._models.MatchValue(value=value))
        bounds = self._models.Range(gte=value, lte=value)  # an exact match would distinguish 3 from 3.0
        return self._models.FieldCondition(key=self._key(name), range=bounds)

    def _range(self, name: str, sign: str, value: Scalar) -> Any:
        if isinstance(value, str):
            raise self._refused(f"{sign} on texts")
        return self._models.FieldCondition(key=self._key(name), range=self._models.Range(**{_BOUND[sign]: value}))

    def _span(self, name: str, first: str | None, end: str | None, *, negated: bool) -> Any:
        """Return the filter of a span of time; negated, what lies before or after it."""
        bounds = {} if first is None else {"gte": first}
        bounds |= {} if end is None else {"lt": end}
        if not negated:
            return self._models.Filter(must=[self._moments(name, bounds)])
        opposite = [{_OPPOSITE_BOUND[bound]: moment} for bound, moment in bounds.items()]
        return self._models.Filter(should=[self._moments(name, one) for one in opposite])

    def _moments(self, name: str, bounds: Mapping[str, str]) -> Any:
        whole = {bound: whole_moment(moment) for bound, moment in bounds.items()}
        return self._models.FieldCondition(key=self._key(name), range=self._models.DatetimeRange(**whole))

    def _empty(self, name: str) -> Any:
        return self._models.IsEmptyCondition(is_empty=self._models.PayloadField(key=self._key(name)))

    def _key(self, name: str) -> str:
        if _PLAIN.fullmatch(name):
            return f"metadata.{name}"
        if '"' in name or "\\" in name:
            raise self._refused(f"way to name the field {name!r}")
        return f'metadata."{name}"'

    def _refused(self, what: str) -> ConfigError:
        return ConfigError(
            f"filter {self._expression[:200]!r}: Qdrant has no {what}; use =, !=, IN, numbers, or dates"
        )
