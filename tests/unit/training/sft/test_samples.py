"""Pins what is learned from: the ids of the conversation, and the loss on what the assistant wrote alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vretrver.agent.reranked import Reranked
from vretrver.agent.trajectory import PictureShown, Trajectory
from vretrver.errors import DataError, ParityError
from vretrver.models.loading import LocalModel
from vretrver.records import Query, parts_of
from vretrver.traces import reranked_to_json, trajectory_from_json
from vretrver.training.book import PictureBook, PictureBooks
from vretrver.training.sft.batches import collate, steps_of
from vretrver.training.sft.samples import Sample, messages_of, read_samples, sample_of
from vretrver.training.sft.weights import Weigh, boxes
from vretrver.world.agent.weights import lesson_weights


@pytest.fixture(scope="module")
def records(shards: list[Path]) -> list[Trajectory]:
    """The trajectories themselves."""
    return [trajectory_from_json(line) for path in shards for line in path.read_bytes().splitlines()]


def runs(sample: Sample) -> list[list[int]]:
    """Return the written ids, run by run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], sample.chosen_T.astype(int), [0]])))
    return [sample.ids_T[start:stop].tolist() for start, stop in edges.reshape(-1, 2)]


def test_written_is_what_the_assistant_said_and_the_end_of_its_turn(
    samples: list[Sample], records: list[Trajectory], loaded: LocalModel
) -> None:
    assert len(samples) == len(records) == 16
    for sample, record in zip(samples, records, strict=True):
        said = [loaded.vocabulary.decode(ids) for ids in runs(sample)]
        assert said == [f"{turn.text}<|im_end|>" for turn in record.turns]


def test_the_ids_are_the_wire_form_with_a_mark_for_every_visual_token(
    samples: list[Sample], records: list[Trajectory], loaded: LocalModel
) -> None:
    for sample, record in zip(samples, records, strict=True):
        text = loaded.vocabulary.decode(sample.ids_T.tolist())
        assert text.startswith("<|im_start|>system\nYou rank candidates by how well they match a query.")
        assert text.endswith("</answer><|im_end|>\n")
        assert text.count("<tools>") == 1
        shown = [one for one in record.shown if isinstance(one, PictureShown)]
        assert list(sample.pictures) == [picture.sha256 for picture in shown]
        assert text.count("<|image_pad|>") == sum(rows * columns for rows, columns in sample.grids)
        assert [rows * columns for rows, columns in sample.grids] == [picture.tokens for picture in shown]
        assert sample.sizes == tuple((columns * 32, rows * 32) for rows, columns in sample.grids)


def test_ids_that_were_sampled_are_kept(records: list[Trajectory], loaded: LocalModel) -> None:
    vocabulary, record = loaded.vocabulary, records[0]
    letters = [i for letter in record.turns[0].text for i in vocabulary.text(letter)]  # not how it is tokenised
    assert letters != vocabulary.text(record.turns[0].text)
    turns = [replace(record.turns[0], token_ids=tuple(letters)), *record.turns[1:]]
    found = runs(sample_of(replace(record, turns=tuple(turns)), vocabulary, loaded.folder.geometry))
    assert found[0] == letters  # the end of the turn was not sampled
    assert found[1:] == runs(sample_of(record, vocabulary, loaded.folder.geometry))[1:]


def heavy(record: Trajectory, loaded: LocalModel, weigh: Weigh) -> str:
    """Return the text of the ids that count three times."""
    sample = sample_of(record, loaded.vocabulary, loaded.folder.geometry, weigh=weigh)
    assert sample.weight_T.dtype == np.float32
    assert not sample.weight_T[~sample.chosen_T].any()
    return loaded.vocabulary.decode(sample.ids_T[sample.weight_T == 3].tolist())


def test_the_ids_of_signs_are_known(records: list[Trajectory], loaded: LocalModel) -> None:
    found = [heavy(record, loaded, lesson_weights(box=1, sign=3)) for record in records]
    said = ["".join(turn.text for turn in record.turns) for record in records]
    assert found == ["".join(sign for sign in text if sign in "+-") for text in said]
    assert any(found)


@pytest.mark.parametrize("weigh", [boxes(3), lesson_weights(box=3, sign=1)])
def test_the_ids_of_boxes_are_known(records: list[Trajectory], loaded: LocalModel, weigh: Weigh) -> None:
    for record in records:
        calls = [call for turn in record.turns for call in turn.calls if call.name == "zoom_in"]
        said = [", ".join(map(str, (call.arguments or {})["bbox_2d"])) for call in calls]
        assert heavy(record, loaded, weigh) == "".join(said)


def test_a_box_counts_as_a_box_whatever_is_in_it() -> None:
    texts = ["+", '"bbox_2d": [', "-", "5", ", ", "7", "]", " -", "-"]
    weights = lesson_weights(box=5, sign=2)(texts)
    assert weights.tolist() == [2, 1, 5, 5, 5, 5, 1, 1, 2]


def test_a_book_gives_the_bytes_of_every_picture(records: list[Trajectory], shards: list[Path]) -> None:
    book = PictureBook(shards[0].with_suffix(".pictures"))
    pictures = [shown.picture for message in messages_of(records[0]) for shown in message.pictures]
    assert pictures
    assert all((book.get(picture.sha256) or b"").startswith(b"\xff\xd8") for picture in pictures)
    book.close()


def test_a_trace_is_read_as_the_trajectories_of_its_queries(
    tmp_path: Path, records: list[Trajectory], samples: list[Sample], loaded: LocalModel
) -> None:
    query = Query(qid="q", parts=parts_of(text="the red mug"))
    trace = Reranked(query=query, hits=(), ranking=(), trajectories=tuple(records[:2]))
    (tmp_path / "run.jsonl").write_bytes(reranked_to_json(trace) + b"\n")
    read = list(read_samples([tmp_path / "run.jsonl"], loaded.vocabulary, loaded.folder.geometry))
    assert [one.ids_T.tolist() for one in read] == [one.ids_T.tolist() for one in samples[:2]]


def test_a_line_that_is_no_trajectory_is_named(tmp_path: Path, shards: list[Path], loaded: LocalModel) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(shards[0].read_bytes().splitlines()[0] + b"\n{}\n")
    with pytest.raises(DataError, match=r"a\.jsonl:2: "):
        list(read_samples([path], loaded.vocabulary, loaded.folder.geometry))


def test_steps_keep_to_the_budget_go_through_everything_and_are_the_same_every_time() -> None:
    lengths = [30 + (n * 37) % 90 for n in range(250)]
    steps = steps_of(lengths, tokens=300, seed=1, epochs=2)
    assert steps == steps_of(lengths, tokens=300, seed=1, epochs=2)
    assert steps != steps_of(lengths, tokens=300, seed=2, epochs=2)
    assert sorted(number for step in steps for number in step) == sorted([*range(250), *range(250)])
    assert all(len(step) * max(lengths[number] for number in step) <= 300 for step in steps)
    half = next(n for n in range(len(steps)) if sum(len(step) for step in steps[:n]) == 250)
    order = [number // 96 for step in steps[:half] for number in step]
    assert order == sorted(order)  # easy ones first, mixed among neighbours only


def test_a_conversation_over_the_budget_is_a_step_of_its_own() -> None:
    assert sorted(steps_of([50, 500, 40], tokens=100, seed=0)) == [[1], [2, 0]]


def test_rows_are_padded_at_their_end_and_pictures_are_in_order(
    samples: list[Sample], shards: list[Path], loaded: LocalModel
) -> None:
    books = PictureBooks([PictureBook(path.with_suffix(".pictures")) for path in shards])
    chosen = [samples[0], samples[9]]
    pad, filler = loaded.vocabulary.picture_pad, loaded.vocabulary.turn_end
    batch = collate(chosen, books, picture_pad=pad, filler=filler)
    longest = max(len(sample.ids_T) for sample in chosen)
    assert batch.ids.shape == batch.chosen.shape == batch.pads.shape == (2, longest)
    assert batch.positions.shape == (3, 2, longest)
    for row, sample in enumerate(chosen):
        length = len(sample.ids_T)
        assert batch.ids[row, :length].tolist() == sample.ids_T.tolist()
        assert set(batch.ids[row, length:].tolist()) <= {filler}
        assert not batch.chosen[row, length:].any()
    assert batch.pads.sum().item() == sum(shown.tokens for shown in batch.pictures)
    assert [shown.picture.sha256 for shown in batch.pictures] == [*chosen[0].pictures, *chosen[1].pictures]
    books.close()
    with pytest.raises(DataError, match=r"picture [0-9a-f]{12} is not in any book; synthesize"):
        collate([samples[0]], {}, picture_pad=pad, filler=filler)


def test_a_row_without_one_of_its_pictures_is_an_error_and_is_not_trained_on(
    samples: list[Sample], loaded: LocalModel
) -> None:
    pad, filler = loaded.vocabulary.picture_pad, loaded.vocabulary.turn_end
    fewer = replace(samples[0], grids=samples[0].grids[:-1], pictures=samples[0].pictures[:-1])
    with pytest.raises(ParityError, match=r"a sample has \d+ picture marks, and its \d+ pictures have \d+ visual"):
        collate([fewer], {}, picture_pad=pad, filler=filler)
