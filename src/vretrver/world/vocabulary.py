"""What the small models' tokenizer is made for: texts of the dialect, words of the catalogue and of the expert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..agent.dialects.vretrver import vretrver
from .draw.glyphs import EMBLEM, PRINT, STITCH
from .draw.painter import PATTERNS
from .draw.palette import COLOURS, TONES, TRIMS
from .draw.plan import make_plan
from .draw.tasks import INSTRUCTIONS, SHAPES, candidate_rows, make_world, query_rows
from .draw.world import GROUNDS, PRODUCTS
from .tiny.tokenizer import train_tokenizer

_CALLS = (
    '{"name": "zoom_in", "arguments": {"target_image": ',
    ', "bbox_2d": [',
    '{"name": "select_images", "arguments": {"target_images": [',
    "]}}",
)
_SEPARATORS = (") ", "Picture ", ", region [", "]: ", "Query:\n", "\nCandidates:\n", "Rank all ")
_CLOSINGS = (
    " candidates, best first.",
    "Rank the candidate.",
    "No looks are left. Answer now with all ",
    " candidate numbers: ",
    "[...]",
    "Refused: ",
    "Call a tool, or answer.",
    "[picture not available]",
)
_EXPERT = (
    "want query shows yes no undecided look again nothing fits best all the same marks count + - . : \n"
    " Want Query Undecided Nothing Look looks match"
)
_REFUSALS = (
    "there is no candidate 7; candidates are 1 to 5. candidate 2 has no picture. the query has no picture. "
    "the box [400, 300, 300, 500] is empty or inverted: write [x1, y1, x2, y2] with x1 < x2, y1 < y2. "
    "the box leaves the picture: values go from 0 to 1000. a turn has at most 4 calls. wrong arguments: "
    "bbox_2d: Field required target_image the turn holds no tool call and no answer "
    "the think block is not closed with </think> the call is not closed with </tool_call>"
)
_SAMPLE = 400
"""Items whose texts are read for words: every word of the catalogue stands in them."""


def phrases() -> list[str]:
    """Return the stretches that are one token each: what dialect and calls always say alike."""
    with_tools, without = (vretrver(tools=tools) for tools in (True, False))
    systems = [dialect.wording.system(dialect.tools, dialect.form) for dialect in (with_tools, without)]
    paragraphs = {paragraph for system in systems for paragraph in system.split("\n\n")}
    instructions = [prompt for _, _, *prompts in INSTRUCTIONS for prompt in prompts]
    return sorted({*paragraphs, *instructions, *_CALLS, *_SEPARATORS, *_CLOSINGS})


def texts() -> Iterator[str]:
    """Yield what the words are taken from: each with a space before it and without, which are different tokens."""
    words = [*PRODUCTS, *COLOURS, *PATTERNS, *GROUNDS, *TRIMS, *TONES, *EMBLEM, *STITCH, *PRINT]
    words += [*_EXPERT.split(), "system", "user", "assistant", "code", "patch", "badge"]
    yield from ("\n".join(words), " " + " ".join(words), _REFUSALS)
    world = make_world(0, make_plan(0, _SAMPLE))
    for shape in SHAPES:
        yield from (str(row["query_txt"] or "") for row in query_rows(world, shape, first=1))
        yield from (str(row["txt"] or "") for row in candidate_rows(world, shape.pool))


def tiny_tokenizer() -> Any:
    """Return the small models' tokenizer, the same in every run."""
    return train_tokenizer(list(texts()), phrases=phrases())
