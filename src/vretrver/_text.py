"""Text that can be stored: what a model or a server writes may hold characters that have no UTF-8 form."""

from __future__ import annotations


def storable(text: str) -> str:
    """Return text in which every lone surrogate, which has no UTF-8 form, is a question mark."""
    return text.encode("utf-8", "replace").decode()
