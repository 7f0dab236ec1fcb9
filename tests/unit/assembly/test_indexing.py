"""Pins what `index_sources` takes as its sources, and what its options do that the command has too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vretrver.assembly.indexing import IndexOptions, index_sources, known_manifest
from vretrver.errors import ConfigError, DataError
from vretrver.retrieval.directory.precomputed import PrecomputedVectors


@pytest.mark.parametrize("kind", [str, Path])
def test_one_source_needs_no_list(tmp_path: Path, kind: type[str] | type[Path]) -> None:
    (tmp_path / "letters").mkdir()
    Image.new("RGB", (40, 40), "red").save(tmp_path / "letters" / "red.png")
    assert index_sources(tmp_path / "idx", kind(tmp_path / "letters")).items.encoded == 1


def test_one_source_that_is_not_there_is_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"^letters: no such folder or file; name a folder of pictures, a document"):
        index_sources("x.index", "letters")


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    (tmp_path / "letters").mkdir()
    for colour in ("red", "blue"):
        Image.new("RGB", (40, 40), colour).save(tmp_path / "letters" / f"{colour}.png")
    return tmp_path / "letters"


def test_vectors_made_elsewhere_are_imported_and_what_has_none_is_named(letters: Path, tmp_path: Path) -> None:
    vectors = PrecomputedVectors(fingerprint="imported x", matrix=np.eye(1, 3), places={"red.png": 0})
    report = index_sources(tmp_path / "idx", letters, encoder=lambda *_: vectors)
    assert (report.items.encoded, [item.did for item in report.items.refused]) == (1, ["blue.png"])
    manifest = known_manifest(tmp_path / "idx")
    assert manifest is not None
    assert (manifest.fingerprint, manifest.dimension, manifest.encoder) == ("imported x", 3, "")


def test_deleting_is_agreed_to_once_with_both_numbers(letters: Path, tmp_path: Path) -> None:
    index_sources(tmp_path / "idx", letters)
    (letters / "red.png").unlink()
    asked: list[tuple[int, int]] = []
    delete = IndexOptions(delete=True)

    def refused(gone: int, before: int) -> bool:
        asked.append((gone, before))
        return False

    assert index_sources(tmp_path / "idx", options=delete, may_delete=refused).items.deleted == 0
    assert (asked, index_sources(tmp_path / "idx", options=delete).items.deleted) == ([(1, 2)], 1)


def test_a_source_that_lies_elsewhere_now_is_not_encoded_again(letters: Path, tmp_path: Path) -> None:
    index_sources(tmp_path / "idx", letters)
    there = letters.rename(tmp_path / "post")
    with pytest.raises(ConfigError, match="--moved"):
        index_sources(tmp_path / "idx", there)
    assert index_sources(tmp_path / "idx", there, IndexOptions(moved=True)).items.unchanged == 2


def test_a_file_over_the_limit_is_left_out_and_reported(letters: Path, tmp_path: Path) -> None:
    Image.effect_noise((1200, 1200), 90).save(letters / "large.png")
    report = index_sources(tmp_path / "idx", letters, IndexOptions(max_mb=1, read_text="never"))
    assert (report.items.encoded, [item.path for item in report.left_out]) == (2, ["large.png"])
    assert (report.texts, report.words.indexed) == (None, 2)


def test_without_an_index_nothing_is_remembered(tmp_path: Path) -> None:
    assert known_manifest(tmp_path / "idx") is None
    with pytest.raises(ConfigError, match="there is no index, so it remembers no sources; name a SOURCE"):
        index_sources(tmp_path / "idx")
