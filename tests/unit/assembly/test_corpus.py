"""Pins how a corpus is opened by what it is; commands and hostile indexes have tests of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from vretrver.assembly.corpus import CorpusOptions, open_corpus
from vretrver.errors import ConfigError, DataError
from vretrver.records import ImageRef, Query, parts_of

RED = Query(qid="q", parts=parts_of(text="something red"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two pictures, and a file that is none."""
    for name, colour in {"red": (200, 30, 30), "blue": (40, 60, 200)}.items():
        Image.new("RGB", (64, 48), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "notes.txt").write_text("x")
    return tmp_path


def test_a_folder_is_read_and_encoded(photos: Path) -> None:
    notes: list[str] = []
    corpus = open_corpus(str(photos), note=notes.append)
    (hits,) = corpus.retriever.search([RED], 2)
    assert [hit.candidate.did for hit in hits] == ["red.png", "blue.png"]
    assert corpus.images.pin(ImageRef(path="red.png")).width == 64
    assert (corpus.left_out, notes) == (0, ["left out: 1 file not named as a picture or a document (.txt 1)"])


def test_the_picture_of_the_query_has_a_root_of_its_own(
    photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("query")
    Image.new("RGB", (32, 32), (200, 30, 30)).save(elsewhere / "mine.png")
    corpus = open_corpus(str(photos), CorpusOptions(query=elsewhere))
    asked = Query(qid="q", parts=parts_of(images=[ImageRef(path="mine.png", root="query")]))
    (hits,) = corpus.retriever.search([asked], 1)
    assert hits[0].candidate.did == "red.png"


@pytest.mark.parametrize("options", [{"where": "a = 1"}, {"resident_mb": 1}, {"approximate": True}])
def test_options_of_an_index_are_refused_for_a_source(photos: Path, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="--filter, --resident-mb and --approximate need"):
        open_corpus(str(photos), CorpusOptions(**options))  # type: ignore[arg-type]


def test_a_place_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gone"):
        open_corpus(str(tmp_path / "gone"))
