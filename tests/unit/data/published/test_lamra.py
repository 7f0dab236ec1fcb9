"""Pins LamRA's three result files: nested scores, distances turned into products, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vretrver.data.published.lamra import is_lamra_result, place_in_lamra, read_lamra
from vretrver.errors import DataError

QUERIES = ["9:1", "9:2"]
CANDIDATES = [["9:7", "9:5", "9:9"], ["9:5", "9:7", "9:8"]]
SCORES = [[[0.75, 0.5, 0.5]], [[0.25, 0.25, 0.125]]]


def result(
    folder: Path, *, queries: object = QUERIES, candidates: object = CANDIDATES, scores: object = SCORES
) -> Path:
    for ending, value in (("query_names", queries), ("cand_names", candidates), ("scores", scores)):
        (folder / f"mscoco_task0_{ending}.json").write_text(json.dumps(value))
    return folder / "mscoco_task0_cand_names.json"


def test_the_three_files_are_one_ranking_given_any_of_them(tmp_path: Path):
    path = result(tmp_path)
    run = read_lamra(path)
    assert run.rankings["9:1"] == (("9:7", 0.75), ("9:5", 0.5), ("9:9", 0.5))
    assert list(run.rankings) == QUERIES
    assert read_lamra(tmp_path / "mscoco_task0_scores.json") == run


def test_scores_may_stand_without_the_extra_brackets_and_ids_may_be_numbers(tmp_path: Path):
    path = result(tmp_path, queries=[3], candidates=[[12, 11]], scores=[[2, 1]])
    assert read_lamra(path).rankings == {"3": (("12", 2.0), ("11", 1.0))}


def test_squared_distances_become_products(tmp_path: Path):
    path = result(tmp_path, scores=[[0.5, 0.5, 1.0], [0.0, 1.0, 2.0]])
    assert read_lamra(path).rankings["9:2"] == (("9:5", 1.0), ("9:7", 0.5), ("9:8", 0.0))


def test_places_are_named(tmp_path: Path):
    path = result(tmp_path)
    assert place_in_lamra(path, "9:2").endswith("mscoco_task0_query_names.json: query 2")
    assert place_in_lamra(path, "9:2", "9:8").endswith("mscoco_task0_cand_names.json: ranking 2, place 3")


def test_the_files_are_known_by_their_names():
    assert is_lamra_result(Path("x_scores.json"))
    assert not is_lamra_result(Path("run.trec"))
    with pytest.raises(DataError, match=r"run\.trec: a LamRA result ends in _query_names\.json"):
        read_lamra(Path("run.trec"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"queries": ["9:1"]}, r"query_names\.json: 1 queries, 2 rankings in .*cand_names\.json and 2 in"),
        ({"queries": ["9:1", "9:1"]}, r"query_names\.json: query 2: '9:1' came before"),
        ({"queries": ["9:1", None]}, r"query 2: an id is a text or a whole number, got 'None'"),
        ({"queries": {"a": 1}}, r"query_names\.json: must hold a JSON list, got a dict"),
        ({"candidates": [["9:7", "9:7", "9:9"], ["a", "b", "c"]]}, r"cand_names\.json: ranking 1: .* twice"),
        ({"candidates": [[], ["a", "b", "c"]]}, r"ranking 1: must be a list of candidate ids"),
        ({"scores": [[[0.5, 0.4]], [[0.3, 0.2, 0.1]]]}, r"scores\.json: row 1: must be a list of 3 scores"),
        ({"scores": [[[0.5, 0.4, "x"]], [[0.3, 0.2, 0.1]]]}, r"row 1: a score is a finite number, got 'x'"),
        ({"scores": [[0.5, 0.4, 0.3], [0.1, 0.3, 0.2]]}, r"scores\.json: row 2: scores are neither all falling"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place(tmp_path: Path, changed: dict[str, object], message: str):
    with pytest.raises(DataError, match=message):
        read_lamra(result(tmp_path, **changed))


def test_a_missing_file_is_named(tmp_path: Path):
    path = result(tmp_path)
    (tmp_path / "mscoco_task0_scores.json").unlink()
    with pytest.raises(DataError, match=r"mscoco_task0_scores\.json: cannot be read: .*lie together"):
        read_lamra(path)
