"""Pins the one front to corpora: what each form yields, what is left out, and what is an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from vretrver.data.sources.columns import Columns
from vretrver.data.sources.source import read_source
from vretrver.data.trec_hits import root_of
from vretrver.errors import ConfigError, DataError
from vretrver.images import ImageStore

SHOP = Columns(id="sku", text=("title",), image=("photo",))


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 4)).save(path)
    return path


def test_a_folder_is_read_file_by_file_and_what_is_refused_is_kept(tmp_path: Path):
    for name in ("a.png", "b.png"):
        picture(tmp_path / name)
    (tmp_path / "c.jpg").write_text("no picture")
    source = read_source(tmp_path, root_name="shop")
    steps: list[tuple[int, int]] = []
    found = list(source.candidates(progress=lambda done, total: steps.append((done, total))))
    assert [candidate.did for candidate in found] == ["a.png", "b.png"]
    assert [refused.path for refused in source.refused] == ["c.jpg"]
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert source.roots == {"shop": tmp_path}
    assert ImageStore(source.roots).original(found[0].pictures[0]).size == (8, 4)
    assert len(list(source.candidates())) == 2
    assert len(source.refused) == 1


def test_one_picture_or_document_is_a_source(tmp_path: Path):
    images = [Image.new("RGB", (8, 4)), Image.new("RGB", (4, 8))]
    images[0].save(tmp_path / "m.pdf", save_all=True, append_images=images[1:])
    picture(tmp_path / "other.png")
    source = read_source(tmp_path / "m.pdf")
    assert [candidate.did for candidate in source.candidates()] == ["m.pdf#page=1", "m.pdf#page=2"]
    assert source.roots == {"": tmp_path}


def test_a_table_is_read_with_its_columns_and_bad_rows_are_left_out_by_name(tmp_path: Path):
    picture(tmp_path / "photos/a.png")
    table = tmp_path / "shop.csv"
    table.write_text("sku,title,photo\n1,red mug,a.png\n,blue mug,\n1,again,\n2,,\n3,jug,/etc/passwd\n4,bowl,\n")
    source = read_source(table, columns=SHOP, root=tmp_path / "photos")
    found = list(source.candidates())
    assert [(candidate.did, candidate.text) for candidate in found] == [("1", "red mug"), ("4", "bowl")]
    assert ImageStore(source.roots).original(found[0].pictures[0]).size == (8, 4)
    assert [refused.path.removeprefix(str(tmp_path)) for refused in source.refused] == [
        "/shop.csv:3", "/shop.csv:4", "/shop.csv:5", "/shop.csv:6",
    ]  # fmt: skip
    reasons = [refused.reason for refused in source.refused]
    assert reasons[0].startswith("column 'sku': the id ''")
    assert reasons[1] == f"the id '1' stands already at {table}:2"
    assert "must be relative to the image root" in reasons[3]


def test_rows_of_parquet_and_jsonl_become_the_same_candidates(tmp_path: Path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"sku": 1, "title": "mug", "photo": ["a.png", "b.png"]}, {"sku": 2, "title": None, "photo": ["c.png"]}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    found = [list(read_source(tmp_path / name, columns=SHOP).candidates()) for name in ("a.jsonl", "a.parquet")]
    assert found[0] == found[1]
    assert [len(candidate.parts) for candidate in found[0]] == [3, 1]


def test_a_pool_of_m_beir_and_a_file_of_candidates_need_no_columns(tmp_path: Path):
    pool = tmp_path / "world/cand_pool/local/pool.jsonl"
    pool.parent.mkdir(parents=True)
    pool.write_text('{"did": "9:1", "txt": null, "img_path": "a.png", "modality": "image"}\n')
    source = read_source(pool)
    assert [candidate.did for candidate in source.candidates()] == ["9:1"]
    assert source.roots == {"": tmp_path / "world"}
    (tmp_path / "hits.jsonl").write_text('{"did": "a", "text": "red mug", "metadata": {"price": 3}}\n')
    (candidate,) = read_source(tmp_path / "hits.jsonl").candidates()
    assert (candidate.did, candidate.text, candidate.metadata) == ("a", "red mug", {"price": 3})


def test_a_store_may_be_the_root_of_a_table(tmp_path: Path):
    (tmp_path / "a.csv").write_text("sku,title,photo\n1,x,a.png\n")
    assert read_source(tmp_path / "a.csv", columns=SHOP, root="memory://shop").roots == {"": "memory://shop"}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gone", None, "no such folder or file; name a folder of pictures, a document, a table or a pool"),
        ("a.docx", "x", "a.docx: not a source; name a folder of pictures, one picture or document"),
        ("a.csv", "sku,title\n1,x\n", "a.csv: say what its columns hold with --id-column, .*; they are sku, title"),
        ("a.jsonl", '{"sku": 1}\n', "a.jsonl: say what its columns hold with --id-column, .*; they are sku"),
        ("a.jpg", "x", "none of 1 files could be read; the first, a.jpg: picture a.jpg: not a picture"),
    ],
)
def test_what_is_no_source_is_an_error_with_a_remedy(tmp_path: Path, name: str, content: str | None, sentence: str):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=sentence):
        list(read_source(tmp_path / name).candidates())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("sku,title\n", "no column 'photo'; the columns are sku, title"),
        ("sku,title,photo\n", "the table holds no row"),
        ("sku,title,photo\n,,\n1,,\n", r"none of 2 rows could be read; the first, .*a\.csv:2: neither text"),
    ],
)
def test_a_table_that_yields_nothing_is_an_error(tmp_path: Path, content: str, sentence: str):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=sentence):
        list(read_source(tmp_path / "a.csv", columns=SHOP).candidates())


def test_columns_and_roots_are_for_tables_only(tmp_path: Path):
    picture(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="columns are declared, but this is no JSONL, CSV, TSV or parquet table"):
        read_source(tmp_path, columns=SHOP)
    with pytest.raises(ConfigError, match="a root is given, but the pictures lie in the folder itself"):
        read_source(tmp_path / "a.png", root=tmp_path)


def test_the_root_of_a_layout_is_found_from_its_pools_and_queries(tmp_path: Path):
    assert root_of(tmp_path / "w/cand_pool/local/a.jsonl") == tmp_path / "w"
    assert root_of(tmp_path / "w/query/test/a.jsonl") == tmp_path / "w"
    assert root_of(tmp_path / "a.jsonl") == tmp_path
