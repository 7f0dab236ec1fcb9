"""The default dialect: thousandths boxes, up to 4 calls in a turn, 4 turns and then a forced answer.

Departures from the paper: (1) candidates are shown small and looked at in the original, the paper shows them whole;
(2) boxes are thousandths, not pixels, so that the shown size does not matter; (3) several calls in a turn; (4) a
malformed turn is told what is wrong; (5) the answer is forced when the turns are used up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..bench import Look, Views
from ..boxes import PermilleBoxes
from ..dialect import Dialect
from ..messages import Piece, plain
from ..task import WindowTask
from ..tools import Executed, SelectImages, Tool, ZoomIn, signature

_ROLE = "You rank candidates by how well they match a query."
_TOOLS = """Pictures are shown small. Look closer before you decide between candidates that seem alike.

# Tools
<tools>
{signatures}
</tools>
Picture 0 is the query's, k is candidate k's first, [k, j] its j-th.
Call tools with JSON between tags, at most {calls} calls in a turn:
<tool_call>
{{"name": "zoom_in", "arguments": {{"target_image": 2, "bbox_2d": [400, 300, 600, 500]}}}}
</tool_call>"""
_ANSWER = """# Answer
Reason between <think> and </think>. When nothing is undecided, list all candidate numbers, best first:
<answer>[2, 1, 3]</answer>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VretrverWording:
    """The texts of the default dialect."""

    calls: int = 4
    """Calls in a turn, as told to the model."""

    def system(self, tools: Sequence[Tool]) -> str:
        """Return role, tools and answer grammar."""
        lines = "\n".join(signature(tool) for tool in tools)
        parts = [_ROLE, _TOOLS.format(signatures=lines, calls=self.calls), _ANSWER] if tools else [_ROLE, _ANSWER]
        return "\n\n".join(parts)

    def item(self, number: int, pieces: Sequence[Piece]) -> list[Piece]:
        """Return `(k) ` and the item on a line."""
        return [f"({number}) ", *pieces, "\n"]

    def user(self, task: WindowTask, query: Sequence[Piece], candidates: Sequence[Piece]) -> list[Piece]:
        """Return query, instruction and candidates."""
        instruction = f"\n{plain(task.query.instruction)}" if task.query.instruction else ""
        count = len(task.candidates)
        closing = f"Rank all {count} candidates, best first." if count > 1 else "Rank the candidate."
        return ["Query:\n", *query, instruction, "\nCandidates:\n", *candidates, closing]

    def look(self, look: Look) -> list[Piece]:
        """Return the address, the region shown in thousandths, and the picture."""
        return [f"Picture {look.address}{_region(look)}: ", look.shown, "\n"]

    def reply(self, outcomes: Sequence[tuple[Executed, Sequence[Piece]]]) -> list[Piece]:
        """Return one tool response for all calls of the turn."""
        pieces: list[Piece] = ["<tool_response>\n"]
        for outcome, shown in outcomes:
            pieces += shown if outcome.reason is None else [f"Refused: {plain(outcome.reason)}.\n"]
        return [*pieces, "</tool_response>"]

    def malformed(self, problem: str) -> str:
        """Return what is wrong and the two ways on."""
        return f"<tool_response>\nRefused: {problem}. Call a tool, or answer.\n</tool_response>"

    def force(self, count: int) -> str:
        """Return the request for the answer."""
        return f"No looks are left. Answer now with all {count} candidate numbers: <answer>[...]</answer>"


def _region(look: Look) -> str:
    if look.placed is None:
        return ""
    box, (width, height) = look.placed.box, look.image_size
    edges = (box.left * 1000 / width, box.top * 1000 / height, box.right * 1000 / width, box.bottom * 1000 / height)
    return f", region {[round(edge) for edge in edges]}"


def vretrver(*, tools: bool = True) -> Dialect:
    """Return the default dialect.

    Args:
        tools: False gives the dialect that ranks in one pass without looking.
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
    )
