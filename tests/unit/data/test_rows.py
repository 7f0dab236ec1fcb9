"""Pins that JSONL is read line by line with path:line in every error, and that odd JSON is refused."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from vretrver.data.rows import picture_path, picture_ref, read_lines, read_objects
from vretrver.errors import DataError
from vretrver.records import ImageRef


def test_lines_carry_their_place_and_blank_ones_are_left_out(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\n  \ntwo")
    assert list(read_lines(path)) == [(f"{path}:1", "one"), (f"{path}:4", "two")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_and_letters_are_written_in_many_ways(tmp_path: Path, encoding: str, end: str):
    path = tmp_path / "a.txt"
    path.write_bytes(end.join(["größe", "", "b\u2028c\x0bd", "e"]).encode(encoding))
    expected = [(f"{path}:1", "größe"), (f"{path}:3", "b\u2028c\x0bd"), (f"{path}:4", "e")]
    assert list(read_lines(path)) == expected
    path.write_bytes(path.read_bytes() + end.encode(encoding.replace("-sig", "").replace("16", "16-le")
                                                    .replace("32", "32-le")))  # fmt: skip
    assert list(read_lines(path)) == expected


def test_a_bad_byte_is_named_by_its_line_whatever_ends_lines():
    for data, line in ((b"a\rb\r\xff\rc", 3), (b"a\r\nb\r\n\xff", 3), (b"\xef\xbb\xbfa\n\xc3", 2)):
        with pytest.raises(DataError, match=rf"^-:{line}: not valid UTF-8"):
            list(read_lines(io.BytesIO(data), name="-"))
    with pytest.raises(DataError, match=r"^-:2: not valid UTF-16"):
        list(read_lines(io.BytesIO("a\nb".encode("utf-16") + b"\0"), name="-"))


@pytest.mark.parametrize(
    ("written", "path", "page"),
    [
        ("a.pdf", "a.pdf", 0),
        ("d/a.pdf#page=2", "d/a.pdf", 1),
        ("img\\a.png", "img/a.png", 0),
        ("a#page=0", "a#page=0", 0),
        ("a#page=", "a#page=", 0),
        ("a#page=2.png", "a#page=2.png", 0),
    ],
)
def test_a_row_names_a_picture_or_a_page(written: str, path: str, page: int):
    assert picture_ref(written, "t:1", root="r") == ImageRef(path=path, root="r", page=page)


def test_streams_of_text_and_of_bytes_are_read_alike():
    assert list(read_lines(io.StringIO("a\nb\n"), name="-")) == [("-:1", "a"), ("-:2", "b")]
    assert list(read_lines(io.BytesIO(b"a\nb\n"), name="-")) == [("-:1", "a"), ("-:2", "b")]


def test_compressed_files_are_read(tmp_path: Path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert [row for _, row in read_objects(path)] == [{"a": 1}]


def test_a_cut_compressed_file_is_an_error(tmp_path: Path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' * 1000)[:40])
    with pytest.raises(DataError, match="cannot be read"):
        list(read_objects(path))


def test_a_missing_file_is_an_error(tmp_path: Path):
    with pytest.raises(DataError, match="No such file"):
        list(read_objects(tmp_path / "gone.jsonl"))


def test_bytes_that_are_not_utf8_are_named_by_their_line(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n{}\n\xff\n")
    with pytest.raises(DataError, match=r"a\.jsonl:3: not valid UTF-8"):
        list(read_objects(path))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1', "not valid JSON"),
        ("[1]", "must hold one JSON object, got a list"),
        ("null", "must hold one JSON object, got a NoneType"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": -Infinity}', "-Infinity is not a JSON number"),
        ('{"a": 1, "a": 2}', "a key appears twice"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_odd_json_is_refused_with_its_place(line: str, reason: str):
    with pytest.raises(DataError, match=r"^in:2: ") as caught:
        list(read_objects(io.StringIO("{}\n" + line), name="in"))
    assert reason in str(caught.value)


def test_rows_before_a_broken_one_are_still_read():
    rows = read_objects(io.StringIO('{"a": 1}\nbroken'), name="in")
    assert next(rows) == ("in:1", {"a": 1})
    with pytest.raises(DataError):
        next(rows)


def test_escaped_emoji_are_text():
    assert next(read_objects(io.StringIO('{"a": "\\ud83d\\ude00"}'))) == ("<stream>:1", {"a": "\U0001f600"})


def test_relative_paths_pass():
    assert picture_path("images/a b.jpg", "in:1") == "images/a b.jpg"
    assert picture_path("images\\deep\\a.jpg", "in:1") == "images/deep/a.jpg"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../a.jpg",
        "a/../../b.jpg",
        "a\0.jpg",
        ".",
        "C:\\a.jpg",
        "c:/a.jpg",
        "..\\a.jpg",
        "\\\\host\\a.jpg",
    ],
)
def test_paths_that_leave_the_root_are_refused(path: str):
    with pytest.raises(DataError, match="in:1: picture path"):
        picture_path(path, "in:1")
