"""Pins `vretrver rerank` over what other systems found: a TREC run, LamRA's files, a published evaluation file."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.integration.test_cli import refused, vretrver


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "queries.jsonl").write_text('{"qid": "q1", "text": "the blue one"}\n')
    corpus = [{"did": did, "text": f"a {did} mug"} for did in ("red", "green", "blue")]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in corpus))
    (tmp_path / "run.trec").write_text("q1 Q0 red 1 3 t\nq1 Q0 green 2 2 t\nq1 Q0 blue 3 1 t\n")
    (tmp_path / "turns.txt").write_text("<answer>[3, 1, 2]</answer>\n")
    return tmp_path


def test_a_trec_run_goes_straight_into_the_agent(files: Path):
    run = ("rerank", "--run", "run.trec", "--queries", "queries.jsonl", "--corpus", "corpus.jsonl")
    done = vretrver(*run, "--policy", "replay:turns.txt", "--json", cwd=files)
    assert done.returncode == 0, done.stderr
    reranked = json.loads(done.stdout)
    assert [row["did"] for row in reranked["ranking"]] == ["blue", "red", "green"]
    assert reranked["failed_windows"] == 0


def test_an_unknown_did_ends_with_one_sentence(files: Path):
    (files / "run.trec").write_text("q1 Q0 red 1 3 t\nq1 Q0 white 2 2 t\n")
    done = vretrver(
        "rerank", "--run", "run.trec", "--queries", "queries.jsonl", "--corpus", "corpus.jsonl", cwd=files
    )
    refused(done, "run.trec:2", "did 'white' of query 'q1' is not in the corpus")


def test_a_published_file_is_reranked_with_its_own_texts(files: Path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    row = {
        "prompt": [
            {"role": "system", "content": "THE PUBLISHED SYSTEM TEXT"},
            {"role": "user", "content": "Query:xCandidates:(1) a(2) b\n\nGuidelines: THE PUBLISHED GUIDELINES"},
        ],
        "extra_info": {"qid": "1:1", "query_text": "the blue one"},
        "hit": [{"candidate_images": "", "candidate_texts": text} for text in ("red", "green", "blue")],
    }
    parquet.write_table(pyarrow.Table.from_pylist([row]), files / "test.parquet")
    options = ("--dialect", "released", "--policy", "replay:turns.txt", "--trace", "t.jsonl", "--json")
    done = vretrver("rerank", "test.parquet", *options, cwd=files)
    assert done.returncode == 0, done.stderr
    assert [ranked["did"] for ranked in json.loads(done.stdout)["ranking"]] == ["1:1#3", "1:1#1", "1:1#2"]
    recorded = (files / "t.jsonl").read_text()
    assert "THE PUBLISHED SYSTEM TEXT" in recorded
    assert "THE PUBLISHED GUIDELINES" in recorded


def test_the_commands_of_the_page_run_on_its_own_examples(tmp_path: Path):
    page = (Path(__file__).parents[2] / "docs" / "rerank-your-hits.md").read_text()
    request, query, corpus = re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)
    (run,) = re.findall(r"```text\n(\S+ Q0 .*?)```", page, flags=re.DOTALL)
    written = {"requests.jsonl": request, "queries.jsonl": query, "corpus.jsonl": corpus, "run.trec": run}
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    blocks = re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if "*.pdf" not in line]
    assert len(commands) == 2
    for command in commands:
        done = vretrver(*shlex.split(command)[1:], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert {row["did"] for row in json.loads(done.stdout)["ranking"]} == {"104", "221"}
