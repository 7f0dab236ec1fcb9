"""Files of the M-BEIR benchmark and of data sets in its layout: queries, candidate pools, instructions.

Readers are lazy: a pool of millions of rows is read row by row. Two things are ours: the optional query field
`query_parts` (an ordered list of {"text": ...} and {"image": path}) for interleaved queries, and task 9 for them.
Qrels lines are read by `runs.read_qrels`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from ..errors import DataError
from ..records import Candidate, ImagePart, ImageRef, Modality, Part, Query, TextPart, modality_of, parts_of
from ..runs import Qrels, read_qrels
from .instructions import MODALITIES, TASKS, Instructions, read_instructions
from .mbeir_ids import is_id
from .rows import RowSource, picture_path, read_objects


@dataclass(frozen=True, slots=True, kw_only=True)
class MbeirQuery:
    """One row of a query file."""

    query: Query
    """What is asked."""
    positives: tuple[str, ...]
    """Dids judged relevant; empty in an unjudged file."""
    negatives: tuple[str, ...]
    """Dids judged not relevant although they look it."""
    task: int
    """Task id, a key of `TASKS`."""
    modality: Modality
    """Modality of the query."""
    source: str | None
    """`query_src_content` as it stands in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MbeirSet:
    """The files of one data set, task and split."""

    directory: Path
    """Root of the layout; picture paths are relative to it."""
    task: int
    """Task id; rows of other tasks in the query file are left out."""
    queries_file: Path
    """JSONL of queries."""
    pool_file: Path
    """JSONL of candidates."""
    qrels_file: Path | None
    """Qrels, or None where the layout has none: the queries' own lists are used."""
    instructions_file: Path | None
    """Table of instructions, or None."""

    def queries(self, *, seed: int | None = None, root: str = "") -> Iterator[MbeirQuery]:
        """Yield the queries with their instructions; see `read_queries`."""
        table = read_instructions(self.instructions_file) if self.instructions_file else None
        for row in read_queries(self.queries_file, instructions=table, seed=seed, root=root):
            if row.task == self.task:
                yield row

    def candidates(self, *, root: str = "") -> Iterator[Candidate]:
        """Yield the candidate pool; see `read_candidates`."""
        return read_candidates(self.pool_file, root=root)

    def qrels(self) -> Qrels:
        """Return the judgements of the qrels file or, without one, those of the query file."""
        if self.qrels_file is not None:
            return read_qrels(self.qrels_file)
        return Qrels(judged={row.query.qid: dict.fromkeys(row.positives, 1) for row in self.queries()})


def open_mbeir(
    directory: Path, *, dataset: str, task: int, split: str = "test", pool: Literal["local", "global"] = "local"
) -> MbeirSet:
    """Find the files of one configuration by their names.

    Args:
        directory: folder that holds `query`, `cand_pool` and so on.
        dataset: name as in file names, for example `mscoco`.
        task: task id, a key of `TASKS`.
        split: `train`, `val` or `test`; training queries of all tasks share one file.
        pool: `local` for the task's own pool, `global` for the union of all data sets.

    Raises:
        DataError: there is no such configuration; the message lists those there are.
    """
    if task not in TASKS:
        raise DataError(f"task {task} is unknown; M-BEIR's tasks are {sorted(TASKS)}")
    stem = f"mbeir_{dataset}_task{task}"
    queries = _first(directory / "query" / split, f"{stem}_{split}.jsonl", f"mbeir_{dataset}_{split}.jsonl")
    if queries is None:
        known = ", ".join(f"{name} task {k} {part}" for name, k, part in list_mbeir(directory)) or "none"
        raise DataError(f"{directory}: no queries of {dataset} task {task} {split}; there are: {known}")
    pools = directory / "cand_pool" / pool
    names = [f"{stem}_{split}_cand_pool.jsonl", f"{stem}_cand_pool.jsonl"]  # MSCOCO's pools carry the split
    names = names if pool == "local" else [f"mbeir_union_{split}_cand_pool.jsonl"]
    pool_file = _first(pools, *names)
    if pool_file is None:
        raise DataError(f"{pools}: no pool of {dataset} task {task} {split}; looked for {' and '.join(names)}")
    qrels = directory / "qrels" / split
    return MbeirSet(
        directory=directory,
        task=task,
        queries_file=queries,
        pool_file=pool_file,
        qrels_file=_first(qrels, f"{stem}_{split}_qrels.txt", f"mbeir_{dataset}_{split}_qrels.txt"),
        instructions_file=_first(directory / "instructions", "query_instructions.tsv"),
    )


def list_mbeir(directory: Path) -> list[tuple[str, int, str]]:
    """Return (dataset, task, split) of every query file that names its task, sorted."""
    name = re.compile(r"mbeir_(.+)_task(\d+)_([a-z]+)\.jsonl")
    found = (name.fullmatch(path.name) for path in directory.glob("query/*/mbeir_*.jsonl"))
    return sorted((match[1], int(match[2]), match[3]) for match in found if match)


def read_candidates(source: RowSource, *, root: str = "", name: str | None = None) -> Iterator[Candidate]:
    """Yield the candidates of a pool in the order of the file.

    `src_content` is kept as metadata of that name. Repeated dids are not looked for: a pool may be larger than
    memory. Raises DataError naming path:line.
    """
    for where, row in read_objects(source, name=name):
        parts = _parts(where, row, text="txt", image="img_path", modality="modality", root=root)
        content = _text(where, row, "src_content")
        yield Candidate(
            did=_id(where, row.get("did"), "did"),
            parts=parts,
            metadata={} if content is None else {"src_content": content},
        )


def read_queries(
    source: RowSource,
    *,
    instructions: Instructions | None = None,
    seed: int | None = None,
    root: str = "",
    name: str | None = None,
) -> Iterator[MbeirQuery]:
    """Yield the queries of a file in its order.

    Args:
        source: file or stream.
        instructions: table to take each query's instruction from; without it instructions are empty.
        seed: draw among a row's instructions; None takes the first.
        root: name of the image root of the query pictures.
        name: what a stream is called in messages.

    Raises:
        DataError: naming path:line.
    """
    for where, row in read_objects(source, name=name):
        qid, task = _id(where, row.get("qid"), "qid"), row.get("task_id")
        if type(task) is not int or task not in TASKS:
            raise DataError(f"{where}: task_id {task!r} is not one of {sorted(TASKS)}")
        parts = _parts(where, row, text="query_txt", image="query_img_path", modality="query_modality", root=root)
        instruction = instructions.choose(qid, task, seed=seed) if instructions else ""
        yield MbeirQuery(
            query=Query(qid=qid, parts=parts, instruction=instruction),
            positives=_dids(where, row, "pos_cand_list"),
            negatives=_dids(where, row, "neg_cand_list"),
            task=task,
            modality=modality_of(parts),
            source=_text(where, row, "query_src_content"),
        )


def _first(folder: Path, *names: str) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _parts(
    where: str, row: Mapping[str, object], *, text: str, image: str, modality: str, root: str
) -> tuple[Part, ...]:
    declared = MODALITIES.get(_text(where, row, modality))
    if declared is None:
        raise DataError(f"{where}: {modality} {row.get(modality)!r} is not one of text, image, image,text")
    if text == "query_txt" and row.get("query_parts") is not None:
        parts = tuple(_part(where, item, root) for item in _list(where, row, "query_parts"))
    else:
        path = _text(where, row, image)
        images = [ImageRef(path=picture_path(path, where), root=root)] if path else []
        parts = parts_of(text=_text(where, row, text), images=images)
    found = modality_of(parts) if parts else "nothing"
    if found != declared:
        raise DataError(f"{where}: {modality} says {declared!r} but the row holds {found}; correct one of them")
    return parts


def _part(where: str, item: object, root: str) -> Part:
    match item:
        case {"text": str(text), **rest} if text and not rest:
            return TextPart(text=text)
        case {"image": str(path), **rest} if not rest:
            return ImagePart(image=ImageRef(path=picture_path(path, where), root=root))
        case _:
            raise DataError(f'{where}: query_parts holds {item!r}; a part is {{"text": ...}} or {{"image": path}}')


def _id(where: str, value: object, field: str) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise DataError(f"{where}: {field} {value!r} is not of M-BEIR's form dataset:number, as in 9:42")
    return value


def _dids(where: str, row: Mapping[str, object], field: str) -> tuple[str, ...]:
    """Return the dids of a list of ids or, as in old cards, of objects with a did."""
    items = _list(where, row, field)
    return tuple(_id(where, item.get("did") if isinstance(item, dict) else item, field) for item in items)


def _list(where: str, row: Mapping[str, object], field: str) -> list[object]:
    value = row.get(field)
    if value is None:
        return []
    return value if isinstance(value, list) else _refuse(where, field, value, "a list")


def _text(where: str, row: Mapping[str, object], field: str) -> str | None:
    """Return a text or None; an empty text counts as absent."""
    value = row.get(field)
    if value is None or isinstance(value, str):
        return value or None
    return _refuse(where, field, value, "a text")


def _refuse(where: str, field: str, value: object, wanted: str) -> NoReturn:
    raise DataError(f"{where}: {field} must be {wanted} or null, got {value!r}")
