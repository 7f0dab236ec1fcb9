"""Parts of a refusal's sentence: what is wrong with JSON, with arguments, with an address; codes with facts as well.

Libraries have words of their own for these, which differ between their versions. A model is told the dialect's, so
that what it is told depends on the configuration alone. The default words are those the shipped agent was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Words = Mapping[str, str]
"""Words of codes, of refusals and of details, as templates over their facts."""

MOST_CHARS = 160
"""A detail repeats what was written, but no more of it than this many characters, unless it says so."""


class DetailCode(StrEnum):
    """Every detail there is."""

    THE_QUERY = "the_query"
    THE_CANDIDATE = "the_candidate"
    NOT_READ = "not_read"
    READ_REASON = "read_reason"
    JSON_AT = "json_at"
    JSON_VALUE = "json_value"
    JSON_NAME = "json_name"
    JSON_COLON = "json_colon"
    JSON_COMMA = "json_comma"
    JSON_EXTRA = "json_extra"
    JSON_STRING = "json_string"
    JSON_CONTROL = "json_control"
    JSON_ESCAPE = "json_escape"
    JSON_UNICODE = "json_unicode"
    JSON_OTHER = "json_other"
    JSON_CONSTANT = "json_constant"
    JSON_KEYS = "json_keys"
    JSON_DIGITS = "json_digits"
    JSON_INFINITE = "json_infinite"
    JSON_SURROGATE = "json_surrogate"
    JSON_SURROGATES = "json_surrogates"
    WRONG_AT = "wrong_at"
    WRONG = "wrong"
    WRONG_DEPTH = "wrong_depth"
    MISSING = "missing"
    UNKNOWN = "unknown"
    TOO_FEW = "too_few"
    TOO_MANY = "too_many"
    NO_LIST = "no_list"
    NO_INTEGER = "no_integer"
    FRACTION = "fraction"
    NO_NUMBER = "no_number"
    NUMBER_TEXT = "number_text"
    NOT_FINITE = "not_finite"
    ADDRESS_FORM = "address_form"
    ADDRESS_RANGE = "address_range"
    TARGET_KIND = "target_kind"
    TARGET_TEXT = "target_text"
    LIBRARY = "library"


DETAILS: Words = {
    DetailCode.THE_QUERY: "the query",
    DetailCode.THE_CANDIDATE: "candidate {item}",
    DetailCode.NOT_READ: "it cannot be read",
    DetailCode.READ_REASON: "{reason}",
    DetailCode.JSON_AT: "{what}: line {line} column {column} (char {char})",
    DetailCode.JSON_VALUE: "Expecting value",
    DetailCode.JSON_NAME: "Expecting property name enclosed in double quotes",
    DetailCode.JSON_COLON: "Expecting ':' delimiter",
    DetailCode.JSON_COMMA: "Expecting ',' delimiter",
    DetailCode.JSON_EXTRA: "Extra data",
    DetailCode.JSON_STRING: "Unterminated string starting at",
    DetailCode.JSON_CONTROL: "Invalid control character at",
    DetailCode.JSON_ESCAPE: "Invalid \\escape",
    DetailCode.JSON_UNICODE: "Invalid \\uXXXX escape",
    DetailCode.JSON_OTHER: "Invalid JSON",
    DetailCode.JSON_CONSTANT: "{name} is not a JSON number",
    DetailCode.JSON_KEYS: "a key appears twice in one object",
    DetailCode.JSON_DIGITS: (
        "Exceeds the limit ({limit} digits) for integer string conversion: value has {digits} digits; "
        "use sys.set_int_max_str_digits() to increase the limit"
    ),
    DetailCode.JSON_INFINITE: "Out of range float values are not JSON compliant",
    DetailCode.JSON_SURROGATE: (
        "'utf-8' codec can't encode character {character} in position {first}: surrogates not allowed"
    ),
    DetailCode.JSON_SURROGATES: (
        "'utf-8' codec can't encode characters in position {first}-{last}: surrogates not allowed"
    ),
    DetailCode.WRONG_AT: "wrong arguments: {where}: {what}",
    DetailCode.WRONG: "wrong arguments: {what}",
    DetailCode.WRONG_DEPTH: "the arguments are nested too deeply",
    DetailCode.MISSING: "Field required",
    DetailCode.UNKNOWN: "Extra inputs are not permitted",
    DetailCode.TOO_FEW: "List should have at least {limit} {limit:item|items} after validation, not {count}",
    DetailCode.TOO_MANY: "List should have at most {limit} {limit:item|items} after validation, not {count}",
    DetailCode.NO_LIST: "Input should be a valid list",
    DetailCode.NO_INTEGER: "Input should be a valid integer",
    DetailCode.FRACTION: "Input should be a valid integer, got a number with a fractional part",
    DetailCode.NO_NUMBER: "Input should be a valid number",
    DetailCode.NUMBER_TEXT: "Input should be a valid number, unable to parse string as a number",
    DetailCode.NOT_FINITE: "Input should be a finite number",
    DetailCode.ADDRESS_FORM: "Value error, {value!r} is not a picture address: use k or [k, j]",
    DetailCode.ADDRESS_RANGE: (
        "Value error, {value!r} is not a picture address: items count from 0, pictures from 1"
    ),
    DetailCode.TARGET_KIND: "Value error, a target is the number of a picture",
    DetailCode.TARGET_TEXT: "Value error, invalid literal for int() with base 10: {value!r}",
    DetailCode.LIBRARY: "{words}",
}
"""Default words of every detail, as templates over its facts; `{n:item|items}` is the one or the other by number.

READ_REASON quotes what the reader of pictures says of a file, and LIBRARY what the library that checks arguments says
where a schema is of one's own.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalDetail:
    """One part of a sentence."""

    code: DetailCode
    """What it is about."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What its words are about; further details among them."""
    most: int = MOST_CHARS
    """Most characters of it that are said."""

    def worded(self, words: Words) -> str:
        """Return the part in these words."""
        return filled(words[self.code], self.facts, words)[: self.most]


def detail(code: DetailCode, *, most: int = MOST_CHARS, **facts: object) -> RefusalDetail:
    """Return a detail of a code with its facts by name."""
    return RefusalDetail(code=code, facts=facts, most=most)


class WrongArgument(ValueError):
    """An argument of a call is not what it should be; raised by a validator of a tool's schema.

    Args:
        why: what is wrong with it.
    """

    def __init__(self, why: RefusalDetail) -> None:
        self.detail = why
        super().__init__(why.worded(DETAILS))


def filled(template: str, facts: Mapping[str, object], words: Words) -> str:
    """Return a template with its facts; those that are details are put into words first."""
    return template.format_map({name: _told(fact, words) for name, fact in facts.items()})


def _told(fact: object, words: Words) -> object:
    if isinstance(fact, RefusalDetail):
        return fact.worded(words)
    return _Number(fact) if isinstance(fact, int) and not isinstance(fact, bool) else fact


class _Number(int):
    """A number that a template may ask for the one or the other word by, as in `{limit:call|calls}`."""

    def __format__(self, spec: str) -> str:
        one, bar, several = spec.partition("|")
        return (one if self == 1 else several) if bar else super().__format__(spec)
