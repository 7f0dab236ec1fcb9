"""Pins that both arms of the decoding benchmark make the same thumbnail where nothing is decoded at reduced scale."""

from __future__ import annotations

from pathlib import Path

from measure.decode_rate import best_of, compare, whole
from PIL import Image

from vretrver.geometry import PixelBudget
from vretrver.images import ImageStore
from vretrver.records import ImageRef


def test_both_arms_make_the_same_thumbnail(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.effect_noise((120, 80), 60).convert("RGB").save(tmp_path / "a.jpg", exif=exif)
    rule = PixelBudget(cell=32, tokens=9)
    ours = ImageStore({"": tmp_path}).thumbnail(ImageRef(path="a.jpg"), rule)
    assert ours.tobytes() == whole(tmp_path / "a.jpg", rule).tobytes()
    assert compare(tmp_path, 9, 1)["pictures"] == 1


def test_the_arms_take_turns() -> None:
    calls: list[str] = []
    best = best_of(2, [lambda: calls.append("a"), lambda: calls.append("b")])
    assert calls == ["a", "b", "a", "b"]
    assert all(0 <= seconds < 1 for seconds in best)
