"""Pins `vretrver index`, `info` and `search` over an index directory, end to end on drawn pictures and tables."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from vretrver.cli.index import index
from vretrver.cli.info import info
from vretrver.cli.search import search
from vretrver.errors import VRetrverError
from vretrver.retrieval.directory.writer import IndexWriter

app = typer.Typer()
for command in (index, info, search):
    app.command()(command)

COLOURS = {"red": (208, 40, 40), "blue": (43, 95, 201), "green": (58, 154, 69), "yellow": (242, 207, 46)}


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name, colour in COLOURS.items():
        picture = Image.new("RGB", (64, 48), (245, 245, 245))
        picture.paste(colour, (16, 12, 48, 36))
        picture.save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


def run(*arguments: str) -> Any:
    """Run a command with --json and return what it printed."""
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def told(*arguments: str) -> str:
    """Return the one sentence of a command that fails."""
    with pytest.raises(VRetrverError) as caught:
        CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def first(directory: str, *arguments: str) -> str:
    """Return the best hit."""
    return str(run("search", directory, *arguments)["hits"][0]["did"])


def test_a_folder_is_indexed_searched_and_kept_up_to_date(photos: Path):
    assert run("index", "photos", "-o", "idx")["encoded"] == 4
    assert first("idx", "--text", "a red thing") == "red.png"
    (photos / "red.png").rename(photos / "rot.png")
    (photos / "blue.png").unlink()
    shutil.copy(photos / "green.png", photos / "yellow.png")
    done = run("index", "photos", "-o", "idx", "--delete", "--yes", "--compact")
    counts = {name: done.get(name) for name in ("encoded", "copied", "unchanged", "deleted", "compacted")}
    assert counts == {"encoded": 0, "copied": 2, "unchanged": 1, "deleted": 2, "compacted": 3}
    assert first("idx", "--text", "a red thing") == "rot.png"
    facts = run("info", "idx", "--check")
    assert (facts["items"], facts["dead"], facts["generation"], facts["encoder"]) == (3, 0, 1, "hash")
    assert facts["pictures"] == {"read": 3, "gone": 0, "changed": 0}


def test_an_index_is_portable_and_says_when_pictures_are_gone(photos: Path, tmp_path: Path):
    run("index", "photos", "-o", "all/idx")
    shutil.move(photos, tmp_path / "all" / "photos")
    facts = run("info", "all/idx", "--check")
    assert facts["pictures"] == {"read": 4, "gone": 4, "changed": 0}
    assert "give --moved if they were moved there" in told("index", "all/photos", "-o", "all/idx")
    assert run("index", "all/photos", "-o", "all/idx", "--moved")["unchanged"] == 4
    shutil.move(tmp_path / "all", tmp_path / "elsewhere")
    assert run("info", "elsewhere/idx", "--check", "--trust")["pictures"] == {"read": 4, "gone": 0, "changed": 0}
    assert first("elsewhere/idx", "--image", "elsewhere/photos/blue.png") == "blue.png"


def test_info_reads_no_picture_unless_it_is_asked_to(photos: Path, monkeypatch: pytest.MonkeyPatch):
    run("index", "photos", "-o", "idx")
    opened: list[object] = []
    monkeypatch.setattr("vretrver.images.ImageStore.pin", lambda _, ref: opened.append(ref) or ref)
    assert (run("info", "idx")["pictures"], opened) == (None, [])
    table = CliRunner().invoke(app, ["info", "idx"], catch_exceptions=False).stdout
    assert "not read; --check reads them" in table
    run("info", "idx", "--check")
    assert len(opened) == 4


def test_a_table_is_filtered_by_its_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        "sku,name,price,shop",
        "a,red mug,5,north",
        "b,red mug,25,south",
        "c,red mug,,north",
        "d,blue mug,9,north",
    ]
    (tmp_path / "goods.csv").write_text("\n".join(rows))
    options = ["--id-column", "sku", "--text-columns", "name", "--metadata-columns", "price:float,shop"]
    assert run("index", "goods.csv", "-o", "idx", *options)["encoded"] == 4
    hits = run("search", "idx", "--text", "red mug", "--filter", "price < 20 AND shop = 'north'")["hits"]
    assert [hit["did"] for hit in hits] == ["a", "d"]
    assert run("search", "idx", "--text", "red mug", "--filter", "price > 99")["hits"] == []
    assert "the fields are price (number), shop (text)" in told(
        "search", "idx", "--text", "x", "--filter", "cost = 1"
    )
    assert run("info", "idx")["fields"] == {"price": "number", "shop": "text"}


def test_rows_that_cannot_be_read_stop_deleting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    options = ["--id-column", "sku", "--text-columns", "name", "--metadata-columns", "price:float"]
    (tmp_path / "goods.csv").write_text("sku,name,price\na,red,1\nb,blue,2\nc,green,3\n")
    run("index", "goods.csv", "-o", "idx", *options)
    (tmp_path / "goods.csv").write_text("sku,name,price\na,red,1\nb,blue,cheap\n")
    done = run("index", "goods.csv", "-o", "idx", *options, "--delete")
    assert (done["deleted"], done["refused"], done["unchanged"]) == (0, 1, 1)
    (tmp_path / "goods.csv").write_text("sku,name,price\na,red,1\nb,blue,2\n")
    assert run("index", "goods.csv", "-o", "idx", *options, "--delete", "--yes")["deleted"] == 1


def test_vectors_made_elsewhere_are_imported(photos: Path, tmp_path: Path):
    np.save(tmp_path / "v.npy", np.eye(4, 7, dtype=np.float16))
    (tmp_path / "ids.txt").write_text("".join(f"{name}.png\n" for name in list(COLOURS)[:3]) + "other.png\n")
    done = run("index", "photos", "-o", "idx", "--vectors", "v.npy", "--ids", "ids.txt", "--made-by", "clip")
    assert (done["encoded"], done["refused"]) == (3, 1)
    facts = run("info", "idx")
    assert (facts["encoder"], facts["fingerprint"], facts["dimension"]) == ("imported", "imported clip", 7)
    assert "its vectors were imported (imported clip); name their --encoder" in told("search", "idx", "--text", "a")
    assert "dimension 7 there, 579 here" in told("search", "idx", "--text", "a", "--encoder", "hash")
    assert "made by an encoder other than the one in use" in told("index", "photos", "-o", "idx")


def test_approximate_and_resident_search_find_the_same_here(photos: Path):
    pytest.importorskip("faiss")
    done = run("index", "photos", "-o", "idx", "--approximate")
    assert (done["lists"], done["probes"], done["recall@50"]) == (1, 1, 1.0)
    exact = run("search", "idx", "--text", "green")["hits"]
    assert run("search", "idx", "--text", "green", "--approximate")["hits"] == exact
    assert run("search", "idx", "--text", "green", "--resident-mb", "1")["hits"] == exact


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "-o", "none"], "none: there is no index, so it remembers no sources; name a SOURCE"),
        (["index", "-o", "idx", "--moved"], "--moved is of a source; name the SOURCE too"),
        (["index", "photos", "-o", "idx", "--encoder", "best"], "no encoder is called 'best'"),
        (["index", "--compact", "-o", "none"], "none: no index; make one with"),
        (["info", "photos"], "photos: no index; make one with"),
        (
            ["search", "photos", "--text", "a", "--filter", "a = 1"],
            "photos: --filter, --resident-mb and --approximate need an index",
        ),
        (["search", "idx", "--text", "a", "--approximate"], "no structure for approximate search; build it with"),
        (["search", "idx", "--text", "a", "--approximate", "--resident-mb", "1"], "give one of them"),
    ],
)
def test_a_wrong_command_is_one_sentence(photos: Path, arguments: list[str], message: str):
    run("index", "photos", "-o", "idx")
    assert message in told(*arguments)


def test_a_second_writer_is_told_who_writes(photos: Path):
    run("index", "photos", "-o", "idx")
    with IndexWriter(Path("idx")):
        assert f"is being written by process {os.getpid()}" in told("index", "photos", "-o", "idx")
        assert f"process {os.getpid()}" in run("info", "idx")["writer"]


def test_more_than_a_tenth_is_deleted_only_where_it_is_said_to_be_meant(photos: Path):
    run("index", "photos", "-o", "idx")
    for name in ("red", "blue"):
        (photos / f"{name}.png").unlink()
    said = told("index", "photos", "-o", "idx", "--delete")
    assert said == (
        "idx: --delete would remove 2 of 4 items, more than a tenth; nothing was deleted, what is new was indexed. "
        "If it is meant, give --yes"
    )
    assert run("info", "idx")["items"] == 4
    assert run("index", "photos", "-o", "idx", "--delete", "--yes")["deleted"] == 2


def test_a_tenth_is_deleted_without_a_question(photos: Path):
    for number in range(6):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(photos / f"{number}.png")
    run("index", "photos", "-o", "idx")
    (photos / "red.png").unlink()
    assert run("index", "photos", "-o", "idx", "--delete")["deleted"] == 1


def test_a_folder_that_is_no_index_is_never_written_into(photos: Path):
    before = sorted(path.name for path in photos.iterdir())
    said = told("index", "photos", "-o", "photos")
    assert said == "photos: the folder holds blue.png and no index; name a new folder with -o, as in photos.index"
    assert sorted(path.name for path in photos.iterdir()) == before
    (photos.parent / "empty").mkdir()
    assert run("index", "photos", "-o", "empty")["encoded"] == 4


def test_a_run_that_indexes_nothing_is_an_error_and_leaves_no_index(photos: Path):
    (photos.parent / "goods.csv").write_text("sku,photo\na,gone.png\n")
    said = told("index", "goods.csv", "-o", "idx", "--id-column", "sku", "--image-columns", "photo")
    assert said.startswith(
        "goods.csv: none of 1 items could be encoded; the first, a: picture gone.png: cannot be read"
    )
    assert not Path("idx").exists()


def test_fields_that_a_run_leaves_out_are_named(photos: Path):
    Path("goods.csv").write_text("sku,name,price,colour\na,mug,1,red\n")
    options = ("--id-column", "sku", "--text-columns", "name")
    run("index", "goods.csv", "-o", "idx", *options, "--metadata-columns", "price:float,colour")
    done = CliRunner().invoke(app, ["index", "goods.csv", "-o", "idx", *options, "--metadata-columns", "colour"])
    assert "items of this run lose the fields price: they are not among its --metadata-columns" in done.stderr


def test_a_row_that_stops_deleting_is_said_to(photos: Path):
    Path("goods.csv").write_text("sku,name,photo\na,red,\nb,blue,\n")
    options = ("--id-column", "sku", "--text-columns", "name", "--image-columns", "photo")
    run("index", "goods.csv", "-o", "idx", *options)
    Path("goods.csv").write_text("sku,name,photo\na,red,\nc,x,http://host/c.jpg\n")
    done = CliRunner().invoke(app, ["index", "goods.csv", "-o", "idx", *options, "--delete"])
    assert "nothing was deleted: a row that could not be read may be that of any item" in done.stderr


def test_a_linked_folder_of_a_layout_is_read_where_it_is_named(photos: Path):
    pool = Path("bench/cand_pool/local/mbeir_shop_task0_cand_pool.jsonl")
    pool.parent.mkdir(parents=True)
    row = {"txt": None, "img_path": "mbeir_images/red.png", "modality": "image", "did": "9:1"}
    pool.write_text(json.dumps(row) + "\n")
    Path("bench/mbeir_images").symlink_to(photos)
    said = told("search", str(pool), "--text", "red")
    assert (
        "mbeir_images is a link, which rows are not followed through: name it with --root mbeir_images=FOLDER" in said
    )
    named = ("--root", f"mbeir_images={photos}")
    assert first(str(pool), "--text", "red", *named) == "9:1"
    assert run("index", str(pool), "-o", "idx", *named)["encoded"] == 1
    assert first("idx", "--text", "red") == "9:1"
    assert run("info", "idx", "--check")["pictures"] == {"read": 1, "gone": 0, "changed": 0}


def test_the_limit_of_a_file_can_be_raised(photos: Path):
    noise = np.random.default_rng(0).integers(0, 256, (700, 700, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photos / "large.png")
    assert (photos / "large.png").stat().st_size > 2**20
    found = run("search", "photos", "--text", "red", "--max-mb", "1")["hits"]
    assert "large.png" not in [hit["did"] for hit in found]
    assert len(run("search", "photos", "--text", "red", "--max-mb", "2")["hits"]) == 5


def test_places_are_shown_without_steps_up_and_down(photos: Path):
    run("index", "photos", "-o", "idx")
    assert run("info", "idx")["roots"] == {"": "photos"}


def test_the_encoder_nobody_named_says_what_it_knows(photos: Path):
    said = "encoder hash, for trying commands out: it knows colours, no objects; a model is named with --encoder"
    assert said in CliRunner().invoke(app, ["index", "photos", "-o", "idx"]).stderr
    assert said in CliRunner().invoke(app, ["search", "idx", "--text", "red"]).stderr
    assert said not in CliRunner().invoke(app, ["search", "idx", "--text", "red", "--encoder", "hash"]).stderr
    assert said not in CliRunner().invoke(app, ["index", "photos", "-o", "idx"]).stderr  # once for an index


def test_a_filter_that_nothing_passes_is_said(photos: Path):
    Path("goods.csv").write_text("sku,name,price\na,mug,1\n")
    run("index", "goods.csv", "-o", "idx", "--id-column", "sku", "--text-columns", "name",
        "--metadata-columns", "price:float")  # fmt: skip
    done = CliRunner().invoke(app, ["search", "idx", "--text", "mug", "--filter", "price > 5"])
    assert "nothing was found: no item passes --filter" in done.stderr
