"""Pins that the commands which take an agent are the ones the documents name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer

from vretrver.cli.main import app

DOCUMENT = Path(__file__).parents[3] / "docs" / "rerank-your-hits.md"


def options(command: Any, name: str = "vretrver") -> dict[str, set[str]]:
    """Return command -> its options, subcommands included."""
    found = {name: {option for parameter in command.params for option in parameter.opts}}
    for inner, sub in getattr(command, "commands", {}).items():
        found |= options(sub, f"{name} {inner}")
    return found


def test_the_commands_that_take_an_agent_are_those_the_document_names() -> None:
    taking = {name for name, taken in options(typer.main.get_command(app)).items() if "--agent" in taken}
    section = DOCUMENT.read_text(encoding="utf-8").partition("## The agent in a file")[2]
    first, second = section.split(". ")[:2]
    assert set(re.findall("`(vretrver [a-z ]+)`", first)) == taking == {"vretrver rerank", "vretrver search"}
    assert set(re.findall("`(vretrver [a-z ]+)`", second)) == {"vretrver demo", "vretrver experiment looks"}
