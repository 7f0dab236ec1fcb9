"""What commands say of the texts that were read on an index's pictures, and the option for how much is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from .output import note
from .progress import rate_of

if TYPE_CHECKING:
    from ..text.reading import TextReport

_NAMED = 20  # pages that could not be read, by name

ReadTextOption = Annotated[
    str | None,
    typer.Option(
        metavar="[auto|always|never]",
        help="Read the text in files: auto takes the text layer of documents and reads pictures and scans by OCR "
        "where the extra `ocr` is installed; always reads everything by OCR; never reads none. Default what the "
        "index remembers, for a new one auto.",
    ),
]


def note_texts(report: TextReport | None) -> dict[str, int]:
    """Say how reading the texts of an index went, and return its counts; none where nothing was to be read."""
    if report is None:
        return {}
    for sentence in _sentences(report):
        note(sentence)
    return {
        "layer": report.layer,
        "ocr": report.ocr,
        "empty": report.empty,
        "waiting": report.waiting,
        "refused": len(report.refused),
    }


def _sentences(report: TextReport) -> Iterator[str]:
    """Yield how reading went: counts with rates, what was refused by name, and what OCR would add."""
    from ..text.engine import INSTALL_OCR

    parts = []
    if report.layer:
        parts.append(f"{report.layer} had a text layer ({rate_of(report.layer, report.layer_seconds)})")
    if report.ocr or report.seen:
        parts.append(f"{report.ocr} were read by OCR ({rate_of(report.seen, report.ocr_seconds)})")
    if report.empty:
        parts.append(f"{report.empty} show no text")
    if report.refused:
        parts.append(f"{len(report.refused)} could not be read")
    if parts:
        yield f"text of {_pages(report.pages)}: {', '.join(parts)}"
    for image, reason in report.refused[:_NAMED]:
        yield f"text not read: {image}: {reason}"
    if len(report.refused) > _NAMED:
        yield f"text not read: {len(report.refused) - _NAMED} more, {len(report.refused)} in all"
    if report.waiting:
        yield (
            f"{_pages(report.waiting)} without a text layer {'was' if report.waiting == 1 else 'were'} not read; to "
            f"read {'it' if report.waiting == 1 else 'them'}, run: "
            f"{INSTALL_OCR} and this command again"
        )


def _pages(count: int) -> str:
    return "1 page or picture" if count == 1 else f"{count} pages and pictures"
