"""Pins the import of vectors made elsewhere: their files, their lengths, and what a second import changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.retrieval.directory.letters import LetterEncoder, texts

from vretrver.errors import ConfigError, DataError
from vretrver.images import ImageStore
from vretrver.records import Candidate
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.manifest import Manifest
from vretrver.retrieval.directory.precomputed import PrecomputedVectors, read_vectors
from vretrver.retrieval.directory.update import UpdateReport, update_index
from vretrver.retrieval.directory.writer import IndexWriter

ROWS = np.array([[1, 0, 0], [0.6, 0.8, 0], [0, 0, 1]])
ABC = texts({"1": "a", "2": "b", "3": "c"})


def write(folder: Path, matrix: object = ROWS, ids: str = "1\n2\n3\n") -> Path:
    np.save(folder / "v.npy", np.asarray(matrix))
    (folder / "ids.txt").write_text(ids)
    return folder / "v.npy"


def read(file: Path, **options: object) -> PrecomputedVectors:
    known: dict[str, object] = {"ids": str(file.with_name("ids.txt")), "made_by": "clip"}
    return read_vectors(file, **{**known, **options})  # type: ignore[arg-type]


def imported(directory: Path, vectors: PrecomputedVectors, candidates: list[Candidate]) -> UpdateReport:
    with IndexWriter(directory, new=Manifest(fingerprint=vectors.fingerprint, dimension=3)) as writer:
        source = vectors.having_vectors(candidates)
        return update_index(writer, source, vectors, ImageStore({"": directory}), content=vectors.content)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_vectors_of_any_float_type_are_imported(tmp_path: Path, kind: type):
    vectors = read(write(tmp_path, ROWS.astype(kind)))
    assert vectors.fingerprint == "imported clip"
    assert imported(tmp_path / "index", vectors, ABC) == UpdateReport(encoded=3)
    with DirectoryIndex(tmp_path / "index") as index:
        found = index.search(np.array([[0, 1, 0]], np.float32), 1)
        assert found == [[("2", pytest.approx(0.8, abs=1e-3))]]
        assert index.candidates(["2"])["2"].text == "b"


def test_a_second_import_stores_only_vectors_that_changed(tmp_path: Path):
    imported(tmp_path / "index", read(write(tmp_path)), ABC)
    assert imported(tmp_path / "index", read(write(tmp_path)), ABC) == UpdateReport(unchanged=3)
    changed = ROWS.copy()
    changed[0] = [0, 1, 0]
    assert imported(tmp_path / "index", read(write(tmp_path, changed)), ABC) == UpdateReport(encoded=1, unchanged=2)


def test_items_without_a_vector_are_left_out_and_named(tmp_path: Path):
    vectors = read(write(tmp_path, ROWS[:2], "3\n1"))
    assert imported(tmp_path / "index", vectors, ABC) == UpdateReport(encoded=2)
    assert [(item.did, item.reason) for item in vectors.missing] == [("2", "it has no vector")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([2, 0, 0], r"'2': its vector has length 2 instead of 1; give --normalise"),
        ([0, 0, 0], r"'2': its vector has length 0 instead of 1; correct it"),
        ([np.nan, 0, 0], r"'2': its vector has length nan instead of 1; correct it"),
    ],
)
def test_a_vector_of_another_length_is_refused(tmp_path: Path, row: list[float], message: str):
    rows = ROWS.copy()
    rows[1] = row
    with pytest.raises(DataError, match=message):
        imported(tmp_path / "index", read(write(tmp_path, rows)), ABC)


def test_vectors_are_brought_to_length_one_where_asked(tmp_path: Path):
    vectors = read(write(tmp_path, 5 * ROWS), normalise=True)
    assert np.allclose(vectors.encode_candidates(ABC), ROWS)
    zero = read(write(tmp_path, 0 * ROWS), normalise=True)
    with pytest.raises(DataError, match="has length 0 instead of 1; correct it"):
        zero.encode_candidates(ABC)


def test_a_parquet_file_holds_ids_and_vectors(tmp_path: Path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"did": ["3", "1"], "vector": [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], "odd": [[1.0], [1.0, 2.0]]})
    parquet.write_table(table, tmp_path / "v.parquet")
    vectors = read(tmp_path / "v.parquet", ids=None)
    assert np.allclose(vectors.encode_candidates([ABC[0], ABC[2]]), ROWS[[0, 2]])
    with pytest.raises(DataError, match="no column 'name'; the columns are did, vector, odd"):
        read(tmp_path / "v.parquet", ids="name")
    with pytest.raises(DataError, match="column 'odd' must hold lists of one length; its lengths are 1, 2"):
        read(tmp_path / "v.parquet", ids=None, column="odd")
    with pytest.raises(DataError, match="column 'did' must hold lists"):
        read(tmp_path / "v.parquet", ids=None, column="did")
    (tmp_path / "v.parquet").write_text("nothing")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        read(tmp_path / "v.parquet", ids=None)


@pytest.mark.parametrize(
    ("matrix", "ids", "message"),
    [
        (ROWS, "1\n2\n", "3 vectors, but 2 ids; give one id for each vector"),
        (ROWS, "1\n2\n1\n", "id '1' appears twice"),
        (ROWS[0], "1\n2\n3\n", r"holds float64 of shape \[3\]; give floats of shape \[N, D\]"),
        (ROWS.astype(int), "1\n2\n3\n", "holds int64"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, matrix: object, ids: str, message: str):
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, matrix, ids))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path):
    file = write(tmp_path)
    with pytest.raises(ConfigError, match="whose vectors are these"):
        read(file, ids=None)
    with pytest.raises(DataError, match=r"gone.txt: cannot be read"):
        read(file, ids=str(tmp_path / "gone.txt"))
    file.write_text("nothing")
    with pytest.raises(DataError, match="cannot be read as a NumPy file"):
        read(file)


def test_the_dimension_must_be_that_of_the_encoder_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="vectors of 3 numbers, but the encoder makes 8"):
        read(write(tmp_path), encoder=LetterEncoder())
