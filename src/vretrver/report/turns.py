"""One turn of a trajectory: what the model wrote, what was refused, and the answer; what it looked at is in `looks`.

Model text is data: it is shown as text, cut at a length, and never as HTML.
"""

from __future__ import annotations

import json

from ..agent.answers import Answer, RankingForm, RankingOrNoneAnswer
from ..agent.parsing import parse_turn
from ..agent.policy import FinishReason, Usage
from ..agent.trajectory import CallRecord, MessageRecord, Trajectory, Turn
from .looks import address_of, look_figure
from .markup import Markup, element, joined
from .tiles import PageContext, shortened
from .words import cut, listed, repaired

_MANY, _SHORT = 8, 72
"""More lines than `_MANY`, none longer than `_SHORT` characters, are set in columns."""


def turn_section(trajectory: Trajectory, index: int, page: PageContext) -> Markup:
    """Return turn `index` (from 0) of a trajectory."""
    turn = trajectory.turns[index]
    answer = trajectory.answer if index == len(trajectory.turns) - 1 else None
    return element(
        "section",
        element(
            "h4", f"Turn {index + 1}", element("span", ended, class_="aside") if (ended := _ended(turn)) else None
        ),
        _words(turn, answered=answer is not None),
        element("p", "Problem: ", turn.problem, ".", class_="problem", dir="auto") if turn.problem else None,
        _looks(trajectory, index, page),
        _not_executed(turn),
        None if answer is None else _answer(trajectory, answer, page),
        _verbatim(trajectory, turn),
        class_="turn",
    )


def _ended(turn: Turn) -> str:
    """Return what was unusual about a turn, or nothing."""
    facts = ["asked for the answer only"] if turn.forced else []
    if turn.finish is not FinishReason.STOP:
        facts.append(f"ended by {turn.finish.value}")
    return ", ".join(facts)


def spent(usage: Usage) -> str:
    """Return the tokens a completion read and wrote, and whether they were counted or estimated."""
    about = " (estimated)" if usage.estimated else ""
    return f"{usage.prompt_tokens:,} tokens read, {usage.completion_tokens:,} written{about}"


def _words(turn: Turn, *, answered: bool) -> Markup | None:
    """Return the reasoning; the whole text where it holds neither call nor answer."""
    reasoned = parse_turn(turn.text, RankingForm()).think  # the form is that of the answer, which is not read here
    text = reasoned if turn.calls or answered else turn.text
    if not text.strip():
        return element("p", "Nothing was written.", class_="aside") if not turn.text.strip() else None
    said = cut(text.strip())
    lines = said.splitlines()
    listed = len(lines) > _MANY and max(map(len, lines)) <= _SHORT
    return element("blockquote", said, class_="lines" if listed else None, dir="auto")


def _looks(trajectory: Trajectory, index: int, page: PageContext) -> Markup | None:
    turn, shown = trajectory.turns[index], trajectory.observations(index)
    if not shown:
        return None
    return element("ol", [element("li", look_figure(turn, one, page)) for one in shown], class_="looks")


def _not_executed(turn: Turn) -> Markup | None:
    calls = [call for call in turn.calls if call.outcome != "executed"]
    return element("ul", [_refusal(call) for call in calls], class_="refused") if calls else None


def _refusal(call: CallRecord) -> Markup:
    arguments = "" if call.arguments is None else json.dumps(call.arguments, ensure_ascii=False)
    return element(
        "li",
        element("strong", f"{shortened(call.name or 'unreadable call', 60)} {call.outcome}"),
        f": {call.reason or 'no reason was recorded'} ",
        element("code", shortened(arguments, 200), dir="auto") if arguments else None,
    )


def _answer(trajectory: Trajectory, answer: Answer, page: PageContext) -> Markup:
    fixed = repaired(trajectory)
    none_fits = " No candidate fits." if isinstance(answer, RankingOrNoneAnswer) and answer.none_fits else None
    first = f" First is {page.names.full(trajectory.ranking[0])}." if trajectory.ranking else None
    return joined(
        element("p", element("strong", "Answer"), f" [{listed(answer.numbers)}].", none_fits, first, class_="answer"),
        element("p", fixed, class_="problem") if fixed else None,
    )


def _verbatim(trajectory: Trajectory, turn: Turn) -> Markup:
    replied = None if turn.reply is None else _reply(trajectory, turn.reply)
    return element(
        "details",
        element("summary", "As written" if replied is None else "As written, and the reply"),
        element("p", f"{spent(turn.usage)}, {turn.seconds:.1f} s", class_="aside"),
        element("pre", cut(turn.text), dir="auto"),
        None if replied is None else element("pre", cut(replied), class_="reply", dir="auto"),
        class_="more",
    )


def _reply(trajectory: Trajectory, message: MessageRecord) -> str:
    return "".join(
        piece if isinstance(piece, str) else f"[picture {_named(trajectory, piece)}]" for piece in message.pieces
    )


def _named(trajectory: Trajectory, place: int) -> str:
    return " and ".join(address_of(one) for one in trajectory.shown[place].cuts)
