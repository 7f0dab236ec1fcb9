"""Pins that an index from a stranger opens nothing outside of itself before the user has said so, end to end."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.commands import call, sentence_of
from tests.tiny_clip import clip_folder

from vretrver.doctor.index import check_index
from vretrver.trust import model_trusted, state_file, unconfirmed


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A working directory: pictures, a model, an index this user made of both."""
    for folder in ("photos", "private"):
        (tmp_path / folder).mkdir()
    for name, colour in {"red": (208, 40, 40), "blue": (43, 95, 201)}.items():
        Image.new("RGB", (64, 48), colour).save(tmp_path / "photos" / f"{name}.png")
        Image.new("RGB", (64, 48), colour).save(tmp_path / "private" / f"{name}.png")
    shutil.copytree(clip_folder("clip"), tmp_path / "model")
    done = call("index", "photos", "-o", "mine", "--encoder", "clip:model", cwd=tmp_path)
    assert done.code == 0, done.stderr
    return tmp_path


@pytest.fixture
def strange(place: Path) -> Path:
    """The same index as a stranger sends it: nobody here has confirmed anything for it."""
    (place / "from").mkdir()
    shutil.copytree(place / "mine", place / "from" / "strange")
    state_file().unlink()
    return place


def _edit(index: Path, **values: object) -> None:
    connection = sqlite3.connect(index / "items.sqlite")
    (text,) = connection.execute("SELECT value FROM manifest").fetchone()
    connection.execute("UPDATE manifest SET value = ?", (json.dumps({**json.loads(text), **values}),))
    connection.commit()
    connection.close()


def test_what_the_user_indexed_is_opened_without_a_word(place: Path):
    for arguments in (["--policy", "first-k", "--report", "r.html"], []):
        done = call("search", "mine", "--text", "red", "--json", *arguments, cwd=place)
        assert done.code == 0, done.stderr
    assert "data:image" in (place / "r.html").read_text()
    assert json.loads(call("info", "mine", "--check", "--json", cwd=place).stdout)["pictures"]["read"] == 2
    assert call("index", "photos", "-o", "mine", "--json", cwd=place).code == 0


@pytest.mark.parametrize(
    "command", [["search", "from/strange", "--text", "red"], ["index", "photos", "-o", "from/strange"]]
)
def test_a_model_folder_that_only_the_index_names_is_not_opened(strange: Path, command: list[str]):
    assert sentence_of(call(*command, cwd=strange)) == (
        f"vretrver: from/strange: names the encoder 'clip:{strange / 'model'}', a model folder that you have not "
        "opened yourself; if you trust it, name it with --encoder, or give --trust once"
    )


def test_the_users_word_is_taken_once_or_remembered(strange: Path):
    search = ["search", "from/strange", "--text", "red", "--json"]
    assert call(*search, "--encoder", "clip:model", cwd=strange).code == 0
    assert call(*search, cwd=strange).code == 1
    assert call(*search, "--trust", cwd=strange).code == 0
    assert call(*search, cwd=strange).code == 0
    assert model_trusted(strange / "model")
    assert not model_trusted(strange / "photos")


@pytest.mark.parametrize("root", ["../../private", "{place}/private", "/", "..", "inside", "s3://bucket/folder"])
def test_private_pictures_do_not_come_into_a_report_on_an_indexs_word(strange: Path, root: str):
    index = strange / "from" / "strange"
    (index / "inside").symlink_to(strange / "private")
    _edit(index, roots={"": root.replace("{place}", str(strange))}, encoder="hash")
    search = ["search", "from/strange", "--text", "red", "--encoder", "clip:model"]
    sentence = sentence_of(call(*search, "--policy", "first-k", "--report", "r.html", cwd=strange))
    assert "from/strange: its pictures lie outside of it, in '" in sentence
    assert sentence.endswith("if you trust it, give --trust once, or name the folder with --root")
    assert not (strange / "r.html").exists()
    shown = call("info", "from/strange", "--check", "--json", cwd=strange)
    assert json.loads(shown.stdout)["pictures"]["read"] == 0
    assert "pictures are not read: from/strange: its pictures lie outside of it" in shown.stderr
    assert any("not read: they are outside" in found.sentence for found in check_index(index, hidden=unconfirmed))
    assert call(*search, "--json", cwd=strange).code == 0, "without pictures there is nothing to confirm"


def test_pictures_are_confirmed_for_one_index_only(strange: Path):
    _edit(strange / "from" / "strange", roots={"": "../../private"}, encoder="hash")
    shutil.copytree(strange / "from" / "strange", strange / "from" / "other")
    search = ["--text", "red", "--encoder", "clip:model", "--policy", "first-k", "--json"]
    assert call("search", "from/strange", *search, "--trust", cwd=strange).code == 0
    assert call("search", "from/strange", *search, cwd=strange).code == 0
    assert call("search", "from/other", *search, cwd=strange).code == 1
    assert call("search", "from/other", *search, "--root", "private", cwd=strange).code == 0
    assert unconfirmed(strange / "from" / "other", {"": strange / "private"})


def test_pictures_inside_an_index_need_no_word(strange: Path):
    index = strange / "from" / "strange"
    shutil.copytree(strange / "private", index / "pictures")
    _edit(index, roots={"": "pictures"}, encoder="hash")
    search = ["search", "from/strange", "--text", "red", "--encoder", "clip:model", "--policy", "first-k"]
    assert call(*search, cwd=strange).code == 0


def test_code_of_a_folder_does_not_run_whatever_standard_input_says(strange: Path):
    """The attack as it was found: an unknown image processor with an auto_map, and a `y` on standard input."""
    model = strange / "model"
    (model / "evil.py").write_text(f"open({str(strange / 'ran')!r}, 'w')\nclass Evil: pass\n")
    found = json.loads((model / "preprocessor_config.json").read_text())
    found |= {"image_processor_type": "Evil", "auto_map": {"AutoImageProcessor": "evil.Evil"}}
    (model / "preprocessor_config.json").write_text(json.dumps(found))
    command = [sys.executable, "-c", "from vretrver.cli.main import main; main()"]
    command += ["search", "from/strange", "--text", "red", "--trust"]
    done = subprocess.run(command, cwd=strange, input="y\n" * 9, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"vretrver: {model / 'preprocessor_config.json'}: image_processor_type is 'Evil', which is not one of the "
        + done.stderr.rstrip("\n").partition("is not one of the ")[2]
    ]
    assert "[y/N]" not in done.stdout + done.stderr
    assert not (strange / "ran").exists()


def test_a_state_file_that_cannot_be_kept_or_read_stops_nothing(place: Path, monkeypatch: pytest.MonkeyPatch):
    (place / "state").write_text("not a folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
    done = call("index", "photos", "-o", "other", "--encoder", "clip:model", "--json", cwd=place)
    assert done.code == 0
    assert "what you confirmed cannot be remembered" in done.stderr
    assert call("search", "other", "--text", "red", cwd=place).code == 1


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 99_999, b'{"model": "/"}', b"\n\n{}\n"])
def test_lines_that_are_not_ours_say_nothing(strange: Path, content: bytes):
    state_file().write_bytes(content)
    assert not model_trusted(strange / "model")
    assert call("search", "from/strange", "--text", "red", "--trust", cwd=strange).code == 0
    assert model_trusted(strange / "model")


def test_folders_that_are_named_are_opened_and_no_others(strange: Path):
    _edit(strange / "from" / "strange", roots={"": "../../photos", "more/": "../../private"})
    search = ("search", "from/strange", "--text", "red", "--encoder", "clip:model", "--policy", "first-k")
    said = sentence_of(call(*search, "--root", "photos", cwd=strange))
    assert "private" in said
    assert "photos" not in said
    done = call(*search, "--root", "photos", "--root", "more=private", cwd=strange)
    assert done.code == 0, done.stderr


def test_a_pipe_in_the_place_of_the_state_file_is_not_waited_for(strange: Path):
    os.mkfifo(state_file())
    assert not model_trusted(strange / "model")
    done = call("search", "from/strange", "--text", "red", "--trust", cwd=strange)
    assert done.code == 0
    assert "cannot be remembered (not a regular file)" in done.stderr


def test_an_endless_view_does_not_hang_info(strange: Path):
    connection = sqlite3.connect(strange / "from" / "strange" / "items.sqlite")
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 1 AS one, max(i) AS value FROM n"
    )
    connection.execute("DROP TABLE manifest")
    connection.execute(f"CREATE VIEW manifest AS {endless}")
    connection.commit()
    connection.close()
    assert sentence_of(call("info", "from/strange", cwd=strange)) == (
        "vretrver: from/strange/items.sqlite: holds the view 'manifest', which an index does not have; do not open "
        "it, make your own of its source"
    )
