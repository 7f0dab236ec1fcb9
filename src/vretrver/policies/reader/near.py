"""Texts that differ by what a reader of pictures mistakes: a letter for a digit, a sign more or less."""

from __future__ import annotations

import re

from ...text.months import folded

_DIGITS = str.maketrans("oildszbgq", "011052899")
_TOKEN = re.compile(r"\S+")


def skeleton(text: str) -> str:
    """Return letters and digits of a text in which what looks alike is the same: `2O19-O3-l5` gives `20190315`."""
    return "".join(char for char in folded(text) if char.isalnum()).translate(_DIGITS)


def repaired(text: str) -> str:
    """Return a text in which words that are mostly digits are digits throughout: `1,O84.43` gives `1,084.43`."""
    return _TOKEN.sub(_all_digits, text)


def distance(one: str, other: str, most: int) -> int:
    """Return how many signs are to be changed, added or taken away between two texts; `most` + 1 where it is more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before = list(range(len(other) + 1))
    for row, sign in enumerate(one, start=1):
        now = [row]
        for column, against in enumerate(other, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (sign != against)))
        if min(now) > most:
            return most + 1
        before = now
    return min(before[-1], most + 1)


def _all_digits(match: re.Match[str]) -> str:
    word = match[0]
    letters = [char for char in word if char.isalpha()]
    digits = sum(char.isdecimal() for char in word)
    if not letters or len(letters) >= digits or any(char.lower() not in "oilsbzq" for char in letters):
        return word
    return "".join(char.lower().translate(_DIGITS) if char.isalpha() else char for char in word)
