"""Criterion (d), second half: probes fed everything about a written catalogue but its pixels.

One gets, for a text query and the five twins of its positive, ids, order in every file, file names, file sizes and
texts. Another gets the sizes of files that carry five fixed codes, where a code's own size could show.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vretrver.world.draw.glyphs import EMBLEM, PRINT, STITCH
from vretrver.world.draw.write import write_catalogue

from .datasets import load_set, picture_sets
from .listwise import pick_right
from .pictures import shown_thumbnail
from .plan import TWINS
from .settings import KINDS, Settings

TASKS = {
    0: "ids, order, sizes and texts, text to picture",
    2: "ids, order, sizes and texts, text to picture with text",
}
"""M-BEIR task shapes that are probed, and what the result is called."""

BUCKETS = 16
"""Buckets that the words of a text are counted in."""

PLAIN = 5
"""First numbers of a candidate, which are also given as ranks among the five: id, line, name, two sizes."""

Numbers = NDArray[np.float64]


def run_metadata(settings: Settings, work: Path) -> dict[str, object]:
    """Write a catalogue, run both probes; returns a JSON-ready result."""
    root = work / "written"
    write_catalogue(root, seed=settings.seed, items=settings.written_items)
    shares = {
        name: asdict(pick_right(*read_choices(root, task), seed=settings.seed + task)) for task, name in TASKS.items()
    }
    for number, kind in enumerate(KINDS):
        pictures = load_set(work, picture_sets(settings, kind)["test"])
        table = size_choices(pictures.sizes.astype(np.float64), pictures.families)
        share = pick_right(table, pictures.labels[:, 0], pictures.families, seed=settings.seed + 50 + number)
        shares[f"file sizes of five fixed codes, {kind}"] = asdict(share)
    return {"items": settings.written_items, "shares": shares}


def size_choices(sizes: Numbers, families: NDArray[np.int64]) -> Numbers:
    """Return [N, 5, 9]: for each picture and each code it might carry, the picture's sizes and the code.

    Sizes are given as they are and against the mean of the picture's family.
    """
    _, position = np.unique(families, return_inverse=True)
    means = np.stack([np.bincount(position, column) / np.bincount(position) for column in sizes.T], axis=1)
    numbers = np.concatenate([sizes, sizes - means[position]], axis=1)
    repeated = np.repeat(numbers[:, None], TWINS, axis=1)
    codes = np.broadcast_to(np.eye(TWINS), (len(sizes), TWINS, TWINS))
    return np.concatenate([repeated, codes], axis=2)


def read_choices(root: Path, task: int) -> tuple[Numbers, NDArray[np.int64], NDArray[np.int64]]:
    """Return ([N, 5, D] features, [N] number of the positive, [N] family) of every query of a task shape.

    The five alternatives are the positive and its judged negatives, in the order of a hash of query and id.
    """
    pool = _read_pool(root, root / "cand_pool" / "local" / f"mbeir_catalogue_task{task}_cand_pool.jsonl")
    queries = _rows(root / "query" / "test" / f"mbeir_catalogue_task{task}_test.jsonl")
    features: list[Numbers] = []
    truth: list[int] = []
    families: list[int] = []
    known: dict[frozenset[str], int] = {}
    for line, query in enumerate(queries):
        (positive,) = query["pos_cand_list"]
        twins = sorted({positive, *query["neg_cand_list"]}, key=lambda did: _hashed(f"{query['qid']} {did}"))
        features.append(_choice_features(query, line, np.stack([pool[did] for did in twins])))
        truth.append(twins.index(positive))
        families.append(known.setdefault(frozenset(twins), len(known)))
    return np.stack(features), np.array(truth), np.array(families)


def _read_pool(root: Path, path: Path) -> dict[str, Numbers]:
    """Return what the files tell of each candidate: id, line, name, sizes in bytes, counted words of its text."""
    pool: dict[str, Numbers] = {}
    for line, row in enumerate(_rows(path)):
        data = (root / row["img_path"]).read_bytes()
        _, shown = shown_thumbnail(data)
        plain = [_number(row["did"]), line, _number(Path(row["img_path"]).stem), len(data), shown]
        pool[row["did"]] = np.array([*plain, *_counted_words(row.get("txt") or "")], dtype=np.float64)
    return pool


def _choice_features(query: dict[str, Any], line: int, twins: Numbers) -> Numbers:
    """Return [5, D]: each twin's numbers, their ranks, their distance from the query's, and the query."""
    ranks = twins[:, :PLAIN].argsort(axis=0).argsort(axis=0)
    own = np.array([_number(query["qid"]), line], dtype=np.float64)
    text = query["query_txt"]
    asked = np.concatenate([own, _counted_words(text), _asked_marks(text)])
    return np.concatenate([twins, ranks, twins[:, :2] - own, np.tile(asked, (len(twins), 1))], axis=1)


def _asked_marks(text: str) -> Numbers:
    """Return which mark of a code stands where, and which named marks a query asks for."""
    code = re.search(r"\b[A-Z0-9]{3}\b", text)
    letters = [[float(code[0][place] == mark) for mark in PRINT] for place in range(3)] if code else []
    named = [float(name in text.lower()) for name in (*EMBLEM, *STITCH)]
    flat = [value for row in letters for value in row] or [0.0] * (3 * len(PRINT))
    return np.array([*flat, *named])


def _counted_words(text: str) -> Numbers:
    counts = np.zeros(BUCKETS)
    for word in text.lower().split():
        counts[_hashed(word) % BUCKETS] += 1
    return counts


def _number(identifier: str) -> int:
    """Return the number that an id or a file name ends in."""
    return int(identifier.split(":")[-1])


def _hashed(text: str) -> int:
    return zlib.crc32(text.encode())


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
