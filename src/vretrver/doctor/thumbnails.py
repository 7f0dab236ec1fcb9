"""Whether a server leaves thumbnails as small as they are sent: published limits of Qwen3-VL enlarge most of ours.

The probe of `policies` shows larger pictures and does not meet that limit. What pictures cost in prompt tokens tells;
any policy that counts them can be asked.
"""

from __future__ import annotations

from PIL import Image

from ..agent.dialect import Dialect
from ..agent.messages import Message, ShownPicture
from ..agent.policy import FinishReason, Policy, Request, Sampling
from ..geometry import visual_tokens
from ..images import encode_picture
from ..records import Address
from .findings import Finding, note, ok, warning

_SMALL, _LARGE = (640, 480), (1280, 960)
"""Width and height of the files a thumbnail and a query's picture are made of."""


def check_thumbnails(policy: Policy, dialect: Dialect) -> Finding:
    """Compare the cost of a thumbnail with that of a query's picture, which no limit reaches."""
    cell = dialect.views.candidate.cell
    small, large = dialect.views.candidate.fit(*_SMALL), dialect.views.query.fit(*_LARGE)
    tokens = visual_tokens(small, cell)
    costs = [_cost(policy, size, cell) for size in (small, large)]
    if costs[0] is None or costs[1] is None:
        return note("thumbnails", "the server tells no token counts: whether it enlarges thumbnails is not known")
    cost = visual_tokens(large, cell) - (costs[1] - costs[0])
    shown = f"{small[0]} x {small[1]}, {tokens} visual tokens,"
    if cost != tokens:
        limits = f'\'{{"size": {{"shortest_edge": {cell * cell}, "longest_edge": 16777216}}}}\''
        sentence = (
            f"a thumbnail of {shown} costs {cost}: the server resizes it; lower its limit, in vLLM with "
            f"--mm-processor-kwargs {limits} (docs/models.md)"
        )
        return warning("thumbnails", sentence)
    return ok("thumbnails", f"a thumbnail of {shown} costs as many")


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
