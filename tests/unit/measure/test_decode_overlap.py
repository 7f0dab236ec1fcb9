"""Runs one small window of the overlap: the pictures it draws, and what a run says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from measure import decode_overlap
from measure.before import run_child
from PIL import Image


def test_pictures_are_equal_to_see_and_differ_by_hash(tmp_path: Path) -> None:
    decode_overlap.draw_photos(tmp_path, 13, size=(64, 48))
    first, other, again = (tmp_path / name for name in ("000.jpg", "001.jpg", "012.jpg"))
    assert first.read_bytes() != again.read_bytes()
    pixels = [np.asarray(Image.open(path)) for path in (first, other, again)]
    assert np.array_equal(pixels[0], pixels[2])
    assert not np.array_equal(pixels[0], pixels[1])


@pytest.mark.parametrize("workers", [[], ["0"]])
def test_a_run_waits_for_its_turns_and_says_what_it_took(tmp_path: Path, workers: list[str]) -> None:
    decode_overlap.draw_photos(tmp_path, 4, size=(64, 48))
    said = json.loads(run_child(decode_overlap.CHILD, [str(tmp_path), "0.05", "2", "2", *workers]))
    assert 0.1 <= said["seconds"] < 20


def test_arms_take_turns() -> None:
    calls: list[str] = []

    def arm(name: str) -> dict[str, float]:
        calls.append(name)
        return {"seconds": 1.0}

    ran = decode_overlap.alternate({"a": lambda: arm("a"), "b": lambda: arm("b")}, 2)
    assert calls == ["a", "b", "a", "b"]
    assert ran == {"a": [{"seconds": 1.0}] * 2, "b": [{"seconds": 1.0}] * 2}
