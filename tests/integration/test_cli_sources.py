"""Pins `vretrver search` over tables and documents: what is found and left out, and the sentence for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ALLOWED = "JPEG, PNG, WEBP, GIF, TIFF, BMP, AVIF, HEIC, PDF"
COLUMNS = ["--id-column", "sku", "--text-columns", "title", "--image-columns", "photo"]


def search(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from vretrver.cli.main import main; main()"
    command = [sys.executable, "-c", code, "search", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for name, colour in (("red", (200, 30, 30)), ("blue", (30, 30, 200))):
        Image.new("RGB", (64, 64), colour).save(tmp_path / "photos" / f"{name}.jpg")
    (tmp_path / "shop.csv").write_text("sku,title,photo\n1,a mug,red.jpg\n2,a jug,blue.jpg\n,nameless,\n")
    return tmp_path


def test_a_table_is_searched_with_declared_columns(shop: Path) -> None:
    done = search(shop, "shop.csv", *COLUMNS, "--root", "photos", "--text", "red", "--json")
    assert done.returncode == 0, done.stderr
    assert [hit["did"] for hit in json.loads(done.stdout)["hits"]] == ["1", "2"]
    assert "left out: shop.csv:4: column 'sku'" in done.stderr


def test_a_document_is_searched_page_by_page(shop: Path) -> None:
    blue = Image.new("RGB", (64, 64), (30, 30, 200))
    Image.new("RGB", (64, 64), (200, 30, 30)).save(shop / "m.pdf", save_all=True, append_images=[blue])
    done = search(shop, "m.pdf", "--text", "blue", "--json")
    assert done.returncode == 0, done.stderr
    assert [hit["did"] for hit in json.loads(done.stdout)["hits"]] == ["m.pdf#page=2", "m.pdf#page=1"]


def test_what_of_a_folder_is_left_out_is_said(shop: Path) -> None:
    (shop / "broken.png").write_text("no picture")
    (shop / "link.png").symlink_to(shop / "photos" / "red.jpg")
    done = search(shop, ".", "--text", "blue", "--json")
    assert [hit["did"] for hit in json.loads(done.stdout)["hits"]] == ["photos/blue.jpg", "photos/red.jpg"]
    assert done.stderr.splitlines()[:3] == [
        f"left out: broken.png: picture broken.png: not a picture of an allowed format ({ALLOWED})",
        "left out: 1 file not named as a picture or a document (.csv 1)",
        "left out: 1 symbolic link (links are not followed; name the folder they lead to)",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["shop.csv", *COLUMNS, "--metadata-columns", "price"], "no column 'price'; the columns are sku, title,"),
        (["shop.csv"], "say what its columns hold with --id-column"),
        (["shop.csv", "--text-columns", "title"], "no --id-column; name the column of the ids"),
        (["photos", *COLUMNS], "columns are declared, but this is no JSONL, CSV, TSV or parquet table"),
        (["shop.csv", *COLUMNS, "--root", "https://host/photos"], "not a protocol for pictures"),
        (["shop.csv", *COLUMNS, "--root", "gone"], "gone: no such folder; a root is the folder"),
        (["gone.csv", *COLUMNS], "gone.csv: no such index, folder or file; name an index directory, a folder"),
        (["shop.csv", *COLUMNS, "--metadata-columns", "title:flaot"], "unknown type 'flaot'; types are text, int"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_exit_code_1(shop: Path, arguments: list[str], sentence: str) -> None:
    done = search(shop, *arguments, "--text", "red")
    assert done.returncode == 1
    assert done.stderr.startswith("vretrver: ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
