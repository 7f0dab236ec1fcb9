"""Runs the proof of picture reads on small pictures: a file of a folder and of a store is read and hashed once."""

from __future__ import annotations

from pathlib import Path

import pytest
from measure import picture_reads


def test_each_file_is_read_and_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.setattr(picture_reads, "SIZE", (96, 72))
    measured = picture_reads.run(tmp_path)
    for reads in measured.values():
        assert (reads.windows, reads.zooms) == (4, 32)
    for arm in ("folder", "store"):
        found = measured[arm]
        assert (found.whole_file_reads, found.sha256_passes, found.most_reads_of_a_file) == (50, 50, 1)
    assert measured["never remembered"].whole_file_reads == 192
