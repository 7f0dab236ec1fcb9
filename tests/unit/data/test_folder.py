"""Pins what of a folder becomes a corpus, and that every file that cannot be read is reported by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from vretrver.data.folder import LeftOut, left_out_by_name, list_folder
from vretrver.data.sources.source import Source, read_source
from vretrver.errors import DataError
from vretrver.images import ImageLimits, ImageStore
from vretrver.records import Candidate


def picture(path: Path, size: tuple[int, int] = (4, 3)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def read(path: Path, *, limits: ImageLimits | None = None, root: str = "") -> tuple[list[Candidate], Source]:
    """Return the candidates of a folder, and its source for what was left out."""
    source = read_source(path, limits=limits, root_name=root)
    return list(source.candidates()), source


def test_pictures_become_candidates_sorted_by_path(tmp_path: Path):
    for name in ("b.png", "a/z.JPG", "a/b/c.webp", "A.gif"):
        picture(tmp_path / name)
    candidates, scan = read(tmp_path, root="shop")
    assert [candidate.did for candidate in candidates] == ["A.gif", "a/b/c.webp", "a/z.JPG", "b.png"]
    image = candidates[0].pictures[0]
    assert (image.path, image.root, image.width, image.height) == ("A.gif", "shop", 4, 3)
    assert image.sha256 is not None
    assert (scan.refused, scan.others, scan.links) == ([], {}, 0)


def test_hidden_files_links_and_other_files_are_left_out_and_counted(tmp_path: Path):
    picture(tmp_path / "a.png")
    picture(tmp_path / ".hidden.png")
    picture(tmp_path / ".cache/b.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe.png")
    candidates, scan = read(tmp_path)
    assert [candidate.did for candidate in candidates] == ["a.png"]
    assert scan.refused == [LeftOut(path="pipe.png", reason="it is not a file")]
    assert (scan.others, scan.links) == ({".txt": 1}, 2)


def test_unreadable_files_are_reported_by_name_and_reason(tmp_path: Path):
    picture(tmp_path / "good.png")
    picture(tmp_path / "large.png", (50, 50))
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "text.jpg").write_text("not a picture")
    _, scan = read(tmp_path, limits=ImageLimits(max_pixels=100))
    assert [file.path for file in scan.refused] == ["cut.jpg", "large.png", "text.jpg"]
    assert "50 x 50 pixels" in scan.refused[1].reason
    assert "not a picture of an allowed format" in scan.refused[2].reason


def test_a_name_that_is_not_text_is_refused(tmp_path: Path):
    picture(tmp_path / "good.png")
    (tmp_path / "good.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.png"))
    for name in ("line\nbreak.png", "line\u2028separator.png", "bell\a.png", "good.png"):
        picture(tmp_path / name)
    candidates, scan = read(tmp_path)
    refused = ["bad\\udcff.png", "bell\\x07.png", "line\\nbreak.png", "line\\u2028separator.png"]
    assert sorted(file.path for file in scan.refused) == refused
    assert [candidate.did for candidate in candidates] == ["good.png"]


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot at 9.41.07\u202fAM.png",
        "v\u00a013.05.png",
        "\u8cc7\u6599\u3000\u8868.png",
        "\u0645\u06cc\u200c\u062e.png",
        "\u0915\u094d\u200d\u0937.png",
        "\U0001f468\u200d\U0001f469.png",
        "\u202apasted\u202c.png",
        "soft\u00adhyphen.png",
        "\U0001faf7newer than Python.png",
        " .png",
    ],
)
def test_a_name_may_hold_whatever_letters_and_spaces_people_write(tmp_path: Path, name: str):
    picture(tmp_path / name)
    candidates, scan = read(tmp_path)
    assert ([candidate.did for candidate in candidates], scan.refused) == ([name], [])


@pytest.mark.parametrize("ending", [".jfif", ".JPE", ".jif", ".jfi", ".dib", ".apng"])
def test_endings_that_browsers_and_scanners_write_are_pictures(tmp_path: Path, ending: str):
    forms = {".dib": "BMP", ".apng": "PNG"}
    Image.new("RGB", (4, 3)).save(tmp_path / f"a{ending}", forms.get(ending, "JPEG"))
    assert [candidate.did for candidate in read(tmp_path)[0]] == [f"a{ending}"]


def test_a_folder_of_nothing_but_links_says_so(tmp_path: Path):
    picture(tmp_path / "store/a.png")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/a.png").symlink_to(tmp_path / "store/a.png")
    with pytest.raises(DataError, match="no pictures found, but 1 symbolic link"):
        read(tmp_path / "links")


def test_a_picture_that_was_named_itself_is_read_through_a_link(tmp_path: Path):
    picture(tmp_path / "store/x1.png")
    (tmp_path / "named").mkdir()
    (tmp_path / "named/mug.png").symlink_to("../store/x1.png")
    candidates, source = read(tmp_path / "named/mug.png")
    assert [candidate.did for candidate in candidates] == ["mug.png"]
    assert ImageStore(source.roots).original(candidates[0].pictures[0]).size == (4, 3)
    (tmp_path / "named/gone.png").symlink_to("../store/gone.png")
    with pytest.raises(DataError, match=r"gone\.png: no such folder or file"):
        read(tmp_path / "named/gone.png")


def test_what_is_left_out_by_name_is_counted_by_ending():
    others = {".txt": 3, "": 1, ".a": 1, ".b": 1, ".c": 1, ".d": 1, ".e": 1}
    assert left_out_by_name(others, 2) == [
        "9 files not named as pictures or documents (.txt 3, no ending 1, .a 1, .b 1, .c 1, 2 more endings)",
        "2 symbolic links (links are not followed; name the folder they lead to)",
    ]
    assert left_out_by_name({}, 0) == []


def test_progress_counts_every_file(tmp_path: Path):
    picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("x")
    steps: list[tuple[int, int]] = []
    list(read_source(tmp_path).candidates(progress=lambda done, total: steps.append((done, total))))
    assert steps == [(1, 2), (2, 2)]


def test_a_folder_without_pictures_is_an_error_with_a_remedy(tmp_path: Path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(
        DataError,
        match=r"no pictures found, but 1 file not named as a picture or a document \(\.txt 1\); name a folder",
    ):
        read(tmp_path)


def test_a_folder_of_broken_files_says_what_is_wrong_with_the_first(tmp_path: Path):
    (tmp_path / "a.jpg").write_text("x")
    with pytest.raises(DataError, match=r"none of 1 files could be read; the first, a\.jpg: .* not a picture"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["gone", "a.png"])
def test_what_is_no_folder_is_an_error(tmp_path: Path, name: str):
    picture(tmp_path / "a.png")
    with pytest.raises(DataError, match="no such folder"):
        list_folder(tmp_path / name)


def test_every_page_of_a_document_is_a_candidate(tmp_path: Path):
    pages = [Image.new("RGB", (40, 20)), Image.new("RGB", (20, 60))]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "one.tif")
    pages[0].save(tmp_path / "manual.PDF", save_all=True, append_images=pages[1:], resolution=100)
    candidates, _ = read(tmp_path, root="docs")
    found = {candidate.did: candidate for candidate in candidates}
    assert list(found) == ["manual.PDF#page=1", "manual.PDF#page=2", "one.tif", "scan.tif#page=1", "scan.tif#page=2"]
    second = found["manual.PDF#page=2"]
    assert second.metadata == {"document": "manual.PDF", "page": 2, "pages": 2}
    image = second.pictures[0]
    assert (image.path, image.root, image.page, image.width, image.height) == ("manual.PDF", "docs", 1, 40, 120)
    assert found["one.tif"].metadata == {}
    assert (found["scan.tif#page=2"].pictures[0].width, found["scan.tif#page=2"].pictures[0].height) == (20, 60)


def test_date_and_place_of_a_photo_are_metadata(tmp_path: Path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 12:30:59"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 30.0, 0.0), 3: "W", 4: (2.0, 15.0, 0.0)})
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=exif.tobytes())
    (candidate,) = read(tmp_path)[0]
    assert candidate.metadata == {"taken": "2024-05-01T12:30:59", "latitude": 48.5, "longitude": -2.25}


def test_what_needs_an_extra_that_is_missing_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.pdf")
    (tmp_path / "c.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    candidates, scan = read(tmp_path)
    assert [candidate.did for candidate in candidates] == ["a.png"]
    assert [file.path for file in scan.refused] == ["b.pdf", "c.heic"]
    assert all("run: pip install 'vretrver[sources]'" in file.reason for file in scan.refused)
