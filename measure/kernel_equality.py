"""Shows that the shipped agent writes byte-equal turns with this kernel and with the one before it.

Run as `python -m measure kernel_equality`; it writes measure/results/kernel_equality.json and ends with status 1 when
something differs. Captured are the demonstration's queries and one window of each query of nine task shapes, with
this code and with that of an earlier commit; `--against FILE` takes a capture for the latter. `--work FOLDER` keeps
what was captured, so that parts can be run one at a time: `--runs demo`, `--runs looks --shapes 0 4`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from measure.before import KERNEL_BEFORE, code_of, run_child
from measure.envelope import RESULTS, envelope, write_result
from measure.kernel_equality_before import ARMS, WINDOW, record
from measure.looks import ITEMS, SEED
from vretrver.agent.config import AgentConfig
from vretrver.agent.plans import ReferencePlanner
from vretrver.agent.policy import Sampling
from vretrver.agent.reranker import Reranker
from vretrver.models.shipped import AGENT, ENCODER, shipped_folder
from vretrver.policies.local.policy import LocalPolicy
from vretrver.traces import read_traces
from vretrver.training.computing import computing
from vretrver.world.demo.run import run_demo
from vretrver.world.gallery import draw_gallery
from vretrver.world.looks.arms import arm_named
from vretrver.world.looks.config import LooksConfig
from vretrver.world.looks.world import LooksWorld

CHILD = Path(__file__).with_name("kernel_equality_before.py")

SHAPES = (0, 4, 7, 1, 2, 3, 6, 8, 9)
"""All task shapes."""

COMPARED = ("turns", "ranking", "stop", "prompt_sha256")
"""What must be equal."""

SHOWN = 3
"""Differences told of each run."""

Record = Mapping[str, Any]


def demo(folder: Path) -> list[dict[str, Any]]:
    """Run the demonstration with its defaults and return the records of its two arms."""
    workers = os.cpu_count() or 1
    quiet: dict[str, Any] = {"progress": lambda _: lambda _done, _total: None, "note": lambda _: None}
    run_demo(folder, items=300, queries=210, seed=7, workers=workers, **quiet)
    found = []
    for path in sorted((folder / "rankings-7-300").glob("*.jsonl")):
        found += [record(f"demo/{path.stem.rsplit('-', 1)[0]}", one) for one in read_traces(path)]
    return found


def looks(gallery: Path, queries: int, shapes: Sequence[int], arms: Sequence[str] = ARMS) -> list[dict[str, Any]]:
    """Rank one window of each query of some task shapes and return the records."""
    agent, encoder = Path(shipped_folder(AGENT)), f"lamra:{shipped_folder(ENCODER)}"
    config = LooksConfig(agent=agent, encoder=encoder, gallery=gallery, queries=queries, shapes=tuple(shapes))
    found = []
    with computing(1, subnormal=True):
        world = LooksWorld(config)
        policy = LocalPolicy.of_folder(agent, dtype="bfloat16", device="cpu", in_flight=config.in_flight)
        for task in shapes:
            asked = world.asked(task)
            for name in (one for one in ARMS if one in arms):
                arm = arm_named(name, config, world.labels)
                settings = AgentConfig(
                    dialect=arm.dialect,
                    views=arm.views,
                    planner=ReferencePlanner(depth=WINDOW, size=WINDOW, stride=WINDOW),
                    sampling=Sampling(max_tokens=512),
                    complete_answers=arm.complete,
                )
                pairs = [(one.query, world.hits(task, one.window(WINDOW))) for one in asked]
                # One thread, as before: with a pool, timing decides which sessions share a batch.
                ran = Reranker(policy, world.images, settings, workers=0).rerank_many(pairs)
                found += [record(f"looks/{name}/{task}", one) for one in ran]
    return found


def compared(before: Sequence[Record], now: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Return run -> how many sessions there are on both sides, and how many agree in what.

    Runs that one side lacks altogether are left out: parts can be captured one at a time.
    """
    old, new = _by_run(before), _by_run(now)
    return {run: _compared(old[run], new[run]) for run in sorted(old.keys() & new.keys())}


def _by_run(records: Sequence[Record]) -> dict[str, dict[str, Record]]:
    runs: dict[str, dict[str, Record]] = {}
    for one in records:
        qid = one["session"].rpartition("/")[0]  # sessions are named `qid/w0`
        runs.setdefault(one["run"], {})[qid] = one
    return runs


def _compared(old: Mapping[str, Record], new: Mapping[str, Record]) -> dict[str, Any]:
    both = sorted(old.keys() & new.keys())
    differing = [qid for qid in both if any(old[qid][part] != new[qid][part] for part in COMPARED)]
    return {
        "sessions": len(both),
        "only_before": len(old.keys() - new.keys()),
        "only_now": len(new.keys() - old.keys()),
        "turns": sum(len(old[qid]["turns"]) for qid in both),
        **{f"{part}_equal": sum(old[qid][part] == new[qid][part] for qid in both) for part in COMPARED},
        "first_differences": [_difference(qid, old[qid], new[qid]) for qid in differing[:SHOWN]],
    }


def _difference(qid: str, old: Record, new: Record) -> dict[str, Any]:
    """Return the parts of a query that differ; of its turns the first that does."""
    found: dict[str, Any] = {"qid": qid}
    for part in COMPARED:
        if old[part] != new[part]:
            found[part] = [old[part], new[part]]
    if "turns" in found:
        number = next(
            (n for n, pair in enumerate(zip(old["turns"], new["turns"], strict=False)) if pair[0] != pair[1]),
            min(len(old["turns"]), len(new["turns"])),
        )
        found["turns"] = {"number": number, "texts": [side["turns"][number : number + 1] for side in (old, new)]}
    return found


def is_equal(runs: Mapping[str, Mapping[str, Any]]) -> bool:
    """Say whether there is something to compare and nothing differs."""
    return bool(runs) and all(
        not run["only_before"] and not run["only_now"] and all(run[f"{p}_equal"] == run["sessions"] for p in COMPARED)
        for run in runs.values()
    )


@contextmanager
def working(folder: Path | None) -> Iterator[Path]:
    """Yield the folder, or one that is gone afterwards."""
    with nullcontext(folder) if folder else tempfile.TemporaryDirectory() as named:
        path = Path(named).resolve()
        for side in ("before", "now"):
            (path / side).mkdir(parents=True, exist_ok=True)
        yield path


def capture(work: Path, options: argparse.Namespace) -> tuple[list[Record], list[Record]]:
    """Capture what is asked for and not in the folder yet; returns the records of both sides."""
    parts = [("demo", [])] * ("demo" in options.runs)
    gallery = options.gallery or work / "report.gallery"
    if "looks" in options.runs:
        gallery.parent.mkdir(parents=True, exist_ok=True)
        draw_gallery(gallery, seed=SEED, items=options.items, workers=os.cpu_count() or 1)
        parts += [("looks", [shape]) for shape in options.shapes]
    sides: dict[str, list[Record]] = {"before": [], "now": []}
    if options.against is not None:
        sides["before"] = json.loads(options.against.read_text(encoding="utf-8"))
    with code_of(options.before) if options.against is None else nullcontext() as before:
        for part, shapes in parts:
            for side in ("now",) if before is None else ("before", "now"):
                name = "-".join([part, *map(str, shapes), *([str(options.queries)] if shapes else [])])
                path = work / side / f"{name}.json"
                if not path.is_file():
                    print(f"{side}: {name}", flush=True)
                    _capture(path, part, shapes, gallery, options, code=before if side == "before" else None)
                sides[side] += json.loads(path.read_text(encoding="utf-8"))
    return sides["before"], sides["now"]


def _capture(
    path: Path, part: str, shapes: Sequence[int], gallery: Path, options: argparse.Namespace, *, code: Path | None
) -> None:
    """Write one part of one side; each side draws the demonstration's catalogue for itself."""
    if code is not None:
        words = (
            [str(path.parent / "demo")] if part == "demo" else [str(gallery), str(options.queries), *map(str, shapes)]
        )
        run_child(CHILD, [str(path), part, *words], code=code)
        return
    records = demo(path.parent / "demo") if part == "demo" else looks(gallery, options.queries, shapes, options.arms)
    path.write_text(json.dumps(records), encoding="utf-8")


def main() -> int:
    """Capture, compare, and write the result file; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", nargs="+", choices=("demo", "looks"), default=["demo", "looks"])
    parser.add_argument("--shapes", type=int, nargs="+", default=list(SHAPES))
    parser.add_argument("--queries", type=int, default=100, help="of each task shape")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), help="of the task shapes, now")
    parser.add_argument("--items", type=int, default=ITEMS, help="of the catalogue; a multiple of 5")
    parser.add_argument("--gallery", type=Path, help="where its pictures are kept; drawn where missing")
    parser.add_argument("--before", default=KERNEL_BEFORE, help="commit of the earlier kernel")
    parser.add_argument("--against", type=Path, help="a capture of the earlier kernel, in place of its code")
    parser.add_argument("--work", type=Path, help="keeps what was captured")
    parser.add_argument("--out", type=Path, default=RESULTS / "kernel_equality.json")
    options = parser.parse_args()
    with working(options.work) as work:
        runs = compared(*capture(work, options))
    settings = {"before": options.before, "runs": options.runs, "shapes": options.shapes, "queries": options.queries}
    equal = is_equal(runs)
    write_result(options.out, {**envelope("kernel_equality"), "settings": settings, "equal": equal, "runs": runs})
    for name, run in runs.items():
        parts = ", ".join(f"{part} {run[f'{part}_equal']}" for part in COMPARED)
        print(f"{name}: {run['sessions']} sessions, equal in {parts}")
    return 0 if equal else 1
