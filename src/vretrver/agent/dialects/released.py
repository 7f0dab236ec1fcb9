"""The dialect of the published V-Retrver checkpoints (spec 2): their tool names, pixel boxes and padding, one call.

What the released code does is kept where a checkpoint may depend on it: candidates at native size on a 28 px grid,
boxes in pixels of the file or shares when all are at most 1, 10 % hidden padding, no enlarging, three generations,
no forced answer. The exact English of their prompt is not published outside their data, so `released` takes the
system and the guidelines texts from a row of that data; the texts here follow the paper's layout in our words.
Departures: (1) text-only candidates keep their number; (2) a selection says which candidates it shows; (3) at most
four pictures in a selection, as their prompt says and their tool forgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from ..._text import plain
from ...geometry import SmartResize
from ...records import Address
from ..answers import AnswerForm
from ..bench import Views
from ..boxes import ReleasedBoxes
from ..details import DetailCode, Words, WrongArgument, detail
from ..dialect import Dialect
from ..messages import Piece
from ..observations import Observation, Read
from ..refusals import WORDS, RefusalCode
from ..task import WindowTask
from ..tools import Executed, SelectImages, Tool, ZoomIn, read_address, signature


def _target(value: object) -> Address:
    """Read a target as the released `int()` does: 2, 2.0 and "2" name the same picture."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 12:
        raise WrongArgument(detail(DetailCode.TARGET_KIND))
    try:
        number = int(value)
    except ValueError as error:
        raise WrongArgument(detail(DetailCode.TARGET_TEXT, value=value)) from error
    return read_address(number)


Number = Annotated[Address, BeforeValidator(_target), WithJsonSchema({"type": "integer"})]
"""A picture's number: 0 for the query, 1 to N for the candidates."""


class CropArguments(BaseModel):
    """Arguments of `crop_image`; the box is in pixels of the file."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
    bbox_2d: list[float] = Field(min_length=4, max_length=4)
    target_image: Number


class ReleasedSelectArguments(BaseModel):
    """Arguments of the released `select_images`."""

    model_config = ConfigDict(extra="ignore")
    target_images: list[Number] = Field(min_length=1, max_length=4)


_REFUSALS: Words = {**WORDS, RefusalCode.BOX_EMPTY: "the box {box} is empty or inverted"}
"""Boxes of this dialect are in pixels or shares, so that no form is told for one that is empty."""

_SYSTEM = """You are an assistant for multimodal retrieval.

# Tools
You may call one function at a time to look at the pictures. The functions, within <tools></tools>:
<tools>
{signatures}
</tools>
Return each call as a JSON object with the function's name and arguments within <tool_call></tool_call>:
<tool_call>
{{"name": <function-name>, "arguments": <arguments>}}
</tool_call>"""
_GUIDELINES = """Given the query and the candidates, rank all candidates from most to least relevant. To inspect \
pictures use crop_image (one area of the query picture, number 0, or of a candidate) or select_images (up to 4 \
pictures). If you need a tool: <think>...</think><tool_call>...</tool_call>. If you do not: \
<think>...</think><answer>[candidate numbers, best first]</answer>."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedWording:
    """The texts of the released layout."""

    system_text: str | None = None
    """System message of the released data; None for ours."""
    guidelines: str = _GUIDELINES
    """What follows `Guidelines:` in the released data."""
    unavailable: str = "[picture not available]"
    """What takes the place of a picture that cannot be read."""
    refusals: Words = field(default_factory=lambda: _REFUSALS)
    """Words of refusals; the released code's own are not published."""

    def text(self, text: str, *, limit: int, first: bool) -> str:
        """Return a text part, cut after `limit` characters, and apart from what precedes it."""
        cut = plain(text if len(text) <= limit else f"{text[:limit]} ...")
        return cut if first else f" {cut}"

    def system(self, tools: Sequence[Tool], form: AnswerForm) -> str:  # noqa: ARG002 - the guidelines tell the form
        """Return the system message."""
        lines = "\n".join(signature(tool) for tool in tools)
        return self.system_text if self.system_text is not None else _SYSTEM.format(signatures=lines)

    def item(self, number: int, pieces: Sequence[Piece]) -> list[Piece]:
        """Return `(k) ` and the item; nothing stands between picture and text, nor between candidates."""
        out: list[Piece] = [f"({number}) "]
        for piece in pieces:
            follows_picture = not isinstance(out[-1], str)  # two texts stay apart: together they could spell a token
            out.append(piece.removeprefix(" ") if isinstance(piece, str) and follows_picture else piece)
        return out

    def user(self, task: WindowTask, query: Sequence[Piece], candidates: Sequence[Piece]) -> list[Piece]:
        """Return the sections Query, Candidates, Guidelines, each word once and in this order."""
        pictures = [piece for piece in query if not isinstance(piece, str)]
        texts = [piece for piece in query if isinstance(piece, str)]
        words = " ".join(text for text in (plain(task.query.instruction), "".join(texts).strip()) if text)
        return ["Query:", *pictures, f"{words}Candidates:", *candidates, f"\n\nGuidelines: {self.guidelines}"]

    def observation(self, observation: Observation) -> list[Piece]:
        """Return the picture or the text alone; `reply` says what it is."""
        return [plain(observation.text) if isinstance(observation, Read) else observation.shown]

    def reply(self, outcomes: Sequence[tuple[Executed, Sequence[Piece]]]) -> list[Piece]:
        """Return the observation of the turn's one call, or why it is not valid."""
        outcome, pieces = outcomes[0]
        if outcome.reason is not None:
            return [f"The action is not valid: {plain(outcome.reason)}. Check its format and try again."]
        first = outcome.observations[0]
        if isinstance(first, Read):
            return ["Here is the text of the picture:\n", *pieces]
        size = f"{first.shown.picture.width}x{first.shown.picture.height}"
        if first.cuts[0].asked is not None:
            return [f"Here is the cropped picture ({size}):\n", *pieces]
        numbers = ", ".join(str(cut.address) for observation in outcome.observations for cut in observation.cuts)
        return [f"Here are the selected pictures ({size}), candidates {numbers}, 0 being the query:\n", *pieces]

    def malformed(self, problem: str) -> str:
        """Return the sentence for a turn that cannot be read; the released loop ends before it is needed."""
        return f"The action is not valid: {problem}. Check its format and try again."

    def forced(self, reply: Sequence[Piece], count: int, form: AnswerForm) -> list[Piece]:  # noqa: ARG002
        """Return a request for the answer; the released loop never forces one."""
        text = f"Give the answer now: <answer>[{count} candidate numbers]</answer>"
        return [*reply, *(["\n"] if reply else []), text]


def released(*, system_text: str | None = None, guidelines: str | None = None) -> Dialect:
    """Return the dialect of the published checkpoints.

    Args:
        system_text: the system message of a row of the released data.
        guidelines: what follows `Guidelines:` in that row.
    """
    native = SmartResize()
    crop = "Zoom into one region of one picture."
    return Dialect(
        name="released",
        wording=ReleasedWording(system_text=system_text, guidelines=guidelines or _GUIDELINES),
        tools=(
            ZoomIn(
                name="crop_image",
                aliases=("zoom_in", "crop_image_normalized"),
                description=crop,
                arguments=CropArguments,
            ),
            SelectImages(description="Look again at up to four pictures.", arguments=ReleasedSelectArguments),
        ),
        boxes=ReleasedBoxes(),
        views=Views(query=native, candidate=native, select=native, zoom=native),
        turns=3,
        calls_per_turn=1,
        forces_answer=False,
        stop=("</tool_call>",),
    )
