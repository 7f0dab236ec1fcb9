"""Elements of HTML out of text that is not trusted: everything is escaped unless it is `Markup` already.

Attribute names are written as keywords: a trailing underscore is dropped (`class_`), others become hyphens
(`aria_label`). Control characters are made visible, so that what a model wrote cannot vanish from the page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_VOID = frozenset({"meta", "wbr"})
_JOINTS = re.compile(r"(?<=[/_])(?=\w)|(?=#)")


class Markup(str):
    """A piece of finished HTML; any other text is escaped when it is put into an element."""

    __slots__ = ()


Child = str | None | Iterable[str | None]
"""What an element may hold: text, markup, nothing, or several of these."""

Attribute = str | int | bool | None
"""A value; True writes the bare name, None and False leave the attribute out."""


def escaped(text: str) -> Markup:
    r"""Return text for an element or a quoted attribute, control characters written as `\x1b`."""
    visible = _CONTROLS.sub(lambda found: f"\\x{ord(found.group()):02x}", text.replace("\r\n", "\n"))
    return Markup(html.escape(visible, quote=True))


def joined(*children: Child) -> Markup:
    """Return children in order, plain text escaped."""
    return Markup("".join(_markup(child) for child in children))


def element(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element.

    Args:
        tag: its name, never from data.
        children: what it holds, in order.
        attributes: names as keywords, values escaped here.
    """
    opening = tag + "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{joined(*children)}</{tag}>")


def breakable(name: str) -> Markup:
    """Return a long name that may be broken where its words meet: behind `/` and `_`, before `#`."""
    return Markup(element("wbr").join(escaped(part) for part in _JOINTS.split(name)))


def _markup(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, str):
        return child if isinstance(child, Markup) else escaped(child)
    return "".join(_markup(part) for part in child)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escaped(str(value))}"'
