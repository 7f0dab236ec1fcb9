"""One window of three drawn pictures through a policy: does it see pictures, and answer in the dialect's grammar?"""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

from ..agent.dialect import Dialect
from ..agent.policy import Policy
from ..agent.reranked import Reranked
from ..agent.trajectory import StopReason
from ..assembly.agent import assembled
from ..assembly.spec import AgentSpec
from ..images import ImageStore
from ..records import Candidate, Hit, ImageRef, Query, parts_of
from .findings import Finding, ok, warning, wrong

SECONDS = 300.0
"""Most seconds the window may take."""

_SIDE = 512
_COLOURS = {"red": (200, 30, 30), "blue": (30, 60, 200), "green": (40, 150, 60)}
"""In the order given: who keeps the order, or only turns it round, does not put blue first."""

_OUTSIDE = {StopReason.POLICY_ERROR, StopReason.CONTEXT_OVERFLOW, StopReason.DEADLINE}


def try_window(policy: Policy, dialect: Dialect) -> Finding:
    """Let a policy rank a red, a blue and a green square, in this order, for `a blue square`."""
    return _judge(run_window(policy, AgentSpec(), dialect=dialect))


def run_window(policy: Policy, spec: AgentSpec, *, dialect: Dialect | None = None) -> Reranked:
    """Let a policy rank the squares within `SECONDS`, as an agent of the spec, and return what became of it.

    Args:
        policy: what writes the turns.
        spec: the agent.
        dialect: what the model is told; None is as the spec says.
    """
    with tempfile.TemporaryDirectory() as folder:
        hits = [_hit(Path(folder), name, score=1.0 / place) for place, name in enumerate(_COLOURS, start=1)]
        query = Query(qid="trial", parts=parts_of(text="a blue square"))
        spec = spec.with_values({"budget.seconds": SECONDS})
        agent = assembled(spec, policy, ImageStore({"": folder}), dialect=dialect)
        return agent.reranker().rerank(query, hits)


def _hit(folder: Path, name: str, *, score: float) -> Hit:
    Image.new("RGB", (_SIDE, _SIDE), _COLOURS[name]).save(folder / f"{name}.png")
    return Hit(candidate=Candidate(did=name, parts=parts_of(images=[ImageRef(path=f"{name}.png")])), score=score)


def _judge(reranked: Reranked) -> Finding:
    (trajectory,) = reranked.trajectories
    cost = f"{reranked.seconds:.1f} s, {trajectory.tokens} tokens, {trajectory.looks} looks"
    if trajectory.stop in _OUTSIDE:
        why = trajectory.failure or f"nothing within {SECONDS:.0f} s"
        return wrong("one window", f"ended as {trajectory.stop.value} ({why}); see what the server logs")
    if trajectory.stop is not StopReason.ANSWERED:
        sentence = (
            f"no usable answer ({trajectory.stop.value}) after {cost}: the model does not keep to dialect "
            f"{trajectory.dialect}; use a checkpoint trained for it (docs/models.md)"
        )
        return warning("one window", sentence)
    if reranked.ranking[0].did != "blue":
        return warning(
            "one window",
            f"a {reranked.ranking[0].did} square was put before a blue one for `a blue square` ({cost}): "
            "is it shown pictures?",
        )
    return ok("one window", f"a blue square was found among three pictures: {cost}")
