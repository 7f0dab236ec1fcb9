"""What `kernel_equality` captures with the code of the kernel before this one; runs in a process of its own.

    python measure/kernel_equality_before.py OUT demo FOLDER
    python measure/kernel_equality_before.py OUT looks GALLERY QUERIES SHAPE ...

Imports nothing of `measure`, and names of that commit only. OUT gets the records as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

ARMS = ("agent", "complete-answers")
WINDOW = 20


def main() -> None:
    """Capture what the command line names."""
    out, part, *words = sys.argv[1:]
    records = demo(Path(words[0])) if part == "demo" else looks(Path(words[0]), int(words[1]), [*map(int, words[2:])])
    Path(out).write_text(json.dumps(records), encoding="utf-8")


def demo(folder: Path) -> list[dict[str, Any]]:
    """Run the demonstration with its defaults and return the records of its two arms."""
    from vretrver.demo.run import run_demo

    from vretrver.traces import read_traces

    workers = os.cpu_count() or 1
    quiet: dict[str, Any] = {"progress": lambda _: lambda _done, _total: None, "note": lambda _: None}
    run_demo(folder, items=300, queries=210, seed=7, workers=workers, **quiet)
    found = []
    for path in sorted((folder / "rankings-7-300").glob("*.jsonl")):
        found += [record(f"demo/{path.stem.rsplit('-', 1)[0]}", one) for one in read_traces(path)]
    return found


def looks(gallery: Path, queries: int, shapes: list[int]) -> list[dict[str, Any]]:
    """Rank one window of each query of some task shapes and return the records."""
    import torch
    from vretrver.agent.schedule import ReferenceSchedule
    from vretrver.experiments.looks.arms import arm_named
    from vretrver.experiments.looks.config import LooksConfig
    from vretrver.experiments.looks.world import LooksWorld

    from vretrver.agent.reranker import AgentConfig, Reranker
    from vretrver.models.shipped import AGENT, shipped_folder
    from vretrver.policies.local.policy import LocalPolicy

    torch.set_num_threads(1)
    agent = Path(shipped_folder(AGENT))
    encoder = f"lamra:{agent.parent / 'encoder'}"
    config = LooksConfig(agent=agent, encoder=encoder, gallery=gallery, queries=queries, shapes=tuple(shapes))
    world = LooksWorld(config)
    policy = LocalPolicy.of_folder(agent, dtype="bfloat16", device="cpu", in_flight=config.in_flight)
    found = []
    for task in shapes:
        asked = world.asked(task)
        for name in ARMS:
            arm = arm_named(name, config, world.labels)
            schedule = ReferenceSchedule(depth=WINDOW, size=WINDOW, stride=WINDOW)
            settings = AgentConfig(dialect=arm.dialect, views=arm.views, schedule=schedule)
            sampling = replace(settings.sampling, max_tokens=512, complete_answers=arm.complete)
            reranker = Reranker(policy, world.images, replace(settings, sampling=sampling))
            pairs = [(one.query, world.hits(task, one.window(WINDOW))) for one in asked]
            found += [record(f"looks/{name}/{task}", one) for one in reranker.rerank_many(pairs)]
    return found


def record(run: str, reranked: Any) -> dict[str, Any]:
    """Return what is compared of a query; each has one window."""
    (trajectory,) = reranked.trajectories
    return {
        "run": run,
        "session": trajectory.session,
        "turns": [turn.text for turn in trajectory.turns],
        "ranking": [ranked.did for ranked in reranked.ranking],
        "stop": str(trajectory.stop),
        "prompt_sha256": trajectory.prompt_sha256,
    }


if __name__ == "__main__":
    main()
