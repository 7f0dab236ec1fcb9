"""The default dialect: thousandths boxes, up to 4 calls in a turn, 4 turns and then a forced answer.

Departures from the paper: (1) candidates are shown small and looked at in the original, the paper shows them whole;
(2) boxes are thousandths, not pixels, so that the shown size does not matter; (3) several calls in a turn; (4) a
malformed turn is told what is wrong; (5) the answer is forced when the turns are used up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._text import plain
from ..answers import AnswerForm, RankingForm, RankingOrNoneForm
from ..bench import Views
from ..boxes import PermilleBoxes
from ..compare_tool import Compare
from ..details import Words
from ..dialect import Dialect
from ..messages import Piece
from ..observations import Cut, Layout, Observation, Read
from ..refusals import WORDS
from ..task import WindowTask
from ..text_tool import ReadText
from ..tools import Executed, SelectImages, Tool, ZoomIn, signature

TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in (SelectImages(), ZoomIn(), ReadText(), Compare())}
"""What this dialect can offer, by name; a trained model knows the first two alone."""

READINGS = 20
"""Calls in a turn of the dialect that reads: the candidates of a window of the usual size."""

_ROLE = "You rank candidates by how well they match a query."
_TOOLS = """Pictures are shown small. Look closer before you decide between candidates that seem alike.

# Tools
<tools>
{signatures}
</tools>
Picture 0 is the query's, k is candidate k's first, [k, j] its j-th.
Call tools with JSON between tags, at most {calls} calls in a turn:
<tool_call>
{example}
</tool_call>"""
_EXAMPLES = {
    "zoom_in": '{"name": "zoom_in", "arguments": {"target_image": 2, "bbox_2d": [400, 300, 600, 500]}}',
    "read_text": '{"name": "read_text", "arguments": {"target_image": 2}}',
    "compare": '{"name": "compare", "arguments": {"target_images": [2, 3]}}',
    "select_images": '{"name": "select_images", "arguments": {"target_images": [2, 3]}}',
}
"""A call of each tool; the first of those that are offered is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VretrverWording:
    """The texts of the default dialect."""

    calls: int = 4
    """Calls in a turn, as told to the model."""
    unavailable: str = "[picture not available]"
    """What takes the place of a picture that cannot be read."""
    refusals: Words = field(default_factory=lambda: WORDS)
    """Words of refusals."""

    def text(self, text: str, *, limit: int, first: bool) -> str:
        """Return a text part, cut after `limit` characters, and apart from what precedes it."""
        cut = plain(text if len(text) <= limit else f"{text[:limit]} ...")
        return cut if first else f" {cut}"

    def system(self, tools: Sequence[Tool], form: AnswerForm) -> str:
        """Return role, tools and answer grammar."""
        lines = "\n".join(signature(tool) for tool in tools)
        looks = [_TOOLS.format(signatures=lines, calls=self.calls, example=_example(tools))] if tools else []
        return "\n\n".join([_ROLE, *looks, f"# Answer\n{form.taught}"])

    def item(self, number: int, pieces: Sequence[Piece]) -> list[Piece]:
        """Return `(k) ` and the item on a line."""
        return [f"({number}) ", *pieces, "\n"]

    def user(self, task: WindowTask, query: Sequence[Piece], candidates: Sequence[Piece]) -> list[Piece]:
        """Return query, instruction and candidates."""
        instruction = f"\n{plain(task.query.instruction)}" if task.query.instruction else ""
        count = len(task.candidates)
        closing = f"Rank all {count} candidates, best first." if count > 1 else "Rank the candidate."
        return ["Query:\n", *query, instruction, "\nCandidates:\n", *candidates, closing]

    def observation(self, observation: Observation) -> list[Piece]:
        """Return the addresses, the regions in thousandths, and the picture or the text."""
        shown = [f"{cut.address}{_region(cut)}" for cut in observation.cuts]
        if isinstance(observation, Read):
            return [f"Text of picture {' and '.join(shown)}: {plain(observation.text)}\n"]
        if observation.layout is Layout.ALONE:
            return [f"Picture {shown[0]}: ", observation.shown, "\n"]
        order = "left to right" if observation.layout is Layout.ROW else "top to bottom"
        return [f"Pictures {' and '.join(shown)}, {order}: ", observation.shown, "\n"]

    def reply(self, outcomes: Sequence[tuple[Executed, Sequence[Piece]]]) -> list[Piece]:
        """Return one tool response for all calls of the turn."""
        pieces: list[Piece] = ["<tool_response>\n"]
        for outcome, shown in outcomes:
            pieces += shown if outcome.reason is None else [f"Refused: {plain(outcome.reason)}.\n"]
        return [*pieces, "</tool_response>"]

    def malformed(self, problem: str) -> str:
        """Return what is wrong and the two ways on."""
        return f"<tool_response>\nRefused: {problem}. Call a tool, or answer.\n</tool_response>"

    def forced(self, reply: Sequence[Piece], count: int, form: AnswerForm) -> list[Piece]:
        """Return the reply and the request for the answer."""
        return [*reply, *(["\n"] if reply else []), f"No looks are left. {form.forced(count)}"]


def _example(tools: Sequence[Tool]) -> str:
    offered = {tool.name for tool in tools}
    return next((call for name, call in _EXAMPLES.items() if name in offered), _EXAMPLES["zoom_in"])


def _region(cut: Cut) -> str:
    if cut.box is None:
        return ""
    box, (width, height) = cut.box, cut.image_size
    edges = (box.left * 1000 / width, box.top * 1000 / height, box.right * 1000 / width, box.bottom * 1000 / height)
    return f", region {[round(edge) for edge in edges]}"


def vretrver(*, tools: bool = True, form: AnswerForm | None = None) -> Dialect:
    """Return the default dialect.

    Args:
        tools: False gives the dialect that ranks in one pass without looking.
        form: what an answer is; None is `ranking`, which the shipped agent learned.
    """
    return Dialect(
        name="vretrver" if tools else "vretrver/no-tools",
        wording=VretrverWording(),
        tools=(SelectImages(), ZoomIn()) if tools else (),
        boxes=PermilleBoxes(),
        views=Views(),
        turns=4 if tools else 1,
        calls_per_turn=4,
        forces_answer=True,
        form=form or RankingForm(),
    )


def reading() -> Dialect:
    """Return the dialect for reading: the text of a whole window in a turn, and an answer that may be none."""
    return replace(
        vretrver(form=RankingOrNoneForm()),
        name="vretrver/reading",
        wording=VretrverWording(calls=READINGS),
        tools=(TOOLS["read_text"],),
        turns=6,
        calls_per_turn=READINGS,
    )


def offering(dialect: Dialect, names: Sequence[str]) -> Dialect:
    """Return a dialect of this file with other tools.

    Args:
        dialect: the dialect.
        names: keys of `TOOLS`, at least one, in the order they are offered.
    """
    return replace(dialect, tools=tuple(TOOLS[name] for name in dict.fromkeys(names)))
