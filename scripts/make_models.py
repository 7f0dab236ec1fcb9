#!/usr/bin/env python3
"""Make the shipped models again, stage by stage; one that is done is skipped, one that was stopped goes on.

Works in build/models and copies the two models into the package. Run it as `make models`; `make twin`, afterwards,
trains the agent's twin without tools, which does not ship.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "models"
SHIPPED = ROOT / "src" / "vretrver" / "shipped"
PICTURES = ("pictures", "--workers", str(os.cpu_count() or 1), "--items")
LOOK = ("perception", "--config", "configs/train_perception_look.yaml")
AGAIN = ("start=build/models/perception-look/checkpoint.pt", "steps=800", "lr=0.0009", "seed=3")
STAGES = {
    "train.gallery": ((*PICTURES, "20000", "--seed", "1001"), "train.gallery"),
    "held.gallery": ((*PICTURES, "1000", "--seed", "2001"), "held.gallery"),
    "tokenizer": (("tokenizer",), "tokenizer/tokenizer_config.json"),
    "perception": (("perception", "--config", "configs/train_perception.yaml"), "perception/tower.pt"),
    "perception-finish": (
        ("perception", "--config", "configs/train_perception_finish.yaml"),
        "perception-finish/tower.pt",
    ),
    "perception-look": (LOOK, "perception-look/tower.pt"),
    "perception-last": ((*LOOK, *(word for value in AGAIN for word in ("--set", value))), "perception-last/tower.pt"),
    "embed": (("embed", "--config", "configs/train_embed.yaml"), "embed/model/config.json"),
    "expert-words": (("expert", "--config", "configs/train_expert_words.yaml"), "expert-words/config.yaml"),
    "sft-words": (("sft", "--config", "configs/train_sft_words.yaml"), "sft-words/model/config.json"),
    "expert-short": (("expert", "--config", "configs/train_expert_short.yaml"), "expert-short/config.yaml"),
    "sft-short": (("sft", "--config", "configs/train_sft_short.yaml"), "sft-short/model/config.json"),
    "expert": (("expert", "--config", "configs/train_expert.yaml"), "expert/config.yaml"),
    "sft": (("sft", "--config", "configs/train_sft.yaml"), "sft/model/config.json"),
    "expert-finish": (("expert", "--config", "configs/train_expert_finish.yaml"), "expert-finish/config.yaml"),
    "sft-finish": (("sft", "--config", "configs/train_sft_finish.yaml"), "sft-finish/model/config.json"),
}
"""Stage, which is also where its result goes -> arguments of `vretrver train`, and the file it leaves at its end."""

TWIN = {
    f"{stage}-no-tools": (
        (stage.partition("-")[0], "--config", f"configs/train_{stage.replace('-', '_')}_no_tools.yaml"),
        f"{stage}-no-tools/{'config.yaml' if stage.startswith('expert') else 'model/config.json'}",
    )
    for stage in ("expert-short", "sft-short", "expert", "sft", "expert-finish", "sft-finish")
}
"""The same for the twin, which goes on from the agent's lessons in text."""


def main(asked: Sequence[str] = ()) -> None:
    """Make the shipped models, or the twin where that is asked for."""
    if [*asked] == ["twin"]:
        run_stages(TWIN)
    else:
        run_stages(STAGES)
        ship()


def run_stages(stages: Mapping[str, tuple[tuple[str, ...], str]]) -> None:
    """Run what is missing of some stages, and note how long each took."""
    WORK.mkdir(parents=True, exist_ok=True)
    log = WORK / "stages.jsonl"
    done = {json.loads(line)["stage"] for line in log.read_text().splitlines()} if log.is_file() else set()
    for stage, (arguments, result) in stages.items():
        if stage in done and (WORK / result).is_file():
            continue
        started = time.monotonic()
        command = [str(Path(sys.executable).parent / "vretrver"), "train", *arguments, "--out", str(WORK / stage)]
        subprocess.run(command, cwd=ROOT, check=True, env={"OMP_WAIT_POLICY": "passive", **os.environ})
        seconds = round(time.monotonic() - started, 1)
        with log.open("a") as file:
            file.write(json.dumps({"stage": stage, "seconds": seconds}) + "\n")
        print(f"{stage}: {seconds} s", flush=True)


def ship() -> None:
    """Put the models into the package."""
    for name, run in (("agent", "sft-finish"), ("encoder", "embed")):
        shutil.rmtree(SHIPPED / name, ignore_errors=True)
        shutil.copytree(WORK / run / "model", SHIPPED / name, copy_function=shutil.copyfile)
        for path in (SHIPPED / name).iterdir():
            path.chmod(0o644)


if __name__ == "__main__":
    main(sys.argv[1:])
