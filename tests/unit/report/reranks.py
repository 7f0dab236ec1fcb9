"""Draws pictures and reranks them with written turns, for the tests of the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from vretrver.agent.answers import AnswerForm
from vretrver.agent.budget import Budget
from vretrver.agent.config import AgentConfig
from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.plans import ReferencePlanner
from vretrver.agent.reranked import Reranked
from vretrver.agent.reranker import Reranker
from vretrver.agent.trajectory import PictureShown, TextShown
from vretrver.images import ImageStore
from vretrver.policies.scripted import replay
from vretrver.records import Candidate, Hit, ImageRef, Query, parts_of
from vretrver.report.html import write_report

WIDTH, HEIGHT = 320, 240


def drawn(folder: Path, count: int = 4) -> ImageStore:
    """Draw `0.png`, `1.png`, ...: a coloured square on a gradient, each at another place."""
    for number in range(count):
        picture = Image.linear_gradient("L").resize((WIDTH, HEIGHT)).convert("RGB")
        picture.paste((200, 40 * number % 256, 60), (20 + 25 * number, 40, 80 + 25 * number, 100))
        picture.save(folder / f"{number}.png")
    return ImageStore({"": folder})


def pictured(number: int) -> Candidate:
    """Return candidate `5:<number>` with the picture of that number."""
    return Candidate(did=f"5:{number}", parts=parts_of(images=[ImageRef(path=f"{number}.png")]))


def call(name: str, **arguments: object) -> str:
    """Return a tool call as it stands in a turn."""
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def zoom(number: int) -> str:
    """Return a look at the left half of a picture."""
    return call("zoom_in", target_image=number, bbox_2d=[0, 0, 500, 1000])


def reranked(
    images: ImageStore,
    turns: Sequence[str] | Mapping[str, Sequence[str]],
    *,
    candidates: Sequence[Candidate] = tuple(map(pictured, range(4))),
    query: Query | None = None,
    size: int = 20,
    form: AnswerForm | None = None,
    budget: Budget | None = None,
) -> Reranked:
    """Rerank candidates with written turns and a stopped clock; `size` is the window's, moved by half of it."""
    asked = query or Query(qid="9:1", parts=parts_of(text="the one with the square"))
    hits = [Hit(candidate=candidate, score=1 - place / 100) for place, candidate in enumerate(candidates)]
    planner = ReferencePlanner(depth=50, size=size, stride=max(size // 2, 1))
    config = AgentConfig(dialect=vretrver(form=form), planner=planner)
    return Reranker(replay(turns), images, config, clock=lambda: 0.0).rerank(asked, hits, budget=budget)


def with_look(result: Reranked, look: PictureShown | TextShown) -> Reranked:
    """Return a one-window result with one look more in its first turn."""
    (trajectory,) = result.trajectories
    return replace(result, trajectories=(replace(trajectory, shown=(*trajectory.shown, look)),))


def looks_of(result: Reranked) -> list[PictureShown]:
    """Return what the first turn of the first window was shown."""
    return [one for one in result.trajectories[0].observations(0) if isinstance(one, PictureShown)]


def page(folder: Path, images: ImageStore, *queries: Reranked, names: Mapping[str, str] = {}) -> str:
    """Write a report and return its text."""
    path = folder / "report.html"
    write_report(path, queries, images, title="A report", names=names)
    return path.read_text(encoding="utf-8")


LOOKED = ["<think>2 or 3?</think>" + zoom(2) + zoom(3), "<think>It is 3.</think><answer>[3, 1, 2, 4]</answer>"]
"""Turns that look twice and bring the third candidate to the top."""
