"""Names of models on a hub, as in `owner/name@revision`, told apart from folders by what is on this machine.

Nothing here reads a file of a model or asks a server; `hub` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,254}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_FOLDER = "models--"

FORMS = "a folder on this machine, or a model of the hub as owner/name or owner/name@revision"
"""What may be named wherever a model is taken, for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubId:
    """A model of a hub."""

    name: str
    """Owner and name, as in `openai/clip-vit-base-patch32`."""
    revision: str = ""
    """Branch, tag or commit; empty is `main`."""

    def __str__(self) -> str:
        """Return it as it is named: `owner/name`, with `@revision` where there is one."""
        return f"{self.name}@{self.revision}" if self.revision else self.name

    @property
    def commit(self) -> str | None:
        """The commit where the revision is one, of 40 hex digits: it names the same files forever."""
        return self.revision if _COMMIT.fullmatch(self.revision) else None

    @property
    def folder(self) -> str:
        """Name of its folder in the hub's cache, where every program that uses the hub finds it."""
        return _FOLDER + self.name.replace("/", "--")


def hub_id_of(place: str) -> HubId | None:
    """Return the model of the hub that a place names, None where it is a folder here or cannot name one.

    Args:
        place: what stands where a folder of a model is taken; a folder that exists always wins.
    """
    if is_folder(place):
        return None
    name, mark, revision = place.partition("@")
    fits = _NAME.fullmatch(name) and (_REVISION.fullmatch(revision) if mark else True)
    if not fits or any(odd in place for odd in ("..", "--", "//", "/@")) or name.endswith((".git", ".", "-")):
        return None
    return HubId(name=name, revision=revision.rstrip("/"))


def is_folder(place: str) -> bool:
    """Return whether a folder on this machine is named; a text that cannot be a path names none."""
    try:
        return Path(place).is_dir()
    except (OSError, ValueError):
        return False


def name_of(folder: Path) -> str:
    """Return what a record calls a model's folder: `owner/name@commit` in the hub's cache, else the folder's name."""
    return _id_of(folder) or folder.name


def shown(folder: Path) -> str:
    """Return what a message calls a model's folder: `owner/name@commit` in the hub's cache, else its path."""
    return _id_of(folder) or str(folder)


def _id_of(folder: Path) -> str:
    """Return the id of the model whose snapshot a folder of the hub's cache is, empty for any other folder."""
    owner = folder.parent.parent.name
    if folder.parent.name != "snapshots" or not owner.startswith(_FOLDER):
        return ""
    return f"{owner.removeprefix(_FOLDER).replace('--', '/', 1)}@{folder.name}"
