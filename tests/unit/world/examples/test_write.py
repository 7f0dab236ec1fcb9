"""Pins the example files: what is there, that it is the same each time, and what the shop's hits are about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.commands import call, sentence_of

from vretrver.data.exif import photo_metadata
from vretrver.images import ExifBlock
from vretrver.world.examples.goods import ASKED, write_shop
from vretrver.world.examples.photos import write_photos


def test_the_shop_is_a_table_with_its_pictures_and_hits_whose_answer_is_not_the_first(tmp_path: Path) -> None:
    text = write_shop(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "products.jsonl").read_text().splitlines()]
    assert len(rows) == 23
    assert rows[0] == {
        "sku": "SKU-001",
        "title": "Striped mug, red",
        "colour": "red",
        "price": 28.0,
        "in_stock": False,
        "photo": "pictures/SKU-001.jpg",
    }
    assert {(row["title"], row["price"]) for row in rows[:5]} == {("Striped mug, red", 28.0)}
    for row in rows:
        with Image.open(tmp_path / row["photo"]) as picture:
            assert picture.size == (768, 768)
    assert ASKED == 3
    assert text == "red striped mug on tiles, code AKP"
    assert json.loads((tmp_path / "hits.jsonl").read_text()) == {
        "qid": "mug",
        "text": text,
        "candidates": [f"SKU-00{number}" for number in range(1, 7)],
    }


def test_the_photos_say_when_they_were_taken_and_two_are_there_twice(tmp_path: Path) -> None:
    write_photos(tmp_path)
    taken = {}
    for path in sorted(tmp_path.rglob("*.jpg")):
        with Image.open(path) as picture:
            block = ExifBlock(photo=picture.getexif().get_ifd(0x8769), place={})
            taken[str(path.relative_to(tmp_path))] = photo_metadata(block)["taken"]
    assert len(taken) == 10
    assert {str(day)[:4] for day in taken.values()} == {"2019", "2020", "2021", "2022", "2023"}
    assert taken["garden/picnic, red mug.jpg"] == taken["garden/picnic, red mug (sent).jpg"] == "2020-05-31T13:47:30"
    assert taken["home/lamp for sale 2.jpg"] == "2022-11-05T09:30:04"


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    done = call("examples", "--out", "mine", cwd=tmp_path)
    assert sentence_of(done) == (
        "vretrver: mine: the folder holds letter.txt and no examples; name a new folder with --out, "
        "as in mine.examples"
    )


def test_without_the_library_that_draws_pages_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pypdfium2", None)
    done = call("examples", "--out", "try", cwd=tmp_path)
    assert sentence_of(done) == "vretrver: pypdfium2 is not installed; run: pip install 'vretrver[sources]'"
    assert not (tmp_path / "try").exists()
