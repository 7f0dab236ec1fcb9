"""Pins when a line's box covers a value, and that what OCR read is kept: a page is read once over two runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from measure.documents import _covers
from measure.documents_read import KeptReadings
from tests.drawn import DrawnFolder
from tests.unit.agent.given_texts import GivenTexts, line


@pytest.mark.parametrize(
    ("box", "covers"), [([0, 0, 20, 10], True), ([0, 0, 18, 10], True), ([0, 0, 17, 10], False), (None, False)]
)
def test_nine_tenths_of_the_ink_are_to_be_held(box: list[int] | None, covers: bool) -> None:
    assert _covers(box, [0, 0, 20, 10]) is covers


def test_a_page_is_read_once_over_two_runs(drawn: DrawnFolder, tmp_path: Path) -> None:
    ref = drawn.store.pin(drawn.ref(1))
    texts = GivenTexts({"1.png": [line("Total 118.40", 1, 2, 30, 40, 0.97)]})
    for _ in range(2):
        kept = KeptReadings(drawn.store, tmp_path / "readings.jsonl")
        kept._texts = texts  # type: ignore[assignment]
        assert [(one.text, one.confidence) for one in kept.read(ref).lines] == [("Total 118.40", 0.97)]
    assert texts.read_of == [("1.png", None)]
