"""Pins where tools get text from: kept readings, then the file's own, then OCR; and what is said without these."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.given_texts import line

from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects import dialect_named
from vretrver.assembly.texts import TextsOfPictures, texts_for
from vretrver.errors import PictureError
from vretrver.geometry import Box
from vretrver.images import ImageStore
from vretrver.records import ImageRef, TextLine
from vretrver.text import ocr
from vretrver.world.documents.page import Page, PlacedText
from vretrver.world.documents.pdf import text_pdf

TOP = Box(left=0, top=0, right=1653, bottom=600)


def page(tmp_path: Path) -> tuple[ImageStore, ImageRef]:
    """Return a document of one page with two lines."""
    pytest.importorskip("pypdfium2")
    runs = [("Invoice number 4711 of 2024", 100.0), ("Total 118.40 EUR", 700.0)]
    placed = tuple(PlacedText(text=text, x=60, y=y, font="Helvetica", size=12) for text, y in runs)
    (tmp_path / "a.pdf").write_bytes(text_pdf([Page(size=(595, 842), runs=placed)]))
    store = ImageStore({"": tmp_path})
    return store, store.pin(ImageRef(path="a.pdf"))


def test_a_document_is_read_as_its_file_has_it(tmp_path: Path) -> None:
    store, ref = page(tmp_path)
    texts = TextsOfPictures(store, ocr=False)
    whole, top = texts.read(ref), texts.read(ref, TOP)
    assert [one.text for one in whole.lines] == ["Invoice number 4711 of 2024", "Total 118.40 EUR"]
    assert [one.text for one in top.lines] == ["Invoice number 4711 of 2024"]
    assert whole.made_by == top.made_by == "text layer of the file"


def test_what_an_index_keeps_comes_first(tmp_path: Path) -> None:
    class Kept:
        def lines(self, image: ImageRef) -> tuple[TextLine, ...] | None:
            return (line("kept", 0, 0, 10, 10),) if image.path == "a.pdf" else None

    store, ref = page(tmp_path)
    found = TextsOfPictures(store, kept=Kept(), ocr=False).read(ref)
    assert ([one.text for one in found.lines], found.made_by) == (["kept"], "kept in the index")


def test_a_picture_without_a_reader_is_refused_with_the_remedy(drawn: DrawnFolder) -> None:
    ref = drawn.store.pin(drawn.ref(1))
    with pytest.raises(PictureError, match=r"OCR is not installed: pip install 'vretrver\[ocr\]'"):
        TextsOfPictures(drawn.store, ocr=False).read(ref)


def test_a_region_is_enlarged_before_it_is_read_and_its_boxes_are_of_the_picture(
    drawn: DrawnFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def lines_of(picture: object, *, name: object) -> tuple[TextLine, ...]:
        asked.append(picture.size)  # type: ignore[attr-defined]
        return (line("inside", 200, 300, 400, 341, 0.8), line("beside", 0, 0, 40, 20, 0.8))

    monkeypatch.setattr(ocr, "read_pixels", lines_of)
    monkeypatch.setattr("vretrver.assembly.texts.read_pixels", lines_of)
    texts = TextsOfPictures(drawn.store, ocr=True)
    ref = drawn.store.pin(drawn.ref(1, (800, 600)))
    found = texts.read(ref, Box(left=300, top=200, right=500, bottom=260))
    assert asked == [(800, 600), (640, 640)]
    assert [(one.text, one.box.to_list()) for one in found.lines] == [("inside", [340, 220, 440, 241])]
    assert texts.read(ref, Box(left=300, top=200, right=500, bottom=260)) is found


def test_only_agents_with_a_tool_for_it_have_texts(drawn: DrawnFolder) -> None:
    assert texts_for(AgentConfig(), drawn.store) is None
    assert texts_for(AgentConfig(dialect=dialect_named("vretrver/reading")), drawn.store) is not None
