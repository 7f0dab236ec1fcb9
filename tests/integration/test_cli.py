"""Pins the command line: data on stdout, messages on stderr, one sentence and a non-zero exit for bad input.

Commands run as a user runs them, in processes of their own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image


def vretrver(*arguments: str | Path, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command and return what it printed."""
    code = "from vretrver.cli.main import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False, timeout=120)


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that a command ended with one sentence that holds the words, and printed no data."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("vretrver: ")
    for word in words:
        assert word in last


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with four plain pictures."""
    for name, colour in (
        ("red", (200, 30, 30)),
        ("green", (40, 160, 60)),
        ("blue", (40, 60, 200)),
        ("grey", (128,) * 3),
    ):
        Image.new("RGB", (320, 240), colour).save(tmp_path / f"{name}.png")
    return tmp_path


def requests_file(folder: Path, *qids: str) -> Path:
    """Write a request file over the pictures."""
    candidates = [{"did": name, "image": f"{name}.png"} for name in ("red", "green", "blue", "grey")]
    rows = [{"qid": qid, "text": "the blue one", "candidates": candidates} for qid in qids]
    path = folder / "requests.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_version_and_help(tmp_path: Path) -> None:
    assert vretrver("--version", cwd=tmp_path).stdout == "0.1.0\n"
    done = vretrver("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("demo", "search", "rerank", "trace", "catalogue"):
        assert command in done.stdout


def without_seconds(printed: str) -> str:
    """Return what a command printed without the time it took."""
    return re.sub(r'"seconds": [\d.]+', '"seconds": 0', printed)


def test_search_finds_by_colour_and_prints_a_table(photos: Path) -> None:
    done = vretrver("search", ".", "--text", "something blue", "--top", "2", cwd=photos)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["rank", "candidate", "score"]
    assert lines[1].split()[:2] == ["1", "blue.png"]
    assert len(lines) == 3


def test_search_prints_one_json_object(photos: Path) -> None:
    done = vretrver("search", ".", "--image", "red.png", "--top", "1", "--json", cwd=photos)
    found = json.loads(done.stdout)
    assert [hit["did"] for hit in found["hits"]] == ["red.png"]
    assert found["encoder"].startswith("hash-2")


def test_rerank_of_one_query_on_the_command_line_with_a_recording(photos: Path) -> None:
    look = '<tool_call>{"name": "zoom_in", "arguments": {"target_image": 2, "bbox_2d": [0, 0, 500, 500]}}</tool_call>'
    (photos / "turns.txt").write_text(f"{look}\n---\n<answer>[2, 1, 3]</answer>\n")
    (photos / "note.txt").write_text("a text-only candidate")
    arguments = (
        "rerank",
        "red.png",
        "blue.png",
        "note.txt",
        "--text",
        "the blue one",
        "--policy",
        "replay:turns.txt",
    )
    done = vretrver(*arguments, "--json", "--report", "out.html", cwd=photos)
    assert done.returncode == 0, done.stderr
    reranked = json.loads(done.stdout)
    assert [row["did"] for row in reranked["ranking"]] == ["blue.png", "red.png", "note.txt"]
    assert (reranked["ranking"][0]["scored_by"], reranked["ranking"][0]["probability"]) == ("rank", None)
    assert (reranked["verdict"], reranked["ended"]) == ("ranked", "complete")
    tokens = reranked["windows"][0]["tokens"]
    assert reranked["windows"] == [
        {"round": 0, "places": [0, 1, 2], "reason": "answered", "looks": 1, "tokens": tokens}
    ]
    assert (photos / "out.html").read_text().startswith("<!doctype html>")


def test_rerank_reads_requests_from_standard_input(photos: Path) -> None:
    rows = requests_file(photos, "q1", "q2").read_text()
    done = vretrver("rerank", "-", "--json", cwd=photos, stdin=rows)
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(line)["qid"] for line in done.stdout.splitlines()) == ["q1", "q2"]


def test_a_trace_keeps_what_was_done_and_a_second_run_goes_on(photos: Path) -> None:
    first = requests_file(photos, "q1")
    vretrver("rerank", first, "--trace", "t.jsonl", cwd=photos)
    kept = (photos / "t.jsonl").read_bytes()
    with (photos / "t.jsonl").open("ab") as file:
        file.write(b'{"query": {"qid": "q2"')  # a line cut short by a kill
    both = requests_file(photos, "q1", "q2")
    done = vretrver("rerank", both, "--trace", "t.jsonl", "--json", cwd=photos)
    assert done.returncode == 0, done.stderr
    assert "1 of 2 queries are in t.jsonl and are not done again" in done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert (photos / "t.jsonl").read_bytes().startswith(kept)
    assert len((photos / "t.jsonl").read_text().splitlines()) == 2


def test_a_folder_keeps_windows_and_a_second_run_asks_for_none_of_them(photos: Path) -> None:
    (photos / "turns.txt").write_text("<answer>[2, 1]</answer>")
    (photos / "other.txt").write_text("<answer>[1, 2]</answer>")
    command = ("rerank", "--text", "red", "red.png", "blue.png", "--windows", "kept", "--json")
    first = vretrver(*command, "--policy", "replay:turns.txt", cwd=photos)
    assert first.returncode == 0, first.stderr
    (photos / "turns.txt").write_text("not asked")
    again = vretrver(*command, "--policy", "replay:turns.txt", cwd=photos)
    assert "kept holds 1 windows" in again.stderr
    assert without_seconds(again.stdout) == without_seconds(first.stdout)
    other = vretrver(*command, "--policy", "replay:other.txt", cwd=photos)
    assert other.returncode != 0
    assert "kept: holds a run of another configuration (policy: replay:turns.txt there" in other.stderr


def test_another_agent_is_not_mixed_into_a_trace(photos: Path) -> None:
    file = requests_file(photos, "q1")
    vretrver("rerank", file, "--trace", "t.jsonl", cwd=photos)
    done = vretrver("rerank", file, "--trace", "t.jsonl", "--policy", "random:1", cwd=photos)
    refused(done, "t.jsonl", "q1", "another agent", "choose another --trace")


def test_a_failed_window_is_said_with_its_reason_and_the_order_kept(photos: Path) -> None:
    (photos / "turns.txt").write_text("I think it is the third one.")
    file = requests_file(photos, "q1")
    done = vretrver("rerank", file, "--policy", "replay:turns.txt", "--json", cwd=photos)
    reranked = json.loads(done.stdout)
    assert (reranked["failed_windows"], reranked["verdict"]) == (1, "failed")
    assert [row["did"] for row in reranked["ranking"]] == ["red", "green", "blue", "grey"]
    said = "queries with windows that gave no answer: 1 of 1, q1 among them (1 of its 1 windows: the recording has"
    assert said in done.stderr
    assert done.returncode == 1  # nothing was ranked at all
    assert done.stderr.splitlines()[-1].startswith("vretrver: no query was ranked (the recording has 1 turns")


def test_an_agent_file_is_started_from_and_options_count_over_it(photos: Path) -> None:
    (photos / "turns.txt").write_text("<answer>none [4, 1, 2, 3]</answer>\n")
    (photos / "agent.yaml").write_text(
        "policy: replay:turns.txt\nanswers: ranking-or-none\nplan: {name: blocks, depth: 4, size: 4}\n"
    )
    file = requests_file(photos, "q1")
    done = vretrver("rerank", file, "--agent", "agent.yaml", "--trace", "t.jsonl", "--json", cwd=photos)
    assert done.returncode == 0, done.stderr
    reranked = json.loads(done.stdout)
    assert reranked["verdict"] == "nothing_fits"
    assert [row["did"] for row in reranked["ranking"]] == ["grey", "red", "green", "blue"]
    (trajectory,) = json.loads((photos / "t.jsonl").read_text())["trajectories"]
    assert trajectory["step"]["plan"] == "blocks(4,4)"
    options = (
        "--agent",
        "agent.yaml",
        "--plan",
        "reference",
        "--window",
        "2",
        "--stride",
        "1",
        "--temperature",
        "0.5",
    )
    (photos / "turns.txt").write_text("<answer>[2, 1]</answer>\n")
    done = vretrver("rerank", file, *options, "--set", "sampling.seed=7", "--trace", "u.jsonl", cwd=photos)
    assert done.returncode == 0, done.stderr
    (first, *_) = json.loads((photos / "u.jsonl").read_text())["trajectories"]
    assert first["step"]["plan"] == "reference(4,2,1)"
    assert (first["sampling"]["temperature"], first["sampling"]["seed"]) == (0.5, 7)


def test_a_budget_that_is_used_up_is_said(photos: Path) -> None:
    done = vretrver("rerank", requests_file(photos, "q1"), "--window", "2", "--turns", "1", cwd=photos)
    assert done.returncode == 0, done.stderr
    assert "q1: windows 2, 1 FAILED, looks 0, ended early: budget" in done.stderr


def test_trace_lists_and_writes_the_report(photos: Path) -> None:
    vretrver("rerank", requests_file(photos, "q1"), "--trace", "t.jsonl", cwd=photos)
    done = vretrver("trace", "t.jsonl", "--html", "t.html", "--root", ".", cwd=photos)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split()[:3] == ["q1", "1", "0"]
    assert done.stdout.splitlines()[1].endswith("order kept")
    assert "the blue one" in (photos / "t.html").read_text()


def test_a_report_names_the_roots_whose_pictures_it_cannot_show(photos: Path) -> None:
    vretrver("rerank", "--text", "red", photos / "red.png", "--trace", "t.jsonl", cwd=photos)
    done = vretrver("trace", "t.jsonl", "--html", "t.html", cwd=photos)
    assert f"say where they lie with --root {photos}=FOLDER" in done.stderr
    done = vretrver("trace", "t.jsonl", "--html", "t.html", "--root", f"{photos}={photos}", cwd=photos)
    assert done.stderr == "the evidence report is t.html\n"


def test_a_vanished_picture_is_recorded_and_named(photos: Path) -> None:
    file = requests_file(photos, "q1")
    (photos / "green.png").unlink()
    done = vretrver("rerank", file, "--trace", "t.jsonl", cwd=photos)
    assert done.returncode == 0, done.stderr
    (trajectory,) = json.loads((photos / "t.jsonl").read_text())["trajectories"]
    gone = [shown for shown in trajectory["shown"] if shown["refused"]]
    assert [cut["did"] for shown in gone for cut in shown["cuts"]] == ["green"]
    assert "q1: not shown: green" in done.stderr


BAD = {
    "no such folder": (("search", "nowhere", "--text", "x"), ("nowhere: no such index, folder or file",)),
    "no query": (("search", ".", "--top", "3"), ("there is no query", "--text")),
    "nothing to search": (("search", "--text", "x"), ("SOURCE", "--index")),
    "two things to search": (("search", ".", "--index", ".", "--text", "x"), ("once", "--index")),
    "an index that is none": (("search", "--index", "gone", "--text", "x"), ("gone",)),
    "no such picture": (("search", ".", "--image", "gone.png"), ("gone.png", "no such picture")),
    "no such request file": (("rerank", "gone.jsonl"), ("gone.jsonl", "JSONL")),
    "no such candidate": (
        ("rerank", "gone.png", "--text", "x"),
        ("gone.png: no such candidate file; name pictures, PDFs and .txt files",),
    ),
    "a picture without a query": (("rerank", "red.png"), ("--text is missing: pictures and documents are cand",)),
    "two files without a query": (("rerank", "red.png", "blue.png"), ("2 files and no query",)),
    "unknown policy": (("rerank", "red.png", "--text", "x", "--policy", "gpt"), ("unknown policy 'gpt'", "first-k")),
    "unknown dialect": (("rerank", "red.png", "--text", "x", "--dialect", "d"), ("unknown dialect 'd'", "released")),
    "no such recording": (("rerank", "red.png", "--text", "x", "--policy", "replay:n.txt"), ("n.txt",)),
    "a query without candidates": (("rerank", "--text", "red"), ("a query and no candidates", "name pictures")),
    "a candidate twice": (
        ("rerank", "--text", "red", "red.png", "red.png"),
        ("red.png", "appears twice in its list"),
    ),
    "a stride for blocks": (("rerank", "red.png", "--text", "x", "--plan", "blocks", "--stride", "2"), ("--keep",)),
    "an unknown plan": (
        ("rerank", "red.png", "--text", "x", "--plan", "p"),
        ("unknown plan 'p'", "reference, blocks"),
    ),
    "an unknown key": (("rerank", "red.png", "--text", "x", "--set", "budget.hours=1"), ("budget.hours",)),
    "a budget without an agent": (("search", ".", "--text", "x", "--seconds", "1"), ("--seconds", "--policy")),
    "a root without a report": (("trace", "gone.jsonl", "--root", "."), ("--root", "--html")),
    "no such trace": (("trace", "gone.jsonl"), ("gone.jsonl", "cannot be read")),
    "items not a multiple of five": (("catalogue", "--out", "c", "--items", "7"), ("7", "multiple of 5")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence(name: str, photos: Path) -> None:
    arguments, words = BAD[name]
    refused(vretrver(*arguments, cwd=photos), *words)


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    refused(vretrver("search", ".", "--text", "x", cwd=tmp_path), "no pictures found")


def test_an_empty_folder_leaves_no_index_behind(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(vretrver("index", "empty", "-o", "made", cwd=tmp_path), "no pictures found")
    assert not (tmp_path / "made").exists()


def test_a_broken_line_is_named_by_its_number_and_what_was_done_is_kept(photos: Path) -> None:
    file = requests_file(photos, "q1")
    vretrver("rerank", file, "--trace", "t.jsonl", cwd=photos)
    kept = (photos / "t.jsonl").read_bytes()
    file.write_text(file.read_text() + '{"qid": "q2", "text": \n')
    refused(vretrver("rerank", file, "--trace", "t.jsonl", cwd=photos), "requests.jsonl:2")
    assert (photos / "t.jsonl").read_bytes() == kept


def test_a_line_that_is_no_trace_is_named(photos: Path) -> None:
    (photos / "t.jsonl").write_text('{"a": 1}\n')
    refused(vretrver("trace", "t.jsonl", cwd=photos), "t.jsonl:1", "not a trace")


@pytest.mark.parametrize("content", ['{"my": "data"}', '{"qid": "q1", "text": "x", "candidates": []}'])
@pytest.mark.parametrize("option", ["--trace", "--journal"])
def test_a_file_of_another_kind_is_not_touched(option: str, content: str, photos: Path) -> None:
    (photos / "precious.json").write_text(content)  # no newline at its end
    done = vretrver("rerank", requests_file(photos, "q1"), option, "precious.json", cwd=photos)
    refused(done, "precious.json", "choose another file")
    assert (photos / "precious.json").read_text() == content


def test_a_resumed_run_ranks_as_an_undisturbed_one(photos: Path) -> None:
    both = requests_file(photos, "q1", "q2")
    whole = vretrver("rerank", both, "--policy", "random:1", "--json", cwd=photos).stdout.splitlines()
    one = photos / "one.jsonl"
    one.write_text(both.read_text().splitlines()[0] + "\n")
    vretrver("rerank", one, "--policy", "random:1", "--trace", "t.jsonl", cwd=photos)
    resumed = vretrver("rerank", both, "--policy", "random:1", "--trace", "t.jsonl", "--json", cwd=photos)
    assert without_seconds(resumed.stdout) == without_seconds("\n".join(whole) + "\n")


def test_a_stride_beyond_the_window_is_refused(photos: Path) -> None:
    done = vretrver("rerank", requests_file(photos, "q1"), "--window", "5", "--stride", "6", cwd=photos)
    refused(done, "0 < stride <= size", "reference(50,5,6)")


def test_the_demo_prints_one_object_with_its_fixed_keys(tmp_path: Path) -> None:
    options = ("--out", "d", "--items", "25", "--queries", "6", "--policy", "oracle")
    done = vretrver("demo", *options, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert list(result) == [
        "queries", "pool", "seconds", "policy", "encoder", "coarse", "agent", "agent_without_evidence", "oracle",
        "report",
    ]  # fmt: skip
    assert list(result["coarse"]) == ["hit@1", "hit@20", "mrr"]
    for arm in ("agent", "agent_without_evidence", "oracle"):
        assert list(result[arm]) == ["hit@1", "mrr", "looks", "tokens", "seconds", "failed"]
    assert (result["queries"], result["pool"], result["policy"]) == (6, 25, "scripted:oracle")
    assert (tmp_path / result["report"]).read_text().startswith("<!doctype html>")
    table = vretrver("demo", *options, cwd=tmp_path)
    assert "No model is" in table.stderr
    assert "scripted oracle, may not look" in table.stdout
