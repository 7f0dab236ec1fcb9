"""Whether the small models that ship are there, and whether the agent runs on this machine."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from ..agent.policy import Sampling
from ..assembly.spec import AgentSpec
from ..errors import ConfigError, VRetrverError
from ..models.agent_recipe import agent_recipe_of
from ..models.shipped import AGENT, ENCODER, SHIPPED, shipped_folder
from ..policies.named import policy_named
from .findings import Finding, note, ok, warning
from .trial import run_window
from .weights import read_weights

_SUBJECT = "shipped models"

_TOKENS = 256
"""Most tokens of a turn."""


def check_shipped(*, run: bool) -> Iterator[Finding]:
    """Check the files of the shipped models; with `run`, rank drawn squares with the agent if torch is installed.

    Squares are nothing it knows: what is asked is whether it runs and keeps to its form, not what it puts first.
    """
    try:
        size = sum(read_weights(shipped_folder(name)).size for name in (AGENT, ENCODER))
    except VRetrverError as error:
        yield warning(_SUBJECT, f"{error}; without them `vretrver demo --policy oracle` runs, a script")
        return
    yield ok(_SUBJECT, f"agent and encoder, {size / 1e6:.0f} MB; they know the drawn catalogue only")
    if not run:
        return
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        yield note("shipped agent", "not run: the extra models is not installed; run: pip install 'vretrver[models]'")
        return
    try:
        yield _run()
    except VRetrverError as error:
        yield warning("shipped agent", str(error))


def _run() -> Finding:
    if agent_recipe_of(shipped_folder(AGENT)) is None:
        raise ConfigError("the shipped agent does not say what it was trained with; install a release")
    policy = policy_named(SHIPPED)
    try:
        reranked = run_window(policy, AgentSpec(policy=SHIPPED, sampling=Sampling(max_tokens=_TOKENS)))
    finally:
        policy.close()
    (trajectory,) = reranked.trajectories
    cost = f"{reranked.seconds:.1f} s, {trajectory.tokens} tokens"
    if reranked.failed:
        return warning("shipped agent", f"runs and gave no usable answer ({trajectory.stop.value}, {cost})")
    return ok("shipped agent", f"ranked a window of three pictures: {cost}")
