"""Reading the texts of an index's pictures, as a step of `vretrver index`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import note
from .progress import progress, rate_of

if TYPE_CHECKING:
    from ..images import ImageStore
    from ..text.files import ReadTextMode
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


def read_index_texts(
    out: Path, images: ImageStore, *, mode: ReadTextMode, ocr: bool, words: Callable[[], object]
) -> dict[str, int]:
    """Read the texts of the pictures of an index that have none yet, say how it went, and return what to tell.

    Args:
        out: the index directory.
        images: opens the pictures.
        mode: how much is read.
        ocr: whether OCR is at hand.
        words: called before texts are read, if any are due, as `index_words`.
    """
    from ..assembly import index_texts

    shown = partial(progress, unit="pages")
    report = index_texts.read_index_texts(out, images, mode=mode, ocr=ocr, words=words, note=note, progress=shown)
    if report is None:
        return {}
    for sentence in _sentences(report):
        note(sentence)
    return _counts(report)


def index_words(out: Path) -> int:
    """Bring the words of an index up to date with its items and texts; returns of how many items they changed."""
    from ..assembly.words import bring_words

    with progress("words", unit="items") as update:
        return bring_words(out, note=note, progress=update).indexed


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


def _counts(report: TextReport) -> dict[str, int]:
    return {
        "layer": report.layer,
        "ocr": report.ocr,
        "empty": report.empty,
        "waiting": report.waiting,
        "refused": len(report.refused),
    }
