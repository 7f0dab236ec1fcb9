"""Why something the model wrote is not carried out: codes with facts, put into words by the dialect.

The words are part of what a model is told, so they belong to the configuration's hash and to the dialect; the code is
what programs decide on, and what reports and rewards count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .details import DETAILS, Words, filled


class RefusalCode(StrEnum):
    """Every reason there is."""

    TURN_TOO_LONG = "turn_too_long"
    THINK_OPEN = "think_open"
    TURN_EMPTY = "turn_empty"
    TURN_CUT = "turn_cut"
    ANSWER_OPEN = "answer_open"
    SEVERAL_ANSWERS = "several_answers"
    ANSWER_FORM = "answer_form"
    ANSWER_UNUSABLE = "answer_unusable"
    CALL_OPEN = "call_open"
    CALL_JSON = "call_json"
    CALL_DEPTH = "call_depth"
    CALL_KEYS = "call_keys"
    CALL_TYPES = "call_types"
    CALLS_PER_TURN = "calls_per_turn"
    LOOKS_ENDED = "looks_ended"
    ANSWER_GIVEN = "answer_given"
    UNKNOWN_TOOL = "unknown_tool"
    NO_TOOLS = "no_tools"
    ARGUMENTS = "arguments"
    NO_CANDIDATE = "no_candidate"
    NO_PICTURE = "no_picture"
    FEWER_PICTURES = "fewer_pictures"
    UNAVAILABLE = "unavailable"
    BOX_OUTSIDE = "box_outside"
    BOX_EMPTY = "box_empty"
    BOX_NUMBERS = "box_numbers"
    LOOK_BUDGET = "look_budget"
    LOOKS_SPENT = "looks_spent"
    PICTURE_LIMIT = "picture_limit"
    NOTHING_SHOWN = "nothing_shown"
    BOXES_MISMATCH = "boxes_mismatch"
    NO_READER = "no_reader"
    NO_REASON = "no_reason"
    OTHER = "other"


WORDS: Words = {
    RefusalCode.TURN_TOO_LONG: "the turn is longer than {limit} characters",
    RefusalCode.THINK_OPEN: "the think block is not closed with </think>",
    RefusalCode.TURN_EMPTY: "the turn holds no tool call and no answer",
    RefusalCode.TURN_CUT: "the turn was cut off at {limit} tokens",
    RefusalCode.ANSWER_OPEN: "the answer is not closed with </answer>",
    RefusalCode.SEVERAL_ANSWERS: "the turn holds more than one answer",
    RefusalCode.ANSWER_FORM: "{form}",
    RefusalCode.ANSWER_UNUSABLE: "no number of the answer is a candidate",
    RefusalCode.CALL_OPEN: "the call is not closed with </tool_call>",
    RefusalCode.CALL_JSON: "the call is not valid JSON ({detail})",
    RefusalCode.CALL_DEPTH: "the call is nested more than {limit} deep",
    RefusalCode.CALL_KEYS: 'a call is one JSON object with exactly the keys "name" and "arguments"',
    RefusalCode.CALL_TYPES: '"name" must be a text and "arguments" an object',
    RefusalCode.CALLS_PER_TURN: "a turn has at most {limit} {limit:call|calls}",
    RefusalCode.LOOKS_ENDED: "no looks are left",
    RefusalCode.ANSWER_GIVEN: "the turn gave the answer",
    RefusalCode.UNKNOWN_TOOL: "there is no tool {name!r}; tools are {known}",
    RefusalCode.NO_TOOLS: "there is no tool {name!r}; no tools are given",
    RefusalCode.ARGUMENTS: "{detail}",
    RefusalCode.NO_CANDIDATE: "there is no candidate {item}; candidates are 1 to {count}",
    RefusalCode.NO_PICTURE: "{owner} has no picture",
    RefusalCode.FEWER_PICTURES: "{owner} has {count} {count:picture|pictures}, not {asked}",
    RefusalCode.UNAVAILABLE: "the picture is not available ({reason})",
    RefusalCode.BOX_OUTSIDE: "the box {box} leaves the picture: values go from 0 to 1000",
    RefusalCode.BOX_EMPTY: "the box {box} is empty or inverted: write [x1, y1, x2, y2] with x1 < x2, y1 < y2",
    RefusalCode.BOX_NUMBERS: "the box {box} is no box",
    RefusalCode.LOOK_BUDGET: "the look would cost more than the {left} visual tokens that are left",
    RefusalCode.LOOKS_SPENT: "no looks are left",
    RefusalCode.PICTURE_LIMIT: "a conversation takes {limit} pictures and {shown} are shown",
    RefusalCode.NOTHING_SHOWN: "there was nothing to show",
    RefusalCode.BOXES_MISMATCH: "{pictures} pictures and {boxes} boxes do not go together: give 1 or a box each",
    RefusalCode.NO_READER: "nothing here reads text",
    RefusalCode.NO_REASON: "refused without a reason",
    RefusalCode.OTHER: "{detail}",
    **DETAILS,
}
"""Default words of every code and of every detail; `{n:call|calls}` is the one or the other by number."""

MAX_CHARS = 300
"""A refusal repeats what was written, but no more of it than this many characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason."""

    code: RefusalCode
    """What kind of reason."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What the words are about, details among it; the names in the code's template."""

    def worded(self, words: Words = WORDS) -> str:
        """Return the sentence, at most `MAX_CHARS` long, without a full stop."""
        return filled(words[self.code], self.facts, words)[:MAX_CHARS] or words[RefusalCode.NO_REASON]


def refusal(code: RefusalCode, **facts: object) -> Refusal:
    """Return a refusal of a code with its facts by name."""
    return Refusal(code=code, facts=facts)


class Refused(Exception):
    """A call is not carried out: a verdict, no failure of the program.

    Args:
        reason: why. A plain text, from a tool of one's own, is code OTHER.
    """

    def __init__(self, reason: Refusal | str) -> None:
        self.refusal = refusal(RefusalCode.OTHER, detail=reason) if isinstance(reason, str) else reason
        super().__init__(self.refusal.worded())
