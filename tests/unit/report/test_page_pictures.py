"""Pins that a page holds each picture once, small, and within its limit of bytes."""

from __future__ import annotations

from pathlib import Path

from tests.unit.report.reranks import LOOKED, drawn, looks_of, reranked

from vretrver.records import ImageRef
from vretrver.report.embedded import Within
from vretrver.report.page_pictures import PagePictures


def test_a_picture_used_twice_is_embedded_once(tmp_path: Path) -> None:
    pictures = PagePictures(drawn(tmp_path))
    first = pictures.thumbnail(ImageRef(path="0.png"), 96)
    assert pictures.thumbnail(ImageRef(path="0.png"), 96) == first
    assert pictures.css().count("base64,") == 1


def test_files_with_the_same_pixels_share_one_picture(tmp_path: Path) -> None:
    pictures = PagePictures(drawn(tmp_path))
    (tmp_path / "copy.png").write_bytes((tmp_path / "0.png").read_bytes())
    assert pictures.thumbnail(ImageRef(path="copy.png"), 96) == pictures.thumbnail(ImageRef(path="0.png"), 96)
    assert pictures.css().count("base64,") == 1


def test_the_limit_of_bytes_is_kept_and_said(tmp_path: Path) -> None:
    pictures = PagePictures(drawn(tmp_path), max_bytes=10)
    left_out = pictures.thumbnail(ImageRef(path="0.png"), 96)
    assert left_out.name is None
    assert left_out.problem == "Left out: this page holds 0 MiB of pictures already."
    assert pictures.css() == ""


def test_a_file_that_changed_after_it_was_pinned_is_not_shown(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    pictures = PagePictures(images)
    pictures.pin([images.pin(ImageRef(path="0.png"))])
    (tmp_path / "0.png").write_bytes((tmp_path / "1.png").read_bytes())
    problem = "Not shown: picture 0.png: the file has changed since it was recorded; index it again."
    assert pictures.thumbnail(ImageRef(path="0.png"), 96).problem == problem


def test_looks_are_counted_as_matching_or_missing(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    looks = looks_of(reranked(images, LOOKED))
    (tmp_path / "2.png").unlink()
    pictures = PagePictures(images)
    shown = [pictures.look(look).name for look in looks]
    assert shown == ["p1", None]
    assert (pictures.matching, pictures.missing) == (1, 1)


def test_pictures_are_reduced_with_their_aspect_and_never_enlarged() -> None:
    assert Within(side=160).fit(640, 480) == (160, 120)
    assert Within(side=160).fit(100, 50) == (100, 50)
    assert Within(side=160).fit(5000, 1) == (160, 1)
