"""Pins what of a folder becomes a corpus, and that every file that cannot be read is reported by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from vretrver.data.folder import read_folder
from vretrver.errors import DataError
from vretrver.images import ImageLimits


def picture(path: Path, size: tuple[int, int] = (4, 3)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def test_pictures_become_candidates_sorted_by_path(tmp_path: Path):
    for name in ("b.png", "a/z.JPG", "a/b/c.webp", "A.gif"):
        picture(tmp_path / name)
    scan = read_folder(tmp_path, root="shop")
    assert [candidate.did for candidate in scan.candidates] == ["A.gif", "a/b/c.webp", "a/z.JPG", "b.png"]
    image = scan.candidates[0].pictures[0]
    assert (image.path, image.root, image.width, image.height) == ("A.gif", "shop", 4, 3)
    assert image.sha256 is not None
    assert (scan.refused, scan.others, scan.links) == ((), 0, 0)


def test_hidden_files_links_and_other_files_are_left_out_and_counted(tmp_path: Path):
    picture(tmp_path / "a.png")
    picture(tmp_path / ".hidden.png")
    picture(tmp_path / ".cache/b.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe.png")
    scan = read_folder(tmp_path)
    assert [candidate.did for candidate in scan.candidates] == ["a.png"]
    assert (scan.refused, scan.others, scan.links) == ((), 2, 2)


def test_unreadable_files_are_reported_by_name_and_reason(tmp_path: Path):
    picture(tmp_path / "good.png")
    picture(tmp_path / "large.png", (50, 50))
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "text.jpg").write_text("not a picture")
    scan = read_folder(tmp_path, limits=ImageLimits(max_pixels=100))
    assert [file.path for file in scan.refused] == ["cut.jpg", "large.png", "text.jpg"]
    assert "50 x 50 pixels" in scan.refused[1].reason
    assert "not a picture of an allowed format" in scan.refused[2].reason


def test_a_name_that_is_not_text_is_refused(tmp_path: Path):
    picture(tmp_path / "good.png")
    (tmp_path / "good.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.png"))
    picture(tmp_path / "line\nbreak.png")
    picture(tmp_path / "good.png")
    scan = read_folder(tmp_path)
    assert [file.path for file in scan.refused] == ["bad\\udcff.png", "line\\nbreak.png"]


def test_progress_counts_every_file(tmp_path: Path):
    picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("x")
    steps: list[tuple[int, int]] = []
    read_folder(tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 2), (2, 2)]


def test_a_folder_without_pictures_is_an_error_with_a_remedy(tmp_path: Path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="no pictures found; name a folder that holds"):
        read_folder(tmp_path)


def test_a_folder_of_broken_files_says_what_is_wrong_with_the_first(tmp_path: Path):
    (tmp_path / "a.jpg").write_text("x")
    with pytest.raises(DataError, match=r"none of 1 files could be read; the first, a\.jpg: .* not a picture"):
        read_folder(tmp_path)


@pytest.mark.parametrize("name", ["gone", "a.png"])
def test_what_is_no_folder_is_an_error(tmp_path: Path, name: str):
    picture(tmp_path / "a.png")
    with pytest.raises(DataError, match="no such folder"):
        read_folder(tmp_path / name)
