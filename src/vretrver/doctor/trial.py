"""Drawn pictures through a policy: does it see them, answer in the dialect's grammar, and take thumbnails as sent?

Published limits of Qwen3-VL enlarge most thumbnails. The probe of `policies` shows larger pictures, which no limit
reaches; the prompt tokens that a thumbnail costs tell whether it was resized, for any policy that counts them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

from ..agent.dialect import Dialect
from ..agent.messages import Message, ShownPicture
from ..agent.policy import FinishReason, Policy, Request, Sampling
from ..agent.reranked import Reranked
from ..agent.trajectory import StopReason
from ..assembly.agent import assembled
from ..assembly.spec import AgentSpec
from ..geometry import visual_tokens
from ..images import ImageStore, encode_picture
from ..records import Address, Candidate, Hit, ImageRef, Query, parts_of
from .findings import Finding, note, ok, warning, wrong

SECONDS = 300.0
"""Most seconds the window may take."""

_SIDE = 512
_COLOURS = {"red": (200, 30, 30), "blue": (30, 60, 200), "green": (40, 150, 60)}
"""In the order given: who keeps the order, or only turns it round, does not put blue first."""
_SMALL, _LARGE = (640, 480), (1280, 960)
"""Width and height of the files a thumbnail and a query's picture are made of."""

_OUTSIDE = {StopReason.POLICY_ERROR, StopReason.CONTEXT_OVERFLOW, StopReason.DEADLINE}


def try_window(policy: Policy, dialect: Dialect) -> Finding:
    """Let a policy rank a red, a blue and a green square, in this order, for `a blue square`."""
    return _judge(run_window(policy, AgentSpec(), dialect=dialect))


def run_window(policy: Policy, spec: AgentSpec, *, dialect: Dialect | None = None) -> Reranked:
    """Let a policy rank the squares within `SECONDS`, as an agent of the spec, and return the result.

    Args:
        policy: what writes the turns.
        spec: the agent.
        dialect: texts, tools and rules; None takes those of the spec.
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


def check_thumbnails(policy: Policy, dialect: Dialect) -> Finding:
    """Compare the cost of a thumbnail with that of a query's picture, which no limit reaches."""
    cell = dialect.views.candidate.cell
    small, large = dialect.views.candidate.fit(*_SMALL), dialect.views.query.fit(*_LARGE)
    tokens = visual_tokens(small, cell)
    costs = [_cost(policy, size, cell) for size in (small, large)]
    if costs[0] is None or costs[1] is None:
        return note(
            "thumbnails", "the server reports no token counts, so it is not known whether it enlarges thumbnails"
        )
    cost = visual_tokens(large, cell) - (costs[1] - costs[0])
    shown = f"{small[0]} x {small[1]}, {tokens} visual tokens,"
    if cost != tokens:
        limits = f'\'{{"size": {{"shortest_edge": {cell * cell}, "longest_edge": 16777216}}}}\''
        sentence = (
            f"a thumbnail of {shown} costs {cost}: the server resizes it; lower its limit, in vLLM with "
            f"--mm-processor-kwargs {limits} (docs/models.md)"
        )
        return warning("thumbnails", sentence)
    return ok("thumbnails", f"a thumbnail of {shown} costs that many")


def _cost(policy: Policy, size: tuple[int, int], cell: int) -> int | None:
    """Return the prompt tokens of a grey picture and a word; None when the policy does not count."""
    picture = encode_picture(Image.new("RGB", size, (128, 128, 128)))
    shown = ShownPicture(address=Address(item=0), picture=picture, tokens=visual_tokens(size, cell))
    session = f"thumbnails/{size[0]}x{size[1]}"
    message = Message(role="user", pieces=(shown, "Say: ready."))
    policy.submit(Request(session=session, messages=(message,), sampling=Sampling(max_tokens=1)))
    (completion,) = policy.collect()
    policy.release(session)
    counted = completion.finish is not FinishReason.ERROR and not completion.usage.estimated
    return (completion.usage.prompt_tokens or None) if counted else None
