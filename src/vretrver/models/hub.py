"""Models of a hub by id: resolved to a commit, said what they weigh, taken into the hub's standard cache, vetted.

Whatever takes a folder of a model takes an id through `folder_at`. The files go where every program that uses the hub
finds them, links included: a link is followed only as long as it stays inside that cache. Configurations come first
and are checked before a weight is downloaded, so that a model that cannot be opened costs nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .._optional import require
from .._secrets import Secret
from ..errors import ConfigError, StorageError
from ..files import replace_file
from .hub_errors import TOKEN_VARIABLE, Unreachable, hub_errors
from .hub_files import HubFile, Listing, check_arrived, check_index, has_weights, needed_files
from .hub_id import FORMS, HubId, hub_id_of, is_folder, name_of
from .vetting import vet_folder

Note = Callable[[str], None]
"""Takes a message for a person."""

Fits = Callable[[Path], object]
"""Raises ConfigError when the configuration files in a folder are of no model that will be opened."""

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "VRETRVER_OFFLINE")
"""Environment variables any of which keeps everything here from asking the hub."""

_SECONDS = 20.0
_YES = ("1", "on", "yes", "true")

_FOUND: dict[tuple[str, Path, HubId], Path] = {}  # the hub is asked once per process, whoever names the model


def to_stderr(message: str) -> None:
    """Print a message for the person at the terminal."""
    sys.stderr.write(f"{message}\n")


def folder_at(place: str, *, fits: Fits = vet_folder, note: Note = to_stderr) -> Path:
    """Return the folder of a model that is named by its folder or by its id on the hub.

    An id is looked up once per process: the commit that was found then is the one that counts.

    Args:
        place: a folder on this machine, which wins, or `owner/name` with an optional `@revision`.
        fits: is called with the folder when its configuration files are there and its weights are not yet.
        note: takes messages for a person.

    Raises:
        ConfigError: it is neither, or the model is refused by its files.
        ServiceError: the hub refused, or the download broke off; what arrived whole is kept.
        StorageError: the disk has no room for it, or the cache cannot be written.
        MissingDependency: the extra `models` is not installed.
    """
    model = hub_id_of(place)
    if model is None:
        if not is_folder(place):
            raise ConfigError(f"{place}: no such folder; name {FORMS}")
        return Path(place)
    return Hub.of_environment().folder(model, fits=fits, note=note)


def lasting_place(place: str) -> str:
    """Return a place as records keep it: a folder by its absolute path, a model of the hub with its commit.

    Raises:
        ConfigError: as of `folder_at`, which is asked for the commit where the place does not say it.
    """
    model = hub_id_of(place)
    if model is None:
        return str(Path(place).resolve())
    return str(model) if model.commit else name_of(folder_at(place))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A hub, and the folder its files are kept in."""

    endpoint: str
    """Its address."""
    cache: Path
    """The standard cache."""
    offline: str
    """The environment variable that forbids to ask it; empty where none does."""

    @classmethod
    def of_environment(cls) -> Hub:
        """Return the hub that the environment names now; its library reads it only when it is imported."""
        constants = require("huggingface_hub.constants", extra="models")
        home = os.environ.get("HF_HOME")
        cache = os.environ.get("HF_HUB_CACHE") or (f"{home}/hub" if home else constants.HF_HUB_CACHE)
        endpoint = (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
        if "@" in urlsplit(endpoint).netloc:
            raise ConfigError(
                "HF_ENDPOINT holds a user or a password, which messages would show; set HF_TOKEN instead"
            )
        forbids = [name for name in OFFLINE if os.environ.get(name, "").strip().lower() in _YES]
        return cls(
            endpoint=endpoint,
            cache=Path(os.path.expandvars(cache)).expanduser().absolute(),
            offline=forbids[0] if forbids else "",
        )

    def folder(self, model: HubId, *, fits: Fits = vet_folder, note: Note = to_stderr) -> Path:
        """Return the folder of a model, downloaded where it is not in the cache; raises as `folder_at`."""
        known = _FOUND.get((self.endpoint, self.cache, model))
        if known is None or not has_weights(known):
            known = self.cached(model) if model.commit or self.offline else None
            known = known or self._taken(model, fits, note)
            _FOUND[self.endpoint, self.cache, model] = known
        fits(known)
        return known

    def cached(self, model: HubId) -> Path | None:
        """Return the folder of a model whose weights are all in the cache, None where they are not.

        Raises:
            ConfigError: a file of it is a link that leads out of the cache.
        """
        base = self.cache / model.folder
        commit = model.commit or _read_ref(base / "refs" / (model.revision or "main"))
        folder = base / "snapshots" / commit
        if not commit or not folder.is_dir() or not has_weights(folder):
            return None
        self._contained(folder)
        return folder

    def listing(self, model: HubId) -> Listing:
        """Return what the hub says of a model now; raises as `folder_at`."""
        if self.offline:
            raise Unreachable(
                f"{model} is not in {self.cache}, or not whole, and {self.offline} forbids to ask the hub; unset it "
                "to download the model, or name a folder on this machine"
            )
        api = require("huggingface_hub", extra="models").HfApi(
            endpoint=self.endpoint, token=False, headers=self._secret().header()
        )
        with self._errors(model):
            found = api.model_info(
                model.name, revision=model.revision or "main", files_metadata=True, timeout=_SECONDS
            )
            return _listing(found)

    def missing(self, model: HubId, listing: Listing) -> list[HubFile]:
        """Return the files of a model that loaders need and the cache has not; raises as `needed_files`."""
        folder = self.cache / model.folder / "snapshots" / listing.commit
        return [file for file in needed_files(listing.files, model) if not (folder / file.name).is_file()]

    def _taken(self, model: HubId, fits: Fits, note: Note) -> Path:
        """Ask the hub for the commit and download what is missing."""
        try:
            listing = self.listing(model)
        except Unreachable:
            kept = None if self.offline else self.cached(model)
            if kept is None:
                raise
            note(f"{self.endpoint} cannot be reached; {name_of(kept)} is taken from the cache")
            return kept
        folder = self.cache / model.folder / "snapshots" / listing.commit
        missing = self.missing(model, listing)
        if missing:
            self._check_room(model, missing)
            note(
                f"downloading {size_text(sum(file.size for file in missing))} of {model.name} at "
                f"{listing.commit[:7]} (licence {listing.licence}) into {self.cache}"
            )
            names = [file.name for file in needed_files(listing.files, model)]
            self._download(model, listing.commit, [file for file in missing if not _is_weight(file)])
            fits(folder)
            check_index(folder, names, model)
            self._download(model, listing.commit, [file for file in missing if _is_weight(file)])
        self._contained(folder)
        if not model.commit:
            self._remember(model, listing.commit)
        return folder

    def _download(self, model: HubId, commit: str, files: Sequence[HubFile]) -> None:
        """Take files into the cache one after another, each checked as it arrives."""
        take = require("huggingface_hub", extra="models").hf_hub_download
        for file in files:
            with self._errors(model):
                path = Path(
                    take(
                        model.name,
                        file.name,
                        revision=commit,
                        cache_dir=self.cache,
                        endpoint=self.endpoint,
                        token=False,
                        headers=self._secret().header(),
                    )
                )
                check_arrived(path, file, model)

    def _contained(self, folder: Path) -> None:
        """Refuse a folder of the cache with a link out of the cache: it was not put there by a download."""
        inside = self.cache.resolve()
        for path in folder.iterdir():
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                raise ConfigError(
                    f"{path}: is a link that leads out of the cache {self.cache}; remove it, and run again to "
                    "download the file"
                )

    def _check_room(self, model: HubId, missing: Sequence[HubFile]) -> None:
        place = next(folder for folder in (self.cache, *self.cache.parents) if folder.is_dir())
        needed, free = sum(file.size for file in missing), shutil.disk_usage(place).free
        if needed > free:
            raise StorageError(
                f"{model} needs {size_text(needed)} and {self.cache} has {size_text(free)} free; free space, or set "
                "HF_HUB_CACHE to another place"
            )

    def _remember(self, model: HubId, commit: str) -> None:
        """Write which commit a branch or tag was, as the hub's own library does, for when the hub is not there."""
        path = self.cache / model.folder / "refs" / (model.revision or "main")
        if _read_ref(path) != commit:
            with self._errors(model):
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(path, commit.encode())

    def _errors(self, model: HubId) -> Any:
        return hub_errors(model, endpoint=self.endpoint, cache=self.cache, secret=self._secret())

    def _secret(self) -> Secret:
        return Secret(TOKEN_VARIABLE)


def size_text(size: int) -> str:
    """Return a number of bytes as people read it, as in `605 MB`."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} bytes"


def _is_weight(file: HubFile) -> bool:
    return file.name.endswith(".safetensors")


def _read_ref(path: Path) -> str:
    """Return the commit a branch or tag was last seen at, empty where it was not."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if HubId(name="", revision=text).commit else ""


def _listing(found: Any) -> Listing:
    """Return a hub's answer; raises ValueError when it is not of the kind that was asked for."""
    commit = str(found.sha)
    if HubId(name="", revision=commit).commit is None:
        raise ValueError(f"its answer names no commit: {commit[:60]!r}")
    tags = [str(tag) for tag in found.tags or ()]
    licence = next((tag.partition(":")[2] for tag in tags if tag.startswith("license:")), "not stated")
    files = [
        HubFile(
            name=str(file.rfilename),
            size=int(file.size or 0),
            sha256=str(file.lfs.sha256) if file.lfs else "",
            blob=str(file.blob_id or ""),
        )
        for file in found.siblings or ()
    ]
    shown = "".join(letter for letter in licence if letter.isprintable())[:60]
    return Listing(commit=commit, licence=shown, files=tuple(files))
