"""V-Retrver's reinforcement-learning rows: parquet with prompt, pictures, and the number of the positive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from ...records import Candidate, Query
from .items import candidates_of, query_of
from .messages import PublishedPrompt, prompt_of, texts_of_prompt, with_pictures
from .rows import PathMap, PublishedRow, object_in, objects_in, read_parquet_rows, refuse, text_in, whole_in


@dataclass(frozen=True, slots=True, kw_only=True)
class RlRow:
    """One training query with its few candidates."""

    where: str
    """Where it stands, as in `train.parquet: row 3`."""
    query: Query
    """What is asked; the instruction is part of its text, as published."""
    candidates: tuple[Candidate, ...]
    """The candidates as numbered in the prompt; the did of candidate k is `qid#k`, as the rows name none."""
    positive: int
    """Number of the relevant candidate, from 1."""
    prompt: PublishedPrompt
    """The texts to make a dialect of."""


def read_rl(
    path: Path, *, paths: PathMap | None = None, refused: Callable[[str], None] | None = None
) -> Iterator[RlRow]:
    """Yield the rows of a training file in its order.

    Args:
        path: the parquet file.
        paths: where its pictures lie; None takes every path as relative to the default root.
        refused: called with the sentence about a malformed row, which is then left out; None raises it.

    Raises:
        DataError: the file cannot be read, lacks a column, or holds a malformed row.
        MissingDependency: pyarrow is not installed.
    """
    mapped = paths or PathMap()
    for where, row in read_parquet_rows(path, ["prompt", "images", "reward_model", "extra_info"]):
        try:
            parsed = _row(row, where, mapped)
        except DataError as error:
            if refused is None:
                raise
            refused(str(error))
        else:
            yield parsed


def _row(row: PublishedRow, where: str, paths: PathMap) -> RlRow:
    info = object_in(row, "extra_info", where)
    texts = texts_of_prompt(row, where)
    prompt = prompt_of(texts, where)
    images = [paths.ref(text_in(image, "image", where), where) for image in objects_in(row, "images", where)]
    _, user, *_ = with_pictures(texts, images, where)
    query = query_of(row, info, where, paths)
    candidates = candidates_of(info, user, query, where, paths)
    positive = whole_in(object_in(row, "reward_model", where), "ground_truth", where)
    if info.get("ground_truth_position") not in (None, positive):
        refuse(where, "ground_truth_position", info["ground_truth_position"], f"{positive} as in reward_model")
    if not 1 <= positive <= len(candidates):
        refuse(where, "ground_truth", positive, f"a candidate's number from 1 to {len(candidates)}")
    return RlRow(where=where, query=query, candidates=candidates, positive=positive, prompt=prompt)
