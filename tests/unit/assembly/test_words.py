"""Pins how the words of a corpus are searched through `open_corpus`, and what is said where they cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from vretrver.assembly.corpus import CorpusOptions, open_corpus, unseen
from vretrver.assembly.index_texts import bring_words
from vretrver.data.sources.columns import columns_from
from vretrver.data.sources.source import read_source
from vretrver.errors import ConfigError, DataError
from vretrver.images import ImageStore
from vretrver.records import Query, parts_of
from vretrver.retrieval.directory.manifest import Manifest
from vretrver.retrieval.directory.update import update_index
from vretrver.retrieval.directory.writer import IndexWriter
from vretrver.retrieval.hash_encoder import HashEncoder
from vretrver.retrieval.lexical.database import WORDS

ROWS = [
    {"sku": "SKU-1", "title": "Red mug", "shop": "Müller", "price": 7.5},
    {"sku": "SKU-2", "title": "Blue mug", "shop": "Łódź", "price": 9.0},
    {"sku": "SKU-3", "title": "Invoice 2024/17, 12.03.2024, 1.234,50 EUR", "shop": "Müller", "price": 11.0},
]
COLUMNS = columns_from(id_column="sku", text="title", image=None, metadata="shop,price:float")


def asked(text: str) -> Query:
    return Query(qid="q", parts=parts_of(text=text))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "shop.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return tmp_path / "shop.jsonl"


@pytest.fixture
def index(table: Path) -> Path:
    """An index of the table, whose words were not indexed yet."""
    encoder = HashEncoder(ImageStore({"": table.parent}))
    new = Manifest(fingerprint=encoder.fingerprint, dimension=encoder.dimension)
    with IndexWriter(table.parent / "idx", new=new) as writer:
        writer.set_encoder("hash")
        update_index(writer, read_source(table, columns=COLUMNS).candidates(), encoder, encoder.store)
    return table.parent / "idx"


def found(place: Path, text: str, options: CorpusOptions, notes: list[str] | None = None) -> list[str]:
    corpus = open_corpus(str(place), options, note=(notes if notes is not None else []).append)
    return [hit.candidate.did for hit in corpus.search([asked(text)], 5)[0].hits]


def test_a_table_is_searched_by_its_words(table: Path) -> None:
    options = CorpusOptions(columns=COLUMNS)
    assert found(table, "12 March 2024", options) == ["SKU-3"]
    assert found(table, "lodz", options) == ["SKU-2"]
    assert found(table, "SKU-2", options) == ["SKU-2"]
    assert found(table, "unicorn", options) == []


def test_an_index_is_searched_by_its_words_and_its_filter_holds(index: Path) -> None:
    bring_words(index, note=print, progress=unseen)
    assert found(index, "$1,234.50", CorpusOptions()) == ["SKU-3"]
    assert found(index, "muller", CorpusOptions(where="price > 8")) == ["SKU-3"]
    corpus = open_corpus(str(index), CorpusOptions(where="price > 99"))
    assert corpus.search([asked("muller")], 5)[0].reason == "no item passes --filter"
    (hit,) = open_corpus(str(index)).search([asked("1234,50")], 5)[0].hits
    assert hit.citation is not None
    assert (hit.citation.text, hit.citation.source) == ("Invoice 2024/17, 12.03.2024, 1.234,50 EUR", "text")


def test_words_alone_need_no_encoder(index: Path) -> None:
    bring_words(index, note=print, progress=unseen)
    options = CorpusOptions(words="only", encoder="lamra:nowhere")
    assert found(index, "mug red", options) == ["SKU-1", "SKU-2"]
    assert open_corpus(str(index), options).search([asked("red")], 5)[0].hits[0].score > 0.1


def test_an_index_without_words_is_searched_by_vectors_and_says_so(index: Path) -> None:
    notes: list[str] = []
    assert found(index, "mug", CorpusOptions(), notes)[:2] == ["SKU-1", "SKU-2"]
    assert notes == [f"words are not searched: {index / WORDS}: no words are indexed yet; run `vretrver index` again"]
    with pytest.raises(DataError, match="no words are indexed yet"):
        open_corpus(str(index), CorpusOptions(words="only"))
    assert found(index, "mug", CorpusOptions(words="never"), notes)[:2] == ["SKU-1", "SKU-2"]
    assert len(notes) == 1


def test_a_folder_is_searched_by_the_names_of_its_files(tmp_path: Path) -> None:
    for name, colour in {"dog_on_beach": "blue", "IMG_20190612_101500": "red"}.items():
        Image.new("RGB", (40, 30), colour).save(tmp_path / f"{name}.jpg")
    assert found(tmp_path, "dog on the beach", CorpusOptions()) == ["dog_on_beach.jpg"]
    assert found(tmp_path, "June 2019", CorpusOptions()) == ["IMG_20190612_101500.jpg"]
    assert found(tmp_path, "June 2019", CorpusOptions(words="only")) == ["IMG_20190612_101500.jpg"]


def test_a_collection_has_no_words(tmp_path: Path) -> None:
    del tmp_path
    with pytest.raises(ConfigError, match="--words only needs an index directory or a source"):
        open_corpus("qdrant://localhost:1/shop", CorpusOptions(words="only"))


def test_words_that_somebody_else_writes_are_left_to_them(index: Path) -> None:
    notes: list[str] = []
    with IndexWriter(index):
        bring_words(index, note=notes.append, progress=unseen)
    assert notes == [f"{index}: somebody else is writing it, who brings its words up to date at the end"]
