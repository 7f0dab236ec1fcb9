"""Pins V-Retrver's training and evaluation parquet: candidates told apart, hits in order, rows named when broken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
import pyarrow
import pyarrow.parquet

from vretrver.agent.dialects.released import released
from vretrver.data.published.evaluation import EvaluationRow, read_evaluation
from vretrver.data.published.rl import RlRow, read_rl
from vretrver.data.published.rows import PathMap
from vretrver.errors import DataError
from vretrver.records import Hit, ImagePart, ImageRef, TextPart

SYSTEM = {"role": "system", "content": "You rank."}
USER = "Query:<image>in blueCandidates:(1) <image>long(2) <image>short\n\nGuidelines: Rank them."
INFO: dict[str, object] = {
    "qid": "3:8",
    "ground_truth_position": 2,
    "num_candidates": 2,
    "query_image": "/d/q.jpg",
    "query_text": "in blue",
    "candidate_images": ["/d/a.jpg", "/d/b.jpg"],
    "candidate_texts": ["long", "short"],
}
RL: dict[str, object] = {
    "data_source": "lamra_rerank",
    "prompt": [SYSTEM, {"role": "user", "content": USER}],
    "images": [{"image": "/d/q.jpg"}, {"image": "/d/a.jpg"}, {"image": "/d/b.jpg"}],
    "ability": "multimodal_reranking",
    "reward_model": {"style": "rule", "ground_truth": 2},
    "extra_info": INFO,
}
EVALUATION: dict[str, object] = {
    **RL,
    "hit": [
        {"candidate_images": "/d/b.jpg", "candidate_texts": "", "did": "3:2", "relevance": 1, "score": 0.5},
        {"candidate_images": "", "candidate_texts": "a long one", "did": "3:1", "relevance": 0, "score": 0.25},
    ],
}


def write(folder: Path, *rows: Mapping[str, object]) -> Path:
    path = folder / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in rows]), path)
    return path


def rl(folder: Path, *rows: Mapping[str, object]) -> list[RlRow]:
    return list(read_rl(write(folder, *rows), paths=PathMap(["/d"])))


def evaluation(folder: Path, *rows: Mapping[str, object]) -> list[EvaluationRow]:
    return list(read_evaluation(write(folder, *rows), paths=PathMap(["/d"])))


def changed(**info: object) -> dict[str, object]:
    return {**RL, "extra_info": {**INFO, **info}}


def gaps(section: str, images: list[str], texts: list[str]) -> dict[str, object]:
    """Return a row of three candidates of which some lack a picture or a text."""
    prompt = [SYSTEM, {"role": "user", "content": f"Query:xCandidates:{section}\n\nGuidelines: g"}]
    info = {**INFO, "query_image": None, "num_candidates": 3, "candidate_images": images, "candidate_texts": texts}
    return {**RL, "prompt": prompt, "images": [{"image": path} for path in images], "extra_info": info}


def picture(path: str) -> ImagePart:
    return ImagePart(image=ImageRef(path=path, root="/d"))


def test_a_training_row_becomes_a_query_with_numbered_candidates(tmp_path: Path):
    (row,) = rl(tmp_path, RL)
    assert (row.query.qid, row.query.parts) == ("3:8", (picture("q.jpg"), TextPart(text="in blue")))
    assert [item.did for item in row.candidates] == ["3:8#1", "3:8#2"]
    assert row.candidates[1].parts == (picture("b.jpg"), TextPart(text="short"))
    assert row.positive == 2
    assert row.where.endswith("rows.parquet: row 1")


def test_its_texts_make_a_released_dialect(tmp_path: Path):
    (row,) = rl(tmp_path, RL)
    dialect = released(system_text=row.prompt.system_text, guidelines=row.prompt.guidelines)
    assert dialect.wording.system(dialect.tools, dialect.form) == "You rank."
    assert row.prompt.guidelines == "Rank them."


def test_candidates_without_texts_have_their_pictures_only(tmp_path: Path):
    (row,) = rl(tmp_path, changed(candidate_texts=[]))
    assert [item.parts for item in row.candidates] == [(picture("a.jpg"),), (picture("b.jpg"),)]


def test_gaps_in_the_lists_are_closed_by_the_numbers_of_the_prompt(tmp_path: Path):
    (row,) = rl(tmp_path, gaps("(1) one(2) <image>(3) <image>three", ["/d/a.jpg", "/d/b.jpg"], ["one", "three"]))
    one, two, three = (item.parts for item in row.candidates)
    assert one == (TextPart(text="one"),)
    assert two == (picture("a.jpg"),)
    assert three == (picture("b.jpg"), TextPart(text="three"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({**RL, "images": [{"image": "/d/q.jpg"}]}, "row 2: 3 <image> marks and 1 pictures"),
        ({**RL, "images": [{"path": "/d/q.jpg"}] * 3}, "row 2: picture path '' must be relative"),
        ({**RL, "prompt": [SYSTEM]}, "row 2: the prompt must begin with a system message and a user message"),
        ({**RL, "prompt": [SYSTEM, {"role": "human", "content": "x"}]}, "row 2: prompt must be messages with a role"),
        ({**RL, "reward_model": {"ground_truth": 3}}, "row 2: ground_truth_position must be 3 as in reward_model"),
        ({**changed(ground_truth_position=None), "reward_model": {"ground_truth": 3}}, "number from 1 to 2, got '3'"),
        (changed(num_candidates=None), "row 2: num_candidates must be a whole number, got 'None'"),
        (changed(query_image=None), "row 2: images are not query_image followed by candidate_images"),
        (changed(candidate_images=["/d/b.jpg", "/d/a.jpg"]), "row 2: images are not query_image followed by"),
        (changed(qid=""), "row 2: the row needs a qid"),
        (changed(candidate_texts=["a", "b", "c"], num_candidates=3), "row 2: its 3 candidates cannot be told apart"),
        (gaps("(1) see (2) (2) <image>(3) c", ["/d/a.jpg"], ["see (2)", "c"]), "row 2: its 3 candidates cannot be"),
        (gaps("(2) a(1) <image>(3) c", ["/d/a.jpg"], ["a", "c"]), "row 2: .* not in the order of their numbers"),
        (gaps("(1) <image><image>(2) b(3) c", ["/d/a.jpg", "/d/b.jpg"], []), "row 2: a candidate has one picture"),
        (gaps("(1) (2) <image>(3) c", ["/d/a.jpg"], ["c"]), "row 2: candidate 1 holds neither text nor a picture"),
    ],
)
def test_a_malformed_training_row_is_named_by_its_number(tmp_path: Path, wrong: Mapping[str, object], message: str):
    with pytest.raises(DataError, match=message):
        rl(tmp_path, RL, wrong)


def test_malformed_training_rows_can_be_left_out_and_reported(tmp_path: Path):
    said: list[str] = []
    rows = list(read_rl(write(tmp_path, changed(qid=""), RL), paths=PathMap(["/d"]), refused=said.append))
    assert [row.query.qid for row in rows] == ["3:8"]
    assert len(said) == 1


def test_an_evaluation_row_is_a_request_with_its_hits_in_order(tmp_path: Path):
    (row,) = evaluation(tmp_path, EVALUATION)
    assert row.request.query.qid == "3:8"
    first, second = row.request.hits
    assert (first.candidate.did, first.score, first.candidate.parts) == ("3:2", 0.5, (picture("b.jpg"),))
    assert first.candidate.metadata == {"relevance": 1}
    assert second.candidate.parts == (TextPart(text="a long one"),)
    assert row.prompt.guidelines == "Rank them."


def test_hits_without_did_and_score_are_named_by_place(tmp_path: Path):
    hits = [{"candidate_images": "/d/a.jpg", "candidate_texts": ""}, {"candidate_images": "", "candidate_texts": "b"}]
    (row,) = evaluation(tmp_path, {**EVALUATION, "hit": hits})

    def summary(hit: Hit) -> tuple[str, float]:
        return hit.candidate.did, hit.score

    assert [summary(hit) for hit in row.request.hits] == [("3:8#1", 1.0), ("3:8#2", 0.5)]


def test_the_query_may_stand_beside_extra_info(tmp_path: Path):
    info = {**INFO, "qid": None, "query_image": None, "query_text": None}
    row = {**EVALUATION, "extra_info": info, "qid": "3:9", "query_text": "in red"}
    (found,) = evaluation(tmp_path, row)
    assert (found.request.query.qid, found.request.query.text) == ("3:9", "in red")


@pytest.mark.parametrize(
    ("hits", "message"),
    [
        ([], "row 1: hit is empty"),
        ([{"candidate_images": "", "candidate_texts": " "}], "row 1: hit 1: it holds neither text nor a picture"),
        ([{"candidate_images": "/e/a.jpg"}], "row 1: hit 1: picture path '/e/a.jpg' is absolute"),
        ([{"candidate_images": ["a.jpg"]}], "row 1: hit 1: candidate_images must be a text, got"),
        ([{"candidate_texts": "a", "score": "high"}], "row 1: hit 1: score must be a finite number, got 'high'"),
        (
            [{"candidate_texts": "a", "did": "1"}, {"candidate_texts": "b", "did": "1"}],
            "row 1: did '1' appears twice",
        ),
        (["a.jpg"], "row 1: hit must be a list of objects"),
    ],
)
def test_malformed_hits_are_named(tmp_path: Path, hits: list[object], message: str):
    with pytest.raises(DataError, match=message):
        evaluation(tmp_path, {**EVALUATION, "hit": hits})


def test_a_repeated_query_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"row 2: qid '3:8' stands already at .*row 1"):
        evaluation(tmp_path, EVALUATION, EVALUATION)


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path):
    with pytest.raises(DataError, match="there is no column 'hit'; its columns are data_source, prompt, images"):
        evaluation(tmp_path, RL)


@pytest.mark.parametrize("content", [b"", b"not parquet at all", None])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, content: bytes | None):
    path = tmp_path / "bad.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.parquet: cannot be read as parquet after row 0: "):
        list(read_rl(path))
