"""Pins that one process writes at a time, that the other is told who, and that a dead writer holds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.retrieval.directory.letters import open_writer

from vretrver.errors import IndexBusy
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.lock import WriterLock, holder_of

HOLD = "import sys; from pathlib import Path; from vretrver.retrieval.directory.lock import WriterLock; "
HOLD += "lock = WriterLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"


def test_the_second_writer_is_told_who_writes(tmp_path: Path):
    with (
        open_writer(tmp_path),
        pytest.raises(IndexBusy, match=rf"is being written by process {os.getpid()} on .*since"),
    ):
        open_writer(tmp_path)
    open_writer(tmp_path).close()


def test_a_reader_sees_who_writes_and_is_not_held_up(tmp_path: Path):
    with open_writer(tmp_path), DirectoryIndex(tmp_path) as index:
        holder = index.holder
        assert holder is not None
        assert holder.pid == os.getpid()
        assert len(index) == 0
    with DirectoryIndex(tmp_path) as index:
        assert index.holder is None


def test_a_killed_writer_holds_nothing(tmp_path: Path):
    path = tmp_path / "lock"
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        holder = holder_of(path)
        assert holder is not None
        assert (holder.pid, holder.command[:2]) == (child.pid, "-c")
        with pytest.raises(IndexBusy, match=f"process {child.pid} on"):
            WriterLock(path)
        child.kill()
    assert holder_of(path) is None
    WriterLock(path).close()


def test_a_holder_without_a_name_is_another_process(tmp_path: Path):
    lock = WriterLock(tmp_path / "lock")
    (tmp_path / "lock").write_text("{")
    with pytest.raises(IndexBusy, match="is being written by another process"):
        WriterLock(tmp_path / "lock")
    assert holder_of(tmp_path / "lock") is not None
    lock.close()
    assert holder_of(tmp_path / "missing") is None
