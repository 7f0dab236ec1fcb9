"""Pins `vretrver index --read-text`: what is read and said, over runs, without the extra, with nothing to read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.commands import call
from tests.unit.pictures.documents import one_page
from tests.unit.text.test_layer import FONT
from tests.unit.text.test_ocr import RECEIPT, drawn

from vretrver.assembly import index_texts
from vretrver.records import ImageRef
from vretrver.retrieval.directory.database import ItemDatabase
from vretrver.retrieval.directory.texts import TextStore
from vretrver.text import engine, reading

LETTER = one_page(b"BT /F 12 Tf 72 700 Td (Dear customer, thank you) Tj ET", box=b"0 0 612 792", extra=FONT)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "letter.pdf").write_bytes(LETTER)
    drawn((300, 180), RECEIPT).save(tmp_path / "papers" / "receipt.png")
    Image.new("RGB", (64, 64), "red").save(tmp_path / "papers" / "icon.png")
    return tmp_path


def lines(folder: Path) -> dict[str, list[str] | None]:
    database = ItemDatabase(folder / "idx")
    try:
        images: list[ImageRef] = [image for item in database.all_candidates() for image in item.pictures]
    finally:
        database.close()
    with TextStore(folder / "idx") as store:
        found = {image.path: store.lines(image) for image in images}
    return {path: None if rows is None else [row.text for row in rows] for path, rows in found.items()}


@pytest.mark.skipif(not engine.is_installed(), reason="the extra ocr is not installed")
def test_documents_and_pictures_are_read_once(papers: Path) -> None:
    done = call("index", "papers", "-o", "idx", cwd=papers)
    assert done.code == 0, done.stderr
    assert "text of 2 pages and pictures: 1 had a text layer (" in done.stderr
    assert "), 1 were read by OCR (" in done.stderr
    found = lines(papers)
    assert (found["letter.pdf"], found["icon.png"]) == (["Dear customer, thank you"], None)
    assert [text.replace(" ", "") for text in found["receipt.png"] or ()] == [
        "CornerBakery", "Date2024-05-17", "Total12.50",
    ]  # fmt: skip
    again = call("index", "papers", "-o", "idx", "--json", cwd=papers)
    assert json.loads(again.stdout)["text"] == {"layer": 0, "ocr": 0, "empty": 0, "waiting": 0, "refused": 0}


def test_an_index_is_searched_by_names_while_texts_are_read_and_after_a_stop(
    papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(index_texts, "_MANY", 1)
    monkeypatch.setattr(index_texts, "read_texts", stopped)
    monkeypatch.setattr(reading, "is_installed", lambda: True)
    done = call("index", "papers", "-o", "idx", cwd=papers)
    assert done.code == 130
    assert (
        "reading the text of 3 pages and pictures; the index can be searched meanwhile, Ctrl-C keeps" in done.stderr
    )
    found = call("search", "idx", "--text", "receipt", "--words", "only", "--json", cwd=papers)
    assert (found.code, "receipt.png" in found.stdout, "letter.pdf" in found.stdout) == (0, True, False), found.stderr
    monkeypatch.undo()
    assert json.loads(call("index", "papers", "-o", "idx", "--json", cwd=papers).stdout)["words"] in (
        1,
        2,
    )  # two with OCR


def test_without_the_extra_the_command_says_once_what_reads_pictures(
    papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "is_installed", lambda: False)
    done = call("index", "papers", "-o", "idx", cwd=papers)
    assert done.stderr.count("pip install") == 1
    assert (
        "1 page or picture without a text layer was not read; to read it, run: pip install 'vretrver[ocr]' and "
        "this command again" in done.stderr
    )
    assert lines(papers) == {"letter.pdf": ["Dear customer, thank you"], "receipt.png": None, "icon.png": None}
    refused = call("index", "papers", "-o", "other", "--read-text", "always", cwd=papers)
    assert (refused.code, refused.stderr) == (
        1,
        "vretrver: --read-text always: OCR is not installed; run: pip install 'vretrver[ocr]'\n",
    )
    assert not (papers / "other").exists()


def test_never_reads_nothing_and_a_wrong_word_is_refused_before_anything_is_done(papers: Path) -> None:
    done = call("index", "papers", "-o", "idx", "--read-text", "never", cwd=papers)
    assert (done.code, "text of" in done.stderr, (papers / "idx" / "texts.sqlite").exists()) == (0, False, False)
    wrong = call("index", "papers", "-o", "other", "--read-text", "maybe", cwd=papers)
    assert (wrong.code, wrong.stderr) == (1, "vretrver: --read-text is 'maybe', not one of auto, always, never\n")
    assert not (papers / "other").exists()


def test_compacting_removes_the_texts_of_what_is_gone(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "is_installed", lambda: False)
    call("index", "papers", "-o", "idx", cwd=papers)
    (papers / "papers" / "letter.pdf").unlink()
    for arguments in (("--delete", "--yes"), ("--compact",)):
        done = call("index", "papers", "-o", "idx", *arguments, cwd=papers)
        assert done.code == 0, done.stderr
        (papers / "papers" / "letter.pdf").unlink(missing_ok=True)
    (papers / "papers" / "letter.pdf").write_bytes(LETTER)
    again = call("index", "papers", "-o", "idx", "--json", cwd=papers)
    assert json.loads(again.stdout)["text"]["layer"] == 1


def test_an_index_remembers_how_much_is_read(papers: Path) -> None:
    assert call("index", "papers", "-o", "idx", "--read-text", "never", cwd=papers).code == 0
    (papers / "papers" / "second.pdf").write_bytes(LETTER)
    assert call("add", "idx", "papers/second.pdf", cwd=papers).code == 0
    assert call("index", "-o", "idx", cwd=papers).code == 0
    assert set(lines(papers).values()) == {None}
    assert call("index", "papers", "-o", "idx", "--read-text", "auto", cwd=papers).code == 0
    assert lines(papers)["second.pdf"] == ["Dear customer, thank you"]
