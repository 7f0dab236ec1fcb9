"""The sentences that tell a model what kind of item a query wants, and M-BEIR's table of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ..errors import DataError
from ..records import Modality
from .mbeir_ids import split_id
from .rows import read_lines

TASKS: Mapping[int, tuple[Modality, Modality]] = {
    0: ("text", "image"),
    1: ("text", "text"),
    2: ("text", "image,text"),
    3: ("image", "text"),
    4: ("image", "image"),
    5: ("image", "image,text"),
    6: ("image,text", "text"),
    7: ("image,text", "image"),
    8: ("image,text", "image,text"),
    9: ("image,text", "image"),
}
"""Task id -> modality of its queries and of its candidates."""

MODALITIES: Mapping[object, Modality] = {
    "text": "text",
    "image": "image",
    "image,text": "image,text",
    "text,image": "image,text",
}
"""Spellings found in M-BEIR's files -> modality."""


class Instructions:
    """The sentences that tell a query's task, by data set and modalities.

    Args:
        prompts: (dataset id, query modality, candidate modality) -> sentences, at least one.
        name: what the table is called in messages.
    """

    def __init__(self, prompts: Mapping[tuple[int, Modality, Modality], tuple[str, ...]], *, name: str) -> None:
        self.prompts = dict(prompts)
        self.name = name

    def choose(self, qid: str, task: int, *, seed: int | None = None) -> str:
        """Return the first sentence for a query's data set and task or, with a seed, one drawn by seed and qid.

        M-BEIR's own code draws anew in every run, which moves results between runs. Raises DataError when the
        table has no row for the query.
        """
        key = (split_id(qid)[0], *TASKS[task])
        prompts = self.prompts.get(key)
        if not prompts:
            raise DataError(f"{self.name}: no instruction for dataset {key[0]}, {key[1]} -> {key[2]}; add a row")
        if seed is None:
            return prompts[0]
        digest = hashlib.blake2b(f"{seed}|{qid}".encode(), digest_size=8).digest()
        return prompts[int.from_bytes(digest, "big") % len(prompts)]


def read_instructions(path: Path) -> Instructions:
    """Read the tab-separated table of instructions; raises DataError naming path:line."""
    prompts: dict[tuple[int, Modality, Modality], tuple[str, ...]] = {}
    for place, (where, line) in enumerate(read_lines(path)):
        fields = [field.strip() for field in line.split("\t")]
        if place == 0:
            if fields[:4] != ["query_modality", "cand_modality", "dataset_name", "dataset_id"]:
                raise DataError(f"{where}: the first line must name the columns query_modality, cand_modality, ...")
            continue
        query, candidate = MODALITIES.get(fields[0]), MODALITIES.get(fields[1] if len(fields) > 1 else "")
        sentences = tuple(field for field in fields[4:] if field)
        if query is None or candidate is None or not fields[3:4] or not fields[3].isdecimal() or not sentences:
            raise DataError(
                f"{where}: a row needs two modalities, a data set's name and number and a prompt: {line!r}"
            )
        prompts[int(fields[3]), query, candidate] = sentences
    return Instructions(prompts, name=str(path))
