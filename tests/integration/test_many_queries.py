"""Pins searching many queries, their formats and order, and reranking what was found by the ids of an index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.commands import Done, call, sentence_of

COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200), "green": (30, 160, 30)}
COLUMNS = ("--id-column", "sku", "--text-columns", "title", "--image-columns", "photo", "--metadata-columns", "title")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A table of three mugs with pictures, its index, and two queries."""
    (tmp_path / "photos").mkdir()
    rows = []
    for name, colour in COLOURS.items():
        Image.new("RGB", (48, 48), colour).save(tmp_path / "photos" / f"{name}.png")
        rows.append({"sku": f"SKU-{name}", "title": f"{name} mug", "photo": f"photos/{name}.png"})
    (tmp_path / "products.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "q.tsv").write_text("q2\tblue mug\nq1\tred mug\n")
    done = call("index", "products.jsonl", "-o", "shop", "--encoder", "hash", *COLUMNS, cwd=tmp_path)
    assert done.code == 0, done.stderr
    return tmp_path


def ok(done: Done) -> Done:
    assert done.code == 0, done.stderr
    return done


def objects(done: Done) -> list[dict[str, object]]:
    return [json.loads(line) for line in ok(done).stdout.splitlines()]


def dids(value: dict[str, object], key: str) -> list[str]:
    rows = value[key]
    assert isinstance(rows, list)
    return [row["did"] for row in rows]


def test_queries_are_answered_in_their_order_in_every_format(shop: Path) -> None:
    command = ("search", "shop", "--queries", "q.tsv", "--top", "1")
    assert [line.split()[:3] for line in ok(call(*command, cwd=shop)).stdout.splitlines()] == [
        ["query", "rank", "candidate"],
        ["q2", "1", "SKU-blue"],
        ["query", "rank", "candidate"],
        ["q1", "1", "SKU-red"],
    ]
    lines = objects(call(*command, "--json", cwd=shop))
    assert [(value["qid"], dids(value, "hits")) for value in lines] == [("q2", ["SKU-blue"]), ("q1", ["SKU-red"])]
    assert json.loads(ok(call(*command, "--format", "json", cwd=shop)).stdout) == lines
    run = ok(call(*command, "--format", "trec", cwd=shop)).stdout.splitlines()
    assert [line.split()[:4] for line in run] == [["q2", "Q0", "SKU-blue", "1"], ["q1", "Q0", "SKU-red", "1"]]


def test_a_hit_is_told_with_its_picture_and_metadata(shop: Path) -> None:
    (value,) = objects(call("search", "shop", "--text", "red mug", "--top", "1", "--json", cwd=shop))
    (row,) = value["hits"]  # type: ignore[misc]
    assert (row["path"], row["file"], row["page"]) == ("photos/red.png", str(shop / "photos/red.png"), None)
    assert row["metadata"] == {"title": "red mug"}


def test_what_was_found_is_reranked_by_the_ids_of_the_index(shop: Path) -> None:
    for name in ("hits.jsonl", "hits.trec"):
        form = name.partition(".")[2]
        ok(call("search", "shop", "--queries", "q.tsv", "--format", form, "-o", name, cwd=shop))
    whole = objects(call("rerank", "--run", "hits.jsonl", "--index", "shop", "--json", cwd=shop))
    assert [value["qid"] for value in whole] == ["q2", "q1"]
    assert len(dids(whole[0], "ranking")) == 3
    (first, _) = objects(
        call(
            "rerank", "--run", "hits.trec", "--queries", "q.tsv", "--index", "shop", "--top", "1", "--json", cwd=shop
        )
    )
    assert dids(first, "ranking") == ["SKU-blue"]
    assert first["cost"]["turns"] == 1  # type: ignore[index]
    table = ("--corpus", "products.jsonl", *COLUMNS)
    named = objects(call("rerank", "--run", "hits.trec", "--queries", "q.tsv", *table, "--json", cwd=shop))
    assert [dids(value, "ranking") for value in named] == [dids(value, "ranking") for value in whole]
    assert "name their file with --queries" in sentence_of(
        call("rerank", "--run", "hits.trec", "--index", "shop", cwd=shop)
    )


def test_requests_may_name_candidates_of_an_index(shop: Path) -> None:
    (shop / "r.jsonl").write_text('{"qid": "a", "text": "red", "candidates": ["SKU-green", "SKU-red"]}\n')
    (value,) = objects(call("rerank", "r.jsonl", "--index", "shop", "--json", cwd=shop))
    assert dids(value, "ranking") == ["SKU-green", "SKU-red"]
    (shop / "r.jsonl").write_text('{"qid": "a", "text": "red", "candidates": [{"did": "SKU-x"}, {"did": "y"}]}\n')
    assert sentence_of(call("rerank", "r.jsonl", "--index", "shop", cwd=shop)).endswith(
        "r.jsonl:1: did 'SKU-x' is not in the index (nor are 1 more); give the index they are of"
    )


def test_an_agent_ranks_deeper_than_what_is_printed(shop: Path) -> None:
    command = ("search", "shop", "--text", "red mug", "--policy", "first-k", "--json")
    (value,) = objects(call(*command, "--depth", "3", "--top", "1", cwd=shop))
    assert (len(dids(value, "ranking")), value["windows"][0]["places"]) == (1, [0, 1, 2])  # type: ignore[index]


def test_a_query_that_finds_nothing_keeps_its_place(shop: Path) -> None:
    (shop / "q.txt").write_text("red mug\nzzz\nblue mug\n")
    for options in ((), ("--policy", "first-k")):
        values = objects(call("search", "shop", "--queries", "q.txt", "--json", *options, cwd=shop))
        assert [value["qid"] for value in values] == ["1", "2", "3"]
        assert values[1]["hits"] == []
        assert str(values[1]["reason"]).startswith("nothing was found: no item holds")


def test_a_page_of_results_is_written_without_an_agent(shop: Path) -> None:
    ok(call("search", "shop", "--text", "red mug", "--report", "page.html", cwd=shop))
    assert "SKU-red" in (shop / "page.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--queries", "q.tsv", "--text", "x"), "--queries brings its own queries"),
        (("--text", "x", "--json", "--format", "trec"), "--json and --format trec are two formats"),
        (("--text", "x", "-o", "q.tsv/x"), "q.tsv/x: cannot be written"),
    ],
)
def test_options_that_do_not_go_together_are_refused(shop: Path, options: tuple[str, ...], message: str) -> None:
    assert message in sentence_of(call("search", "shop", *options, cwd=shop))
