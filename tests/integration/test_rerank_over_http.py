"""Pins `vretrver rerank` over a server: what a second run costs, and one sentence for a server that will not do.

Runs in the process of the test, which is much quicker than a process a command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.drawn import DrawnFolder
from tests.stub_server import StubServer, as_json, chat, refusal

from vretrver.cli.main import main

KEY = "sk-0123456789-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command did."""

    code: int
    """Its exit code."""
    out: str
    """What it printed."""
    err: str
    """What it said."""


Rerank = Callable[..., Done]


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer(chat(lambda _: "<answer>[2, 1]</answer>")) as stub:
        yield stub


@pytest.fixture
def folder(drawn: DrawnFolder) -> Path:
    """A folder with requests.jsonl: two queries over two pictures."""
    for number in (1, 2):
        drawn.ref(number)
    candidates = [{"did": f"1:{number}", "image": f"{number}.png"} for number in (1, 2)]
    rows = [{"qid": f"9:{number}", "text": "a cup", "candidates": candidates} for number in (1, 2)]
    (drawn.path / "requests.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return drawn.path


@pytest.fixture
def rerank(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rerank:
    """Runs the command in the folder, with a key in the environment."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("VRETRVER_API_KEY", KEY)
    monkeypatch.delenv("VRETRVER_MODEL", raising=False)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["vretrver", "rerank", "requests.jsonl", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return Done(code=int(left.value.code or 0), out=captured.out, err=captured.err)

    return run


def sentence(done: Done) -> str:
    """Return the one sentence a command was refused with."""
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1), done.err
    assert done.err.startswith("vretrver: ")
    return done.err.strip()


def test_it_ranks_and_a_journal_makes_the_second_run_cost_nothing(
    server: StubServer, folder: Path, rerank: Rerank
) -> None:
    line = ["--policy", f"http:{server.url}", "--model", "stub", "--json", "--journal", "journal.jsonl"]
    first = rerank(*line, "--trace", "one.jsonl", "--report", "x.html")
    assert first.code == 0, first.err
    rows = [json.loads(row) for row in first.out.splitlines()]
    assert [[ranked["did"] for ranked in row["ranking"]] for row in rows] == [["1:2", "1:1"]] * 2
    assert sum("Rank all" in json.dumps(post) for post in server.posts) == 2
    second = [json.loads(row) for row in rerank(*line, "--trace", "two.jsonl").out.splitlines()]
    for row in (*rows, *second):
        del row["cost"]["seconds"]
    assert second == rows
    assert sum("Rank all" in json.dumps(post) for post in server.posts) == 2
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    written = [path.read_bytes() for path in folder.iterdir() if path.suffix in (".jsonl", ".html")]
    assert len(written) == 5
    assert not [data for data in [*written, first.err.encode()] if KEY.encode() in data]


def test_the_model_may_come_from_the_environment_and_the_address_may_stand_alone(
    server: StubServer, rerank: Rerank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VRETRVER_MODEL", "stub")
    done = rerank("--policy", server.url)
    assert (done.code, server.posts[0]["model"]) == (0, "stub")


def test_a_server_that_changes_pictures_is_warned_of_once(
    server: StubServer, rerank: Rerank, caplog: pytest.LogCaptureFixture
) -> None:
    server.script = chat(lambda _: "<answer>[2, 1]</answer>", cell=None)
    rerank("--policy", server.url, "--model", "stub")
    assert [record.getMessage().count("resizes pictures") for record in caplog.records] == [1]


def test_a_server_that_will_not_do_is_told_in_one_sentence(server: StubServer, rerank: Rerank) -> None:
    address = ["--policy", f"http:{server.url}"]
    server.script = lambda seen: refusal(401, f"wrong key {seen.headers['authorization']}")
    assert "refuses the key in VRETRVER_API_KEY (401)" in sentence(rerank(*address, "--model", "stub"))
    models = as_json({"data": [{"id": "stub"}]})
    server.script = lambda seen: models if seen.body is None else refusal(404, "no such model")
    assert "does not serve 'other'; it serves stub" in sentence(rerank(*address, "--model", "other"))
    assert "give --model NAME or set VRETRVER_MODEL" in sentence(rerank(*address))


def test_a_dead_endpoint_is_told_in_one_sentence(rerank: Rerank) -> None:
    with StubServer(chat(lambda _: "x")) as gone:
        url = gone.url
    said = sentence(rerank("--policy", url, "--model", "stub"))
    assert "cannot be reached" in said
    assert said.endswith("start the server, or correct the address")


def test_wrong_options_are_told_in_one_sentence(folder: Path, rerank: Rerank) -> None:
    assert "'first-k' takes no model" in sentence(rerank("--model", "x"))
    said = sentence(rerank("--policy", f"http://me:{KEY}@host/v1", "--model", "x"))
    assert "keys come from the environment" in said
    assert KEY not in said
    before = (folder / "requests.jsonl").read_bytes()
    assert "requests.jsonl:1: not a journal entry" in sentence(rerank("--journal", "requests.jsonl"))
    assert (folder / "requests.jsonl").read_bytes() == before
