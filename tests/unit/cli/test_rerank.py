"""Pins what reranking says when windows fail and when it is stopped, and what it prints for many queries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from PIL import Image
from tests.stub_server import Answer, StubServer, refusal, say
from typer.testing import CliRunner, Result

from vretrver.cli import main
from vretrver.cli.demo import demo
from vretrver.cli.rerank import rerank
from vretrver.cli.search import search
from vretrver.cli.trace import trace
from vretrver.errors import ConfigError, DataError

app = typer.Typer()
for command in (rerank, search, trace, demo):
    app.command()(command)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, colour in (("a", "red"), ("b", "blue")):
        Image.new("RGB", (64, 64), colour).save(f"{name}.png")
    candidates = [{"did": name, "image": f"{name}.png"} for name in ("a", "b")]
    rows = [{"qid": qid, "text": "red", "candidates": candidates} for qid in ("q1", "q2")]
    Path("requests.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def pictures_in(seen: object) -> int:
    return json.dumps(seen).count('"image_url"') // 2


def one_picture_at_most(seen: object) -> Answer:
    """Answer like a server that takes one picture a prompt."""
    if pictures_in(getattr(seen, "body", None)) > 1:
        return refusal(400, "At most 1 image(s) may be provided in one prompt.")
    return say("<answer>[2, 1]</answer>")(seen)  # type: ignore[arg-type]


def test_when_every_query_fails_the_reason_is_said_and_the_exit_code_is_1() -> None:
    with StubServer(one_picture_at_most) as server:
        done = run("rerank", "requests.jsonl", "--policy", server.url, "--model", "stub", "--trace", "t.jsonl")
    assert done.exit_code == 1
    assert "At most 1 image(s) may be provided in one prompt." in done.stderr
    assert "queries with windows that gave no answer: 2 of 2, q1 among them (1 of its 1 windows: " in done.stderr
    assert "`vretrver trace t.jsonl` shows all" in done.stderr
    assert "At most 1 image(s) may be provided in one prompt." in run("trace", "t.jsonl").stderr


def test_without_a_trace_nobody_is_sent_to_one() -> None:
    with StubServer(one_picture_at_most) as server:
        done = run("rerank", "--text", "red", "a.png", "b.png", "--policy", server.url, "--model", "stub")
    assert done.exit_code == 1
    assert "vretrver trace" not in done.stderr
    assert "give --trace FILE to keep the record" in done.stderr


def test_malformed_answers_are_a_reason_too() -> None:
    with StubServer(say("no tags at all")) as server:
        done = run("rerank", "--text", "red", "a.png", "b.png", "--policy", server.url, "--model", "stub", "--json")
    assert done.exit_code == 1
    assert "(1 of its 1 windows: the last turn held no usable answer)" in done.stderr
    assert json.loads(done.stdout)["failed_windows"] == 1


def test_rows_of_many_queries_name_their_query() -> None:
    lines = run("rerank", "requests.jsonl").stdout.splitlines()
    assert [line.split() for line in lines if line.startswith("q1")] == [
        ["q1", "1", "a", "1", "1.0"],
        ["q1", "2", "b", "2", "0.5"],
    ]
    assert lines[0].split() == ["query", "rank", "candidate", "before", "score"]


@pytest.mark.parametrize("option", ["--report", "--trace", "--journal"])
def test_an_output_is_checked_before_a_query_is_ranked(option: str) -> None:
    Path("file").write_text("")
    with StubServer(say("<answer>[2, 1]</answer>")) as server:
        done = run("rerank", "requests.jsonl", "--policy", server.url, "--model", "stub", option, "file/x")
        assert server.seen == []
    assert isinstance(done.exception, DataError)
    assert "file/x: cannot be written" in str(done.exception)


def test_the_folder_of_a_report_is_made() -> None:
    assert run("rerank", "requests.jsonl", "--report", "new/run.html").exit_code == 0
    assert Path("new/run.html").is_file()


def test_a_search_reranks_with_a_served_model() -> None:
    with StubServer(say("<answer>[2, 1]</answer>")) as server:
        done = run(
            "search", ".", "--text", "red", "--policy", server.url, "--model", "stub", "--trace", "t.jsonl", "--json"
        )
    assert [ranked["did"] for ranked in json.loads(done.stdout)["ranking"]] == ["b.png", "a.png"]
    assert Path("t.jsonl").is_file()
    assert "--trace is of a reranking; give --policy or --agent too" in str(
        run("search", ".", "--text", "red", "--trace", "t.jsonl").exception
    )


@pytest.mark.parametrize(
    ("policy", "said"),
    [("gpt", "unknown policy 'gpt'"), ("http://localhost:1/v1", "give --model"), ("local:gone", "gone")],
)
def test_a_search_refuses_a_policy_before_it_encodes(monkeypatch: pytest.MonkeyPatch, policy: str, said: str) -> None:
    monkeypatch.delenv("VRETRVER_MODEL", raising=False)
    monkeypatch.setattr("vretrver.data.sources.source.read_source", lambda *_, **__: pytest.fail("it was read"))
    assert said in str(run("search", ".", "--text", "red", "--policy", policy).exception)


def test_a_file_that_holds_no_trace_does_not_point_to_itself() -> None:
    Path("notes.txt").write_text("")
    said = str(run("trace", "notes.txt").exception)
    assert said == "notes.txt: it holds no finished query; name a trace written by `vretrver rerank --trace`"


def test_a_candidate_that_is_only_an_id_is_refused_in_our_words() -> None:
    Path("requests.jsonl").write_text('{"qid": "q", "text": "x", "candidates": ["SKU-1"]}\n')
    assert str(run("rerank", "requests.jsonl").exception) == (
        'requests.jsonl:1: candidates.0: it must be an object, as in {"did": "a", "text": "..."}, got \'SKU-1\'; '
        "ids alone need the index that knows them, --index"
    )


@pytest.mark.parametrize("policy", ["gpt", "local:", "http://localhost:8000/v1"])
def test_a_demonstration_refuses_a_policy_before_it_draws(policy: str) -> None:
    done = run("demo", "--policy", policy)
    assert isinstance(done.exception, ConfigError)
    assert "takes shipped, local:FOLDER or oracle" in str(done.exception)
    assert not Path("demo-out").exists()


def test_a_command_that_is_stopped_says_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    table = ["index", "requests.jsonl", "-o", "idx", "--id-column", "qid", "--text-columns", "text"]
    with monkeypatch.context() as patched:
        patched.setattr("vretrver.assembly.opened_sources.read_source", stopped)
        done = CliRunner().invoke(main.app, table)
    assert (done.exit_code, done.stderr) == (130, "vretrver: stopped; nothing was written yet\n")
    assert CliRunner().invoke(main.app, table).exit_code == 0
    monkeypatch.setattr("vretrver.assembly.opened_sources.read_source", stopped)
    done = CliRunner().invoke(main.app, ["index", "-o", "idx"])
    assert done.exit_code == 130
    assert done.stderr == (
        "vretrver: stopped; batches that were committed are in the index, texts that were read are kept; run the "
        "same command again to go on\n"
    )


def test_shards_share_a_folder_which_is_listed_read_back_and_gone_on_with() -> None:
    rerank_it = ("rerank", "requests.jsonl", "--policy", "first-k", "--windows", "kept")
    (first, second) = (run(*rerank_it, "--shard", f"{index}/4") for index in (0, 2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert [done.stderr.splitlines()[0] for done in (first, second)] == [
        "shard 0/4: 1 of 2 queries",
        "shard 2/4: 1 of 2 queries",
    ]
    whole = run(*rerank_it, "--trace", "t.jsonl")
    assert "kept holds 2 windows; those of these queries are not asked again" in whole.stderr
    listed, traced = (
        {row["qid"]: row for row in map(_view, run("trace", name, "--json").stdout.splitlines())}
        for name in ("kept", "t.jsonl")
    )
    assert (sorted(listed), listed) == (["q1", "q2"], traced)
    assert run("trace", "kept", "--qid", "q2").stdout.splitlines()[1].split()[:3] == ["q2", "1", "0"]


def test_one_query_of_the_command_line_is_not_divided() -> None:
    done = run("rerank", "--text", "red", "a.png", "b.png", "--shard", "0/2")
    assert isinstance(done.exception, ConfigError)
    assert "--shard shares many queries out; one query of the command line is not divided" in str(done.exception)


def _view(line: str) -> dict[str, object]:
    """Return a record without the seconds of its query, which known windows take none of."""
    row = json.loads(line)
    return {**row, "qid": row["query"]["qid"], "seconds": 0}


def test_a_table_is_no_list_of_requests() -> None:
    Path("shop.csv").write_text("sku,title\nSKU-1,red mug\n")
    assert str(run("rerank", "shop.csv").exception) == (
        "shop.csv:1: requests are JSONL, one JSON object a line, and this is 'sku,title'; ids of a table are "
        "reranked with --run and --index or --corpus, files of one query with --text"
    )
