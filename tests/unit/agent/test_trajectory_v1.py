"""Pins that records of schema 1 are read: nothing is lost or invented, and nonsense is refused in a sentence."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vretrver.agent.answers import RankingAnswer, Verdict
from vretrver.agent.budget import Limit, Spent
from vretrver.agent.policy import Failure, FailureKind
from vretrver.agent.reranked import Ended
from vretrver.agent.trajectory import SCHEMA, PictureShown, StopReason, Trajectory
from vretrver.errors import DataError
from vretrver.traces import (
    read_traces,
    reranked_to_json,
    trajectories_from_json,
    trajectory_from_json,
    trajectory_to_json,
)

GOLDEN = Path(__file__).parents[2] / "golden"
OLD = GOLDEN / "v1" / "trajectory.json"
"""The golden record as schema 1 had it."""
TRACE = GOLDEN / "v1" / "trace.jsonl"
"""One query of schema 1: a window that failed, and one with a zoom, a refused call and three pictures at once."""


def line() -> dict[str, Any]:
    """Return the query of the old trace."""
    return dict(json.loads(TRACE.read_bytes()))


def changed(**changes: object) -> Trajectory:
    """Return the old golden record, read after fields of it were changed."""
    return trajectory_from_json(json.dumps(json.loads(OLD.read_bytes()) | changes))


def test_the_old_golden_record_is_the_new_one_but_for_what_was_not_recorded() -> None:
    old = trajectory_from_json(OLD.read_bytes())
    new = trajectory_from_json((GOLDEN / "trajectory.json").read_bytes())
    turns = tuple(
        replace(turn, problem_code=None, calls=tuple(replace(call, code=None) for call in turn.calls))
        for turn in new.turns
    )
    assert old == replace(new, config=old.config, turns=turns, agent="", spent=Spent())
    assert old.prompt_sha256 == new.prompt_sha256


def test_an_old_trace_is_read_and_written_in_todays_schema(tmp_path: Path) -> None:
    (reranked,) = read_traces(TRACE)
    assert [one.schema for one in (reranked, *reranked.trajectories)] == [SCHEMA] * 3
    (tmp_path / "t.jsonl").write_bytes(reranked_to_json(reranked) + b"\n")
    assert list(read_traces(tmp_path / "t.jsonl")) == [reranked]
    assert trajectories_from_json(TRACE.read_bytes()) == reranked.trajectories


def test_an_old_query_keeps_its_order_and_how_it_ended() -> None:
    (reranked,) = read_traces(TRACE)
    assert [(one.did, one.rank, one.coarse_rank) for one in reranked.ranking] == [
        ("1:2", 1, 2),
        ("1:1", 2, 1),
        ("1:3", 3, 3),
        ("1:4", 4, 4),
    ]
    assert [(one.stop, one.verdict) for one in reranked.trajectories] == [
        (StopReason.MALFORMED, Verdict.FAILED),
        (StopReason.ANSWERED, Verdict.RANKED),
    ]
    assert (reranked.ended, reranked.reached, reranked.interrupted) == (Ended.COMPLETE, (), False)


def test_windows_keep_their_places_and_come_one_after_another() -> None:
    (reranked,) = read_traces(TRACE)
    steps = [one.step for one in reranked.trajectories]
    assert [(step.index, step.round, step.places) for step in steps] == [(0, 0, (1, 2, 3)), (1, 1, (0, 1, 2))]
    assert {step.plan for step in steps} == {"reference(50,3,2)"}


def test_messages_name_old_pictures_by_their_place_in_what_was_shown() -> None:
    (reranked,) = read_traces(TRACE)
    record = reranked.trajectories[1]
    shown = [one for one in record.shown if isinstance(one, PictureShown)]
    assert [(one.cuts[0].address, one.turn, one.call, one.refused is None) for one in shown] == [
        (0, None, None, True),
        (1, None, None, True),
        (2, None, None, True),
        ((2, 2), None, None, True),
        (3, None, None, False),
        ((2, 2), 0, 0, True),
        (0, 0, 2, True),
        ((2, 2), 0, 2, True),
        (1, 0, 2, True),
    ]
    reply = record.turns[0].reply
    assert [piece for piece in record.prompt[1].pieces if isinstance(piece, int)] == [0, 1, 2, 3]
    assert [piece for piece in (reply.pieces if reply else ()) if isinstance(piece, int)] == [5, 6, 7, 8]
    assert (shown[5].cuts[0].asked, shown[5].cuts[0].did) == ((0, 0, 500, 500), "1:2")


def test_what_was_not_recorded_stays_unsaid() -> None:
    (reranked,) = read_traces(TRACE)
    record = reranked.trajectories[1]
    assert [(call.outcome, call.code) for call in record.turns[0].calls] == [
        ("executed", None),
        ("refused", None),
        ("executed", None),
    ]
    assert record.turns[0].calls[1].reason == "there is no candidate 9; candidates are 1 to 3"
    assert (record.form, record.revision, record.stream, record.turns[0].held) == ("ranking", 0, "", ())
    assert record.answer == RankingAnswer(numbers=(2, 2, 7, 1))


@pytest.mark.parametrize(
    ("stop", "kind"), [("policy_error", FailureKind.BROKEN), ("context_overflow", FailureKind.CONTEXT)]
)
def test_an_error_becomes_a_failure_of_its_kind(stop: str, kind: FailureKind) -> None:
    record = changed(stop=stop, error="it broke", ranking=None, answer=None)
    assert record.failure == Failure(kind=kind, words="it broke")


@pytest.mark.parametrize(
    ("stop", "ended", "reached"),
    [
        ("deadline", Ended.DEADLINE, (Limit.SECONDS,)),
        ("cancelled", Ended.CANCELLED, ()),
        ("budget", Ended.COMPLETE, (Limit.TOKENS,)),
        ("max_turns", Ended.COMPLETE, ()),
    ],
)
def test_the_stops_of_its_windows_say_how_an_old_query_ended(
    tmp_path: Path, stop: str, ended: Ended, reached: tuple[Limit, ...]
) -> None:
    value = line()
    value["trajectories"][1] |= {"stop": stop, "ranking": None, "answer": None}
    (tmp_path / "t.jsonl").write_text(json.dumps(value) + "\n")
    (reranked,) = read_traces(tmp_path / "t.jsonl")
    assert (reranked.ended, reranked.reached) == (ended, reached)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"step": {"schedule": "x", "index": 0, "start": 0, "stop": 10**12}}, "do not hold 4 candidates"),
        ({"step": {"schedule": "x", "index": 0, "start": -4, "stop": 0}}, "do not hold 4 candidates"),
        ({"pictures": []}, "a message shows picture 0, which the record does not have there"),
        ({"prompt": [{"role": "user", "pieces": [7]}]}, "a message shows picture 7"),
        ({"ranking": ["1:1"]}, "the ranking is not an order of the candidates"),
        ({"turns": 7}, "turns: Input should be a valid"),
    ],
)
def test_an_old_record_that_contradicts_itself_is_refused(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(DataError, match=f"not a trajectory: .*{problem}"):
        changed(**changes)


VALUES = (None, True, -1, 0, 10**30, 1.5, "", "x", "\ud800", [], [1], [[1]], {}, {"a": 1})


def _mutated(value: object, random_: random.Random) -> object:
    """Return JSON with one thing in it left out, put twice or replaced."""
    value = copy.deepcopy(value)
    node: Any = value
    while True:
        places = list(node) if isinstance(node, dict) else range(len(node))
        place = random_.choice(places)
        if isinstance(node[place], dict | list) and node[place] and random_.random() < 0.8:
            node = node[place]
            continue
        kind = random_.randrange(3)
        if kind == 0:
            del node[place]
        elif kind == 1 and isinstance(node, list):
            node.insert(place, copy.deepcopy(node[place]))
        else:
            node[place] = random_.choice(VALUES)
        return value


def _sentence(data: bytes) -> str | None:
    """Read a line and check what is read; return the sentence it was refused with."""
    try:
        records = trajectories_from_json(data)
    except DataError as error:
        return str(error)
    for record in records:
        assert trajectory_from_json(trajectory_to_json(record)) == record
        assert record.prompt_sha256
    return None


@pytest.mark.parametrize("name", ["v1/trace.jsonl", "v1/trajectory.json", "trajectory.json"])
def test_records_that_were_changed_are_read_or_refused_in_one_sentence(name: str) -> None:
    random_ = random.Random(1)
    whole = json.loads((GOLDEN / name).read_bytes())
    lines = [json.dumps(_mutated(whole, random_)).encode() for _ in range(500)]
    lines += [line[: random_.randrange(len(line))] for line in lines[:50]]
    refusals = [sentence for line in lines if (sentence := _sentence(line)) is not None]
    assert 100 < len(refusals) < 500
    assert all("\n" not in sentence and len(sentence) < 500 for sentence in refusals)
