"""Writing drawn documents to a folder: their files, the truth about each, and the queries.

    documents/NNN.jpg, NNN.pdf    scans as JPEG; PDF with a text layer, and scans in a PDF without one
    truth.jsonl                   a line a document: file, size, facts with their values and boxes, twin
    queries.jsonl                 a line a query: words, sort, the file that answers it

Words, places and flaws depend on seed and count alone. Pages are rendered by PDFium, so pixels also depend on its
version.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps

from ...errors import DataError
from ...files import replace_file
from ...geometry import Box
from ...images import ImageStore
from ...prng import Stream
from ...records import ImageRef
from .content import FACTS, Content, FactName, draw_content, twin_of
from .page import Page, laid_out
from .pdf import picture_pdf, text_pdf
from .queries import queries_of
from .scan import draw_flaws, moved, scanned

FORMS: tuple[Literal["jpeg", "text", "scan"], ...] = ("jpeg", "text", "scan")
"""Of every three documents: a JPEG, a PDF with a text layer, a PDF that is a scan."""

_CHANGES: tuple[FactName | Literal["swapped"], ...] = (*FACTS, "swapped")
_SHEET = "page.pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of one document."""

    file: str
    """Its file's name."""
    form: Literal["jpeg", "text", "scan"]
    """What kind of file it is."""
    kind: str
    """letter, invoice or receipt."""
    size: tuple[int, int]
    """(width, height) in pixels of what `ImageStore` shows of it."""
    values: dict[str, str]
    """Fact -> how it is printed."""
    times: dict[str, int]
    """Fact -> how often its value stands on the page: the sum of one line of goods is also its price."""
    boxes: dict[str, tuple[int, int, int, int]]
    """Fact -> (left, top, right, bottom) of its ink in those pixels."""
    twin: str | None
    """File of its twin."""
    changed: str | None
    """What the twin has otherwise; None in the original, and where there is no twin."""


def plan_documents(count: int, seed: int) -> tuple[list[Content], dict[int, int]]:
    """Return the documents by number, and number -> number of its twin: two thirds of them have one."""
    originals = count - count // 3
    documents = [draw_content(Stream(seed, "document", number)) for number in range(originals)]
    twins: dict[int, int] = {}
    for number in range(count - originals):
        change = _CHANGES[number % len(_CHANGES)]
        documents.append(twin_of(documents[number], change, Stream(seed, "twin", number)))
        twins[number], twins[originals + number] = originals + number, number
    return documents, twins


def write_documents(
    directory: Path, count: int, seed: int, *, progress: Callable[[int, int], None] = lambda *_: None
) -> None:
    """Draw documents into a folder; one that is complete stays as it is.

    Args:
        directory: the folder; made where there is none.
        count: documents, at least 1; a third as many queries have no answer.
        seed: of everything.
        progress: is told of documents done and in all.

    Raises:
        DataError: the folder holds other documents, or cannot be written.
        MissingDependency: the extra `sources` is not installed.
    """
    made = {"count": count, "seed": seed}
    marker = directory / "drawn.json"
    if marker.is_file():
        if json.loads(marker.read_text("utf-8")) != made:
            raise DataError(f"{directory}: it holds documents of another seed or number; name another folder")
        return
    (directory / "documents").mkdir(parents=True, exist_ok=True)
    documents, twins = plan_documents(count, seed)
    names = [_file_name(number) for number in range(count)]
    truths = []
    for number, content in enumerate(documents):
        twin = names[twins[number]] if number in twins else None
        truths.append(replace(_written(directory, number, content, seed), twin=twin))
        progress(number + 1, count)
    (directory / _SHEET).unlink(missing_ok=True)
    queries = queries_of(documents, twins, seed, unanswerable=-(-count // 3))
    rows = [asdict(one) | {"answer": None if one.answer is None else names[one.answer]} for one in queries]
    _save_lines(directory / "queries.jsonl", rows)
    _save_lines(directory / "truth.jsonl", [asdict(truth) for truth in truths])
    replace_file(marker, (json.dumps(made) + "\n").encode())


def _file_name(number: int) -> str:
    return f"{number:03}.{'jpg' if FORMS[number % 3] == 'jpeg' else 'pdf'}"


def _written(directory: Path, number: int, content: Content, seed: int) -> Truth:
    """Write one document and return the truth about it."""
    form, stream = FORMS[number % 3], Stream(seed, "page", number)
    page = laid_out(content, stream)
    image, boxes = _rendered(directory, page)
    size = image.size
    if form == "text":
        data = text_pdf([page])
    else:
        flaws = draw_flaws(stream.child("flaws"))
        data, pixels = scanned(image, flaws, stream.child("noise"))
        boxes = {fact: moved(box, size, flaws) for fact, box in boxes.items()}
        if form == "jpeg":
            size = pixels
        else:
            data = picture_pdf(data, pixels, page.size)
            boxes = {fact: _scaled(box, pixels, size) for fact, box in boxes.items()}
    (directory / "documents" / _file_name(number)).write_bytes(data)
    return Truth(
        file=_file_name(number),
        form=form,
        kind=content.kind,
        size=size,
        values={fact: content.printed(fact) for fact in FACTS},
        times={fact: sum(run.text == content.printed(fact) for run in page.runs) for fact in FACTS},
        boxes={fact: (box.left, box.top, box.right, box.bottom) for fact, box in boxes.items()},
        twin=None,
        changed=content.changed,
    )


def _rendered(directory: Path, page: Page) -> tuple[Image.Image, dict[FactName, Box]]:
    """Return a page as a picture and the box of each fact's ink, found by rendering the fact alone."""
    alone = {run.fact: replace(page, runs=(run,)) for run in page.runs if run.fact is not None}
    (directory / _SHEET).write_bytes(text_pdf([page, *alone.values()]))
    store = ImageStore({"": directory})
    ref = ImageRef(path=_SHEET)
    boxes = {}
    for number, fact in enumerate(alone, start=1):
        ink = ImageOps.invert(store.original(replace(ref, page=number)).convert("L")).getbbox()
        if ink is None:
            raise ValueError(f"the fact {fact} left no ink on its page")
        boxes[fact] = Box(left=ink[0], top=ink[1], right=ink[2], bottom=ink[3])
    return store.original(ref), boxes


def _scaled(box: Box, pixels: tuple[int, int], size: tuple[int, int]) -> Box:
    """Return a box of a picture of `pixels` on the page of `size` that shows it whole, rounded outward."""
    return Box(
        left=box.left * size[0] // pixels[0],
        top=box.top * size[1] // pixels[1],
        right=-(-box.right * size[0] // pixels[0]),
        bottom=-(-box.bottom * size[1] // pixels[1]),
    )


def _save_lines(path: Path, rows: list[dict[str, object]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    replace_file(path, "".join(f"{line}\n" for line in lines).encode())
