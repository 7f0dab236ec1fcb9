"""Policies by name, as the command line and configuration files write them.

`policy_named` makes one and does nothing else; `opened` also asks a server whether it will do, and keeps a journal.
Libraries of one kind of policy are loaded only when that kind is named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .._optional import require
from ..agent.policy import Policy
from ..errors import ConfigError
from ..geometry import PixelBudget, SizeRule
from ..lines import text_lines
from ..models.hub import folder_at
from ..models.shipped import AGENT, SHIPPED, shipped_folder
from .scripted import first_k, misbehaving, replay, shuffled

NAMES = "first-k, reader, random[:SEED], misbehaving[:SEED], replay:FILE, shipped, local:FOLDER, http:URL"
"""What can be named; for FOLDER also a model of the hub, as owner/name or owner/name@revision."""

MODEL_VARIABLE = "VRETRVER_MODEL"
"""Environment variable that names the model of a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOptions:
    """How a model folder is run in this process."""

    dtype: str = "auto"
    """What weights are held in: float32, bfloat16, float16, or auto, as they are stored."""
    device: str = "auto"
    """As torch names it; auto is the first CUDA device where there is one, else the CPU."""
    in_flight: int = 64
    """Turns written at once."""
    context_tokens: int | None = None
    """Most tokens of a conversation; None is what the folder says."""


@contextmanager
def opened(
    spec: str,
    *,
    model: str | None = None,
    journal: Path | None = None,
    shown: SizeRule | None = None,
    local: LocalOptions | None = None,
) -> Iterator[Policy]:
    """Yield the policy that is named, ready to be used, and close it in the end.

    A server is asked first whether it will do and whether it changes what it is sent.

    Args:
        spec: as of `policy_named`.
        model: as of `policy_named`.
        journal: file in which the turns are kept, so that a run that was killed pays for none of them twice.
        shown: at what size candidates are shown; by it a server is seen to resize pictures.
        local: as of `policy_named`.

    Raises:
        ConfigError: the name or an argument is wrong.
        DataError: a recording or the journal cannot be read.
        MissingDependency: the extra that the policy needs is not installed.
        PolicyError: the server will not do.
    """
    from .chat_api import ChatPolicy

    policy = policy_named(spec, model=model, local=local)
    try:
        if isinstance(policy, ChatPolicy):
            rule = shown or PixelBudget()
            policy.check()
            policy.probe(cell=rule.cell, thumbnail=rule.fit(640, 480))
        if journal is not None:
            from .journal import JournaledPolicy

            policy = JournaledPolicy(policy, journal)
        yield policy
    finally:
        policy.close()


def policy_named(spec: str, *, model: str | None = None, local: LocalOptions | None = None) -> Policy:
    """Return a policy for `name`, `name:argument` or the address of a server.

    Args:
        spec: one of `NAMES`.
        model: the model of a server; None takes it from the environment.
        local: how a model folder is run; None is as `LocalOptions` says.

    Raises:
        ConfigError: the name is unknown or its argument is not what it takes.
        DataError: a recording cannot be read.
        MissingDependency: the extra that the policy needs is not installed.
        ServiceError: a model of the hub cannot be had.
    """
    name, _, argument = spec.partition(":")
    if name in ("http", "https"):
        return _served(spec if argument.startswith("//") else argument, model or os.environ.get(MODEL_VARIABLE))
    if model is not None:
        raise ConfigError(f"policy {spec!r} takes no model; leave --model out, or name a server with http:URL")
    folder = model_folder(spec)
    if folder is not None:
        return _local(folder, local or LocalOptions())
    if local is not None:
        raise ConfigError(f"policy {spec!r} runs no model here and takes no options of one; name local:FOLDER")
    if name == "first-k" and not argument:
        return first_k()
    if name == "reader" and not argument:
        from .reader.policy import reader

        return reader()
    if name == "random":
        return shuffled(_seed(spec, argument))
    if name == "misbehaving":
        return misbehaving(_seed(spec, argument))
    if name == "replay" and argument:
        return replay(_turns(Path(argument)))
    raise ConfigError(f"unknown policy {spec!r}; policies are {NAMES}")


def runs_here(spec: str) -> bool:
    """Say whether a policy runs a model in this process; nothing is read or asked for."""
    name, _, argument = spec.partition(":")
    return spec == SHIPPED or (name == "local" and bool(argument))


def model_folder(spec: str) -> Path | None:
    """Return the folder of the model a policy runs in this process, None where it runs none.

    A model of the hub is downloaded where it is not in the cache.

    Raises:
        ConfigError: this copy of the package lacks the shipped agent, or the place is no folder and no model of the
            hub that can be run.
        ServiceError: the hub cannot be used, or a download broke off.
        StorageError: the disk has no room for the model.
    """
    if not runs_here(spec):
        return None
    if spec == SHIPPED:
        return shipped_folder(AGENT)
    from ..models.folder import open_folder

    return folder_at(spec.partition(":")[2], fits=open_folder)


def _served(url: str, model: str | None) -> Policy:
    """Return the policy of a server; its client is loaded only here."""
    from .chat_api import ChatPolicy

    if not model:
        raise ConfigError(f"a server is asked for a model by its name; give --model NAME or set {MODEL_VARIABLE}")
    return ChatPolicy(url, model=model)


def _local(folder: Path, options: LocalOptions) -> Policy:
    """Return the policy of a model folder; torch and transformers are loaded only here."""
    require("torch", extra="models")
    require("transformers", extra="models")
    from .local.policy import LocalPolicy

    return LocalPolicy.of_folder(
        folder,
        dtype=options.dtype,
        device=options.device,
        in_flight=options.in_flight,
        context_tokens=options.context_tokens,
    )


def _seed(spec: str, argument: str) -> int:
    if argument and not (argument.isascii() and argument.isdigit()):
        raise ConfigError(f"policy {spec!r}: the seed must be a whole number, as in random:7")
    return int(argument or 0)


def _turns(path: Path) -> list[str]:
    """Read recorded turns: a text file, turns divided by lines that hold only `---`."""
    text = "".join(line.rstrip("\r\n") + "\n" for _, line in text_lines(path))
    return [turn.strip("\n") for turn in text.split("\n---\n")]
