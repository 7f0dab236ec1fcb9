"""Pins that pictures that are gone or changed are named, and that a sample is drawn evenly."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from vretrver.images import ImageStore
from vretrver.records import Candidate, ImageRef, TextPart, parts_of
from vretrver.retrieval.directory.check import PictureCheck, check_pictures, sampled


def test_pictures_that_are_gone_or_changed_are_named(tmp_path: Path):
    for name in ("kept", "gone", "changed"):
        Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / f"{name}.png")
    store = ImageStore({"": tmp_path})
    names = ("kept", "gone", "changed")
    items = [Candidate(did=name, parts=parts_of(images=[store.pin(ImageRef(path=f"{name}.png"))])) for name in names]
    items.append(Candidate(did="text", parts=(TextPart(text="a"),)))
    assert check_pictures(items, store) == PictureCheck(looked=3, gone=(), changed=())
    (tmp_path / "gone.png").unlink()
    Image.new("RGB", (4, 4), (7, 7, 7)).save(tmp_path / "changed.png")
    assert check_pictures(items, store) == PictureCheck(looked=3, gone=("gone",), changed=("changed",))


def test_a_sample_keeps_the_order_and_is_everything_when_it_is_large():
    dids = [f"d{n:03}" for n in range(200)]
    assert sampled(dids, 500) == dids
    drawn = sampled(dids, 20)
    assert drawn == sorted(drawn)
    assert len(set(drawn)) == 20
    assert drawn == sampled(iter(dids), 20)
    assert drawn != sampled(dids, 20, seed=1)
