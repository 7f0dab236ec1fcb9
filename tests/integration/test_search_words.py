"""Pins what `vretrver search` finds by words, and what it says where nothing is known, as a new user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from vretrver.cli.index import index
from vretrver.cli.search import search

app = typer.Typer()
for command in (index, search):
    app.command()(command)

RECEIPTS = {
    "r1": "Café Łódź\n12.03.2024\n2 x Espresso 5,00\nTOTAL 1.234,50 EUR",
    "r2": "Café Łódź\n12.03.2024\n2 x Espresso 5,00\nTOTAL 1.234,05 EUR",
    "r3": "Hardware Müller\n2024-12-03\nOrder A-17/0042\nTotal $45.90",
}


@pytest.fixture
def receipts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    rows = ({"id": did, "text": text} for did, text in RECEIPTS.items())
    Path("receipts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("index", "receipts.jsonl", "-o", "idx", "--id-column", "id", "--text-columns", "text")
    return "idx"


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("query", "did", "line"),
    [
        ("March 12, 2024 lodz 1,234.05", "r2", "TOTAL 1.234,05 EUR"),
        ("espresso for 1234.50 EUR", "r1", "TOTAL 1.234,50 EUR"),
        ("3 Dec 2024", "r3", "2024-12-03"),
        ("a-17 0042", "r3", "Order A-17/0042"),
        ("muller", "r3", "Hardware Müller"),
    ],
)
def test_a_receipt_is_found_by_a_fact_and_the_line_is_cited(receipts: str, query: str, did: str, line: str):
    hits = run("search", receipts, "--text", query)["hits"]
    assert (hits[0]["did"], hits[0]["citation"]["text"], hits[0]["citation"]["source"]) == (did, line, "text")


def test_an_index_follows_changed_texts(receipts: str):
    Path("receipts.jsonl").write_text(json.dumps({"id": "r1", "text": "postcard"}) + "\n")
    done = run("index", "receipts.jsonl", "-o", receipts, "--id-column", "id", "--text-columns", "text",
               "--delete", "--yes")  # fmt: skip
    assert (done["words"], done["deleted"]) == (1, 2)
    assert run("search", receipts, "--text", "muller")["hits"] == []
    assert [hit["did"] for hit in run("search", receipts, "--text", "postcards")["hits"]] == ["r1"]


def test_an_unknown_word_gives_a_reason_and_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name in ("hall", "door", "street"):
        Image.new("RGB", (64, 48), (180, 140, len(name) * 10)).save(f"photos/{name}.png")
    said = (
        'no item holds "dog" or "beach", and of pictures the encoder hash knows colours only; name a model with '
        "--encoder"
    )
    done = CliRunner().invoke(app, ["search", "photos", "--text", "dog on a beach"], catch_exceptions=False)
    assert (done.exit_code, done.stdout.strip()) == (0, "")
    assert done.stderr.splitlines()[-1] == f"nothing was found: {said}"
    assert "encoder hash, for trying commands out" not in done.stderr  # the reason says it
    told = run("search", "photos", "--text", "dog on a beach")
    assert (told["hits"], said in told["reason"]) == ([], True)
    assert [hit["did"] for hit in run("search", "photos", "--text", "the door")["hits"]] == ["door.png"]


def test_text_on_pictures_that_were_not_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name in ("hall", "door"):
        Image.new("RGB", (160, 120), (180, 140, len(name) * 10)).save(f"photos/{name}.png")
    told = run("search", "photos", "--text", "invoice", "--words", "only")
    unread = "the text on 2 pictures was not read, `vretrver index` reads it (--read-text)"
    assert told["reason"] == f'nothing was found: no item holds "invoice"; {unread}'
    Path("photos/hall.png").unlink()
    told = run("search", "photos", "--text", "invoice", "--words", "only")
    assert "the text on 1 picture was not read" in told["reason"]


def test_nothing_reaches_a_score_that_is_too_high(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 48), "red").save("one.png")
    told = run("search", "one.png", "--text", "something red", "--min-score", "0.99")
    assert told["hits"] == []
    assert "nothing reaches --min-score 0.99; the best score is 0." in told["reason"]


def test_words_alone_and_never(receipts: str):
    assert [hit["did"] for hit in run("search", receipts, "--text", "café", "--words", "only")["hits"]] == [
        "r1",
        "r2",
    ]
    hits = run("search", receipts, "--text", "café", "--words", "never")["hits"]
    assert [hit["citation"] for hit in hits] == [None] * len(hits)
