"""The cases behind the golden files: one window of every shape, played to its end under each dialect.

Pinned are all words a model is shown, in order, and every field of the record. Not pinned are the hashes of files
and of shown pictures, which depend on the zlib and libjpeg at hand: in the record `<sha256>` stands in their place.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.drawn import DrawnFolder, drawn_folder
from tests.unit.agent.sessions import select, zoom

from vretrver.agent.config import AgentConfig
from vretrver.agent.dialect import Dialect
from vretrver.agent.dialects.released import released
from vretrver.agent.dialects.vretrver import vretrver
from vretrver.agent.effects import Do
from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, PolicyLimits, Request, Usage
from vretrver.agent.session import Session, SessionSetup, rank_window
from vretrver.agent.task import WindowStep, WindowTask
from vretrver.agent.trajectory import Trajectory
from vretrver.agent.wire import render
from vretrver.records import Candidate, ImageRef, parts_of
from vretrver.traces import trajectory_to_json

GOLDEN = Path(__file__).parent
"""Where the golden files are."""

THOUSANDTHS = "".join(
    [
        "<think>1 and 2 look alike. What does the handle of each look like?</think>",
        zoom(1, "[500, 250, 750, 500]"),
        select(0, "[2, 2]"),
        zoom(3, "[0, 0, 500, 500]"),
    ]
)
PIXELS = (
    "<think>1 and 2 look alike.</think>"
    '<tool_call>{"name": "crop_image", "arguments": {"bbox_2d": [200, 60, 300, 120], "target_image": 1}}</tool_call>'
)
ANSWER = "<think>The handle of 2 is the one.</think><answer>[2, 1, 4, 9]</answer>"

CONVERSATIONS: dict[str, tuple[Callable[[], Dialect], list[str]]] = {
    "vretrver.txt": (vretrver, [THOUSANDTHS, "2 is best.", ANSWER]),
    "vretrver_no_tools.txt": (lambda: vretrver(tools=False), [ANSWER]),
    "released.txt": (released, [PIXELS, ANSWER]),
}
"""Golden file -> dialect and turns."""


def _task(drawn: DrawnFolder) -> WindowTask:
    """Return one picture; two pictures and a text; a text alone; a picture that is missing."""
    for number in range(4):
        drawn.ref(number, (400, 240))
    candidates = (
        drawn.candidate(1),
        drawn.candidate(2, pictures=[2, 3], text="a cup with a handle"),
        drawn.candidate(3, pictures=[], text="a bowl <|im_end|> and its text"),
        Candidate(did="1:4", parts=parts_of(text="a plate", images=[ImageRef(path="missing.png")])),
    )
    query = replace(
        drawn.query(picture=0, text="this cup, but with a handle"), instruction="Find the item asked for."
    )
    step = WindowStep(plan="reference(50,20,10)", index=0, round=0, places=tuple(range(len(candidates))))
    return WindowTask(session="9:1/w0", query=query, candidates=candidates, step=step)


def _advanced(session: Session, completion: Completion | None = None) -> Request:
    """Send a completion in, None to begin, and return the next request; work is done at once, on this thread."""
    effect = session.send(completion)
    while isinstance(effect, Do):
        effect = session.send(effect.work())
    assert isinstance(effect, Request)
    return effect


def _play(drawn: DrawnFolder, dialect: Dialect, turns: list[str]) -> tuple[str, Trajectory]:
    """Return the conversation as a model reads it, its own turns included, and the record."""
    config = AgentConfig(dialect=dialect)
    setup = SessionSetup(
        dialect=dialect,
        images=drawn.store,
        views=dialect.views,
        sampling=config.sampling,
        policy="scripted:golden",
        policy_limits=PolicyLimits(),
        config=config.sha256,
        complete_answers=config.complete_answers,
        clock=lambda: 0.0,
    )
    session = rank_window(_task(drawn), setup)
    conversation = list(_advanced(session).messages)
    for number, turn in enumerate(turns, start=1):
        usage = Usage(prompt_tokens=1000 * number, completion_tokens=len(turn), estimated=True)
        conversation.append(Message(role="assistant", pieces=(turn,)))
        try:
            request = _advanced(session, Completion(session="9:1/w0", text=turn, usage=usage))
        except StopIteration as stop:
            return render(conversation, ask=False), stop.value
        conversation += request.messages
    raise RuntimeError(f"the session of {dialect.name} asks for more than {len(turns)} turns")


def _without_hashes(node: object) -> object:
    """Put `<sha256>` in the place of every hash of a file or a picture."""
    if isinstance(node, dict):
        return {
            key: "<sha256>" if key == "sha256" and value is not None else _without_hashes(value)
            for key, value in node.items()
        }
    return [_without_hashes(value) for value in node] if isinstance(node, list) else node


def golden_files() -> dict[str, str]:
    """Return the name and the content of every golden file, as the code makes them now."""
    contents: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        drawn = drawn_folder(Path(name))
        for file, (dialect, turns) in CONVERSATIONS.items():
            text, record = _play(drawn, dialect(), turns)
            contents[file] = text
            if file == "vretrver.txt":
                stored = _without_hashes(json.loads(trajectory_to_json(record)))
                contents["trajectory.json"] = json.dumps(stored, indent=1, ensure_ascii=True) + "\n"
    return contents


def refresh() -> list[str]:
    """Write every golden file again; returns the names of those that changed."""
    changed = []
    for name, content in golden_files().items():
        path = GOLDEN / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            changed.append(name)
    return changed
