"""A page as one HTML file that needs nothing else: no script, no network, no font; it appears whole or not at all."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from ..errors import DataError
from ..files import replace_file
from .markup import Markup, element, joined

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a page may load: its own style and the pictures inside it."""


def write_document(path: Path, body: Markup, *, title: str, sheet: str, pictures: str) -> None:
    """Write a page.

    Args:
        path: the file; its folder must exist.
        body: what the page holds.
        title: of the window.
        sheet: file of this package with the style of this kind of page, beside `base.css`.
        pictures: rules that carry the page's pictures.

    Raises:
        DataError: the file cannot be written.
    """
    css = _style("base.css") + _style(sheet) + pictures
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(css)),
    )
    page = joined(Markup("<!doctype html>\n"), element("html", head, element("body", body), lang="en"))
    try:
        replace_file(path, f"{page}\n".encode())
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}; choose another file") from error


def _style(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
