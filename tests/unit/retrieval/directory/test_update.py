"""Pins what an update encodes, copies, describes, deletes and refuses, and that it goes on after a failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.unit.retrieval.directory.letters import LetterEncoder, anything, found, open_writer, texts, update

from vretrver.errors import DataError, IndexMismatch
from vretrver.images import ImageStore
from vretrver.records import Candidate, ImageRef, parts_of
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.update import UpdateReport, update_index

Metadata = dict[str, dict[str, object]]

ABC = {"1": "aa", "2": "bb", "3": "cc"}


def test_a_second_run_encodes_nothing(tmp_path: Path):
    encoder = LetterEncoder()
    assert update(tmp_path, texts(ABC), encoder) == UpdateReport(encoded=3)
    assert update(tmp_path, texts(ABC), encoder) == UpdateReport(unchanged=3)
    assert encoder.given == ["aa", "bb", "cc"]


def test_only_what_changed_is_encoded_again(tmp_path: Path):
    update(tmp_path, texts(ABC), LetterEncoder())
    encoder = LetterEncoder()
    report = update(tmp_path, texts({**ABC, "2": "dd", "4": "ee"}), encoder)
    assert report == UpdateReport(encoded=2, unchanged=2)
    assert encoder.given == ["dd", "ee"]
    assert found(tmp_path, "d")[0] == "2"
    assert found(tmp_path, "b")[0] != "2" or len(found(tmp_path, "b")) == 4
    with DirectoryIndex(tmp_path) as index:
        assert len(index) == 4
        assert index.manifest.slots == 5


def test_a_renamed_item_takes_the_vector_it_had(tmp_path: Path):
    update(tmp_path, texts(ABC), LetterEncoder())
    encoder = LetterEncoder()
    report = update(tmp_path, texts({"1": "aa", "two": "bb", "3": "cc"}), encoder, delete=anything)
    assert report == UpdateReport(copied=1, unchanged=2, deleted=1)
    assert encoder.given == []
    assert found(tmp_path, "b")[0] == "two"


def test_a_picture_that_was_moved_and_renamed_is_not_encoded_again(tmp_path: Path):
    photos, directory = tmp_path / "photos", tmp_path / "index"
    photos.mkdir()
    Image.new("RGB", (8, 8), (200, 0, 0)).save(photos / "red.png")
    encoder = LetterEncoder()

    def run(name: str) -> UpdateReport:
        item = Candidate(did=name, parts=parts_of(images=[ImageRef(path=name)]))
        with open_writer(directory) as writer:
            images = ImageStore({"": photos})
            return update_index(writer, [item], encoder, images, delete=anything)

    assert run("red.png") == UpdateReport(encoded=1)
    (photos / "red.png").rename(photos / "rot.png")
    assert run("rot.png") == UpdateReport(copied=1, deleted=1)
    Image.new("RGB", (8, 8), (0, 200, 0)).save(photos / "rot.png")
    assert run("rot.png") == UpdateReport(encoded=1)
    with DirectoryIndex(directory) as index:
        (image,) = index.candidates(["rot.png"])["rot.png"].pictures
    assert (image.path, image.width, image.height) == ("rot.png", 8, 8)


def test_new_metadata_changes_the_row_and_not_the_vector(tmp_path: Path):
    update(tmp_path, texts(ABC, {"1": {"price": 5}}), LetterEncoder())
    encoder = LetterEncoder()
    report = update(tmp_path, texts(ABC, {"1": {"price": 7}}), encoder)
    assert (report, encoder.given) == (UpdateReport(described=1, unchanged=2), [])
    assert found(tmp_path, "a", where="price = 7") == ["1"]
    assert found(tmp_path, "a", where="price = 5") == []


def test_deleting_asks_for_each_item_the_source_lacks(tmp_path: Path):
    update(tmp_path, texts(ABC), LetterEncoder())
    assert update(tmp_path, texts({"1": "aa"}), LetterEncoder()) == UpdateReport(unchanged=1)
    report = update(tmp_path, texts({"1": "aa"}), LetterEncoder(), delete=lambda did: did != "3")
    assert report == UpdateReport(unchanged=1, deleted=1)
    assert sorted(found(tmp_path, "a")) == ["1", "3"]


def test_what_cannot_be_read_is_refused_and_stays_as_it_was(tmp_path: Path):
    update(tmp_path, texts({"1": "aa", "2": "bb"}), LetterEncoder())
    broken = Candidate(did="4", parts=parts_of(images=[ImageRef(path="gone.png")]))
    source = [*texts({"1": "a!", "2": "bb", "3": "cc"}), broken]
    report = update(tmp_path, source, LetterEncoder(), delete=anything)
    assert [(item.did, item.reason[:30]) for item in report.refused] == [
        ("4", "picture gone.png: cannot be re"),
        ("1", "picture a.png: it cannot be re"),
    ]
    assert replace(report, refused=()) == UpdateReport(encoded=1, unchanged=1)
    assert found(tmp_path, "a")[0] == "1"


def test_batches_are_told_once_they_are_committed(tmp_path: Path):
    told: list[tuple[list[str], int]] = []

    def committed(dids: list[str]) -> None:
        with DirectoryIndex(tmp_path) as index:
            told.append((list(dids), len(index)))

    update(
        tmp_path, texts({str(n): "a" * n for n in range(1, 6)}), LetterEncoder(), batch_size=2, committed=committed
    )
    assert told == [(["1", "2"], 2), (["3", "4"], 4), (["5"], 5)]


def test_an_error_in_the_source_keeps_what_was_committed(tmp_path: Path):
    source = texts({str(n): "ab" for n in range(600)})
    with pytest.raises(DataError, match="did '7' appears twice in the source"):
        update(tmp_path, [*source, source[7]], LetterEncoder(), batch_size=50)
    with DirectoryIndex(tmp_path) as index:
        assert len(index) >= 500
    assert update(tmp_path, source, LetterEncoder()).unchanged >= 500


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (
            {"1": {"price": 5}, "2": {"price": "5"}},
            "'2': metadata 'price' is '5', but its values are of kind number",
        ),
        ({"1": {"new": True}, "2": {"new": 1}}, r"'2': metadata 'new' is 1, but its values are of kind truth"),
        ({"2": {"size": 2**64}}, r"'2': metadata 'size' is 18446744073709551616, which cannot be stored"),
        ({"2": {"size": float("nan")}}, r"'2': metadata 'size' is nan, which cannot be stored"),
        ({"2": {"name": "\ud800"}}, r"'2': metadata 'name' is .* which cannot be stored"),
    ],
)
def test_metadata_that_cannot_be_stored_is_named(
    tmp_path: Path, metadata: dict[str, dict[str, object]], message: str
):
    with pytest.raises(DataError, match=message):
        update(tmp_path, texts(ABC, metadata), LetterEncoder())


def test_another_encoder_is_a_mismatch_that_says_what_differs(tmp_path: Path):
    update(tmp_path, texts(ABC), LetterEncoder("letters v=1 pixels=400"))
    with pytest.raises(IndexMismatch, match=r"than the one in use: v 1 there, 2 here; mode none there, fast here;"):
        update(tmp_path, texts(ABC), LetterEncoder("letters v=2 pixels=400 mode=fast"))
