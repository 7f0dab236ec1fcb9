"""Pins what is said of a piece of work: its name, how many of how many, how many a second; a line a time in logs."""

from __future__ import annotations

import pytest

from vretrver.cli import progress as module
from vretrver.cli.progress import progress, told


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (("indexing", "files", 512, 2000, 10.0), "indexing: 512 of 2,000 files, 51 a second"),
        (("reading", "", 3, 0, 2.0), "reading: 3, 1.5 a second"),
        (("searching", "queries", 0, 9, 5.0), "searching: 0 of 9 queries"),
    ],
)
def test_progress_in_words(work: tuple[str, str, int, int, float], said: str) -> None:
    assert told(*work[:2], *work[2:]) == said


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = iter([0.0, 10.0, 31.0, 40.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    with progress("indexing", unit="files") as update:
        for done in (100, 620, 700):
            update(done, 2000)
    assert capsys.readouterr().err == "indexing: 620 of 2,000 files, 20 a second\n"
