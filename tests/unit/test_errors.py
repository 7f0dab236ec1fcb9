"""Pins what an error about a picture says and carries."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from PIL import Image

from vretrver.errors import DataError, PictureError
from vretrver.images import ImageStore
from vretrver.records import Address, ImageRef


def test_an_error_about_a_picture_names_it_and_carries_the_reason() -> None:
    ref = ImageRef(path="a: b/c.tif", root="shop", page=3)
    error = PictureError(ref, "cannot be read: Input/output error")
    assert str(error) == "picture shop:a: b/c.tif#page=4: cannot be read: Input/output error"
    assert (error.ref, error.reason) == (ref, "cannot be read: Input/output error")
    assert isinstance(error, DataError)
    assert str(PictureError(Address(item=2, picture=2), "it is cut short")) == "picture [2, 2]: it is cut short"


def test_an_error_about_a_picture_crosses_to_another_process() -> None:
    error = PictureError(ImageRef(path="a.png"), "it is cut short")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (again.ref, again.reason, str(again)) == (error.ref, error.reason, str(error))


@pytest.mark.parametrize(
    ("path", "page", "reason"),
    [
        ("../a.png", 0, "the path must be relative and stay below its root"),
        ("gone.png", 0, "cannot be read: No such file or directory"),
        ("text.png", 0, "not a picture of an allowed format (JPEG, PNG, WEBP, GIF, TIFF, BMP, AVIF, HEIC, PDF)"),
        ("a.gif", 7, "there is no page 8"),
    ],
)
def test_a_refusal_of_a_store_carries_its_reason_without_the_path(
    tmp_path: Path, path: str, page: int, reason: str
) -> None:
    (tmp_path / "text.png").write_text("text")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.gif")
    ref = ImageRef(path=path, page=page)
    with pytest.raises(PictureError) as caught:
        ImageStore({"": tmp_path}).original(ref)
    assert (caught.value.ref, caught.value.reason) == (ref, reason)
    assert str(caught.value) == f"picture {ref}: {reason}"
