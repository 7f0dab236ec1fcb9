"""Pins trace files: nothing is lost on the way out and back, and what is no trace is refused with its place."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import zoom

from vretrver.agent.answers import RankingOrNoneForm, Verdict
from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.observations import Layout
from vretrver.agent.policy import Completion
from vretrver.agent.reranked import Reranked
from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import SCHEMA, PictureShown, TextShown
from vretrver.errors import DataError
from vretrver.policies.scripted import Moment, ScriptedPolicy, answer_text, misbehaving, replay
from vretrver.records import Candidate, Hit, ImageRef, parts_of
from vretrver.traces import TraceWriter, read_traces, reranked_to_json, trajectory_from_json, trajectory_to_json


@pytest.fixture
def reranked(drawn: DrawnFolder) -> Reranked:
    """A query with looks, a refusal, a text-only candidate and a missing picture."""
    candidates = [
        drawn.candidate(1, pictures=[1, 2], text="two"),
        drawn.candidate(2, pictures=[], text="caf\u00e9 \U0001f600\u2028<|im_end|>"),
        replace(drawn.candidate(3), metadata={"price": 1, "share": 1.0, "new": True, "note": None}),
        Candidate(did="1:4", parts=parts_of(text="gone", images=[ImageRef(path="gone.png")])),
    ]
    hits = [Hit(candidate=candidate, score=0.1 + 0.2 * place) for place, candidate in enumerate(candidates)]
    policy = replay([f"<think>?</think>{zoom('[1, 2]')}{zoom(4)}", answer_text([3, 3, 9])])
    return Reranker(policy, drawn.store).rerank(drawn.query(picture=5), hits)


def _write(path: Path, *items: Reranked) -> None:
    with TraceWriter(path) as writer:
        for item in items:
            writer.write(item)


def test_a_trace_reads_back_equal_and_writes_the_same_bytes(reranked: Reranked, tmp_path: Path) -> None:
    _write(tmp_path / "t.jsonl", reranked)
    (back,) = read_traces(tmp_path / "t.jsonl")
    assert back == reranked
    assert reranked_to_json(back) == reranked_to_json(reranked)
    assert {type(value) for value in back.hits[2].candidate.metadata.values()} == {int, float, bool, type(None)}


def test_verdicts_texts_and_regions_of_several_pictures_read_back_equal(drawn: DrawnFolder, tmp_path: Path) -> None:
    config = AgentConfig(dialect=vretrver(form=RankingOrNoneForm()))
    policy = replay([zoom(1) + zoom(2), answer_text([2, 1], none_fits=True)])
    reranked = Reranker(policy, drawn.store, config).rerank(drawn.query(), drawn.hits(2))
    (record,) = reranked.trajectories
    first, second = (one for one in record.observations(0) if isinstance(one, PictureShown))
    text = TextShown(cuts=first.cuts, text="SALE", made_by="ocr-9", turn=0, call=0)
    both = replace(first, cuts=(*first.cuts, *second.cuts), layout=Layout.COLUMN)
    scored = replace(record.turns[0], scores={"yes": -0.5}, token_ids=(1, 2), logprobs=(0.0, -1.0), held=((0, 1),))
    record = replace(record, shown=(*record.shown, text, both), turns=(scored, *record.turns[1:]))
    _write(tmp_path / "t.jsonl", replace(reranked, trajectories=(record,)))
    (back,) = read_traces(tmp_path / "t.jsonl")
    assert back.trajectories == (record,)
    assert (back.verdict, back.trajectories[0].verdict) == (Verdict.NOTHING_FITS, Verdict.NOTHING_FITS)


def test_a_trace_is_one_line(reranked: Reranked) -> None:
    assert b"\n" not in reranked_to_json(reranked)


def test_traces_of_a_misbehaving_policy_read_back_equal(drawn: DrawnFolder, tmp_path: Path) -> None:
    requests = [(drawn.query(qid=f"9:{number}"), drawn.hits(3)) for number in range(40)]
    written = list(Reranker(misbehaving(1), drawn.store).rerank_many(requests))
    _write(tmp_path / "t.jsonl", *written)
    assert list(read_traces(tmp_path / "t.jsonl")) == written


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e308, 5e-324, -0.0, 0.1])
def test_no_number_is_lost(drawn: DrawnFolder, tmp_path: Path, value: float) -> None:
    def script(moment: Moment) -> Completion:
        return Completion(session=moment.session, text=answer_text([1]), token_ids=(1,), logprobs=(value,))

    hits = [Hit(candidate=drawn.candidate(1), score=value)]
    _write(tmp_path / "t.jsonl", Reranker(ScriptedPolicy(script, name="x"), drawn.store).rerank(drawn.query(), hits))
    (back,) = read_traces(tmp_path / "t.jsonl")
    (logprob,) = back.trajectories[0].turns[0].logprobs or []
    assert (repr(logprob), repr(back.hits[0].score)) == (repr(value), repr(value))


def test_traces_are_appended(reranked: Reranked, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    _write(path, reranked)
    _write(path, reranked, reranked)
    assert len(list(read_traces(path))) == 3


@pytest.mark.parametrize("cut", [1, 2, 100, -1])
def test_a_torn_last_line_is_left_out_by_the_reader_and_cut_off_by_the_writer(
    reranked: Reranked, tmp_path: Path, cut: int
) -> None:
    path = tmp_path / "t.jsonl"
    _write(path, reranked)
    line = path.read_bytes()
    path.write_bytes(line + line[:cut])
    assert len(list(read_traces(path))) == 1
    _write(path, reranked)
    assert path.read_bytes() == line + line


def test_a_torn_line_longer_than_a_block_and_a_file_of_nothing_else_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    for whole in (b"", b"{}\n"):
        path.write_bytes(whole + b'{"query":' + b"x" * 200_000)
        _write(path)
        assert path.read_bytes() == whole


def test_a_file_that_ends_well_is_left_as_it_is(reranked: Reranked, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    _write(path, reranked)
    before = path.read_bytes()
    _write(path)
    assert path.read_bytes() == before


def test_a_line_that_could_not_be_written_leaves_no_part_behind(
    reranked: Reranked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.jsonl"
    with TraceWriter(path) as writer:
        writer.write(reranked)
        with monkeypatch.context() as full:
            full.setattr(os, "fsync", _disk_full)
            with pytest.raises(
                DataError, match="cannot be written: No space left on device; what was written is kept"
            ):
                writer.write(reranked)
        writer.write(reranked)
    assert len(list(read_traces(path))) == 2


def _disk_full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_text_that_has_no_utf8_form_is_refused_and_leaves_the_file_whole(
    reranked: Reranked, tmp_path: Path
) -> None:
    broken = replace(reranked, query=replace(reranked.query, instruction="\ud800"))
    path = tmp_path / "t.jsonl"
    with TraceWriter(path) as writer:
        writer.write(reranked)
        with pytest.raises(DataError, match="query '9:1': cannot be stored: "):
            writer.write(broken)
    assert list(read_traces(path)) == [reranked]


def test_a_place_that_cannot_be_written_or_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none/t\.jsonl: cannot be written: No such file or directory"):
        TraceWriter(tmp_path / "none" / "t.jsonl")
    with pytest.raises(DataError, match="cannot be written: Is a directory"):
        TraceWriter(tmp_path)
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read: No such file or directory"):
        list(read_traces(tmp_path / "none.jsonl"))


@pytest.mark.parametrize(
    "line", [b"not json", b"{}", b"[]", b"null", b'{"query": 1}', b"\xff\xfe", b"[" * 5000, b'{"trajectories": 3}']
)
def test_a_line_that_is_no_trace_is_refused_with_its_place(reranked: Reranked, tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(reranked_to_json(reranked) + b"\n\n" + line + b"\n")
    traces = read_traces(path)
    assert next(traces) == reranked
    with pytest.raises(DataError, match=r"t\.jsonl:3: not a trace: .*; write traces with `vretrver rerank --trace`"):
        next(traces)


@pytest.mark.parametrize("extra", [{}, {"stop": "a reason of later versions"}, {"turns": 7}])
def test_a_record_of_another_schema_is_named_as_one_even_when_it_cannot_be_read(
    reranked: Reranked, tmp_path: Path, extra: dict[str, object]
) -> None:
    later = json.loads(reranked_to_json(reranked))
    later["trajectories"][0] |= {"schema": SCHEMA + 1, **extra}
    (tmp_path / "t.jsonl").write_text(json.dumps(later) + "\n", encoding="utf-8")
    message = f"trace schema {SCHEMA + 1}, but this version reads 1 and {SCHEMA}; read it with the version"
    with pytest.raises(DataError, match=rf"t\.jsonl:1: {message}"):
        list(read_traces(tmp_path / "t.jsonl"))
    (tmp_path / "whole.jsonl").write_text(json.dumps(later | {"schema": SCHEMA + 1, "trajectories": []}) + "\n")
    with pytest.raises(DataError, match=rf"whole\.jsonl:1: {message}"):
        list(read_traces(tmp_path / "whole.jsonl"))
    with pytest.raises(DataError, match=f"trajectory: {message}"):
        trajectory_from_json(json.dumps(later["trajectories"][0]))


@pytest.mark.parametrize("schema", ["x", [], -1, 1.5, {"a": 1}, 10**4000])
def test_a_schema_that_is_no_number_of_one_is_not_repeated(schema: object) -> None:
    with pytest.raises(DataError, match=r"^trajectory: an unknown trace schema, but this version reads 1 and 2"):
        trajectory_from_json(json.dumps({"schema": schema}))


@pytest.mark.parametrize("change", [lambda ranking: ranking[:3], lambda ranking: [*ranking[:3], ranking[0]]])
def test_a_ranking_that_is_no_order_of_the_hits_is_refused(
    reranked: Reranked, tmp_path: Path, change: Callable[[list[object]], list[object]]
) -> None:
    value = json.loads(reranked_to_json(reranked))
    value["ranking"] = change(value["ranking"])
    (tmp_path / "t.jsonl").write_text(json.dumps(value) + "\n")
    with pytest.raises(DataError, match=r"t\.jsonl:1: not a trace: .*the ranking is not an order of the 4 hits; "):
        list(read_traces(tmp_path / "t.jsonl"))


def test_one_trajectory_reads_back_equal(reranked: Reranked) -> None:
    (record,) = reranked.trajectories
    assert trajectory_from_json(trajectory_to_json(record, indent=2)) == record
    with pytest.raises(DataError, match="not a trajectory: session: Field required"):
        trajectory_from_json(b"{}")
