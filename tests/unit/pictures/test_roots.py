"""Pins which places a root may be, that a URL counts only as a root, and what a store gives back."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from vretrver.errors import ConfigError, MissingDependency, PictureError
from vretrver.images import ImageLimits, ImageStore
from vretrver.pictures.roots import DirectoryRoot, StoreRoot
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


class Versioned:
    """A file system that tells versions as object stores do, and counts what it is asked."""

    def __init__(self, **told: object) -> None:
        self.told = told

    def info(self, path: str) -> dict[str, object]:
        return {"name": path, "size": 7, "type": "file", **self.told}

    def modified(self, path: str) -> object:
        raise NotImplementedError(path)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"ETag": '"a"'}, {"ETag": '"b"'}),
        ({"etag": "a", "generation": "1"}, {"etag": "a", "generation": "2"}),
        ({"ETag": '"a"', "VersionId": "x"}, {"ETag": '"a"', "VersionId": "y"}),
    ],
)
def test_a_version_of_a_store_is_an_identity_without_an_age(
    url: str, first: dict[str, object], second: dict[str, object]
) -> None:
    root, ref = StoreRoot(url), ImageRef(path="sub/a.png")
    found = []
    for told in (first, first, second):
        root._files = Versioned(**told)
        found.append(root.identity(ref))
    assert found[0] == found[1] != found[2]
    assert found[0] is not None
    assert found[0].changed_ns is None


def test_a_store_that_tells_neither_version_nor_time_has_no_identity(url: str) -> None:
    root = StoreRoot(url)
    root._files = Versioned()
    assert root.identity(ImageRef(path="sub/a.png")) is None


def test_a_store_that_tells_a_time_has_an_identity_with_an_age(url: str) -> None:
    root, ref = StoreRoot(url), ImageRef(path="sub/a.png")
    before = root.identity(ref)
    assert before is not None
    assert before == root.identity(ref)
    assert abs((before.changed_ns or 0) - time.time_ns()) < 60 * 10**9
    fsspec.filesystem("memory").pipe("/shop/sub/a.png", png())
    assert root.identity(ref) != before


def test_files_of_two_stores_are_told_apart(url: str) -> None:
    fsspec.filesystem("memory").cp_file("/shop/sub/a.png", "/shop/other/sub/a.png")
    ref, marks = ImageRef(path="sub/a.png"), set()
    for folder in (url, f"{url}/other"):
        root = StoreRoot(folder)
        root._files = Versioned(ETag='"a"')
        marks.add(root.identity(ref))
    assert len(marks) == 2


def test_a_listing_that_was_made_before_does_not_hide_a_change(url: str) -> None:
    assert StoreRoot(url)._files.dircache.use_listings_cache is False


def test_a_file_of_a_folder_is_known_by_inode_size_and_times(tmp_path: Path) -> None:
    path, ref = tmp_path / "a.png", ImageRef(path="a.png")
    root = DirectoryRoot(tmp_path)
    path.write_bytes(png())
    first = root.identity(ref)
    assert first == root.identity(ref)
    found = path.stat()
    assert first.mark == (found.st_dev, found.st_ino, len(png()), found.st_mtime_ns, found.st_ctime_ns)
    assert first.changed_ns == max(found.st_mtime_ns, found.st_ctime_ns)
    os.utime(path, ns=(0, path.stat().st_mtime_ns))
    assert root.identity(ref) != first  # the entry was written to, as it is when a time is put back
    (tmp_path / "b.png").write_bytes(png())
    assert root.identity(ImageRef(path="b.png")) != root.identity(ref)
    with pytest.raises(PictureError, match=r"gone\.png: cannot be read: No such file"):
        root.identity(ImageRef(path="gone.png"))


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
