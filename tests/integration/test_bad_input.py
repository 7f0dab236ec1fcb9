"""Pins that bad input of every kind ends a command with one clear sentence, and that what was done is kept.

Bad input of searches, requests and traces without an index or a server is in test_cli.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.integration.commands import call, run, sentence_of
from tests.stub_server import Answer, Seen, StubServer, refusal, say
from tests.unit.doctor.folders import write_model

from vretrver.doctor import libraries
from vretrver.retrieval.directory.lock import WriterLock
from vretrver.retrieval.directory.manifest import LOCK

COLOURS = {"red": (200, 30, 30), "green": (40, 160, 60), "blue": (40, 60, 200), "grey": (128, 128, 128)}
ANSWER = "<think>in this order</think><answer>[1, 2, 3, 4]</answer>"
TABLE = ("table.csv", "--id-column", "sku", "--text-columns", "title")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A folder with things to index and to rerank; ix is an index of photos, tx of a table, vx of vectors."""

    folder: Path
    """The folder."""
    url: str
    """A model server that answers."""

    def requests(self, *qids: str) -> str:
        """Write a request file and return its name."""
        candidates = [{"did": name, "image": f"photos/{name}.png"} for name in COLOURS]
        rows = [{"qid": qid, "text": "the blue one", "candidates": candidates} for qid in qids]
        (self.folder / "requests.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return "requests.jsonl"

    def server(self, *options: str) -> tuple[str, ...]:
        """Return the arguments that rerank the requests through the server."""
        return ("rerank", "requests.jsonl", "--policy", f"http:{self.url}", "--model", "stub", *options)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that every test gets a copy of."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "photos").mkdir()
    for name, colour in COLOURS.items():
        Image.new("RGB", (64, 48), colour).save(folder / "photos" / f"{name}.png")
    (folder / "table.csv").write_text("sku,title,price\na,red mug,7\nb,blue mug,9\n")
    np.save(folder / "vectors.npy", np.eye(3, 4, dtype=np.float32))
    (folder / "ids.txt").write_text("a\nb\nc\n")
    (folder / "two.txt").write_text("a\nb\n")
    vectors = ("--vectors", "vectors.npy", "--ids", "ids.txt")
    for command in (
        ("index", "photos", "-o", "ix"),
        ("index", *TABLE, "-o", "tx", "--metadata-columns", "price:float"),
        ("index", *TABLE, "-o", "vx", *vectors),
    ):
        done = call(*command, cwd=folder)
        assert done.code == 0, done.stderr
    return folder


@pytest.fixture
def shop(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A copy of the folder, and a server."""
    for variable in ("VRETRVER_API_KEY", "VRETRVER_MODEL"):
        monkeypatch.delenv(variable, raising=False)
    shutil.copytree(template, tmp_path / "shop")
    with StubServer(say(ANSWER)) as server:
        made = Shop(folder=tmp_path / "shop", url=server.url)
        made.requests("q1")
        yield made


BAD = {
    "column that is not there": (
        ("index", "table.csv", "-o", "new", "--id-column", "id", "--text-columns", "title"),
        "table.csv.*'?id'?.*sku, title, price",
    ),
    "columns without an id": (("index", "table.csv", "-o", "new", "--text-columns", "title"), "name the column of"),
    "value of another kind": (
        ("index", *TABLE, "-o", "new", "--metadata-columns", "title:float"), r"table\.csv:\d+.*title.*red mug",
    ),
    "no such source": (("index", "gone", "-o", "new"), "gone.*no such"),
    "unknown encoder": (("index", "photos", "-o", "new", "--encoder", "clip"), "no encoder is called 'clip'"),
    "mixed encoders": (
        ("index", *TABLE, "-o", "vx", "--encoder", "hash"), "vx: made by an encoder other than the one in use",
    ),
    "mixed encoders, other roots": (
        ("index", "photos", "-o", "vx", "--encoder", "hash"), "photos: a table is indexed by itself, and vx is of",
    ),
    "search with another encoder": (
        ("search", "vx", "--text", "x", "--encoder", "hash"), "dimension 4 there, 579 here.*use the encoder it was",
    ),
    "search without an encoder": (("search", "vx", "--text", "x"), "its vectors were imported.*name their --encoder"),
    "fewer ids than vectors": (
        ("index", *TABLE, "-o", "new", "--vectors", "vectors.npy", "--ids", "two.txt"), "3 .*2|2 .*3",
    ),
    "no such vectors": (("index", *TABLE, "-o", "new", "--vectors", "gone.npy", "--ids", "ids.txt"), "gone.npy"),
    "a file where the index should be": (("index", "photos", "-o", "table.csv"), "table.csv"),
    "no index yet": (("index", "-o", "new"), "new: there is no index, so it remembers no sources; name a SOURCE"),
    "info of no index": (("info", "photos"), "photos: no index; make one with"),
    "filter over an unknown field": (("search", "tx", "--text", "mug", "--filter", "prize < 8"), "prize.*price"),
    "filter that cannot be read": (("search", "tx", "--text", "mug", "--filter", "price <"), "price <"),
    "filter of another kind": (("search", "tx", "--text", "mug", "--filter", "price = 'cheap'"), "cheap"),
    "filter that would be SQL": (("search", "tx", "--text", "mug", "--filter", "price < 8; DROP TABLE items"), ";"),
    "filter without an index": (
        ("search", "photos", "--text", "x", "--filter", "a = 1"), "photos: --filter, .* need an index"
    ),
    "approximate search that was not built": (("search", "ix", "--text", "red", "--approximate"), "approximate"),
    "server without a model": (("rerank", "requests.jsonl", "--policy", "http:http://localhost:1"), "give --model"),
    "no address": (("rerank", "requests.jsonl", "--policy", "http:nowhere", "--model", "m"), "not the address of"),
    "key in the address": (
        ("rerank", "requests.jsonl", "--policy", "http:http://me:key@localhost/v1", "--model", "m"),
        "keys come from the environment$",
    ),
    "model of a scripted policy": (("rerank", "requests.jsonl", "--model", "m"), "takes no model"),
    "journal that is none": (
        ("rerank", "requests.jsonl", "--journal", "table.csv"), "table.csv:1: not a journal entry"
    ),
    "journal below a file": (
        ("rerank", "requests.jsonl", "--journal", "table.csv/j"), "table.csv/j: cannot be written"
    ),
    "trace below a file": (
        ("rerank", "requests.jsonl", "--trace", "table.csv/t"), "table.csv/t: cannot be written"
    ),
    "doctor without a model": (("doctor", "--endpoint", "http://localhost:1"), "needs the model's name"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_and_changes_nothing(name: str, shop: Shop) -> None:
    arguments, words = BAD[name]
    before = contents(shop.folder)
    sentence = sentence_of(call(*arguments, cwd=shop.folder))
    assert re.search(words, sentence), sentence
    after = contents(shop.folder)
    assert {path: after[path] for path in before} == before


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder, without locks and what SQLite makes for a reader."""
    files = (
        path for path in folder.rglob("*") if path.is_file() and path.name != LOCK and path.suffix != ".sqlite-shm"
    )
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_an_index_that_is_being_written_names_its_writer(shop: Shop) -> None:
    lock = WriterLock(shop.folder / "ix" / LOCK)
    try:
        sentence = sentence_of(call("index", "photos", "-o", "ix", cwd=shop.folder))
    finally:
        lock.close()
    assert re.search(r"ix: is being written by process \d+ on .* since .*; wait until it ends", sentence)
    assert call("index", "photos", "-o", "ix", cwd=shop.folder).code == 0


def test_a_damaged_index_is_one_sentence(shop: Shop) -> None:
    (shop.folder / "ix" / "items.sqlite").write_bytes(b"no database, but long enough to be taken for one" * 40)
    assert "items.sqlite" in sentence_of(call("search", "ix", "--text", "red", cwd=shop.folder))


def test_a_dead_endpoint_is_one_sentence(shop: Shop) -> None:
    with StubServer(say("")) as server:
        dead = Shop(folder=shop.folder, url=server.url)
    sentence = sentence_of(call(*dead.server("--trace", "t.jsonl"), cwd=shop.folder))
    assert "start the server, or correct the address" in sentence
    assert not (shop.folder / "t.jsonl").exists()


def test_another_model_than_is_served_is_one_sentence(shop: Shop) -> None:
    def script(seen: Seen) -> Answer:
        return refusal(404, "no such model") if seen.body is not None else say("")(seen)

    with StubServer(script) as server:
        arguments = ("rerank", "requests.jsonl", "--policy", f"http:{server.url}", "--model", "qwen")
        assert "does not serve 'qwen'; it serves stub" in sentence_of(call(*arguments, cwd=shop.folder))


def test_a_wrong_key_is_one_sentence_without_the_key(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with StubServer(lambda _: refusal(401, "Incorrect API key provided: sk-very-secret")) as server:
        closed = Shop(folder=shop.folder, url=server.url)
        none = call(*closed.server(), cwd=shop.folder)
        monkeypatch.setenv("VRETRVER_API_KEY", "sk-very-secret")
        other = call(*closed.server(), cwd=shop.folder)
    assert "asks for a key (401); set VRETRVER_API_KEY" in sentence_of(none)
    assert "refuses the key in VRETRVER_API_KEY (401); set the right one" in sentence_of(other)
    assert "sk-very-secret" not in other.stderr


MISSING = {
    "server": (("rerank", "requests.jsonl", "--policy", "http:http://localhost:1", "--model", "m"), "httpx2", "http"),
    "table": (
        ("search", "t.parquet", "--text", "x", "--id-column", "a", "--text-columns", "b"), "pyarrow", "sources",
    ),
    "approximate search": (("index", "-o", "ix", "--approximate"), "faiss", "index"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_extra_is_one_sentence_with_the_command_that_installs_it(
    name: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, library, extra = MISSING[name]
    (shop.folder / "t.parquet").write_bytes(b"PAR1")
    for module in [module for module in sys.modules if module.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    sentence = sentence_of(call(*arguments, cwd=shop.folder))
    assert re.search(rf"{library}[\w.]* is not installed; run: pip install 'vretrver\[{extra}\]'$", sentence), (
        sentence
    )


def test_a_full_disk_ends_a_rerank_and_keeps_what_was_done(shop: Shop) -> None:
    rerank = ("rerank", shop.requests("q1"), "--trace", "t.jsonl")
    assert call(*rerank, cwd=shop.folder).code == 0
    kept = (shop.folder / "t.jsonl").read_bytes()
    shop.requests("q1", "q2")
    full = run(*rerank, cwd=shop.folder, most_bytes=len(kept) + 100)
    assert full.code == 1
    assert "t.jsonl: cannot be written: File too large; what was written is kept, run again" in full.stderr
    assert "Traceback" not in full.stderr
    assert (shop.folder / "t.jsonl").read_bytes() == kept
    done = call(*rerank, cwd=shop.folder)
    assert done.code == 0, done.stderr
    assert "1 of 2 queries are in t.jsonl and are not done again" in done.stderr


def test_a_full_disk_ends_a_journal_and_keeps_what_was_paid_for(shop: Shop) -> None:
    assert call(*shop.server("--journal", "j"), cwd=shop.folder).code == 0
    kept = (shop.folder / "j").read_bytes()
    shop.requests("q1", "q2")
    full = run(*shop.server("--journal", "j"), cwd=shop.folder, most_bytes=len(kept) + 20)
    assert full.code == 1
    assert "j: the journal cannot be written: File too large; what was written is kept, run again" in full.stderr
    assert "Traceback" not in full.stderr
    assert (shop.folder / "j").read_bytes() == kept


def test_a_full_disk_ends_indexing_and_keeps_what_was_committed(shop: Shop) -> None:
    for number in range(12):
        Image.new("RGB", (32, 32), (number * 20, 90, 200 - number * 10)).save(shop.folder / f"photos/n{number}.png")
    size = max(path.stat().st_size for path in (shop.folder / "ix").iterdir())
    full = run("index", "photos", "-o", "ix", "--batch-size", "4", cwd=shop.folder, most_bytes=size + 20_000)
    assert "ix" in sentence_of(full)
    done = call("search", "ix", "--image", "photos/red.png", "--top", "1", "--json", cwd=shop.folder)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["hits"][0]["did"] == "red.png"
    again = call("index", "photos", "-o", "ix", "--json", cwd=shop.folder)
    assert again.code == 0, again.stderr
    assert json.loads(again.stdout)["unchanged"] >= 4


def test_a_full_disk_ends_drawing_and_a_second_run_goes_on(shop: Shop) -> None:
    draw = ("catalogue", "--out", "world", "--items", "5")
    sentence = sentence_of(run(*draw, cwd=shop.folder, most_bytes=3000))
    assert "File too large; what was finished is kept" in sentence
    assert call(*draw, cwd=shop.folder).code == 0


def test_output_that_cannot_be_written_is_one_sentence_and_the_trace_is_kept(shop: Shop) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    done = run("rerank", "requests.jsonl", "--trace", "t.jsonl", "--json", cwd=shop.folder, stdout=full)
    assert done.code == 1
    assert "No space left on device" in sentence_of(done)
    assert len((shop.folder / "t.jsonl").read_text().splitlines()) == 1


def test_a_report_that_cannot_be_written_is_one_sentence_and_nothing_is_ranked_for_it(shop: Shop) -> None:
    arguments = ("rerank", "requests.jsonl", "--trace", "t.jsonl", "--report", "table.csv/r.html")
    sentence = sentence_of(call(*arguments, cwd=shop.folder))
    assert "table.csv/r.html: cannot be written" in sentence
    assert not (shop.folder / "t.jsonl").exists()


def test_doctor_ends_with_exit_code_1_and_says_what_is_wrong(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries.metadata, "requires", lambda _: ["numpy"])
    write_model(shop.folder / "model")
    (shop.folder / "model" / "model-2.safetensors").unlink()
    done = call("doctor", "--model-folder", "model", "--index", "photos", cwd=shop.folder)
    assert done.code == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert len(wrong) == 2
    assert "model-2.safetensors: the weight file is missing; download it" in wrong[0]
    assert "photos: no index; make one with" in wrong[1]
