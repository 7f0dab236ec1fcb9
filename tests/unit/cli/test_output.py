"""Pins that outputs are checked before the work, and that no letter breaks off what is printed."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from vretrver.cli.output import emit_json, emit_table, prepare_output, tolerate_letters
from vretrver.errors import DataError


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
