"""The curriculum: the stages that make the shipped models, in one file, and running those that are not done."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from ..config import Section, put_value, to_yaml
from ..errors import ConfigError
from ..files import replace_file

Command = Literal["pictures", "tokenizer", "perception", "embed", "expert", "sft"]
"""A command of `vretrver train`."""

RESULTS: Mapping[Command, str] = {
    "pictures": "",
    "tokenizer": "tokenizer_config.json",
    "perception": "tower.pt",
    "embed": "model/config.json",
    "expert": "config.yaml",
    "sft": "model/config.json",
}
"""The result file of each command, below the stage's path; a gallery is a file itself."""

LOG_FILE = "stages.jsonl"
"""Finished stages, each with its seconds."""

CONFIGS = "configs"
"""Folder of the settings that stages were run with."""

Note = Callable[[str], None]


class CurriculumStage(Section):
    """One run of a command."""

    name: str = Field(pattern=r"^[a-z][a-z.-]*$")
    """Its name, and that of its result in the work folder."""
    command: Command
    """What is run."""
    needs: tuple[str, ...] = ()
    """Stages whose results it takes, all of them above it in the file."""
    base: str | None = None
    """A stage above it whose settings it inherits."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of the command; they replace those of the base."""
    sets: dict[str, Any] = Field(default_factory=dict)
    """Single keys, as in `a.b`, applied last."""


class Curriculum(Section):
    """All stages."""

    work: Path
    """Folder of the results."""
    ships: dict[Path, str] = Field(default_factory=dict)
    """Folder in the package -> the stage whose model is copied there."""
    stages: tuple[CurriculumStage, ...]
    """The stages, in the order they are run."""

    @model_validator(mode="after")
    def _in_order(self) -> Curriculum:
        above: dict[str, CurriculumStage] = {}
        for stage in self.stages:
            lacking = [name for name in (*stage.needs, stage.base) if name is not None and name not in above]
            if lacking:
                raise ValueError(f"stage {stage.name} names {lacking[0]}, which is not above it")
            if stage.base is not None and above[stage.base].command != stage.command:
                raise ValueError(f"stage {stage.name} is based on {stage.base}, which runs another command")
            if stage.name in above:
                raise ValueError(f"two stages are called {stage.name}")
            above[stage.name] = stage
        unknown = set(self.ships.values()) - set(above)
        if unknown:
            raise ValueError(f"ships names {min(unknown)}, which is not a stage")
        return self

    def stage(self, name: str) -> CurriculumStage:
        """Return a stage by name; raises ConfigError where there is none."""
        found = next((stage for stage in self.stages if stage.name == name), None)
        if found is None:
            raise ConfigError(f"no stage is called {name!r}; there are {', '.join(one.name for one in self.stages)}")
        return found

    def settings_of(self, stage: CurriculumStage) -> dict[str, Any]:
        """Return the settings of a stage's command: those of its base, then its own, then single keys."""
        values = {} if stage.base is None else self.settings_of(self.stage(stage.base))
        values |= copy.deepcopy(stage.settings)
        for key, value in stage.sets.items():
            put_value(values, key.split("."), value, f"stage {stage.name}")
        return values

    def wanted(self, names: Sequence[str]) -> list[CurriculumStage]:
        """Return stages with all they need, in the order they are run; without names, what ships."""
        found: set[str] = set()
        open_names = [*names] or [*self.ships.values()]
        while open_names:
            stage = self.stage(open_names.pop())
            if stage.name not in found:
                found.add(stage.name)
                open_names += stage.needs
        return [stage for stage in self.stages if stage.name in found]

    def seconds(self) -> dict[str, float]:
        """Return the finished stages, each with its seconds."""
        log = self.work / LOG_FILE
        lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
        noted = {line["stage"]: float(line["seconds"]) for line in map(json.loads, lines)}
        return {s.name: noted[s.name] for s in self.stages if s.name in noted and self.result(s).is_file()}

    def result(self, stage: CurriculumStage) -> Path:
        """Return the file that a stage leaves at its end."""
        return self.work / stage.name / RESULTS[stage.command]


def run_curriculum(curriculum: Curriculum, names: Sequence[str], *, note: Note) -> None:
    """Run the unfinished ones of the stages and of all they need; an interrupted stage is resumed.

    Args:
        curriculum: all stages.
        names: stages to run; none runs those that ship and copies their models into the package.
        note: called with one line per finished stage, for a person.

    Raises:
        ConfigError: there is no such stage, or one failed; its own output says why.
    """
    wanted = curriculum.wanted(names)
    curriculum.work.mkdir(parents=True, exist_ok=True)
    done = curriculum.seconds()
    for stage in wanted:
        if stage.name in done:
            continue
        started = time.monotonic()
        _run(curriculum, stage)
        seconds = round(time.monotonic() - started, 1)
        with (curriculum.work / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"stage": stage.name, "seconds": seconds}) + "\n")
        note(f"{stage.name}: {seconds} s")
    if not names:
        for folder, name in curriculum.ships.items():
            _ship(curriculum.work / name / "model", folder)


def _run(curriculum: Curriculum, stage: CurriculumStage) -> None:
    """Run a stage in a process of its own, so that its memory is freed."""
    command = [str(Path(sys.executable).parent / "vretrver"), "train", stage.command]
    settings = curriculum.settings_of(stage)
    if stage.command == "pictures":
        options = {"workers": os.cpu_count() or 1, **settings}
        command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    elif settings:
        path = curriculum.work / CONFIGS / f"{stage.name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, to_yaml(settings).encode())
        command += ["--config", str(path)]
    command += ["--out", str(curriculum.work / stage.name)]
    try:
        subprocess.run(command, check=True, env={"OMP_WAIT_POLICY": "passive", **os.environ})
    except subprocess.CalledProcessError as error:
        raise ConfigError(
            f"stage {stage.name} failed (exit code {error.returncode}); run the command again to resume"
        ) from error


def _ship(model: Path, folder: Path) -> None:
    """Put a model into the package, readable by everybody."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model, folder, copy_function=shutil.copyfile)
    for path in folder.iterdir():
        path.chmod(0o644)
