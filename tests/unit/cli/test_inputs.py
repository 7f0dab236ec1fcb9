"""Pins what a person names on the command line: links are followed, pages are named, and no name meets ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from vretrver.cli.columns import roots_of
from vretrver.cli.hits import what_to_rerank
from vretrver.errors import ConfigError, DataError
from vretrver.records import Query


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def square(path: str, colour: str) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(path)
    return Path(path)


def pages(path: str, *colours: str) -> Path:
    first, *more = (Image.new("RGB", (8, 8), colour) for colour in colours)
    first.save(path, save_all=True, append_images=more)
    return Path(path)


def seen(*files: str | Path, image: str | Path | None = None) -> list[tuple[str, tuple[int, ...]]]:
    """Return (did, colour) of the query's picture and of the candidates, as they are shown."""
    given = what_to_rerank(
        [Path(file) for file in files],
        text="red",
        image=None if image is None else Path(image),
        run=None,
        queries=None,
        corpus=None,
        root=None,
        path_map=[],
        depth=10,
    )
    ((query, hits),) = given.pairs
    assert isinstance(query, Query)
    items = [("query", query.pictures), *((hit.candidate.did, hit.candidate.pictures) for hit in hits)]
    return [
        (did, given.images.original(picture).getpixel((2, 2)))  # type: ignore[misc]
        for did, pictures in items
        for picture in pictures
    ]


RED, BLUE = (255, 0, 0), (0, 0, 255)


def test_links_that_were_named_are_followed(here: Path) -> None:
    square("store/x1.png", "red")
    Path("named").mkdir()
    Path("named/mug.png").symlink_to("../store/x1.png")
    assert seen("named/mug.png", image="named/mug.png") == [("query", RED), ("named/mug.png", RED)]


def test_a_folder_called_like_the_root_of_the_query_is_not_the_querys(here: Path) -> None:
    square("query/a.png", "blue")
    square("asked/a.png", "red")
    assert seen("query/a.png", image="asked/a.png") == [("query", RED), ("query/a.png", BLUE)]


def test_a_page_can_be_named_and_a_file_of_that_very_name_comes_first(here: Path) -> None:
    pages("two.tif", "red", "blue")
    assert seen("two.tif#page=2", image="two.tif#page=2") == [("query", BLUE), ("two.tif#page=2", BLUE)]
    Image.new("RGB", (8, 8), "red").save("two.tif#page=2", "PNG")
    assert seen("two.tif#page=2") == [("two.tif#page=2", RED)]


def test_pages_that_are_not_shown_are_spoken_of(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages("two.tif", "red", "blue")
    seen("two.tif", "two.tif#page=2", square("a.png", "red"))
    assert capsys.readouterr().err == "two.tif: page 1 of 2 is shown; name others as two.tif#page=2\n"


def test_a_text_may_begin_with_a_byte_order_mark(here: Path) -> None:
    Path("a.txt").write_text("a mug\r\n", encoding="utf-16")
    given = what_to_rerank(
        [Path("a.txt")], text="red", image=None, run=None, queries=None, corpus=None, root=None, path_map=[], depth=1
    )
    assert given.pairs[0][1][0].candidate.text == "a mug"
    Path("a.txt").write_bytes(b"a\nm\xfcg")
    with pytest.raises(DataError, match=r"a\.txt:2: not valid UTF-8"):
        seen("a.txt")


def test_roots_are_folders_stores_or_names_of_folders(here: Path) -> None:
    for folder in ("big", "a=b"):
        Path(folder).mkdir()
    assert roots_of(None) == (None, {})
    assert roots_of(["s3://bucket/a=b"]) == ("s3://bucket/a=b", {})
    assert roots_of(["a=b", "imgs/=big"]) == ("a=b", {"imgs": Path("big")})
    with pytest.raises(ConfigError, match="--root imgs=gone: gone is not a folder; write NAME=FOLDER"):
        roots_of(["imgs=gone"])
    with pytest.raises(ConfigError, match="--root big: a=b is given already"):
        roots_of(["a=b", "big"])
