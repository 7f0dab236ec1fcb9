"""Pins `vretrver rerank` over a server: what a second run costs, and one sentence for a server that will not do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.drawn import DrawnFolder
from tests.integration.commands import run, sentence_of
from tests.stub_server import StubServer, as_json, chat, refusal

KEY = "sk-0123456789-secret"


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer(chat(lambda _: "<answer>[2, 1]</answer>")) as stub:
        yield stub


@pytest.fixture
def requests(drawn: DrawnFolder) -> Path:
    """Two queries over two pictures."""
    for number in (1, 2):
        drawn.ref(number)
    candidates = [{"did": f"1:{number}", "image": f"{number}.png"} for number in (1, 2)]
    rows = [{"qid": f"9:{number}", "text": "a cup", "candidates": candidates} for number in (1, 2)]
    path = drawn.path / "requests.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rerank(*arguments: str | Path, cwd: Path, model: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command with the key, and the model where one is given, in the environment."""
    environment = {"VRETRVER_API_KEY": KEY} | ({"VRETRVER_MODEL": model} if model is not None else {})
    return run("rerank", *arguments, cwd=cwd, environment=environment)


def refused(*arguments: str | Path, cwd: Path) -> str:
    """Run the command and return the one sentence it was refused with."""
    return sentence_of(rerank(*arguments, cwd=cwd))


def test_it_ranks_and_a_journal_makes_the_second_run_cost_nothing(server: StubServer, requests: Path) -> None:
    folder = requests.parent
    line = [requests.name, "--policy", f"http:{server.url}", "--model", "stub", "--json"]
    first = rerank(*line, "--journal", "journal.jsonl", "--trace", "one.jsonl", "--report", "x.html", cwd=folder)
    assert first.returncode == 0, first.stderr
    rows = [json.loads(row) for row in first.stdout.splitlines()]
    assert [[ranked["did"] for ranked in row["ranking"]] for row in rows] == [["1:2", "1:1"]] * 2
    before = len(server.posts)
    second = rerank(*line, "--journal", "journal.jsonl", "--trace", "two.jsonl", cwd=folder)
    assert sorted(second.stdout.splitlines()) == sorted(first.stdout.splitlines())
    asked = [post for post in server.posts[before:] if "Rank" in json.dumps(post)]
    assert asked == []
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    written = [path.read_bytes() for path in folder.iterdir() if path.suffix in (".jsonl", ".html")]
    assert len(written) == 5
    assert not [data for data in [*written, first.stderr.encode()] if KEY.encode() in data]


def test_the_model_may_come_from_the_environment_and_the_address_may_stand_alone(
    server: StubServer, requests: Path
) -> None:
    done = rerank(requests, "--policy", server.url, cwd=requests.parent, model="stub")
    assert (done.returncode, server.posts[0]["model"]) == (0, "stub")


def test_a_server_that_changes_pictures_is_warned_of_once(server: StubServer, requests: Path) -> None:
    server.script = chat(lambda _: "<answer>[2, 1]</answer>", cell=None)
    done = rerank(requests, "--policy", server.url, "--model", "stub", cwd=requests.parent)
    assert done.stderr.count("resizes pictures") == 1


def test_a_server_that_will_not_do_is_told_in_one_sentence(server: StubServer, requests: Path) -> None:
    folder = requests.parent
    line = [requests, "--policy", f"http:{server.url}"]
    server.script = lambda seen: refusal(401, f"wrong key {seen.headers['authorization']}")
    assert "refuses the key in VRETRVER_API_KEY (401)" in refused(*line, "--model", "stub", cwd=folder)
    models = as_json({"data": [{"id": "stub"}]})
    server.script = lambda seen: models if seen.body is None else refusal(404, "no such model")
    assert "does not serve 'other'; it serves stub" in refused(*line, "--model", "other", cwd=folder)
    assert "give --model NAME or set VRETRVER_MODEL" in refused(*line, cwd=folder)


def test_a_dead_endpoint_is_told_in_one_sentence(requests: Path) -> None:
    with StubServer(chat(lambda _: "x")) as gone:
        url = gone.url
    sentence = refused(requests, "--policy", url, "--model", "stub", cwd=requests.parent)
    assert "cannot be reached" in sentence
    assert sentence.endswith("start the server, or correct the address")


def test_wrong_options_are_told_in_one_sentence(requests: Path) -> None:
    folder = requests.parent
    assert "'first-k' takes no model" in refused(requests, "--model", "x", cwd=folder)
    sentence = refused(requests, "--policy", f"http://me:{KEY}@host/v1", "--model", "x", cwd=folder)
    assert "keys come from the environment" in sentence
    assert KEY not in sentence
    before = requests.read_bytes()
    assert "requests.jsonl:1: no journal" in refused(requests, "--journal", "requests.jsonl", cwd=folder)
    assert requests.read_bytes() == before
