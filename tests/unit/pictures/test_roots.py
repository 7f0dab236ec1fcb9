"""Pins which places a root may be, that a URL counts only as a root, and what a store gives back."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from vretrver.errors import ConfigError, MissingDependency, PictureError
from vretrver.images import ImageLimits, ImageStore
from vretrver.records import ImageRef

fsspec = pytest.importorskip("fsspec")


def png(size: tuple[int, int] = (4, 3)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def url() -> Iterator[str]:
    """The URL of a folder in memory that holds sub/a.png; a file outside it lies beside."""
    files = fsspec.filesystem("memory")
    files.pipe({"/shop/sub/a.png": png(), "/secret.png": png()})
    yield "memory://shop"
    files.rm("/shop", recursive=True)
    files.rm("/secret.png")


def test_a_store_is_read_like_a_folder(url: str) -> None:
    store = ImageStore({"": url})
    found = store.identify(ImageRef(path="sub/a.png"))
    assert (found.width, found.height) == (4, 3)
    assert store.roots == {"": "memory://shop"}
    assert store.original(found).size == (4, 3)


def test_a_file_that_changed_in_the_store_is_refused(url: str) -> None:
    store = ImageStore({"": url})
    found = store.identify(ImageRef(path="sub/a.png"))
    fsspec.filesystem("memory").pipe("/shop/sub/a.png", png((5, 5)))
    with pytest.raises(PictureError, match="has changed since it was recorded"):
        store.original(found)


@pytest.mark.parametrize("path", ["../secret.png", "/secret.png", "sub/../../secret.png"])
def test_paths_that_leave_the_store_are_refused(url: str, path: str) -> None:
    with pytest.raises(PictureError, match="must be relative and stay below its root"):
        ImageStore({"": url}).read_bytes(ImageRef(path=path))


@pytest.mark.parametrize("path", ["gone.png", "sub", "memory://secret.png"])
def test_what_is_not_in_the_store_is_refused_by_name(url: str, path: str) -> None:
    with pytest.raises(PictureError, match=f"{path}: cannot be read"):
        ImageStore({"": url}).read_bytes(ImageRef(path=path))


def test_the_byte_limit_holds_in_a_store(url: str) -> None:
    with pytest.raises(PictureError, match="more than 10 bytes, the limit"):
        ImageStore({"": url}, limits=ImageLimits(max_bytes=10)).read_bytes(ImageRef(path="sub/a.png"))


def test_a_picture_in_a_store_has_no_file(url: str) -> None:
    with pytest.raises(PictureError, match="lies in a remote store"):
        ImageStore({"": url}).locate(ImageRef(path="sub/a.png"))


def test_a_file_url_is_a_directory_whose_links_are_checked(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "out.png").write_bytes(png())
    (tmp_path / "root" / "link.png").symlink_to(tmp_path / "out.png")
    (tmp_path / "root" / "a.png").write_bytes(png())
    store = ImageStore({"": f"file://{tmp_path}/root"})
    assert store.roots == {"": tmp_path / "root"}
    assert store.identify(ImageRef(path="a.png")).width == 4
    with pytest.raises(PictureError, match="leaves its root through a link"):
        store.read_bytes(ImageRef(path="link.png"))


@pytest.mark.parametrize(
    "root", ["http://host/a", "https://host/a", "ftp://host/a", "simplecache::memory://shop", "s3::http://host/"]
)
def test_other_protocols_and_chains_are_refused(root: str) -> None:
    with pytest.raises(ConfigError, match="not a protocol for pictures; use a directory or abfs://"):
        ImageStore({"": root})


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="leave the password out") as caught:
        ImageStore({"": "s3://key:hunter2@bucket/pictures"})
    assert "hunter2" not in str(caught.value)


def test_a_store_whose_library_is_missing_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"root s3://bucket: cannot be opened \(Install s3fs"):
        ImageStore({"": "s3://bucket"})


def test_without_the_extra_the_sentence_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingDependency, match=r"run: pip install 'vretrver\[fs\]'"):
        ImageStore({"": "memory://shop"})


def test_a_url_in_a_data_row_is_a_path_below_the_root_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="cannot be read: No such file"):
        ImageStore({"": tmp_path}).read_bytes(ImageRef(path="memory://shop/sub/a.png"))
