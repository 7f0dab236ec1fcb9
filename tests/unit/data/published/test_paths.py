"""Pins how published picture paths are re-rooted."""

from __future__ import annotations

import pytest

from vretrver.data.published.rows import PathMap
from vretrver.errors import ConfigError, DataError
from vretrver.records import ImageRef


def test_a_path_below_a_prefix_lies_under_the_root_of_that_name():
    paths = PathMap(["/home/x/mbeir/", "/home/x"])
    assert paths.ref("/home/x/mbeir/images/a.jpg", "w") == ImageRef(path="images/a.jpg", root="/home/x/mbeir/")
    assert paths.ref("/home/x/b.jpg", "w") == ImageRef(path="b.jpg", root="/home/x")


def test_relative_paths_need_no_map_and_may_have_one():
    assert PathMap().ref("images/a.jpg", "w") == ImageRef(path="images/a.jpg")
    assert PathMap(["data/mbeir"]).ref("data/mbeir/a.jpg", "w") == ImageRef(path="a.jpg", root="data/mbeir")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/home/xy/a.jpg", r"row 1: picture path '/home/xy/a\.jpg' is absolute; map its folder .*mapped: /home/x\)"),
        ("/home/x/../../etc/passwd", "must be relative to the image root and stay below it"),
        ("/home/x", "must be relative"),
        ("../a.jpg", "must be relative"),
        ("", "must be relative"),
        ("https://example.org/a.jpg", "is not the path of a file"),
        ("data:image/jpeg;base64,AAAA", "is not the path of a file"),
    ],
)
def test_other_paths_are_refused(path: str, message: str):
    with pytest.raises(DataError, match=message):
        PathMap(["/home/x"]).ref(path, "row 1")


def test_an_empty_prefix_is_refused():
    with pytest.raises(ConfigError, match="OLD=NEW"):
        PathMap([""])
