"""Pins that every command's help ends with an example, and that the examples run, in their order, on small files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from tests.integration.commands import call

from vretrver.cli.examples import EXAMPLES
from vretrver.cli.main import app

TRAINED = {
    "train perception": "vretrver.world.perception.train.train_perception",
    "train embed": "vretrver.world.embed.run.train_embed",
    "train sft": "vretrver.world.agent.run.train_agent",
    "experiment looks": "vretrver.world.looks.run.run_looks",
}
"""Command -> the hours of work that are left out here."""

ELSEWHERE = ("mirror", "train curriculum")
"""Commands whose examples need a server or the files of a clone."""


def commands(group: Any, before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        found |= commands(command, f"{before}{name} ") if hasattr(command, "commands") else {before + name: command}
    return found


def test_every_command_has_examples_in_its_help() -> None:
    known = commands(typer.main.get_command(app))
    assert set(known) == set(EXAMPLES)
    for name, command in known.items():
        for line in EXAMPLES[name]:
            assert line in command.epilog
            assert shlex.split(line)[: 1 + len(name.split())] == ["vretrver", *name.split()]


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    for folder in ("photos", "more-photos"):
        (tmp_path / folder).mkdir()
        for colour in ("red", "blue"):
            Image.new("RGB", (32, 32), colour).save(tmp_path / folder / f"{colour}.png")
    (tmp_path / "products.csv").write_text(
        "sku,title,photo,price,since\nSKU-1,red mug,photos/red.png,5,2019-06-01\n"
        "SKU-2,blue mug,photos/blue.png,7,2020-01-31\n"
    )
    (tmp_path / "queries.tsv").write_text("q1\tred mug\n")
    for target in TRAINED.values():
        monkeypatch.setattr(target, lambda *_, **__: {})
    for name, lines in EXAMPLES.items():
        if name in ELSEWHERE:
            continue
        for line in lines:
            done = call(*shlex.split(line)[1:], cwd=tmp_path)
            assert done.code == 0, f"{line}\n{done.stderr}"
            assert done.stdout or done.stderr, line


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_other_examples_can_be_parsed(name: str) -> None:
    for line in EXAMPLES[name]:
        command = commands(typer.main.get_command(app))[name]
        arguments = shlex.split(line)[1 + len(name.split()) :]
        assert command.make_context(name, arguments).params
