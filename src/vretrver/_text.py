"""Texts from outside made fit to store, send and print: no lone surrogates, special tokens or escape sequences."""

from __future__ import annotations

import unicodedata


def storable(text: str) -> str:
    """Return text in which every lone surrogate, which has no UTF-8 form, is a question mark."""
    return text.encode("utf-8", "replace").decode()


def plain(text: str) -> str:
    """Return data text in which no special token of a chat template can be spelt.

    Every `<|` becomes `< |`: a candidate's description must not be able to end a turn or open another.
    """
    return text.replace("<|", "< |")


def sendable(text: str) -> str:
    """Return data text that may be tokenised or sent: `plain` and `storable`."""
    return storable(plain(text))


def printable(text: str) -> str:
    r"""Return text on one line for a terminal, invisible characters written as escapes, as in `\x1b`.

    That holds for line breaks, for sequences that a terminal would obey, and for marks that turn the direction of
    writing; spaces of all kinds and the joiners that scripts and emoji need are kept.
    """
    if text.isprintable():
        return text
    return "".join(sign if _is_shown(sign) else sign.encode("unicode_escape").decode() for sign in text)


def _is_shown(sign: str) -> bool:
    return sign.isprintable() or sign in "\u200c\u200d" or unicodedata.category(sign) == "Zs"
