"""Pins `search INDEX --filter ...` without a query: what passes, in the order said, in every form of output."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.commands import Done, call, sentence_of

DAYS = {"old": "2019:07:03 11:24:40", "new": "2021:08:14 16:02:11", "between": "2020:05:31 13:45:00", "a scan": ""}

Run = Callable[..., Done]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four pictures, three of them with the day on which they were taken, and their index."""
    place = tmp_path_factory.mktemp("place")
    (place / "photos").mkdir()
    for number, (name, day) in enumerate(DAYS.items()):
        picture, exif = Image.new("RGB", (40 + number, 30), (60 * number, 80, 90)), Image.Exif()
        if day:
            exif.get_ifd(0x8769)[0x9003] = day
        picture.save(place / "photos" / f"{name}.jpg", exif=exif)
    assert call("index", "photos", "-o", "mine", "--read-text", "never", cwd=place).code == 0
    return lambda *arguments: call("search", "mine", *arguments, cwd=place)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Run:
    place = tmp_path_factory.mktemp("shop")
    rows = [("Z", "mug", True), ("B", "jug", False), ("A", "cup", True)]
    lines = [json.dumps({"sku": sku, "title": title, "in_stock": there}) for sku, title, there in rows]
    (place / "goods.jsonl").write_text("\n".join(lines))
    columns = ["--id-column", "sku", "--text-columns", "title", "--metadata-columns", "in_stock"]
    done = call("index", "goods.jsonl", "-o", "mine", *columns, cwd=place)
    assert done.code == 0, done.stderr
    return lambda *arguments: call("search", "mine", *arguments, cwd=place)


def test_photos_that_pass_are_listed_the_newest_first_and_those_without_a_day_last(photos: Run) -> None:
    done = photos("--filter", "latitude IS NULL")
    assert done.stderr == "4 items pass --filter, newest first by taken\n"
    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
        "rank candidate what",
        "1 new.jpg 2021-08-14T16:02:11",
        "2 between.jpg 2020-05-31T13:45:00",
        "3 old.jpg 2019-07-03T11:24:40",
        "4 a scan.jpg",
    ]


def test_a_place_that_no_photo_has_is_an_answer(photos: Run) -> None:
    assert photos("--filter", "taken >= '2020-05' AND latitude IS NULL").stdout.split()[3::3] == ["1", "2"]
    done = photos("--text", "new", "--filter", "taken >= '2020-05' AND latitude IS NOT NULL")
    assert (done.code, done.stdout) == (0, "")


def test_the_first_of_them_are_shown_and_all_are_counted(photos: Run) -> None:
    done = photos("--filter", "taken IS NOT NULL", "--top", "2", "--format", "json")
    assert done.stderr == "3 items pass --filter, newest first by taken, 2 of them shown\n"
    told = json.loads(done.stdout)
    assert [(hit["did"], hit["rank"], hit["score"]) for hit in told["hits"]] == [
        ("new.jpg", 1, 2.0),
        ("between.jpg", 2, 1.0),
    ]
    assert (told["filter"], told["order"], told["passed"]) == ("taken IS NOT NULL", "newest first by taken", 3)


def test_the_page_says_the_order_and_no_score(photos: Run, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert photos("--filter", "year = 2020", "--report", page, "--trust").code == 0
    text = page.read_text()
    assert "1 found, newest first by taken" in text
    assert "year = 2020" in text
    assert "score" not in text.partition("<body")[2]


def test_without_days_the_order_is_that_of_the_index(shop: Run) -> None:
    done = shop("--filter", "in_stock", "--format", "trec")
    assert done.stderr == "2 items pass --filter, in the order of the index\n"
    assert [line.split()[2:5] for line in done.stdout.splitlines()] == [["Z", "1", "2.0"], ["A", "2", "1.0"]]
    assert shop("--filter", "NOT in_stock").stdout.splitlines()[1].split() == ["1", "B", "jug"]


def test_nothing_passes(photos: Run) -> None:
    done = photos("--filter", "year = 1920", "--format", "json")
    assert (done.code, done.stderr) == (0, "nothing was found: no item passes --filter\n")
    told = json.loads(done.stdout)
    assert (told["hits"], told["reason"]) == ([], "nothing was found: no item passes --filter")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "there is no query; give --text, --image or --queries, or --filter to list what passes it"),
        (
            ["--filter", "year = 2020", "--policy", "reader"],
            "an agent ranks by a query; give --text, --image or --queries beside --filter",
        ),
        (
            ["--filter", "yeer = 2020"],
            "filter 'yeer = 2020': unknown field 'yeer'; the fields are taken (date)",
        ),
    ],
)
def test_what_cannot_be_listed_is_told(photos: Run, arguments: list[str], sentence: str) -> None:
    assert sentence_of(photos(*arguments)) == f"vretrver: {sentence}"


def test_a_collection_lists_nothing(tmp_path: Path) -> None:
    done = call("search", "qdrant://localhost:1/goods", "--filter", "price < 3", cwd=tmp_path)
    assert sentence_of(done) == (
        "vretrver: qdrant://localhost:1/goods: only an index directory lists what passes --filter; give --text or "
        "--image"
    )
