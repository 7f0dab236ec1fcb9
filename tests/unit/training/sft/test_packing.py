"""A worked example of packing: one window as messages, as ids, and as what is learned from, id by id.

The tokenizer here knows whole words, so that the lists can be read. The conversation is

    system     S
    user       U <picture of 1 x 2 visual tokens> q
    assistant  look                       sampled, ended by a stop string: no <|im_end|> of its own
    user       seen <picture of 1 x 1>
    assistant  <answer>[ 2 , 1 ]          the last three ids were decided by a grammar

and becomes one row. `id` is what the model reads; `chosen` is where the loss is: what the policy sampled freely.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vretrver.agent.answers import RankingAnswer, Verdict
from vretrver.agent.policy import FinishReason, Sampling, Usage
from vretrver.agent.task import WindowStep
from vretrver.agent.trajectory import CutRecord, MessageRecord, PictureShown, StopReason, Trajectory, Turn
from vretrver.errors import ParityError
from vretrver.models.patches import PatchGeometry
from vretrver.records import ImageRef
from vretrver.traces import trajectory_to_json
from vretrver.training.sft.samples import Sample, read_samples, sample_of

GEOMETRY = PatchGeometry(patch=16, merge=2)

WORDS = [
    *("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|image_pad|>", "<|vision_end|>", "\n"),
    *("system\n", "user\n", "assistant\n", "S", "U", "q", "look", "seen", "<answer>[", "2", ",", "1", "]"),
]
"""The id of a word is its place."""


@dataclass(frozen=True)
class Words:
    """A tokenizer of whole words."""

    turn_start: int = 0
    turn_end: int = 1
    picture_start: int = 2
    picture_pad: int = 3
    picture_end: int = 4
    newline: tuple[int, ...] = (5,)

    def text(self, text: str) -> list[int]:
        ids = []
        while text:
            word = max((word for word in WORDS if text.startswith(word)), key=len)
            ids.append(WORDS.index(word))
            text = text[len(word) :]
        return ids

    def decode(self, ids: list[int]) -> str:
        return "".join(WORDS[one] for one in ids)


def _shown(columns: int, turn: int | None) -> PictureShown:
    cut = CutRecord(address=1, did="d1", image=ImageRef(path="p"))
    return PictureShown(
        cuts=(cut,), turn=turn, call=None, width=32 * columns, height=32, tokens=columns, sha256=f"{columns} wide"
    )


def _turn(
    text: str, *, before: int, held: tuple[tuple[int, int], ...] = (), reply: MessageRecord | None = None
) -> Turn:
    ids = tuple(Words().text(text))
    return Turn(
        text=text,
        finish=FinishReason.STOP,
        token_ids=ids,
        logprobs=tuple(-0.5 - place for place in range(len(ids))),
        held=held,
        reply=reply,
        usage=Usage(prompt_tokens=before, completion_tokens=len(ids)),
    )


TRAJECTORY = Trajectory(
    session="s",
    qid="q",
    dialect="toy",
    form="ranking",
    policy="toy",
    revision=7,
    sampling=Sampling(),
    config="",
    step=WindowStep(plan="toy", index=0, round=0, places=(0, 1)),
    candidates=("d1", "d2"),
    prompt=(
        MessageRecord(role="system", pieces=("S",)),
        MessageRecord(role="user", pieces=("U", 0, "q")),
    ),
    shown=(_shown(2, None), _shown(1, 0)),
    turns=(
        _turn("look", before=17, reply=MessageRecord(role="user", pieces=("seen", 1))),
        _turn("<answer>[2,1]", before=30, held=((2, 5),)),
    ),
    stop=StopReason.ANSWERED,
    verdict=Verdict.RANKED,
    answer=RankingAnswer(numbers=(2, 1)),
    ranking=("d2", "d1"),
)

ROW = [
    # id                 chosen  weight  logprob
    ("<|im_start|>", 0, 0.0, 0.0),
    ("system\n", 0, 0.0, 0.0),
    ("S", 0, 0.0, 0.0),
    ("<|im_end|>", 0, 0.0, 0.0),
    ("\n", 0, 0.0, 0.0),
    ("<|im_start|>", 0, 0.0, 0.0),
    ("user\n", 0, 0.0, 0.0),
    ("U", 0, 0.0, 0.0),
    ("<|vision_start|>", 0, 0.0, 0.0),
    ("<|image_pad|>", 0, 0.0, 0.0),  # one mark a visual token
    ("<|image_pad|>", 0, 0.0, 0.0),
    ("<|vision_end|>", 0, 0.0, 0.0),
    ("q", 0, 0.0, 0.0),
    ("<|im_end|>", 0, 0.0, 0.0),
    ("\n", 0, 0.0, 0.0),
    ("<|im_start|>", 0, 0.0, 0.0),
    ("assistant\n", 0, 0.0, 0.0),
    ("look", 1, 1.0, -0.5),
    ("<|im_end|>", 0, 0.0, 0.0),  # appended: the policy never sampled it
    ("\n", 0, 0.0, 0.0),
    ("<|im_start|>", 0, 0.0, 0.0),
    ("user\n", 0, 0.0, 0.0),
    ("seen", 0, 0.0, 0.0),
    ("<|vision_start|>", 0, 0.0, 0.0),
    ("<|image_pad|>", 0, 0.0, 0.0),
    ("<|vision_end|>", 0, 0.0, 0.0),
    ("<|im_end|>", 0, 0.0, 0.0),
    ("\n", 0, 0.0, 0.0),
    ("<|im_start|>", 0, 0.0, 0.0),
    ("assistant\n", 0, 0.0, 0.0),
    ("<answer>[", 1, 1.0, -0.5),
    ("2", 1, 1.0, -1.5),
    (",", 0, 0.0, 0.0),  # held by a grammar from here on
    ("1", 0, 0.0, 0.0),
    ("]", 0, 0.0, 0.0),
    ("<|im_end|>", 0, 0.0, 0.0),
    ("\n", 0, 0.0, 0.0),
]


def _sample(trajectory: Trajectory) -> Sample:
    return sample_of(trajectory, Words(), GEOMETRY)  # type: ignore[arg-type]


def _first(number: int) -> int:
    """Return where the ids of an assistant turn begin in `ROW`."""
    return [place + 1 for place, (word, *_) in enumerate(ROW) if word == "assistant\n"][number]


def test_a_window_becomes_this_row() -> None:
    sample = _sample(TRAJECTORY)
    assert [WORDS[one] for one in sample.ids_T] == [word for word, *_ in ROW]
    assert sample.chosen_T.astype(int).tolist() == [chosen for _, chosen, _, _ in ROW]
    assert sample.weight_T.tolist() == [weight for *_, weight, _ in ROW]
    assert sample.logprobs_T is not None
    assert sample.logprobs_T.tolist() == [logprob for *_, logprob in ROW]
    assert (sample.grids, sample.pictures) == (((1, 2), (1, 1)), ("2 wide", "1 wide"))
    assert sample.revision == 7


def test_an_advantage_takes_the_place_of_the_weight() -> None:
    sample = _sample(TRAJECTORY)
    learned = replace(sample, weight_T=np.where(sample.chosen_T, np.float32(-0.25), np.float32(0)))
    assert learned.weight_T[learned.chosen_T].tolist() == [-0.25] * 3


def test_turns_without_ids_are_tokenised_and_learned_whole_with_their_end() -> None:
    """What an expert or a teacher wrote: there is nothing to compare it with, and its end is part of the lesson."""
    turns = tuple(replace(turn, token_ids=None, logprobs=None, held=()) for turn in TRAJECTORY.turns)
    sample = _sample(replace(TRAJECTORY, turns=turns))
    assert [WORDS[one] for one in sample.ids_T[sample.chosen_T]] == [
        *("look", "<|im_end|>"),
        *("<answer>[", "2", ",", "1", "]", "<|im_end|>"),
    ]
    assert sample.logprobs_T is None


@pytest.mark.parametrize("number", [0, 1])
def test_a_policy_that_read_other_tokens_is_an_error(number: int) -> None:
    turns = [*TRAJECTORY.turns]
    turns[number] = replace(turns[number], usage=replace(turns[number].usage, prompt_tokens=_first(number) + 1))
    with pytest.raises(
        ParityError, match=rf"session s, turn {number + 1}: the policy read {_first(number) + 1} tokens and "
    ):
        _sample(replace(TRAJECTORY, turns=tuple(turns)))


def _cut_short(**changes: Any) -> Trajectory:
    """Return the window whose second turn was not written to its end, as a policy reports it."""
    second = replace(TRAJECTORY.turns[1], text="", held=(), usage=Usage(), **changes)
    return replace(
        TRAJECTORY,
        turns=(TRAJECTORY.turns[0], second),
        stop=StopReason.CANCELLED,
        verdict=Verdict.FAILED,
        answer=None,
        ranking=None,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"finish": FinishReason.CANCELLED, "token_ids": (), "logprobs": ()},  # before it was read
        {"finish": FinishReason.CANCELLED, "token_ids": (14, 15), "logprobs": (-0.5, -0.5)},  # while it was written
        {"finish": FinishReason.DEADLINE, "token_ids": None, "logprobs": None},  # a server's: no ids
        {"finish": FinishReason.ERROR, "token_ids": (), "logprobs": ()},  # out of memory
        {"finish": FinishReason.OVERFLOW, "token_ids": (), "logprobs": ()},
    ],
    ids=["waiting", "partial", "deadline", "error", "overflow"],
)
def test_a_turn_that_was_not_written_to_its_end_is_left_out(changes: dict[str, Any]) -> None:
    sample = _sample(_cut_short(**changes))
    before = [word for word, *_ in ROW][: _first(1) - 2]  # up to the header of the turn that is left out
    assert [WORDS[one] for one in sample.ids_T] == before
    assert [WORDS[one] for one in sample.ids_T[sample.chosen_T]] == ["look"]
    assert sample.logprobs_T is not None
    assert sample.logprobs_T[sample.chosen_T].tolist() == [-0.5]


def test_log_probabilities_are_told_only_where_every_chosen_id_has_one() -> None:
    """A server that gives the ids of one turn and not of the other: what it chose there has no log-probability."""
    first, second = TRAJECTORY.turns
    sample = _sample(replace(TRAJECTORY, turns=(first, replace(second, token_ids=None, logprobs=None, held=()))))
    assert [WORDS[one] for one in sample.ids_T[sample.chosen_T]] == [
        *("look", "<answer>[", "2", ",", "1", "]", "<|im_end|>"),
    ]
    assert sample.logprobs_T is None


def test_a_reader_of_samples_keeps_the_texts_of_ids_and_nothing_outlives_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(trajectory_to_json(TRAJECTORY) + b"\n" + trajectory_to_json(TRAJECTORY) + b"\n")
    decoded: list[int] = []

    class Counting(Words):
        def decode(self, ids: list[int]) -> str:
            decoded.extend(ids)
            return super().decode(ids)

    words = Counting()
    assert len(list(read_samples([path], words, GEOMETRY))) == 2  # type: ignore[arg-type]
    assert sorted(decoded) == sorted(set(decoded))
    kept = weakref.ref(words)
    del words
    assert kept() is None


def test_a_trajectory_of_which_nothing_is_learned_is_passed_over(tmp_path: Path) -> None:
    nothing = replace(_cut_short(finish=FinishReason.CANCELLED), turns=(), shown=TRAJECTORY.shown[:1])
    path = tmp_path / "a.jsonl"
    path.write_bytes(trajectory_to_json(nothing) + b"\n" + trajectory_to_json(TRAJECTORY) + b"\n")
    assert len(list(read_samples([path], Words(), GEOMETRY))) == 1  # type: ignore[arg-type]
