"""Pins how rows of JSONL, CSV, TSV and parquet files are read, and what is said of a file that is not well formed."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from vretrver.data.sources.tables import kind_of_table, open_table
from vretrver.errors import DataError, MissingDependency


def written(folder: Path, name: str, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def rows(path: Path) -> list[tuple[str, dict[str, object]]]:
    table = open_table(path)
    return [(where.removeprefix(str(path)), dict(row)) for where, row in table.read(table.names)]


@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.csv.gz"])
def test_cells_of_a_csv_file_are_texts_and_rows_have_the_line_they_start_at(tmp_path: Path, name: str):
    path = written(tmp_path, name, '\ufeffid,text\n1,"two\nlines, quoted ""x"""\n\n2,caf\u00e9\n')
    assert open_table(path).names == ("id", "text")
    assert rows(path) == [
        (":2", {"id": "1", "text": 'two\nlines, quoted "x"'}),
        (":5", {"id": "2", "text": "caf\u00e9"}),
    ]


def test_cells_of_a_tsv_file_are_separated_by_tabs(tmp_path: Path):
    assert rows(written(tmp_path, "a.tsv", "id\ttext\r\n1\ta, b\r\n")) == [(":2", {"id": "1", "text": "a, b"})]


def test_the_columns_of_a_jsonl_file_are_the_keys_of_its_rows(tmp_path: Path):
    path = written(tmp_path, "a.jsonl", '{"id": 1, "a": ["x"]}\n{"id": 2, "b": null}\n')
    assert open_table(path).names == ("id", "a", "b")
    assert rows(path) == [(":1", {"id": 1, "a": ["x"]}), (":2", {"id": 2, "b": None})]


def test_rows_of_a_parquet_file_count_from_one_and_only_wanted_columns_are_read(tmp_path: Path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(arrow.table({"id": [1, 2], "text": ["a", None], "vector": [[0.5], [1.0]]}), path)
    table = open_table(path)
    assert table.names == ("id", "text", "vector")
    assert list(table.read(["id", "text"])) == [
        (f"{path}: row 1", {"id": 1, "text": "a"}),
        (f"{path}: row 2", {"id": 2, "text": None}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", "", ": the file is empty; its first line must name the columns"),
        ("a.csv", "id,id\n", ":1: column 'id' appears twice; rename one of them"),
        ("a.csv", "id,text\n1\n", ":2: 1 cells, the first line has 2; repair the line"),
        ("a.csv", "id,text\n1,2,3\n", ":2: 3 cells, the first line has 2; repair the line"),
        ("a.csv", 'id,text\n1,"never closed\n', ":2: not a well-formed table (unexpected end of data)"),
        ("a.csv", b"id,text\n1,\xff\n", ": not valid UTF-8"),
        ("a.csv", b"id,text\n" + b"1,x\n" * 900 + b"1,\xe9\n", ":902: not valid UTF-8"),
        ("a.csv", b'id,text\n1,"two\nlines \xe9"\n', ":3: not valid UTF-8"),
        ("a.jsonl", "", ": the file holds no row; give one JSON object a line"),
        ("a.jsonl", '{"id": 1}\n{"id": \n', ":2: not valid JSON"),
        ("a.jsonl", "[1]\n", ":1: a line must hold one JSON object, got a list"),
        ("a.parquet", b"PAR1 but not parquet", ": cannot be read as parquet: "),
        ("a.parquet", b"", ": cannot be read as parquet: "),
    ],
)
def test_a_file_that_is_not_well_formed_is_an_error_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, sentence: str
):
    path = written(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        rows(path)
    shown = str(caught.value).removeprefix(str(path))
    assert sentence in shown if "UTF-8" in sentence else shown.startswith(sentence)


def test_a_compressed_file_that_is_cut_short_is_an_error(tmp_path: Path):
    path = written(tmp_path, "a.csv.gz", "id,text\n" + "".join(f"{n},{n * n}\n" for n in range(2000)))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match="cannot be read"):
        rows(path)


def test_a_column_that_is_not_there_is_an_error_that_lists_those_that_are(tmp_path: Path):
    table = open_table(written(tmp_path, "a.csv", "sku,title\n"))
    with pytest.raises(DataError, match=r"a\.csv: no column 'titel'; the columns are sku, title$"):
        table.check(["sku", "titel"])


def test_without_the_extra_the_sentence_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependency, match=r"run: pip install 'vretrver\[sources\]'"):
        open_table(written(tmp_path, "a.parquet", "x"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jsonl", ".jsonl"), ("a.ndjson", ".jsonl"), ("a.jsonl.gz", ".jsonl"), ("a.csv", ".csv"),
        ("A.TSV.GZ", ".tsv"), ("a.parquet", ".parquet"), ("a.parquet.gz", None), ("a.jpg", None), ("a", None),
        ("a.gz", None),
    ],
)  # fmt: skip
def test_tables_are_known_by_the_ending_of_their_name(name: str, kind: str | None):
    assert kind_of_table(Path(name)) == kind


def table(tmp_path: Path, content: bytes, name: str = "a.csv") -> tuple[tuple[str, ...], list[dict[str, object]]]:
    opened = open_table(written(tmp_path, name, content))
    return opened.names, [dict(row) for _, row in opened.read(opened.names)]


def test_a_cell_may_be_longer_than_the_csv_module_likes(tmp_path: Path):
    _, rows = table(tmp_path, b"id,text\n1," + b"x" * 200_000 + b"\n")
    assert rows == [{"id": "1", "text": "x" * 200_000}]


@pytest.mark.parametrize(
    "content",
    [
        b"id,title,photo\n1,red mug,a.png\n",
        b"id;title;photo\n1;red mug;a.png\n",
        b"id\ttitle\tphoto\n1\tred mug\ta.png\n",
        b"id|title|photo\n1|red mug|a.png\n",
        b"sep=;\r\nid;title;photo\r\n1;red mug;a.png\r\n",
        b'id, title, photo\n1, "red mug", a.png\n',
        b"id,title,photo\r1,red mug,a.png\r",
        "id,title,photo\r\n1,red mug,a.png\r\n".encode("utf-8-sig"),
        "id,title,photo\r\n1,red mug,a.png\r\n".encode("utf-16"),
    ],
    ids=["commas", "semicolons", "tabs", "bars", "told", "blanks", "carriage-returns", "mark", "utf-16"],
)
def test_a_table_is_read_however_a_spreadsheet_wrote_it(tmp_path: Path, content: bytes):
    assert table(tmp_path, content) == (
        ("id", "title", "photo"), [{"id": "1", "title": "red mug", "photo": "a.png"}]
    )  # fmt: skip


def test_a_delimiter_in_quotes_or_of_another_kind_parts_nothing(tmp_path: Path):
    names, rows = table(tmp_path, b'id,"a;b;c",d e\n1,x;y,"z, w"\n')
    assert (names, rows) == (("id", "a;b;c", "d e"), [{"id": "1", "a;b;c": "x;y", "d e": "z, w"}])


def test_lines_are_counted_from_the_first_of_the_file(tmp_path: Path):
    path = written(tmp_path, "a.csv", b'sep=;\nid;text\n1;"two\nlines"\n2;x\n3;x;y\n')
    with pytest.raises(DataError, match=r"a\.csv:6: 3 cells, the first line has 2"):
        list(open_table(path).read(["id"]))


def test_a_column_that_is_not_there_is_listed_as_options_take_it(tmp_path: Path):
    opened = open_table(written(tmp_path, "a.csv", b'id,"title, long"\n1,x\n'))
    with pytest.raises(DataError, match=r"no column 'title'; the columns are id,\"title, long\""):
        opened.check(["title"])
