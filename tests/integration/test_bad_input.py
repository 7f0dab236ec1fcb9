"""Pins that bad input of every kind ends a command with one clear sentence, and that what was done is kept.

Bad input of searches, requests and traces without an index or a server is in test_cli.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.integration.commands import run, sentence_of
from tests.stub_server import StubServer, refusal, say
from tests.unit.doctor.folders import write_model

from vretrver.retrieval.directory.lock import WriterLock
from vretrver.retrieval.directory.manifest import LOCK

COLOURS = {"red": (200, 30, 30), "green": (40, 160, 60), "blue": (40, 60, 200), "grey": (128, 128, 128)}
ANSWER = "<think>in this order</think><answer>[1, 2, 3, 4]</answer>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A folder with things to index and to rerank."""

    folder: Path
    """Holds photos/, table.csv, requests.jsonl and the index made of photos/."""
    url: str
    """A model server that answers."""

    def requests(self, *qids: str) -> Path:
        """Write a request file."""
        candidates = [{"did": name, "image": f"photos/{name}.png"} for name in COLOURS]
        rows = [{"qid": qid, "text": "the blue one", "candidates": candidates} for qid in qids]
        path = self.folder / "requests.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path


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
    columns = ("--id-column", "sku", "--text-columns", "title", "--metadata-columns", "price:float")
    for command in (("index", "photos", "-o", "ix"), ("index", "table.csv", "-o", "tx", *columns)):
        done = run(*command, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def shop(template: Path, tmp_path: Path) -> Iterator[Shop]:
    """A copy of the folder, and a server."""
    import shutil

    folder = tmp_path / "shop"
    shutil.copytree(template, folder)
    with StubServer(say(ANSWER)) as server:
        found = Shop(folder=folder, url=server.url)
        found.requests("q1")
        yield found


INDEX = {
    "column that is not there": (
        ("index", "table.csv", "-o", "new", "--id-column", "id", "--text-columns", "title"),
        "table.csv.*'?id'?.*sku, title, price",
    ),
    "columns without an id": (("index", "table.csv", "-o", "new", "--text-columns", "title"), "name the column of the"),
    "value of another kind": (
        ("index", "table.csv", "-o", "new", "--id-column", "sku", "--text-columns", "title", "--metadata-columns",
         "title:float"),
        r"table\.csv:\d+.*title.*red mug",
    ),
    "no such source": (("index", "gone", "-o", "new"), "gone.*no such"),
    "unknown encoder": (("index", "photos", "-o", "new", "--encoder", "clip"), "no encoder is called 'clip'; there are"),
    "vectors of another encoder": (
        ("index", "table.csv", "-o", "tx", "--id-column", "sku", "--text-columns", "title", "--vectors", "vectors.npy",
         "--ids", "ids.txt"),
        "tx: made by another encoder than the one in use",
    ),
    "fewer ids than vectors": (
        ("index", "table.csv", "-o", "new", "--id-column", "sku", "--text-columns", "title", "--vectors", "vectors.npy",
         "--ids", "table.csv"),
        "vectors.npy|table.csv|ids",
    ),
    "no such vectors": (
        ("index", "table.csv", "-o", "new", "--id-column", "sku", "--text-columns", "title", "--vectors", "gone.npy",
         "--ids", "ids.txt"),
        "gone.npy",
    ),
    "a file where the index should be": (("index", "photos", "-o", "table.csv"), "table.csv"),
    "nothing to do": (("index", "-o", "new"), "nothing to do"),
    "info of no index": (("info", "photos"), "photos: no index; make one with"),
    "filter over an unknown field": (
        ("search", "tx", "--text", "mug", "--filter", "prize < 8"), "prize.*price",
    ),
    "filter that cannot be read": (("search", "tx", "--text", "mug", "--filter", "price <"), "price <"),
    "filter of another kind": (("search", "tx", "--text", "mug", "--filter", "price = 'cheap'"), "price.*cheap|cheap"),
    "filter that would be SQL": (
        ("search", "tx", "--text", "mug", "--filter", "price < 8; DROP TABLE items"), "DROP|;",
    ),
    "filter without an index": (("search", "photos", "--text", "x", "--filter", "a = 1"), "photos: no index; --filter"),
    "approximate search that was not built": (("search", "ix", "--text", "red", "--approximate"), "approximate"),
    "doctor of an index that is none": (("doctor", "--endpoint", "http://localhost:1"), "needs the model's name"),
}  # fmt: skip


@pytest.mark.parametrize("name", INDEX)
def test_bad_input_to_an_index_is_one_sentence_and_changes_nothing(name: str, shop: Shop) -> None:
    arguments, words = INDEX[name]
    before = contents(shop.folder)
    sentence = sentence_of(run(*arguments, cwd=shop.folder))
    assert re.search(words, sentence), sentence
    after = contents(shop.folder)
    assert {path: after[path] for path in before} == before


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files that hold something a user made; not those SQLite makes for a reader."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in (".sqlite-shm",))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.name != LOCK}


def test_an_index_that_is_being_written_names_its_writer(shop: Shop) -> None:
    lock = WriterLock(shop.folder / "ix" / LOCK)
    try:
        sentence = sentence_of(run("index", "photos", "-o", "ix", cwd=shop.folder))
    finally:
        lock.close()
    assert re.search(r"ix: is being written by process \d+ on .* since .*; wait until it ends", sentence)
    assert run("index", "photos", "-o", "ix", cwd=shop.folder).returncode == 0


def test_a_damaged_index_is_said_and_search_ends(shop: Shop) -> None:
    (shop.folder / "ix" / "items.sqlite").write_bytes(b"not a database at all, but long enough to be read" * 40)
    sentence = sentence_of(run("search", "ix", "--text", "red", cwd=shop.folder))
    assert "items.sqlite" in sentence


SERVER: dict[str, tuple[Callable[[Shop], tuple[str, ...]], str]] = {
    "no model": (lambda shop: ("--policy", f"http:{shop.url}"), "give --model NAME or set VRETRVER_MODEL"),
    "another model": (
        lambda shop: ("--policy", f"http:{shop.url}", "--model", "qwen"), "does not serve 'qwen'; it serves stub",
    ),
    "an address that is none": (lambda shop: ("--policy", "http:nowhere", "--model", "m"), "no address of a service"),
    "a key in the address": (
        lambda shop: ("--policy", "http:http://me:sk-123@localhost/v1", "--model", "m"), "keys come from the environment",
    ),
    "a model for a scripted policy": (lambda shop: ("--model", "m"), "takes no model"),
    "a journal that is none": (lambda shop: ("--journal", "table.csv"), "table.csv:1: no journal entry"),
    "a journal in no folder": (lambda shop: ("--journal", "gone/j"), "the journal cannot be opened"),
    "a trace in no folder": (lambda shop: ("--trace", "gone/t.jsonl"), "gone/t.jsonl: cannot be written"),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVER)
def test_bad_options_of_rerank_are_one_sentence(name: str, shop: Shop) -> None:
    make, words = SERVER[name]
    with StubServer(lambda seen: refusal(404, "no such model") if seen.body is not None else say("")(seen)) as other:
        if name == "another model":
            shop = Shop(folder=shop.folder, url=other.url)
        sentence = sentence_of(run("rerank", "requests.jsonl", *make(shop), cwd=shop.folder))
    assert words in sentence
    assert "sk-123" not in sentence


def test_a_dead_endpoint_is_one_sentence(shop: Shop) -> None:
    with StubServer(say("")) as server:
        url = server.url
    arguments = ("rerank", "requests.jsonl", "--policy", f"http:{url}", "--model", "stub", "--trace", "t.jsonl")
    sentence = sentence_of(run(*arguments, cwd=shop.folder))
    assert "start the server, or correct the address" in sentence
    assert not (shop.folder / "t.jsonl").exists() or not (shop.folder / "t.jsonl").read_bytes()


def test_a_wrong_key_is_one_sentence_without_the_key(shop: Shop) -> None:
    with StubServer(lambda _: refusal(401, "Incorrect API key provided: sk-very-secret")) as server:
        arguments = ("rerank", "requests.jsonl", "--policy", f"http:{server.url}", "--model", "stub")
        wrong = run(*arguments, cwd=shop.folder, environment={"VRETRVER_API_KEY": "sk-very-secret"})
        none = run(*arguments, cwd=shop.folder)
    assert "refuses the key in VRETRVER_API_KEY (401); set the right one" in sentence_of(wrong)
    assert "sk-very-secret" not in wrong.stderr
    assert "asks for a key (401); set VRETRVER_API_KEY" in sentence_of(none)


MISSING = {
    "http": (("rerank", "requests.jsonl", "--policy", "http:http://localhost:1", "--model", "m"), "httpx2", "http"),
    "tables": (("search", "table.parquet", "--text", "x", "--id-column", "a", "--text-columns", "b"), "pyarrow", "sources"),
    "approximate search": (("index", "-o", "ix", "--approximate"), "faiss", "index"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_extra_is_one_sentence_with_the_command_that_installs_it(name: str, shop: Shop) -> None:
    arguments, library, extra = MISSING[name]
    (shop.folder / "table.parquet").write_bytes(b"PAR1")
    sentence = sentence_of(run(*arguments, cwd=shop.folder, without=library))
    assert sentence == f"vretrver: {library} is not installed; run: pip install 'vretrver[{extra}]'"


def test_a_full_disk_ends_a_rerank_and_keeps_what_was_done(shop: Shop) -> None:
    shop.requests("q1")
    assert run("rerank", "requests.jsonl", "--trace", "t.jsonl", cwd=shop.folder).returncode == 0
    kept = (shop.folder / "t.jsonl").read_bytes()
    shop.requests("q1", "q2")
    full = run("rerank", "requests.jsonl", "--trace", "t.jsonl", cwd=shop.folder, most_bytes=len(kept) + 100)
    assert full.returncode == 1
    assert "t.jsonl: cannot be written: File too large; what was written is kept, run again" in full.stderr
    assert "Traceback" not in full.stderr
    assert (shop.folder / "t.jsonl").read_bytes() == kept
    done = run("rerank", "requests.jsonl", "--trace", "t.jsonl", cwd=shop.folder)
    assert done.returncode == 0, done.stderr
    assert "1 of 2 queries are in t.jsonl and are not done again" in done.stderr


def test_a_full_disk_ends_a_journal_and_nothing_is_paid_for_twice(shop: Shop) -> None:
    policy = ("--policy", f"http:{shop.url}", "--model", "stub", "--journal", "j")
    assert run("rerank", "requests.jsonl", *policy, cwd=shop.folder).returncode == 0
    kept = (shop.folder / "j").read_bytes()
    shop.requests("q1", "q2")
    full = run("rerank", "requests.jsonl", *policy, cwd=shop.folder, most_bytes=len(kept) + 20)
    assert full.returncode == 1
    assert "j: the journal cannot be written: File too large; what it holds is kept, run again" in full.stderr
    assert "Traceback" not in full.stderr
    assert (shop.folder / "j").read_bytes() == kept


def test_a_full_disk_ends_indexing_and_keeps_what_was_committed(shop: Shop) -> None:
    for number in range(12):
        Image.new("RGB", (32, 32), (number * 20, 90, 200 - number * 10)).save(
            shop.folder / "photos" / f"n{number}.png"
        )
    size = max(path.stat().st_size for path in (shop.folder / "ix").iterdir())
    full = run("index", "photos", "-o", "ix", "--batch-size", "4", cwd=shop.folder, most_bytes=size + 20_000)
    assert "ix" in sentence_of(full)
    done = run("search", "ix", "--image", "photos/red.png", "--top", "1", "--json", cwd=shop.folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hits"][0]["did"] == "red.png"
    again = run("index", "photos", "-o", "ix", "--json", cwd=shop.folder)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["unchanged"] >= 4


def test_output_that_cannot_be_written_is_one_sentence_and_the_trace_is_kept(shop: Shop) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    done = run("rerank", "requests.jsonl", "--trace", "t.jsonl", "--json", cwd=shop.folder, stdout=full)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("vretrver: ")
    assert len((shop.folder / "t.jsonl").read_text().splitlines()) == 1


def test_a_report_that_cannot_be_written_is_one_sentence_and_the_trace_is_kept(shop: Shop) -> None:
    done = run("rerank", "requests.jsonl", "--trace", "t.jsonl", "--report", "gone/r.html", cwd=shop.folder)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "gone/r.html" in done.stderr.strip().splitlines()[-1]
    assert len((shop.folder / "t.jsonl").read_text().splitlines()) == 1


def test_doctor_ends_with_exit_code_1_and_says_what_is_wrong(shop: Shop) -> None:
    write_model(shop.folder / "model")
    (shop.folder / "model" / "model-2.safetensors").unlink()
    done = run("doctor", "--model-folder", "model", "--index", "photos", cwd=shop.folder)
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert len(wrong) == 2
    assert "model-2.safetensors: the weight file is missing; download it" in wrong[0]
    assert "photos: no index; make one with" in wrong[1]
