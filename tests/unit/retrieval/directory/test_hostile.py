"""Pins what an index that somebody else made cannot do: reach a file elsewhere, run SQL, end in a traceback."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from tests.unit.retrieval.directory.letters import LetterEncoder, found, open_writer, texts, update

from vretrver.errors import DataError, VRetrverError
from vretrver.retrieval.directory.accelerate import build_approximate, open_approximate
from vretrver.retrieval.directory.database import ItemDatabase
from vretrver.retrieval.directory.entries import bare_entry
from vretrver.retrieval.directory.index import DirectoryIndex
from vretrver.retrieval.directory.lock import holder_of
from vretrver.retrieval.directory.opening import Effort
from vretrver.retrieval.directory.writer import IndexWriter

ITEMS = {"1": "aab", "2": "bbc", "3": "cca"}
VICTIM = b"somebody's only copy"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of three items, beside a file that must stay as it is."""
    (tmp_path / "victim").write_bytes(VICTIM)
    metadata = {did: {"price": place} for place, did in enumerate(ITEMS)}
    update(tmp_path / "idx", texts(ITEMS, metadata), LetterEncoder())
    return tmp_path / "idx"


def edit(index: Path, **values: object) -> None:
    """Change values of the stored manifest."""
    connection = sqlite3.connect(index / "items.sqlite")
    (text,) = connection.execute("SELECT value FROM manifest").fetchone()
    connection.execute("UPDATE manifest SET value = ?", (json.dumps({**json.loads(text), **values}),))
    connection.commit()
    connection.close()


def run_sql(index: Path, *statements: str) -> None:
    connection = sqlite3.connect(index / "items.sqlite")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def refusals(index: Path) -> list[str]:
    """Read and write an index in every way and return what was refused; any other error is a failure."""
    told = []
    for use in (_read, _write):
        try:
            use(index)
        except VRetrverError as error:
            told.append(str(error))
    return told


def _read(index: Path) -> None:
    found(index, "a")
    found(index, "a", where="price < 2")
    with DirectoryIndex(index) as opened:
        list(opened.items())
        opened.listed("price < 2", 3)
        len(opened)
        opened.vectors_of(["1"])
        opened.manifest.places(index)
    holder_of(index / "lock")


def _write(index: Path) -> None:
    with IndexWriter(index) as writer:
        writer.delete(["2"])
        writer.compact()
        writer.live_slots()


def _rebuild(index: Path) -> None:
    with IndexWriter(index) as writer:
        writer.set_approximate(build_approximate(index, writer.manifest, writer.vectors(), writer.live_slots()))


APPROXIMATE = {"covered": 3, "lists": 1, "probes": 1, "recall": 1.0, "sample": 3}


@pytest.mark.parametrize(
    "name",
    [
        "../victim",
        "{parent}/victim",
        "./../victim",
        "a/../../victim",
        "lock",
        "items.sqlite",
        "vectors-0.f32",
        "..",
        "",
        "approximate-0-1.faiss/../../victim",
        "approximate-0-1.faiss\x00",
        "approximate-0-1.faiss\n",
        7,
        None,
        ["x"],
    ],
)
def test_a_file_elsewhere_is_not_deleted_on_a_manifests_word(index: Path, name: object):
    pytest.importorskip("faiss")
    told = name.replace("{parent}", str(index.parent)) if isinstance(name, str) else name
    edit(index, approximate={"file": told, **APPROXIMATE})
    with pytest.raises(DataError, match=r"manifest is damaged \(approximate\.file is .*, not a name this program"):
        _rebuild(index)
    assert (index.parent / "victim").read_bytes() == VICTIM
    assert len(refusals(index)) == 2


WRONG = [None, True, -1, 0, 3, 1.5, 2**80, float("nan"), float("inf"), "", "x", "\x00", "../x", [], ["x"], {}]


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_every_value_of_a_manifest_is_checked(index: Path, value: object):
    names = [{name: value} for name in json.loads(ItemDatabase(index).manifest().to_json())]
    parts = [{"approximate": {"file": "approximate-0-1.faiss", **APPROXIMATE, name: value}} for name in APPROXIMATE]
    for number, change in enumerate([*names, *parts, {"roots": {"": value}}, {"fields": {"price": value}}]):
        copy = Path(shutil.copytree(index, index.with_name(f"copy-{number}")))
        edit(copy, **change)
        assert all("\n" not in sentence for sentence in refusals(copy)), change
    for name in ("column", "kind"):
        edit(index, fields={"price": {"column": "f0", "kind": "number", name: value}})
        assert len(refusals(index)) == 2, name
    assert (index.parent / "victim").read_bytes() == VICTIM


@pytest.mark.parametrize("column", ["f1", "f0, (SELECT 1)", "slot", "f0; DROP TABLE items", "F0", "f٠"])
def test_a_column_of_a_manifest_cannot_be_sql(index: Path, column: str):
    edit(index, fields={"price": {"column": column, "kind": "number"}})
    sentence = f"{index / 'items.sqlite'}: the manifest is damaged (column 0 of field 'price'"
    assert refusals(index)[0].startswith(sentence)


@pytest.mark.parametrize(
    "text", ["", "[", "[" * 100_000, "9" * 5000, "[]", "7", "null", '{"format": 1}', b"\xff\xfe"]
)
def test_a_manifest_that_is_no_manifest_is_one_sentence(index: Path, text: str | bytes):
    connection = sqlite3.connect(index / "items.sqlite")
    connection.execute("UPDATE manifest SET value = ?", (text,))
    connection.commit()
    connection.close()
    assert len(refusals(index)) == 2


@pytest.mark.parametrize("kind", ["symbolic", "dangling", "hard"])
@pytest.mark.parametrize(
    "name", ["lock", "vectors-0.f32", "items.sqlite", "items.sqlite-wal", "items.sqlite-shm", "items.sqlite-journal"]
)
def test_a_link_in_the_place_of_a_file_is_refused(index: Path, name: str, kind: str):
    victim = index.parent / "victim"
    if name in ("vectors-0.f32", "items.sqlite"):
        victim.write_bytes((index / name).read_bytes())
    before = victim.read_bytes()
    (index / name).unlink(missing_ok=True)
    if kind == "hard":
        (index / name).hardlink_to(victim)
    else:
        (index / name).symlink_to(victim if kind == "symbolic" else index.parent / "made")
    if name != "items.sqlite" or kind != "dangling":  # there a new index is made, which replaces the link
        what = "a file with a second name (a hard link)" if kind == "hard" else "a symbolic link"
        sentence = (
            f"{index / name}: is {what}, which this program does not put there; replace it by a copy of the file"
        )
        with pytest.raises(DataError) as caught:
            open_writer(index)
        assert str(caught.value) == sentence
    refusals(index)
    assert victim.read_bytes() == before
    assert not (index.parent / "made").exists()


@pytest.mark.parametrize("name", ["lock", "vectors-0.f32", "items.sqlite-wal", "items.sqlite-journal"])
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(index: Path, name: str):
    (index / name).unlink(missing_ok=True)
    os.mkfifo(index / name)
    with pytest.raises(DataError, match=f"{name}: is not a regular file, which this program does not put there"):
        open_writer(index)
    refusals(index)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_new_index_is_not_written_through_a_link_that_waits_for_it(tmp_path: Path, suffix: str):
    (tmp_path / "victim").write_bytes(VICTIM)
    (tmp_path / "idx").mkdir()
    (tmp_path / "idx" / f"items.sqlite.new{suffix}").symlink_to(tmp_path / "victim")
    update(tmp_path / "idx", texts(ITEMS), LetterEncoder())
    assert (tmp_path / "victim").read_bytes() == VICTIM
    assert found(tmp_path / "idx", "a")[0] == "1"


def test_approximate_search_neither_writes_nor_reads_through_a_link(index: Path):
    pytest.importorskip("faiss")
    victim = index.parent / "victim"
    with IndexWriter(index) as writer:
        name = f"approximate-0-{writer.manifest.version}.faiss"
        (index / f"{name}.new").symlink_to(victim)
        built = build_approximate(index, writer.manifest, writer.vectors(), writer.live_slots())
        writer.set_approximate(built)
        manifest = writer.manifest
    assert victim.read_bytes() == VICTIM
    assert built.file == name
    (index / name).rename(index.parent / "elsewhere")
    (index / name).symlink_to(index.parent / "elsewhere")
    with pytest.raises(DataError, match="is a symbolic link, which this program does not put there"):
        open_approximate(index, manifest)


def test_a_structure_of_other_vectors_is_refused(index: Path):
    pytest.importorskip("faiss")
    _rebuild(index)
    built = json.loads(ItemDatabase(index).manifest().to_json())["approximate"]
    edit(index, approximate={**built, "covered": 2})
    with DirectoryIndex(index) as opened, pytest.raises(DataError, match="cannot be read; build it again"):
        open_approximate(index, opened.manifest)


def test_a_journal_that_names_a_file_elsewhere_is_refused(index: Path):
    victim = index.parent / "victim"
    name = str(victim).encode()
    tail = len(name).to_bytes(4, "big") + (sum(name) % 2**32).to_bytes(4, "big") + bytes.fromhex("d9d505f920a163d7")
    (index / "items.sqlite-journal").write_bytes(bytes(512) + name + tail)
    with pytest.raises(DataError, match="journal: names another file, which this program never writes"):
        open_writer(index)
    refusals(index)
    assert victim.read_bytes() == VICTIM


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 1 AS one, max(i) AS value FROM n"


@pytest.mark.parametrize(
    ("statements", "what"),
    [
        (["ALTER TABLE manifest RENAME TO kept", f"CREATE VIEW manifest AS {ENDLESS}"], "table 'kept'"),
        (["DROP TABLE manifest", f"CREATE VIEW manifest AS {ENDLESS}"], "view 'manifest'"),
        ([f"CREATE VIEW more AS {ENDLESS}"], "view 'more'"),
        (["CREATE TRIGGER t AFTER INSERT ON dead BEGIN DELETE FROM items; END"], "trigger 't'"),
        (["CREATE TABLE more (a)"], "table 'more'"),
        (["CREATE INDEX more ON items (abs(slot))"], "index 'more'"),
        (["CREATE VIRTUAL TABLE more USING fts5(a)"], "table 'more'"),
        (["DROP TABLE dead", "CREATE TABLE dead (slot INTEGER PRIMARY KEY, x AS (zeroblob(9)))"], "table 'dead'"),
        (["DROP TABLE fields", "CREATE TABLE fields (slot INTEGER PRIMARY KEY, f0 AS (slot))"], "table 'fields'"),
    ],
)
def test_sql_stored_in_the_database_is_refused_before_it_runs(index: Path, statements: list[str], what: str):
    run_sql(index, *statements)
    with pytest.raises(DataError) as caught:
        ItemDatabase(index)
    assert str(caught.value) == (
        f"{index / 'items.sqlite'}: holds the {what}, which an index does not have; do not open it, make your own of "
        "its source"
    )
    assert len(refusals(index)) == 2


def test_a_statement_without_an_end_is_ended(index: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Effort, "BASE", 1_000_000)
    database = ItemDatabase(index)
    with (
        pytest.raises(DataError, match="takes more work to read than an intact index of its size, so it is damaged"),
        database.reading(),
    ):
        database.slots_where(ENDLESS, ())
    with database.reading():  # the next one is counted from its own start
        assert database.slots_where("SELECT slot FROM items ORDER BY slot", ()).tolist() == [0, 1, 2]
    database.close()


def test_reading_a_large_index_is_never_too_much_work(tmp_path: Path):
    """One statement over 60,000 rows takes a thousandth of what is allowed without looking at the size."""
    with open_writer(tmp_path) as writer:
        vectors = np.ones((20_000, 8), np.float32)
        for part in range(3):
            writer.put([bare_entry(f"{part}-{number}") for number in range(20_000)], vectors)
        left = writer.database._transactions._effort._left
        with writer.database.reading():
            assert len(list(writer.database.all_dids())) == 60_000
        assert left - writer.database._transactions._effort._left < 100


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE items SET parts = '['",
        "UPDATE items SET parts = '[]'",
        "UPDATE items SET parts = '[7]'",
        "UPDATE items SET parts = '[{\"path\": 7}]'",
        'UPDATE items SET parts = \'[{"path": "a", "page": -1}]\'',
        'UPDATE items SET parts = \'[{"path": "a", "more": 1}]\'',
        "UPDATE items SET parts = x'ff'",
        "UPDATE items SET metadata = '[]'",
        "UPDATE items SET metadata = '{\"a\": [1]}'",
        "UPDATE items SET did = x'ff' || slot",
        "UPDATE items SET slot = slot + 100",
        "UPDATE items SET slot = -1 WHERE slot = 0",
        "DELETE FROM items",
        "INSERT INTO dead VALUES (-5)",
        "INSERT INTO dead VALUES (500)",
        "INSERT INTO fields (slot, f0) VALUES (500, 1)",
        "DELETE FROM manifest",
    ],
)
def test_rows_that_this_package_did_not_write_are_one_sentence(index: Path, statement: str):
    run_sql(index, statement)
    told = refusals(index)
    assert told
    assert all("\n" not in sentence for sentence in told)


@pytest.mark.parametrize("text", ["{", "[]", '{"pid": 1}', '{"pid":"x","host":1,"command":2,"since":3}', "[" * 9000])
def test_a_lock_that_says_nonsense_has_no_name(index: Path, text: str):
    with IndexWriter(index):
        (index / "lock").write_text(text)
        holder = holder_of(index / "lock")
        assert holder is not None
        assert holder.host == "?"


def test_a_lock_cannot_put_an_escape_sequence_into_a_message(index: Path):
    value = {"pid": 1, "host": "\x1b[2J", "command": "a\nb", "since": ""}
    with IndexWriter(index):
        (index / "lock").write_text(json.dumps(value))
        assert str(holder_of(index / "lock")).startswith("process 0 on ? (?)")
