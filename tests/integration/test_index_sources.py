"""Pins what an index remembers of its sources, several folders in one, and single items put in and taken out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.commands import call, sentence_of

TABLE = ("--id-column", "sku", "--text-columns", "title", "--metadata-columns", "price:float,since:date")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Two folders with a picture of the same name in each, and a table."""
    for folder, colour in (("one", "red"), ("two", "blue")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (32, 32), colour).save(tmp_path / folder / "a.png")
    (tmp_path / "goods.csv").write_text("sku,title,price,since\na,red mug,5,2019-06-01\nb,blue mug,7,2020-01-31\n")
    return tmp_path


def done(*arguments: str, cwd: Path) -> dict[str, object]:
    """Return what a command printed as JSON."""
    ended = call(*arguments, "--json", cwd=cwd)
    assert ended.code == 0, ended.stderr
    value = json.loads(ended.stdout)
    assert isinstance(value, dict)
    return value


def ids(index: str, cwd: Path) -> list[str]:
    found = done("search", index, "--image", "one/a.png", cwd=cwd)["hits"]
    return sorted(hit["did"] for hit in found)  # type: ignore[attr-defined]


def test_an_index_is_brought_up_to_date_by_itself_with_its_columns(here: Path) -> None:
    done("index", "goods.csv", "-o", "shop", *TABLE, cwd=here)
    with (here / "goods.csv").open("a") as file:
        file.write("c,green mug,9,2021-05-05\n")
    again = done("index", "-o", "shop", cwd=here)
    assert (again["encoded"], again["unchanged"]) == (1, 2)
    assert done("index", "goods.csv", "-o", "shop", cwd=here)["unchanged"] == 3
    assert done("index", "goods.csv", "-o", "shop", "--text-columns", "title", cwd=here)["unchanged"] == 3
    facts = done("info", "shop", cwd=here)
    assert (facts["sources"], facts["fields"]) == (["goods.csv"], {"price": "number", "since": "date"})


def test_several_folders_are_one_index_with_ids_by_their_names(here: Path) -> None:
    assert done("index", "one", "two", "-o", "both", cwd=here)["encoded"] == 2
    assert ids("both", here) == ["one/a.png", "two/a.png"]
    assert done("index", "-o", "both", cwd=here)["unchanged"] == 2
    assert done("info", "both", cwd=here)["roots"] == {"one/": "one", "two/": "two"}


def test_a_folder_is_added_and_only_what_was_read_is_deleted(here: Path) -> None:
    done("index", "one", "-o", "grown", cwd=here)
    added = call("index", "two", "-o", "grown", cwd=here)
    assert "two is added beside what grown holds; its ids begin with two" in added.stderr
    assert ids("grown", here) == ["a.png", "two/a.png"]
    (here / "one/a.png").rename(here / "one/b.png")
    (here / "two/a.png").rename(here / "two/b.png")
    assert done("index", "two", "-o", "grown", "--delete", "--yes", cwd=here)["deleted"] == 1
    assert done("info", "grown", cwd=here)["items"] == 2
    assert done("index", "-o", "grown", "--delete", "--yes", cwd=here)["deleted"] == 1


def test_a_disk_that_is_not_mounted_keeps_its_items(here: Path) -> None:
    done("index", "one", "two", "-o", "both", cwd=here)
    shutil.move(here / "two", here / "away")
    gone = call("index", "-o", "both", "--delete", "--yes", cwd=here)
    assert "left as it is: two, which is not there now" in gone.stderr
    (here / "two").mkdir()
    assert done("index", "-o", "both", "--delete", "--yes", cwd=here)["deleted"] == 0
    assert ids("both", here) == ["one/a.png", "two/a.png"]


def test_a_strangers_index_reads_its_sources_on_the_users_word_only(
    here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done("index", "one", "-o", "idx", cwd=here)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("other")))
    said = sentence_of(call("index", "-o", "idx", cwd=here))
    assert "idx: it is made of 'one', and you have not said that it may read there; name the source, or give" in said
    assert done("index", "-o", "idx", "--trust", cwd=here)["unchanged"] == 1
    assert done("index", "-o", "idx", cwd=here)["unchanged"] == 1


def test_a_row_and_a_file_are_added_and_deleted_by_id(here: Path) -> None:
    done("index", "goods.csv", "-o", "shop", *TABLE, cwd=here)
    row = '{"sku": "z", "title": "violet mug", "price": "3.5", "since": "2018-02-28"}'
    assert done("add", "shop", row, cwd=here)["encoded"] == 1
    assert done("add", "shop", row, cwd=here)["unchanged"] == 1
    found = done("search", "shop", "--text", "violet mug", "--filter", "year = 2018", cwd=here)["hits"]
    assert [hit["did"] for hit in found] == ["z"]  # type: ignore[attr-defined]
    assert done("delete", "shop", "z", "nobody", cwd=here) == {
        "index": "shop", "deleted": 1, "unknown": ["nobody"], "items": 2,
    }  # fmt: skip
    done("index", "one", "two", "-o", "both", cwd=here)
    Image.new("RGB", (8, 8), "green").save(here / "two/new.png")
    assert done("add", "both", "two/new.png", cwd=here)["encoded"] == 1
    assert "two/new.png" in ids("both", here)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("add", "shop", '{"sku": "z", "titel": "x"}'),
            "no column 'titel'; the index keeps sku, title, price, since",
        ),
        (("add", "shop", "one/a.png"), "shop is of a table; add a row"),
        (("add", "idx", "goods.csv"), "idx is made of files, not of a table"),
        (("add", "idx", "two/a.png"), "it lies in none of the folders of idx (one)"),
        (("delete", "idx", "x"), "none of the ids is in it, 'x' being the first"),
        (("index", "one", "goods.csv", "-o", "new"), "goods.csv: a table is indexed by itself"),
        (("index", "one", "one", "-o", "new"), "one: it is named twice"),
        (("add", "one", "one/a.png"), "one: no index"),
    ],
)
def test_what_does_not_go_is_one_sentence(here: Path, arguments: tuple[str, ...], message: str) -> None:
    done("index", "goods.csv", "-o", "shop", *TABLE, cwd=here)
    done("index", "one", "-o", "idx", cwd=here)
    before = sorted(path.name for path in (here / "one").iterdir())
    assert message in sentence_of(call(*arguments, cwd=here))
    assert sorted(path.name for path in (here / "one").iterdir()) == before
    assert not (here / "new").exists()
