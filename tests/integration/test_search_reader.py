"""Pins `vretrver search INDEX --policy reader` on drawn letters: kept texts are read by tools on other threads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.commands import call
from tests.unit.pictures.documents import one_page
from tests.unit.text.test_layer import FONT

LETTERS = {"march": "Invoice 12.03.2024 Total 118.40 EUR", "april": "Invoice 12.04.2024 Total 204.00 EUR"}
"""Name -> the line it shows; one fact of the query stands in both."""


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    (tmp_path / "papers").mkdir()
    for name, line in LETTERS.items():
        shown = one_page(b"BT /F 12 Tf 72 700 Td (%s) Tj ET" % line.encode(), box=b"0 0 612 792", extra=FONT)
        (tmp_path / "papers" / f"{name}.pdf").write_bytes(shown)
    done = call("index", "papers", "-o", "idx", cwd=tmp_path)
    assert done.code == 0, done.stderr
    return tmp_path


def test_the_reader_looks_at_kept_texts_of_an_index(letters: Path) -> None:
    asked = "invoice total 204.00 EUR"
    done = call("search", "idx", "--text", asked, "--policy", "reader", "--trust", "--json", cwd=letters)
    assert (done.code, done.stderr) == (0, "")  # words alone found, and a reader is no mere script
    assert [hit["did"] for hit in json.loads(done.stdout)["ranking"]] == ["april.pdf#page=1", "march.pdf#page=1"]


def test_the_report_of_a_reader_shows_the_line_that_decided(letters: Path) -> None:
    search = ["search", "idx", "--text", "invoice total 204.00 EUR", "--policy", "reader", "--trust"]
    done = call(*search, "--report", "r.html", "--trace", "t.jsonl", cwd=letters)
    assert done.code == 0, done.stderr
    again = call("trace", "t.jsonl", "--html", "again.html", "--root", "papers", cwd=letters)
    assert again.code == 0, again.stderr
    for page in ("r.html", "again.html"):
        html = (letters / page).read_text()
        assert 'aria-label="The line: 204.00 EUR"' in html
        assert 'class="verdict yes"' in html
        assert 'class="verdict no"' in html
