"""Texts that differ by what a reader of pictures mistakes: a letter for a digit, a sign more or less."""

from __future__ import annotations

import re

from ...text.months import folded

_DIGITS = str.maketrans("oildszbgq", "011052899")
_LETTERS = str.maketrans("0158", "olsb")
_TOKEN = re.compile(r"\S+")


def skeleton(text: str) -> str:
    """Return letters and digits of a text in which what looks alike is the same: `2O19-O3-l5` gives `20190315`."""
    return "".join(char for char in folded(text) if char.isalnum()).translate(_DIGITS)


def repaired(text: str) -> str:
    """Return a text in which words that are mostly digits are digits throughout, and those of letters letters.

    `1,O84.43 of 3 Apri1` gives `1,084.43 of 3 April`.
    """
    return _TOKEN.sub(_of_one_kind, text)


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


def _of_one_kind(match: re.Match[str]) -> str:
    word = match[0]
    letters = [char for char in word if char.isalpha()]
    digits = [char for char in word if char.isdecimal()]
    if not letters or not digits or len(letters) == len(digits):
        return word
    if len(letters) > len(digits):
        return word.translate(_LETTERS) if all(char in "0158" for char in digits) else word
    if any(char.lower() not in "oilsbzq" for char in letters):
        return word
    return "".join(char.lower().translate(_DIGITS) if char.isalpha() else char for char in word)
