"""Pins what `vretrver rerank` may be given: which options go together, where pictures lie, whose texts are used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vretrver.cli.hits import QueriesWithHits, what_to_rerank
from vretrver.errors import ConfigError, DataError

NOTHING: dict[str, Any] = {
    "text": None,
    "image": None,
    "run": None,
    "queries": None,
    "corpus": None,
    "root": None,
    "path_map": [],
    "depth": 50,
}


def given(*files: Path, **options: Any) -> QueriesWithHits:
    return what_to_rerank(files, **{**NOTHING, **options})


def rows(path: Path, *values: Mapping[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (200, 30, 30)).save(path)


@pytest.fixture
def ranking(tmp_path: Path) -> dict[str, Path]:
    """A run over two files whose pictures lie beside them."""
    picture(tmp_path / "asked" / "q.png")
    picture(tmp_path / "shop" / "b.png")
    (tmp_path / "run.trec").write_text("q1 Q0 b 1 2.5 t\nq1 Q0 a 2 1.5 t\n")
    queries = rows(tmp_path / "asked" / "q.jsonl", {"qid": "q1", "image": "q.png"}, {"qid": "q2", "text": "x"})
    corpus = rows(tmp_path / "shop" / "c.jsonl", {"did": "a", "text": "a mug"}, {"did": "b", "image": "b.png"})
    return {"run": tmp_path / "run.trec", "queries": queries, "corpus": corpus}


def test_a_ranking_is_joined_and_its_pictures_are_found(ranking: dict[str, Path], capsys: pytest.CaptureFixture[str]):
    found = given(**ranking)
    ((query, hits),) = found.pairs
    assert [(hit.candidate.did, hit.score) for hit in hits] == [("b", 2.5), ("a", 1.5)]
    for ref in (query.pictures[0], hits[0].candidate.pictures[0]):
        assert found.images.identify(ref).width == 8
    assert "1 queries are not in " in capsys.readouterr().err


def test_depth_cuts_a_ranking(ranking: dict[str, Path]):
    ((_, hits),) = given(**ranking, depth=1).pairs
    assert [hit.candidate.did for hit in hits] == ["b"]


def test_one_root_serves_both_files(ranking: dict[str, Path], tmp_path: Path):
    picture(tmp_path / "all" / "q.png")
    found = given(**ranking, root=tmp_path / "all")
    assert found.images.identify(found.pairs[0][0].pictures[0]).width == 8


def test_a_lamra_result_is_a_ranking(ranking: dict[str, Path], tmp_path: Path):
    for ending, value in (("query_names", ["q2"]), ("cand_names", [["a", "b"]]), ("scores", [[[0.5, 0.25]]])):
        (tmp_path / f"x_{ending}.json").write_text(json.dumps(value))
    ((query, hits),) = given(**{**ranking, "run": tmp_path / "x_cand_names.json"}).pairs
    assert (query.qid, [hit.score for hit in hits]) == ("q2", [0.5, 0.25])


def test_what_a_lamra_result_names_in_vain_is_said_by_its_place(ranking: dict[str, Path], tmp_path: Path):
    for ending, value in (("query_names", ["q1"]), ("cand_names", [["a", "z"]]), ("scores", [[[0.5, 0.25]]])):
        (tmp_path / f"x_{ending}.json").write_text(json.dumps(value))
    with pytest.raises(DataError, match=r"x_cand_names\.json: ranking 1, place 2: did 'z' of query 'q1' is not in"):
        given(**{**ranking, "run": tmp_path / "x_cand_names.json"})


def published(folder: Path, *guidelines: str) -> Path:
    """Write an evaluation file with one row for each guidelines text."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = [
        {
            "prompt": [
                {"role": "system", "content": "You rank."},
                {"role": "user", "content": f"Query:xCandidates:(1) <image>\n\nGuidelines: {text}"},
            ],
            "extra_info": {"qid": f"1:{number}", "query_text": "x"},
            "hit": [{"candidate_images": "/old/place/a.png", "candidate_texts": ""}],
        }
        for number, text in enumerate(guidelines)
    ]
    parquet.write_table(pyarrow.Table.from_pylist(table), folder / "test.parquet")
    return folder / "test.parquet"


def test_a_published_file_gives_pictures_by_map_and_the_texts_of_its_checkpoint(tmp_path: Path):
    picture(tmp_path / "new" / "a.png")
    found = given(published(tmp_path, "g"), path_map=[f"/old/place={tmp_path / 'new'}"])
    ((query, (hit,)),) = found.pairs
    assert query.text == "x"
    assert found.images.identify(hit.candidate.pictures[0]).width == 8
    dialect = found.dialect("released")
    assert dialect.wording.system(dialect.tools, dialect.form) == "You rank."
    assert found.dialect("vretrver").name == "vretrver"


def test_rows_of_different_wording_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match="row 2: its prompt is worded unlike that of the first row"):
        given(published(tmp_path, "g", "other"), path_map=[f"/old={tmp_path}"])


def test_an_absolute_path_without_a_map_names_the_remedy(tmp_path: Path):
    with pytest.raises(DataError, match=r"row 1: hit 1: picture path '/old/place/a\.png' is absolute"):
        given(published(tmp_path, "g"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"run": Path("run.trec")}, "say which they are of with --index or --corpus"),
        ({"run": Path("r"), "queries": Path("q"), "corpus": Path("c"), "text": "x"}, "name no other query"),
        ({"queries": Path("q")}, "--queries goes with --run"),
        ({"path_map": ["a=b"]}, "--map is for published evaluation files"),
        ({}, "nothing to rerank"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: Mapping[str, Any], message: str):
    with pytest.raises(ConfigError, match=message):
        given(**options)


@pytest.mark.parametrize("option", ["/old", "=new", "/old=nowhere"])
def test_a_map_without_a_folder_is_refused(option: str):
    with pytest.raises(ConfigError, match=f"--map {option}: write OLD=NEW"):
        given(Path("x.parquet"), path_map=[option])


@pytest.mark.parametrize("missing", ["run", "queries", "corpus"])
def test_a_missing_file_is_named_with_its_option(ranking: dict[str, Path], missing: str):
    with pytest.raises(DataError, match=f"gone: no such file; --{missing} takes"):
        given(**{**ranking, missing: Path("gone")})
