"""What looks are worth to the shipped agent, on a catalogue that neither training nor any choice has seen.

`--set` overrides a key of configs/experiment_looks.yaml, `--name` gives another result file. A run
that was stopped goes on. The twin without tools takes part where `make twin` has left it, in a folder of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from measure.envelope import RESULTS, envelope, write_result
from vretrver.config import load_config
from vretrver.world.gallery import draw_gallery
from vretrver.world.looks.config import LooksConfig
from vretrver.world.looks.run import run_looks

ROOT = Path(__file__).parents[1]

SEED, ITEMS = 3001, 2000
"""The report's catalogue; training's is 1001, choices are made on 2001."""

TWIN = Path("build/models/sft-finish-no-tools/model")
"""The twin, from the project's folder."""

TWIN_SETS = (f"twin={TWIN}", "arms=[agent, fake-looks, oracle-boxes, no-tools, larger-thumbnails]")
"""What is set where there is a twin."""


def main() -> None:
    """Draw what is missing of the gallery, run what is missing of the experiment, write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="looks", help="of the result file, and of the folder under build")
    parser.add_argument("--set", action="append", default=[], dest="sets", metavar="KEY=VALUE")
    arguments = parser.parse_args()
    twin = TWIN_SETS if (ROOT / TWIN / "config.json").is_file() else ()
    config = load_config(ROOT / "configs" / "experiment_looks.yaml", LooksConfig, sets=[*twin, *arguments.sets])
    config.gallery.parent.mkdir(parents=True, exist_ok=True)
    draw_gallery(config.gallery, seed=SEED, items=ITEMS, workers=os.cpu_count() or 1)
    folder = ROOT / "build" / (f"{arguments.name}-twin" if twin else arguments.name)
    results = run_looks(config, folder, note=_say)
    settings = config.model_dump(mode="json")
    result = {**envelope("looks"), "config": settings, "results": results}
    write_result(RESULTS / f"{arguments.name}.json", result)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
