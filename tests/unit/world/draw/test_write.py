"""Pins the files of a catalogue: layout, hashes, evidence, going on after a stop, other catalogues' folders."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vretrver.data.mbeir import list_mbeir, open_mbeir
from vretrver.errors import DataError
from vretrver.world.draw import write
from vretrver.world.draw.plan import make_plan
from vretrver.world.draw.render import label_place
from vretrver.world.draw.truth import load_evidence
from vretrver.world.draw.write import write_catalogue

TASKS = [0, 1, 2, 3, 4, 6, 7, 8, 9]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of ten items."""
    path = tmp_path_factory.mktemp("catalogue")
    write_catalogue(path, seed=1, items=10)
    return path


def everything(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_the_summary_counts(tmp_path: Path):
    calls: list[tuple[int, int]] = []
    summary = write_catalogue(tmp_path, seed=2, items=5, progress=lambda done, total: calls.append((done, total)))
    assert (summary.pictures, summary.drawn, summary.queries) == (10, 10, 45)
    assert calls[0] == (1, 10)
    assert calls[-1] == (10, 10)


def test_the_layout_is_read_by_the_mbeir_reader(made: Path):
    assert list_mbeir(made) == [("catalogue", task, "test") for task in TASKS]
    for task in TASKS:
        data = open_mbeir(made, dataset="catalogue", task=task)
        queries, pool = list(data.queries()), {candidate.did for candidate in data.candidates()}
        assert len(queries) == len(pool) == 10
        assert all(query.query.instruction for query in queries)
        judged = data.qrels().judged
        assert {query.query.qid: dict.fromkeys(query.positives, 1) for query in queries} == judged
        assert all(set(query.positives + query.negatives) <= pool for query in queries)


def test_qrels_have_five_columns(made: Path):
    line = (made / "qrels/test/mbeir_catalogue_task7_test_qrels.txt").read_text().splitlines()[0].split()
    assert len(line) == 5
    assert (line[1], line[3], line[4]) == ("0", "1", "7")


def test_pictures_are_what_the_journal_says(made: Path):
    title, *lines = (made / "pictures.tsv").read_text().splitlines()
    assert title == "catalogue generator=1 seed=1 items=10 split=test"
    assert len(lines) == 20
    for path, file_hash, pixel_hash in (line.split("\t") for line in lines):
        data = (made / path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file_hash
        with Image.open(made / path) as image:
            assert (image.format, image.size, image.mode) == ("JPEG", (768, 768), "RGB")
            assert hashlib.sha256(image.tobytes()).hexdigest() == pixel_hash


def test_the_manifest_names_every_file_of_text(made: Path):
    manifest = json.loads((made / "manifest.json").read_text())
    assert (manifest["generator"], manifest["seed"], manifest["items"]) == (1, 1, 10)
    files = everything(made)
    texts = {name for name in files if not name.endswith(".jpg")} - {"manifest.json"}
    assert manifest["sha256"] == {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(texts)}


def test_evidence_covers_every_picture_and_gives_the_labels_boxes(made: Path):
    evidence = load_evidence(made / "evidence.jsonl")
    assert len(evidence) == 20
    for item in make_plan(1, 10):
        for view, path in enumerate((item.picture, item.query_picture)):
            assert evidence[path].box == label_place(item.shot(view)).box
            assert evidence[path].detail == item.detail.words()
            assert evidence[path].did == (item.picture_did if view == 0 else None)


def test_a_file_keeps_the_detail_that_was_drawn(made: Path):
    item = make_plan(1, 10)[0]
    left, top, right, bottom = label_place(item.shot(0)).box
    with Image.open(made / item.picture) as image:
        seen = np.asarray(image, dtype=int)[top:bottom, left:right]
    drawn = write.render(item.shot(0)).astype(int)[top:bottom, left:right]
    assert abs(seen - drawn).mean() < 4


def test_a_second_run_draws_nothing_and_changes_nothing(made: Path):
    before = everything(made)
    assert write_catalogue(made, seed=1, items=10).drawn == 0
    assert everything(made) == before


def test_a_stopped_run_goes_on_and_ends_with_the_same_files(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    drawn = 0
    encode = write.encode_native

    def stops_at_the_eighth(shot):
        nonlocal drawn
        drawn += 1
        if drawn == 8:
            raise KeyboardInterrupt
        return encode(shot)

    monkeypatch.setattr(write, "encode_native", stops_at_the_eighth)
    with pytest.raises(KeyboardInterrupt):
        write_catalogue(tmp_path, seed=1, items=10)
    monkeypatch.undo()
    assert not (tmp_path / "manifest.json").exists()
    with (tmp_path / "pictures.tsv").open("a") as journal:
        journal.write("images/000/0000")  # the line that was being written
    assert write_catalogue(tmp_path, seed=1, items=10).drawn == 13
    assert everything(tmp_path) == everything(made)


def test_missing_and_damaged_pictures_are_drawn_again(made: Path, tmp_path: Path):
    for name, data in everything(made).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    pictures = sorted(tmp_path.glob("images/*/*.jpg"))
    pictures[3].unlink()
    pictures[5].write_bytes(pictures[5].read_bytes()[:-100])
    assert write_catalogue(tmp_path, seed=1, items=10).drawn == 2
    assert everything(tmp_path) == everything(made)


def test_several_processes_write_the_same_files(made: Path, tmp_path: Path):
    write_catalogue(tmp_path, seed=1, items=10, workers=2)
    assert everything(tmp_path) == everything(made)


@pytest.mark.parametrize(("seed", "items", "split"), [(2, 10, "test"), (1, 5, "test"), (1, 10, "val")])
def test_the_folder_of_another_catalogue_is_refused(made: Path, seed: int, items: int, split: str):
    with pytest.raises(DataError, match=r"holds another catalogue .* choose another folder"):
        write_catalogue(made, seed=seed, items=items, split=split)


@pytest.mark.parametrize("split", ["", "Test", "../test", "test 1"])
def test_a_split_that_is_no_plain_word_is_refused(tmp_path: Path, split: str):
    with pytest.raises(DataError, match="use lower-case letters"):
        write_catalogue(tmp_path / "new", seed=1, items=5, split=split)
    assert not (tmp_path / "new").exists()


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="not a folder that can be written"):
        write_catalogue(tmp_path / "file", seed=1, items=5)


def test_a_number_of_items_that_is_no_multiple_of_five_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="multiple of 5"):
        write_catalogue(tmp_path / "new", seed=1, items=12)
    assert not (tmp_path / "new").exists()
