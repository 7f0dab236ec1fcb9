"""What may be the name of a file or the id of an item: any text that stands on one line."""

from __future__ import annotations

import unicodedata

_NOT_IN_NAMES = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls, halves of surrogate pairs (bytes that are not text), line and paragraph separators."""


def is_name(text: str) -> bool:
    """Say whether a text can be a name: not blank, on one line, valid Unicode.

    Spaces of every width, joiners, marks of writing direction and letters newer than Python's tables are allowed:
    systems and people write names with them.
    """
    return bool(text.strip()) and not any(unicodedata.category(letter) in _NOT_IN_NAMES for letter in text)
