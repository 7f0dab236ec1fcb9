"""Practice windows and what the expert makes of them, on grey pictures: it never looks at pixels.

Run as a module, it writes the sessions that are pinned again, after a change that was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from PIL import Image

from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.driver import Driver
from vretrver.agent.policy import Sampling
from vretrver.agent.session import SessionSetup, rank_window
from vretrver.agent.trajectory import Trajectory
from vretrver.geometry import Box, SizeRule
from vretrver.images import ImageStore, Picture, encode_picture
from vretrver.records import ImageRef
from vretrver.world.draw.plan import make_plan
from vretrver.world.draw.pose import FRAME
from vretrver.world.draw.tasks import SHAPES, World, make_world
from vretrver.world.expert.policy import Flaws, expert
from vretrver.world.expert.windows import Practice, WindowSampler
from vretrver.world.tiny.views import VIEWS

SHAPE = {shape.task: shape for shape in SHAPES}
"""Task shapes by number."""

SESSIONS = Path(__file__).parent / "sessions.txt"
"""One session of each task shape, as the expert writes it."""


class GreyStore(ImageStore):
    """Every picture is grey."""

    def __init__(self) -> None:
        super().__init__({"": "."})

    def pin(self, ref: ImageRef) -> ImageRef:
        return replace(ref, width=FRAME, height=FRAME)

    def whole(self, ref: ImageRef, rule: SizeRule, *, quality: int) -> Picture:
        return encode_picture(Image.new("RGB", rule.fit(FRAME, FRAME), (128,) * 3), quality=quality)

    def crop(self, ref: ImageRef, box: Box, size: tuple[int, int]) -> Image.Image:
        return Image.new("RGB", size, (128,) * 3)


@cache
def world() -> World:
    """Return a catalogue of 300 products."""
    return make_world(3, make_plan(3, 300))


def practised(
    practices: Sequence[Practice], *, tools: bool = True, flaws: Flaws | None = None, whole: bool = False
) -> list[tuple[Practice, Trajectory]]:
    """Return windows with the expert's record of each."""
    policy = expert({practice.task.session: practice for practice in practices}, seed=0, flaws=flaws, whole=whole)
    setup = SessionSetup(
        dialect=vretrver(tools=tools),
        images=GreyStore(),
        views=VIEWS,
        sampling=Sampling(),
        policy=policy.fingerprint,
        policy_limits=policy.limits,
        config="",
    )
    driver: Driver[Trajectory] = Driver(policy)
    done = dict(driver.run(rank_window(practice.task, setup) for practice in practices))
    return [(practice, done[number]) for number, practice in enumerate(practices)]


def windows(count: int, *, sizes: Sequence[int] = (2, 5, 10, 20), seed: int = 1) -> list[Practice]:
    """Return windows of all shapes and of some sizes, in turn."""
    sampler = WindowSampler(world(), seed=seed)
    tasks = sorted(SHAPE)
    return [
        sampler.window(n, shape=SHAPE[tasks[n % len(tasks)]], size=sizes[n // len(tasks) % len(sizes)])
        for n in range(count)
    ]


def sessions() -> str:
    """Return one session of each task shape, all turns, and of one shape all ways to rank."""
    sampler = WindowSampler(world(), seed=1)
    sound = [sampler.window(n, shape=SHAPE[task], size=4) for n, task in enumerate(sorted(SHAPE))]
    one, other = (sampler.window(n, shape=SHAPE[0], size=3) for n in (16, 25))
    parts = [
        *practised(sound, flaws=Flaws(missed_zoom=0, wrong_call=0)),
        *practised([one], flaws=Flaws(missed_zoom=1000, wrong_call=0)),
        *practised([other], flaws=Flaws(missed_zoom=0, wrong_call=500)),
        *practised([one], tools=False),
        *practised([one, sound[4]], tools=False, whole=True),
    ]
    return "\n".join(_told(practice, record) for practice, record in parts)


def _told(practice: Practice, record: Trajectory) -> str:
    lines = [f"== task {practice.shape.task}, right is {practice.target}\n"]
    for number, turn in enumerate(record.turns):
        lines.append(f"{turn.text}\n".replace("<tool_call>", "\n<tool_call>").replace("<answer>", "\n<answer>"))
        cuts = [cut for look in record.observations(number) for cut in look.cuts]
        shown = [f"{cut.address} {list(cut.box or ()) or 'whole'}" for cut in cuts]
        refused = [f"refused: {call.reason}" for call in turn.calls if call.reason]
        lines += [f"-- {line}\n" for line in [*shown, *refused]]
    return "".join(lines)


if __name__ == "__main__":
    SESSIONS.write_text(sessions(), encoding="utf-8")
