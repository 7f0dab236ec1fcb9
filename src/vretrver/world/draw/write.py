"""Writing a catalogue to disk: pictures, pools, queries, qrels, instructions, evidence, manifest.

What is guaranteed: the drawn pixels, ids, texts and boxes depend on seed and items only, on any machine. Pictures are
JPEG files of quality 92 without chroma subsampling; equal drawn pixels give equal files with one version of
libjpeg-turbo, and the hashes of files and of decoded pixels are recorded, so that another one can be checked.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from PIL import Image

from ...errors import DataError
from ...files import replace_file
from ...processes import mapped
from .journal import JOURNAL_FILE, Written, open_journal, save_journal
from .plan import DATASET, Item, make_plan, shots_of
from .render import label_place, render
from .tasks import INSTRUCTIONS, NAME, SHAPES, PoolName, Shape, TaskRow, World, candidate_rows, make_world, query_rows
from .truth import EVIDENCE_FILE, EvidenceRow
from .world import Shot

GENERATOR = 1
"""Version of everything that decides about pixels, ids and texts."""

QUALITY = 92
"""JPEG quality of the native pictures."""

MANIFEST_FILE = "manifest.json"
"""Written last: a folder that has it is complete."""

Progress = Callable[[int, int], None]
"""Called with pictures done and pictures in all."""

_CHUNK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSummary:
    """What a catalogue holds."""

    directory: Path
    """Where it is."""
    seed: int
    """Its seed."""
    items: int
    """Products."""
    split: str
    """Name of the split the queries are written as."""
    pictures: int
    """Pictures: one of each item for the pools, one for queries."""
    drawn: int
    """Pictures that this run drew; the others were there."""
    queries: int
    """Queries over all task shapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    shot: Shot
    path: str


def write_catalogue(
    out: Path,
    *,
    seed: int,
    items: int,
    split: str = "test",
    workers: int = 1,
    progress: Progress | None = None,
) -> CatalogueSummary:
    """Write a catalogue, or what is missing of it.

    Args:
        out: folder to write; one with a part of the same catalogue is completed.
        seed: which world; different seeds share nothing but the alphabet of details.
        items: products; a multiple of 5.
        split: split that the query files name; lower-case letters.
        workers: processes that draw; 1 draws in this one. More need a main module that can be imported again.
        progress: called after every few pictures.

    Raises:
        DataError: `items` or `split` is impossible, `out` cannot be written or holds another catalogue.
    """
    if not re.fullmatch("[a-z]+", split):
        raise DataError(f"a split cannot be called {split!r}: use lower-case letters, for example test")
    plan = make_plan(seed, items)
    title = f"catalogue generator={GENERATOR} seed={seed} items={items} split={split}"
    written = open_journal(out, title)
    jobs = [_Job(shot=shot, path=path) for path, shot in shots_of(plan).items() if path not in written]
    with (out / JOURNAL_FILE).open("a", encoding="utf-8") as journal:
        for entry in mapped(partial(_draw, out), jobs, workers=workers, chunk=_CHUNK):
            journal.write(entry.line())
            journal.flush()
            written[entry.path] = entry
            if progress is not None:
                progress(len(written), 2 * items)
    save_journal(out, title, written)
    files = _text_files(make_world(seed, plan), split)
    for name, data in files.items():
        _put(out / name, data)
    summary = CatalogueSummary(
        directory=out,
        seed=seed,
        items=items,
        split=split,
        pictures=len(written),
        drawn=len(jobs),
        queries=len(SHAPES) * items,
    )
    replace_file(out / MANIFEST_FILE, _manifest(summary, files, out / JOURNAL_FILE))
    return summary


def is_catalogue(folder: Path) -> bool:
    """Say whether a folder holds a finished drawn catalogue, of whatever generator."""
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and "generator" in manifest


def encode_native(shot: Shot) -> tuple[bytes, bytes]:
    """Return the JPEG file of a shot and its decoded pixels, row by row."""
    stream = io.BytesIO()
    Image.fromarray(render(shot)).save(stream, "JPEG", quality=QUALITY, subsampling="4:4:4")
    with Image.open(stream) as decoded:
        return stream.getvalue(), decoded.tobytes()


def _draw(out: Path, job: _Job) -> Written:
    data, pixels = encode_native(job.shot)
    _put(out / job.path, data)
    return Written(
        path=job.path,
        file_sha256=hashlib.sha256(data).hexdigest(),
        pixels_sha256=hashlib.sha256(pixels).hexdigest(),
    )


def _put(path: Path, data: bytes) -> None:
    """Write a file and the folders above it; the journal's hashes tell after a power cut what has to be redone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, data, sync=False)


def _text_files(world: World, split: str) -> dict[str, bytes]:
    """Return every file but pictures, journal and manifest, by path."""
    files: dict[str, bytes] = {}
    pools: dict[PoolName, list[TaskRow]] = {}
    for place, shape in enumerate(SHAPES):
        pool = pools.setdefault(shape.pool, candidate_rows(world, shape.pool))
        queries = query_rows(world, shape, first=place * len(world.items) + 1)
        stem = f"mbeir_{NAME}_task{shape.task}"
        files[f"cand_pool/local/{stem}_cand_pool.jsonl"] = _jsonl(pool)
        files[f"query/{split}/{stem}_{split}.jsonl"] = _jsonl(queries)
        files[f"qrels/{split}/{stem}_{split}_qrels.txt"] = _qrels(queries, shape)
    files["instructions/query_instructions.tsv"] = _instructions()
    files[EVIDENCE_FILE] = _jsonl(evidence.to_row() for evidence in _evidence(world.items))
    return files


def _evidence(items: Iterable[Item]) -> list[EvidenceRow]:
    found = [
        EvidenceRow(
            path=path,
            did=did,
            family=item.family.index,
            twin=item.twin,
            detail=item.detail.words(),
            box=label_place(item.shot(view)).box,
        )
        for item in items
        for view, (path, did) in enumerate(((item.picture, item.picture_did), (item.query_picture, None)))
    ]
    return sorted(found, key=lambda evidence: evidence.path)


def _jsonl(rows: Iterable[Mapping[str, object]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _qrels(queries: Sequence[TaskRow], shape: Shape) -> bytes:
    """Return qrels lines `qid 0 did 1 task`; each query has one relevant candidate."""
    judged = [(row["qid"], did) for row in queries for did in cast(list[str], row["pos_cand_list"])]
    return "".join(f"{qid} 0 {did} 1 {shape.task}\n" for qid, did in judged).encode()


def _instructions() -> bytes:
    header = ("query_modality", "cand_modality", "dataset_name", "dataset_id", "prompt_1", "prompt_2")
    rows = [(query, candidate, NAME.upper(), str(DATASET), *prompts) for query, candidate, *prompts in INSTRUCTIONS]
    return "".join("\t".join(row) + "\n" for row in (header, *rows)).encode()


def _manifest(summary: CatalogueSummary, files: Mapping[str, bytes], journal: Path) -> bytes:
    """Return the manifest: what the catalogue is, and the hash of every file of text."""
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    hashes[JOURNAL_FILE] = hashlib.sha256(journal.read_bytes()).hexdigest()
    manifest = {
        "generator": GENERATOR,
        "seed": summary.seed,
        "items": summary.items,
        "split": summary.split,
        "counts": {
            "pictures": summary.pictures,
            "queries": summary.queries,
            "queries_per_task": {str(shape.task): summary.items for shape in SHAPES},
        },
        "sha256": dict(sorted(hashes.items())),
    }
    return (json.dumps(manifest, indent=2) + "\n").encode()
