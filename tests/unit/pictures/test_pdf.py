"""Pins what pages of PDF documents look like, and that no document takes more than it may."""

from __future__ import annotations

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.unit.pictures import documents

from vretrver.errors import PictureError
from vretrver.geometry import PixelBudget
from vretrver.images import ImageLimits, ImageStore
from vretrver.pictures import helper, pdf, pdf_process
from vretrver.records import ImageRef

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore({"": tmp_path})


def saved(folder: Path, data: bytes, name: str = "a.pdf") -> ImageRef:
    (folder / name).write_bytes(data)
    return ImageRef(path=name)


def refusal(store: ImageStore, ref: ImageRef) -> str:
    with pytest.raises(PictureError) as caught:
        store.original(ref)
    return str(caught.value)


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) <= 3 for a, b in zip(pixel, colour, strict=True))  # type: ignore[call-overload]


def test_every_page_is_a_picture_at_200_dots_per_inch(store: ImageStore, tmp_path: Path) -> None:
    saved(tmp_path, documents.pages_of(RED, BLUE))
    survey = store.survey(ImageRef(path="a.pdf"))
    assert (survey.form, survey.count, survey.refused) == ("PDF", 2, ())
    assert [(page.page, page.width, page.height) for page in survey.pages] == [(0, 200, 100), (1, 200, 100)]
    assert near(store.original(survey.pages[0]).getpixel((5, 5)), RED)
    assert near(store.original(survey.pages[1]).getpixel((5, 5)), BLUE)
    assert store.pin(ImageRef(path="a.pdf", page=1)) == store.identify(ImageRef(path="a.pdf", page=1))


def test_a_page_is_drawn_on_white_and_shown_by_the_size_rule(store: ImageStore, tmp_path: Path) -> None:
    ref = saved(tmp_path, documents.one_page(b"0 0 1 rg 0 0 72 72 re f"))
    original = store.original(ref)
    assert (original.mode, original.size) == ("RGB", (400, 200))
    assert (original.getpixel((100, 100)), original.getpixel((300, 100))) == (BLUE, WHITE)
    assert store.thumbnail(ref, PixelBudget(cell=32, tokens=8)).size == (128, 64)


def test_a_turned_page_is_upright(store: ImageStore, tmp_path: Path) -> None:
    ref = saved(tmp_path, documents.one_page(b"0 0 1 rg 0 0 72 72 re f", extra=b"/Rotate 90"))
    original = store.original(ref)
    assert original.size == (200, 400)
    assert original.getpixel((100, 100)) == BLUE


def test_what_a_form_holds_is_drawn(store: ImageStore, tmp_path: Path) -> None:
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (x) /Rect [0 0 72 72] /F 4 /AP << /N 6 0 R >> >>"
    look = b"<< /Type /XObject /Subtype /Form /BBox [0 0 72 72] /Length 24 >>\n"
    look += b"stream\n0 0 1 rg 0 0 72 72 re f \nendstream"
    data = documents.one_page(extra=b"/Annots [5 0 R]", more=[field, look])
    data = data.replace(b"/Catalog /Pages 2 0 R", b"/Catalog /AcroForm << /Fields [5 0 R] >> /Pages 2 0 R")
    pixel = store.original(saved(tmp_path, data)).getpixel((100, 100))
    assert pixel != WHITE


def test_a_poster_is_rendered_at_fewer_dots_per_inch(tmp_path: Path) -> None:
    ref = saved(tmp_path, documents.one_page(box=b"0 0 7200 3600"))
    store = ImageStore({"": tmp_path}, limits=ImageLimits(max_page_pixels=20_000))
    assert store.original(ref).size == (200, 100)
    store = ImageStore({"": tmp_path}, limits=ImageLimits(max_side=300))
    assert store.original(ref).size == (300, 150)


def test_a_missing_page_is_refused(store: ImageStore, tmp_path: Path) -> None:
    saved(tmp_path, documents.one_page())
    assert "a.pdf#page=5: there is no page 5; the document has 1" in refusal(store, ImageRef(path="a.pdf", page=4))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (documents.encrypted(), "the document is encrypted; save a copy without a password"),
        (documents.empty(), "damaged or cut short"),
        (documents.one_page(b"0 0 1 rg")[:150], "damaged or cut short"),
        (b"%PDF-1.7\n", "damaged or cut short"),
    ],
)
def test_a_document_that_cannot_be_opened_is_refused_each_time(
    store: ImageStore, tmp_path: Path, data: bytes, reason: str
) -> None:
    ref = saved(tmp_path, data)
    assert [refusal(store, ref), refusal(store, ref)] == [f"picture a.pdf: {reason}"] * 2


def test_too_many_pages_are_refused(tmp_path: Path) -> None:
    ref = saved(tmp_path, documents.pages_of(RED, RED, RED))
    store = ImageStore({"": tmp_path}, limits=ImageLimits(max_pages=2))
    assert "3 pages, the limits are 1 and 2" in refusal(store, ref)


def test_a_page_that_takes_too_long_is_refused_and_the_next_is_shown(tmp_path: Path) -> None:
    store = ImageStore({"": tmp_path}, limits=ImageLimits(page_seconds=0.5))
    slow = saved(tmp_path, documents.one_page(b"0 0 m 144 72 l S\n" * 1_000_000), "slow.pdf")
    assert "slow.pdf: it takes longer than 0.5 s, the limit" in refusal(store, slow)
    store = ImageStore({"": tmp_path})
    assert store.original(saved(tmp_path, documents.one_page())).size == (400, 200)


@pytest.mark.skipif(sys.platform != "linux", reason="the cap of memory holds on Linux")
def test_a_page_that_takes_all_memory_is_refused_and_the_next_is_shown(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = pdf_process.pdf_helper(memory=200 * 2**20)
    monkeypatch.setattr(pdf, "SHARED", small)
    try:
        bomb = saved(tmp_path, documents.doubling(30), "bomb.pdf")
        assert "it crashes the renderer or needs more than 200 MiB" in refusal(store, bomb)
        assert store.original(saved(tmp_path, documents.one_page())).size == (400, 200)
    finally:
        small.close()


def test_a_process_that_was_killed_is_replaced(store: ImageStore, tmp_path: Path) -> None:
    ref = saved(tmp_path, documents.one_page())
    assert store.original(ref).size == (400, 200)
    process = pdf_process.SHARED._process
    assert process is not None
    os.kill(process.pid, 9)
    process.wait()
    assert store.pin(ref).width == 400


def test_an_interrupted_request_leaves_no_answer_to_the_next(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, documents.pages_of(RED, BLUE))
    assert near(store.original(ImageRef(path="a.pdf", page=0)).getpixel((5, 5)), RED)

    def interrupt(process: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(helper, "_read", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.pin(ImageRef(path="a.pdf", page=0))
    assert near(store.original(ImageRef(path="a.pdf", page=1)).getpixel((5, 5)), BLUE)


def test_threads_get_their_own_pages(store: ImageStore, tmp_path: Path) -> None:
    colours = [(level, 255 - level, 128) for level in range(0, 256, 32)]
    refs = [saved(tmp_path, documents.pages_of(colour), f"{place}.pdf") for place, colour in enumerate(colours)]
    with ThreadPoolExecutor(4) as pool:
        shown = list(pool.map(lambda ref: store.original(ref).getpixel((50, 50)), refs))
    assert all(near(pixel, colour) for pixel, colour in zip(shown, colours, strict=True))


def test_without_the_extra_the_sentence_names_the_command(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    assert "run: pip install 'vretrver[sources]'" in refusal(store, saved(tmp_path, documents.one_page()))


def test_mutated_documents_are_shown_or_refused_and_nothing_else(tmp_path: Path) -> None:
    store = ImageStore({"": tmp_path}, limits=ImageLimits(page_seconds=3))
    seed = documents.one_page(b"0 0 1 rg 0 0 72 72 re f")
    generator = random.Random(5)
    outcomes = {"shown": 0, "refused": 0}
    for _ in range(60):
        data = bytearray(seed)
        for _ in range(generator.choice([1, 3, 9])):
            data[generator.randrange(5, len(data))] = generator.randrange(256)
        try:
            store.original(saved(tmp_path, bytes(data)))
            outcomes["shown"] += 1
        except PictureError:
            outcomes["refused"] += 1
    assert outcomes["shown"] > 10
