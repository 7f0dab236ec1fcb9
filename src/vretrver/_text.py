"""Texts from outside made fit to store and to send: no lone surrogates, no spelling of a special token."""

from __future__ import annotations


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
