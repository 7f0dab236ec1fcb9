"""Pins how M-BEIR's query, pool and instruction files are read, and that broken rows are refused by path:line."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from vretrver.data.instructions import read_instructions
from vretrver.data.mbeir import list_mbeir, open_mbeir, read_candidates, read_queries
from vretrver.errors import DataError
from vretrver.records import Candidate, ImagePart, ImageRef, TextPart

QUERY: dict[str, object] = {
    "qid": "8:417",
    "query_txt": "Same porch but the dog sits",
    "query_img_path": "mbeir_images/cirr/demo.jpg",
    "query_modality": "image,text",
    "query_src_content": None,
    "pos_cand_list": ["8:9031"],
    "neg_cand_list": ["8:112", "8:5560"],
    "task_id": 7,
}
POOL_ROW: dict[str, object] = {
    "did": "8:9031",
    "txt": None,
    "img_path": "mbeir_images/cirr/target.jpg",
    "modality": "image",
    "src_content": None,
}
TABLE = (
    "query_modality\tcand_modality\tdataset_name\tdataset_id\tprompt_1\tprompt_2\n"
    "image,text\timage\tCIRR\t8\tFind the changed picture.\tApply the change.\n"
    "text\timage\tMSCOCO\t9\tFind a photo.\t\n"
)


def stream(*rows: Mapping[str, object]) -> io.StringIO:
    return io.StringIO("\n".join(json.dumps(row) for row in rows))


def query_error(**changes: object) -> str:
    with pytest.raises(DataError) as caught:
        list(read_queries(stream(QUERY, {**QUERY, **changes}), name="q"))
    return str(caught.value)


def test_a_query_row_becomes_a_query_with_its_judgements():
    row = next(read_queries(stream(QUERY), root="mbeir"))
    picture = ImageRef(path="mbeir_images/cirr/demo.jpg", root="mbeir")
    assert row.query.qid == "8:417"
    assert row.query.parts == (ImagePart(image=picture), TextPart(text="Same porch but the dog sits"))
    assert row.query.instruction == ""
    assert (row.positives, row.negatives) == (("8:9031",), ("8:112", "8:5560"))
    assert (row.task, row.modality, row.source) == (7, "image,text", None)


def test_a_pool_row_becomes_a_candidate():
    assert list(read_candidates(stream(POOL_ROW))) == [
        Candidate(did="8:9031", parts=(ImagePart(image=ImageRef(path="mbeir_images/cirr/target.jpg")),))
    ]


def test_source_content_is_kept_as_metadata():
    row = {**POOL_ROW, "src_content": '{"id": 3}'}
    assert next(read_candidates(stream(row))).metadata == {"src_content": '{"id": 3}'}


def test_lists_may_hold_objects_with_a_did():
    row = {**QUERY, "pos_cand_list": [{"did": "8:1"}, "8:2"], "neg_cand_list": None}
    read = next(read_queries(stream(row)))
    assert (read.positives, read.negatives) == (("8:1", "8:2"), ())


def test_the_cards_other_spelling_of_both_modalities_is_read():
    assert next(read_queries(stream({**QUERY, "query_modality": "text,image"}))).modality == "image,text"


def test_an_empty_text_counts_as_absent():
    row = {**QUERY, "query_txt": "", "query_modality": "image"}
    assert next(read_queries(stream(row))).modality == "image"


def test_interleaved_queries_keep_the_order_of_their_parts():
    parts = [{"text": "the shape of"}, {"image": "a.jpg"}, {"text": "in the colour of"}, {"image": "b.jpg"}]
    row = {**QUERY, "query_txt": None, "query_img_path": None, "query_parts": parts, "task_id": 9}
    assert next(read_queries(stream(row))).query.parts == (
        TextPart(text="the shape of"),
        ImagePart(image=ImageRef(path="a.jpg")),
        TextPart(text="in the colour of"),
        ImagePart(image=ImageRef(path="b.jpg")),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"qid": "417"}, "q:2: qid '417' is not of M-BEIR's form"),
        ({"qid": 417}, "q:2: qid 417 is not of M-BEIR's form"),
        ({"qid": None}, "q:2: qid None is not of M-BEIR's form"),
        ({"task_id": 10}, "q:2: task_id 10 is not one of"),
        ({"task_id": "7"}, "q:2: task_id '7' is not one of"),
        ({"task_id": True}, "q:2: task_id True is not one of"),
        ({"query_modality": "video"}, "q:2: query_modality 'video' is not one of"),
        ({"query_modality": ["text"]}, "q:2: query_modality must be a text or null"),
        ({"query_modality": "text"}, "query_modality says 'text' but the row holds image,text"),
        ({"query_txt": None}, "query_modality says 'image,text' but the row holds image"),
        ({"query_txt": None, "query_img_path": None}, "but the row holds nothing"),
        ({"query_txt": 5}, "q:2: query_txt must be a text or null, got 5"),
        ({"query_img_path": "../x.jpg"}, "q:2: picture path '../x.jpg' must be relative"),
        ({"pos_cand_list": "8:1"}, "q:2: pos_cand_list must be a list or null"),
        ({"pos_cand_list": ["x"]}, "q:2: pos_cand_list 'x' is not of M-BEIR's form"),
        ({"pos_cand_list": [{"id": "8:1"}]}, "q:2: pos_cand_list None is not of M-BEIR's form"),
        ({"query_parts": [{"text": "a", "image": "b.jpg"}]}, "q:2: query_parts holds"),
        ({"query_parts": [{"text": ""}]}, "q:2: query_parts holds"),
        ({"query_parts": ["a"]}, "q:2: query_parts holds 'a'"),
    ],
)
def test_a_wrong_query_row_is_refused_by_its_place(changes: dict[str, object], message: str):
    assert message in query_error(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"did": "x"}, "p:1: did 'x'"),
        ({"modality": "text"}, "p:1: modality says 'text' but the row holds image"),
        ({"img_path": "/etc/passwd"}, "p:1: picture path '/etc/passwd'"),
        ({"src_content": {"id": 1}}, "p:1: src_content must be a text or null"),
    ],
)
def test_a_wrong_pool_row_is_refused_by_its_place(changes: dict[str, object], message: str):
    with pytest.raises(DataError) as caught:
        list(read_candidates(stream({**POOL_ROW, **changes}), name="p"))
    assert message in str(caught.value)


# ---- instructions


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "query_instructions.tsv"
    path.write_text(TABLE)
    return path


def test_the_first_instruction_of_the_task_is_taken(table: Path):
    row = next(read_queries(stream(QUERY), instructions=read_instructions(table)))
    assert row.query.instruction == "Find the changed picture."


def test_a_seed_draws_among_the_instructions_and_is_repeatable(table: Path):
    instructions = read_instructions(table)
    drawn = [instructions.choose(f"8:{n}", 7, seed=3) for n in range(100)]
    assert set(drawn) == {"Find the changed picture.", "Apply the change."}
    assert drawn == [instructions.choose(f"8:{n}", 7, seed=3) for n in range(100)]
    assert drawn != [instructions.choose(f"8:{n}", 7, seed=4) for n in range(100)]


def test_empty_cells_are_no_instructions(table: Path):
    assert {read_instructions(table).choose(f"9:{n}", 0, seed=1) for n in range(20)} == {"Find a photo."}


def test_a_query_without_an_instruction_is_refused(table: Path):
    with pytest.raises(DataError, match="no instruction for dataset 8, text -> image; add a row"):
        read_instructions(table).choose("8:1", 0)


@pytest.mark.parametrize(
    "line",
    ["text\timage\tX\tten\tFind.", "text\timage\tX\t10", "text\tvideo\tX\t10\tFind.", "text"],
)
def test_a_wrong_row_of_the_table_is_refused_by_its_place(table: Path, line: str):
    table.write_text(TABLE + line + "\n")
    with pytest.raises(DataError, match=r"query_instructions\.tsv:4: a row needs"):
        read_instructions(table)


def test_a_table_without_its_header_is_refused(table: Path):
    table.write_text(TABLE.partition("\n")[2])
    with pytest.raises(DataError, match="must name the columns"):
        read_instructions(table)


# ---- finding the files


def layout(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_files_are_found_by_their_names(tmp_path: Path):
    layout(
        tmp_path,
        "query/test/mbeir_cirr_task7_test.jsonl",
        "cand_pool/local/mbeir_cirr_task7_cand_pool.jsonl",
        "qrels/test/mbeir_cirr_task7_test_qrels.txt",
        "instructions/query_instructions.tsv",
    )
    found = open_mbeir(tmp_path, dataset="cirr", task=7)
    assert found.pool_file == tmp_path / "cand_pool/local/mbeir_cirr_task7_cand_pool.jsonl"
    assert found.qrels_file == tmp_path / "qrels/test/mbeir_cirr_task7_test_qrels.txt"
    assert found.instructions_file == tmp_path / "instructions/query_instructions.tsv"


def test_a_pool_that_carries_the_split_is_preferred(tmp_path: Path):
    layout(
        tmp_path,
        "query/test/mbeir_mscoco_task0_test.jsonl",
        "cand_pool/local/mbeir_mscoco_task0_cand_pool.jsonl",
        "cand_pool/local/mbeir_mscoco_task0_test_cand_pool.jsonl",
    )
    found = open_mbeir(tmp_path, dataset="mscoco", task=0)
    assert found.pool_file.name == "mbeir_mscoco_task0_test_cand_pool.jsonl"
    assert (found.qrels_file, found.instructions_file) == (None, None)


def test_training_queries_share_a_file_and_are_told_apart_by_task(tmp_path: Path):
    layout(tmp_path, "query/train/mbeir_cirr_train.jsonl", "cand_pool/global/mbeir_union_train_cand_pool.jsonl")
    other = {**QUERY, "qid": "8:418", "task_id": 4, "query_modality": "image", "query_txt": None}
    (tmp_path / "query/train/mbeir_cirr_train.jsonl").write_text(stream(QUERY, other).getvalue())
    found = open_mbeir(tmp_path, dataset="cirr", task=7, split="train", pool="global")
    assert [row.query.qid for row in found.queries()] == ["8:417"]
    assert found.qrels().judged == {"8:417": {"8:9031": 1}}


def test_an_unknown_configuration_lists_the_known_ones(tmp_path: Path):
    layout(tmp_path, "query/test/mbeir_cirr_task7_test.jsonl", "query/val/mbeir_fashion_iq_task7_val.jsonl")
    assert list_mbeir(tmp_path) == [("cirr", 7, "test"), ("fashion_iq", 7, "val")]
    with pytest.raises(DataError, match="there are: cirr task 7 test, fashion_iq task 7 val"):
        open_mbeir(tmp_path, dataset="nights", task=4)


def test_a_missing_pool_names_what_was_looked_for(tmp_path: Path):
    layout(tmp_path, "query/test/mbeir_cirr_task7_test.jsonl")
    with pytest.raises(DataError, match="looked for mbeir_cirr_task7_test_cand_pool"):
        open_mbeir(tmp_path, dataset="cirr", task=7)


def test_an_unknown_task_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="task 10 is unknown"):
        open_mbeir(tmp_path, dataset="cirr", task=10)
