"""Pins that only regular files are written, appended to and replaced, and that nothing is waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vretrver.errors import ConfigError, DataError
from vretrver.files import LineFile, open_own, open_regular, refuse_filled, replace_file
from vretrver.policies.journal import JournaledPolicy
from vretrver.policies.scripted import first_k
from vretrver.report.html import write_report
from vretrver.traces import TraceWriter


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_a_report_does_not_replace_a_device_or_a_pipe(pipe: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to("/dev/null")
    for path in (pipe, Path("/dev/null"), tmp_path / "link"):
        before = os.lstat(path)
        with pytest.raises(DataError, match=f"^{path}: cannot be written: not a regular file; choose another file$"):
            write_report(path, [], None, title="t", summary=[])  # type: ignore[arg-type]
        assert os.lstat(path).st_mode == before.st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]


def test_a_folder_is_not_replaced(tmp_path: Path):
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path, b"x")


def test_a_link_is_replaced_and_what_it_points_to_is_left_alone(tmp_path: Path):
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert (tmp_path / "link").read_bytes() == b"new"


def test_a_trace_and_a_journal_do_not_wait_for_a_pipe(pipe: Path):
    with pytest.raises(DataError, match=f"^{pipe}: cannot be written: not a regular file; choose another file$"):
        TraceWriter(pipe)
    with pytest.raises(DataError, match=f"^{pipe}: the journal cannot be opened: not a regular file; choose another"):
        JournaledPolicy(first_k(), pipe)
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(Path("/dev/zero"), os.O_RDONLY)


def test_a_trace_may_be_a_link_of_the_users(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path / "kept.jsonl")
    lines = LineFile(tmp_path / "link", begins=b"{")
    lines.append(b"{}\n")
    lines.close()
    assert (tmp_path / "kept.jsonl").read_bytes() == b"{}\n"


def test_a_torn_end_is_cut_and_the_next_line_follows(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": ' + b"x" * 200_000)
    lines = LineFile(path, begins=b'{"a":')
    lines.append(b'{"a": 2}\n')
    lines.close()
    assert path.read_bytes() == b'{"a": 1}\n{"a": 2}\n'


def test_a_file_with_a_second_name_may_be_read_and_not_written(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    os.close(open_own(tmp_path / "b", os.O_RDONLY))
    with pytest.raises(DataError, match=r"b: is a file with a second name \(a hard link\)"):
        open_own(tmp_path / "b", os.O_RDWR)


def test_a_folder_of_others_files_is_never_written_into(tmp_path: Path) -> None:
    def check() -> None:
        refuse_filled(tmp_path, ours=("ours.json",), what="catalogue", option="--out")

    check()
    (tmp_path / "b.png").write_text("")
    (tmp_path / "a.png").write_text("")
    with pytest.raises(ConfigError, match=r"the folder holds a\.png and no catalogue; name a new folder with --out"):
        check()
    (tmp_path / "ours.json").write_text("")
    check()
