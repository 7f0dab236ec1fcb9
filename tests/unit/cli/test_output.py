"""Pins that outputs are checked before the work, and that no letter breaks off what is printed."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from vretrver.cli.output import (
    emit_json,
    emit_table,
    json_text,
    prepare_output,
    refuse_foreign,
    table_text,
    tolerate_letters,
)
from vretrver.errors import ConfigError, DataError


def test_the_folder_of_an_output_is_made_and_a_file_is_left_as_it_is(tmp_path: Path) -> None:
    prepare_output(None)
    prepare_output(tmp_path / "deep/er/run.html")
    assert list((tmp_path / "deep/er").iterdir()) == []
    (tmp_path / "there").write_text("kept")
    prepare_output(tmp_path / "there")
    assert (tmp_path / "there").read_text() == "kept"


def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, reason in (("file/run.html", "File exists|Not a directory"), (".", "Is a directory")):
        with pytest.raises(DataError, match=rf"cannot be written: ({reason}); choose another file"):
            prepare_output(tmp_path / name)


@pytest.mark.parametrize(
    ("encoding", "json", "table"),
    [
        ("cp1252", b'{"did": "\\u5199.png"}\n', b"did\n\\u5199.png\n"),
        ("koi8-r", b'{"did": "\\u5199.png"}\n', b"did\n\\u5199.png\n"),
        ("utf-8", '{"did": "\u5199.png"}\n'.encode(), "did\n\u5199.png\n".encode()),
    ],
)
def test_letters_that_the_output_does_not_know_are_escaped(
    monkeypatch: pytest.MonkeyPatch, encoding: str, json: bytes, table: bytes
) -> None:
    for expected, emit in (
        (json, lambda: emit_json({"did": "\u5199.png"})),
        (table, lambda: emit_table(("did",), [("\u5199.png",)])),
    ):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, newline="\n"))
        tolerate_letters()
        emit()
        sys.stdout.flush()
        assert raw.getvalue() == expected


def test_a_folder_of_others_files_is_never_written_into(tmp_path: Path) -> None:
    def check() -> None:
        refuse_foreign(tmp_path, ours=("ours.json",), what="catalogue", option="--out")

    check()
    (tmp_path / "b.png").write_text("")
    (tmp_path / "a.png").write_text("")
    with pytest.raises(ConfigError, match=r"the folder holds a\.png and no catalogue; name a new folder with --out"):
        check()
    (tmp_path / "ours.json").write_text("")
    check()


def test_a_table_holds_no_row_that_a_name_forged() -> None:
    rows = [(1, "a\n  2  b"), (2, "\x1b[8mhidden")]
    assert table_text(("rank", "candidate"), rows) == ("rank  candidate\n   1  a\\n  2  b\n   2  \\x1b[8mhidden\n")


def test_json_says_the_same_without_what_a_terminal_obeys() -> None:
    value = {"did": "\x9b2J\u202e\x7f", "text": "Straße 杯"}
    line = json_text(value)
    assert line == '{"did": "\\u009b2J\\u202e\\u007f", "text": "Straße 杯"}\n'
    assert json.loads(line) == value
