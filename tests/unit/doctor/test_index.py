"""Pins what is said of an index directory: its state, whether vectors find themselves, whether pictures are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.drawn import DrawnFolder, draw

from vretrver.doctor.findings import Severity
from vretrver.doctor.index import check_index
from vretrver.retrieval.directory.manifest import Manifest
from vretrver.retrieval.directory.update import update_index
from vretrver.retrieval.directory.writer import IndexWriter
from vretrver.retrieval.hash_encoder import HashEncoder


@pytest.fixture
def index(drawn: DrawnFolder, tmp_path: Path) -> Path:
    """An index over four drawn pictures."""
    directory = tmp_path / "index"
    encoder = HashEncoder(drawn.store)
    manifest = Manifest(
        fingerprint=encoder.fingerprint, dimension=encoder.dimension, roots={"": f"../{drawn.path.name}"}
    )
    with IndexWriter(directory, new=manifest) as writer:
        update_index(writer, drawn.candidates(4), encoder, drawn.store)
    return directory


def found(directory: Path) -> dict[str, tuple[Severity, str]]:
    """Return subject -> verdict and sentence."""
    return {finding.subject: (finding.severity, finding.sentence) for finding in check_index(directory)}


def test_nothing_is_wrong_with_a_fresh_index(index: Path) -> None:
    findings = found(index)
    assert [verdict for verdict, _ in findings.values()] == [Severity.OK] * 3
    assert findings["index"][1].startswith("4 items of ")
    assert findings["index search"][1].startswith("4 stored vectors find themselves")
    assert findings["index pictures"][1] == "4 pictures of 4 sampled items are unchanged"


def test_pictures_that_are_gone_or_changed_are_named(index: Path, drawn: DrawnFolder) -> None:
    draw(200).save(drawn.path / "3.png")
    assert found(index)["index pictures"] == (
        Severity.WARNING,
        "1 of 4 sampled items have pictures that are changed, '1:3' first; update the index",
    )
    (drawn.path / "2.png").unlink()
    assert "that are gone, '1:2' first" in found(index)["index pictures"][1]


def test_a_damaged_vector_file_is_found_out(index: Path) -> None:
    (path,) = index.glob("vectors-*.f32")
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    findings = list(check_index(index))
    assert findings[-1].severity is Severity.WRONG
    assert "the file was cut short; index again" in findings[-1].sentence
    path.write_bytes(b"\x00\x00\xc0\x7f" * (len(data) // 4))
    assert Severity.WRONG in [verdict for verdict, _ in found(index).values()]


def test_a_writer_is_named(index: Path) -> None:
    with IndexWriter(index):
        findings = list(check_index(index))
    assert any(f.severity is Severity.NOTE and "it is being written by process" in f.sentence for f in findings)


def test_what_was_deleted_and_takes_room_is_warned_of(index: Path) -> None:
    with IndexWriter(index) as writer:
        writer.delete(["1:1", "1:2"])
    findings = list(check_index(index))
    assert any("2 of 4 vectors are deleted and still take up space; compact" in f.sentence for f in findings)


def test_an_empty_index_and_none_at_all_are_said(tmp_path: Path) -> None:
    with IndexWriter(tmp_path / "empty", new=Manifest(fingerprint="x", dimension=4)):
        pass
    assert found(tmp_path / "empty")["index"][0] is Severity.WARNING
    assert found(tmp_path / "none")["index"][0] is Severity.WRONG
    assert "no index; make one with `vretrver index SOURCE -o" in found(tmp_path / "none")["index"][1]
