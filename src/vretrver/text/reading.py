"""Reading the texts of many files: layers first, then OCR; what was read is handed on every few pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from ..errors import MissingDependency, PictureError
from ..images import ImageStore
from ..records import ImageRef, TextLine
from .engine import INSTALL_OCR, is_installed
from .files import FileTexts, ReadTextMode, Unseen, is_read
from .ocr import ocr_name
from .pool import OcrPool, ReadOutcome, processes_at_once
from .reader import PageText

KEPT_AT_ONCE = 16
"""Pages after which what was read is handed on; a kill loses at most these."""

KEPT_SECONDS = 5.0
"""Seconds after which it is, if there are fewer."""

Keep = Callable[[Sequence[tuple[ImageRef, PageText]]], None]
"""Takes pages and what was read on them."""


@dataclass(slots=True, kw_only=True)
class TextReport:
    """What came of reading texts; pages and pictures are both counted as pages."""

    layer: int = 0
    """Pages whose file held their text."""
    ocr: int = 0
    """Pages with text that was read by OCR."""
    seen: int = 0
    """Pages that OCR looked at, also those where it found nothing."""
    empty: int = 0
    """Pages that show no text."""
    waiting: int = 0
    """Pages that OCR would read if it were installed."""
    refused: list[tuple[ImageRef, str]] = field(default_factory=list)
    """Pages that could not be read, and why."""
    layer_seconds: float = 0.0
    """Time spent on files themselves."""
    ocr_seconds: float = 0.0
    """Time spent waiting for OCR."""

    @property
    def pages(self) -> int:
        """All of them."""
        return self.layer + self.ocr + self.empty + self.waiting + len(self.refused)


def ocr_at_hand(mode: ReadTextMode) -> bool:
    """Return whether pictures can be read; raises MissingDependency where `always` needs what is not installed."""
    if mode == "always" and not is_installed():
        raise MissingDependency(f"--read-text always: OCR is not installed; run: {INSTALL_OCR}")
    return mode != "never" and is_installed()


def wanted_of(mode: ReadTextMode, *, ocr: bool) -> tuple[str | None, bool]:
    """Return what `TextStore.missing` takes for a mode: the reader, and whether incomplete texts are read again."""
    return (ocr_name() if mode == "always" else None), ocr


def read_texts(
    pages: Iterable[ImageRef],
    images: ImageStore,
    *,
    mode: ReadTextMode,
    ocr: bool,
    keep: Keep,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> TextReport:
    """Read the texts of pages and pictures; however this ends, what was read before has been handed to `keep`.

    Documents are read first; the report names what was refused in the order of reading.

    Args:
        pages: what is read, each once.
        images: opens the files.
        mode: how much is read.
        ocr: whether OCR is at hand.
        keep: takes what was read; called from this thread. Pages that are gone are not handed to it.
        workers: processes for OCR; None takes one a core.
        progress: called with (pages done, pages to do).
    """
    due = sorted((page for page in pages if is_read(page, mode)), key=_last_if_no_document)
    run = _Run(keep=keep, total=len(due), progress=progress)
    files = FileTexts(images, mode, ocr=ocr)
    with ExitStack() as held:
        held.callback(run.flush)
        pool = held.enter_context(OcrPool(images, workers=workers or processes_at_once()))
        for page in due:
            found = run.file(page, images, files)
            if isinstance(found, Unseen):
                run.take_all(pool.submit(page, found))
            else:
                run.take(found)
        run.take_all(pool.finish())
    place = {page: number for number, page in enumerate(due)}
    run.report.refused.sort(key=lambda one: place[one[0]])  # processes end in any order
    return run.report


class MemoryTexts:
    """Texts of pictures by their places, as `text.reader.Texts`."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str, int], PageText] = {}

    def lines(self, image: ImageRef) -> tuple[TextLine, ...] | None:
        """Return the lines of a picture in reading order, none where it shows no text; None where it was not read."""
        found = self._texts.get((image.root, image.path, image.page))
        return None if found is None else found.found

    def keep(self, texts: Sequence[tuple[ImageRef, PageText]]) -> None:
        """Hold what was read."""
        self._texts |= {(image.root, image.path, image.page): text for image, text in texts}


def texts_in_memory(
    pages: Iterable[ImageRef],
    images: ImageStore,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[MemoryTexts, TextReport]:
    """Read the text layers of a source that is searched in memory; OCR of its pictures would take too long.

    Args:
        pages: the pictures of its candidates; one that stands in several is read once.
        images: opens the files.
        progress: called with (pages done, pages to do).
    """
    texts = MemoryTexts()
    once = dict.fromkeys(pages)
    return texts, read_texts(once, images, mode="auto", ocr=False, keep=texts.keep, progress=progress)


@dataclass(slots=True, kw_only=True)
class _Run:
    """A reading under way."""

    keep: Keep
    total: int
    progress: Callable[[int, int], None] | None
    report: TextReport = field(default_factory=TextReport)
    done: int = 0
    pending: list[tuple[ImageRef, PageText]] = field(default_factory=list)
    flushed: float = field(default_factory=time.monotonic)

    def file(self, page: ImageRef, images: ImageStore, files: FileTexts) -> ReadOutcome | Unseen:
        """Return what a page's file itself holds."""
        begun = time.monotonic()
        there = False
        try:
            images.read_bytes(page)
            there = True
            found = files.read(page)
        except PictureError as error:
            text = PageText(lines=(), reader="files", refused=error.reason)
            return ReadOutcome(image=page, text=text, lasting=there)
        if isinstance(found, Unseen):
            return found
        self.report.layer_seconds += time.monotonic() - begun
        return ReadOutcome(image=page, text=found)

    def take_all(self, outcomes: Iterable[ReadOutcome]) -> None:
        begun = time.monotonic()
        for outcome in outcomes:
            self.report.seen += outcome.lasting
            self.take(outcome)
        self.report.ocr_seconds += time.monotonic() - begun

    def take(self, outcome: ReadOutcome) -> None:
        """Count what came of a page and keep it."""
        text, report = outcome.text, self.report
        if text.refused:
            report.refused.append((outcome.image, text.refused))
        elif not text.complete:
            report.waiting += 1
        elif not text.lines:
            report.empty += 1
        elif text.reader == ocr_name():
            report.ocr += 1
        else:
            report.layer += 1
        if outcome.lasting:
            self.pending.append((outcome.image, text))
        if len(self.pending) >= KEPT_AT_ONCE or time.monotonic() - self.flushed > KEPT_SECONDS:
            self.flush()
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)

    def flush(self) -> None:
        """Hand on what was read."""
        if self.pending:
            self.keep(self.pending)
        self.pending, self.flushed = [], time.monotonic()


def _last_if_no_document(page: ImageRef) -> bool:
    """Sort documents before pictures, so that what takes no time is there first; a name decides nothing else."""
    return not page.path.lower().endswith(".pdf")
