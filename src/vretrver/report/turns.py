"""One turn of a trajectory: what the model wrote, what it looked at, what was refused, and the answer.

Model text is data: it is shown as text, cut at a length, and never as HTML.
"""

from __future__ import annotations

import json

from ..agent.parsing import parse_turn
from ..agent.policy import FinishReason, Usage
from ..agent.trajectory import CallRecord, MessageRecord, ObservationRecord, Trajectory, Turn
from .gallery import LARGE
from .markup import Markup, element, joined
from .tiles import Desk, picture, region, shortened
from .words import counted, listed, repaired

WORDS_CHARS = 4000
"""Most characters shown of one text; the trace has the rest."""


def turn_section(trajectory: Trajectory, index: int, desk: Desk) -> Markup:
    """Return turn `index` (from 0) of a trajectory."""
    turn = trajectory.turns[index]
    last = index == len(trajectory.turns) - 1
    return element(
        "section",
        element("h4", f"Turn {index + 1}", element("span", _facts(turn), class_="aside")),
        _words(turn),
        element("p", "Problem: ", turn.problem, ".", class_="problem", dir="auto") if turn.problem else None,
        _looks(turn, desk),
        _not_executed(turn),
        _answer(trajectory, desk) if last and trajectory.answer is not None else None,
        _verbatim(turn),
        class_="turn",
    )


def _facts(turn: Turn) -> str:
    facts = ["asked for the answer only"] if turn.forced else []
    if turn.finish is not FinishReason.STOP:
        facts.append(f"ended by {turn.finish.value}")
    return ", ".join([*facts, spent(turn.usage), f"{turn.seconds:.1f} s"])


def spent(usage: Usage) -> str:
    """Return the tokens a completion read and wrote, and whether they were counted or estimated."""
    about = " (estimated)" if usage.estimated else ""
    return f"{usage.prompt_tokens:,} tokens read, {usage.completion_tokens:,} written{about}"


def _words(turn: Turn) -> Markup | None:
    """Return the reasoning; the whole text where it holds neither call nor answer."""
    parsed = parse_turn(turn.text)
    text = parsed.think if parsed.calls or parsed.answer is not None else turn.text
    if not text.strip():
        return element("p", "Nothing was written.", class_="aside") if not turn.text.strip() else None
    return element("blockquote", _cut(text.strip()), dir="auto")


def _looks(turn: Turn, desk: Desk) -> Markup | None:
    if not turn.observations:
        return None
    looks = [element("li", look_figure(turn, observation, desk)) for observation in turn.observations]
    return element("ol", looks, class_="looks")


def look_figure(turn: Turn, observation: ObservationRecord, desk: Desk) -> Markup:
    """Return one look: the whole picture with the region drawn on it, beside it what was shown of it."""
    item = "the query" if observation.did is None else desk.names.full(observation.did)
    name = turn.calls[observation.call].name if observation.call < len(turn.calls) else None
    shown = desk.gallery.look(observation)
    panes = [picture(shown, f"What the agent was shown of {item}", kind="seen")]
    if observation.box is not None:
        outline = region(observation.box, observation.image)
        whole = desk.gallery.thumbnail(observation.image, LARGE)
        panes.insert(0, picture(whole, f"Picture of {item}, the region marked", *([outline] if outline else [])))
    caption = element(
        "figcaption",
        element("strong", f"Picture {_address(observation.address)}", " \N{MIDDLE DOT} ", item, dir="auto"),
        element("span", f"{_asked(name, observation)}: {_where(observation)}", dir="auto"),
        element("span", f"{observation.width} x {observation.height} px, {observation.tokens} visual tokens"),
        element("span", f"same bytes as the agent was shown ({observation.sha256[:12]})", class_="same")
        if shown.name is not None
        else None,
    )
    kind = "look whole" if observation.box is None else "look"
    return element("figure", element("div", panes, class_="panes"), caption, class_=kind)


def _address(address: int | list[int]) -> str:
    return str(address) if isinstance(address, int) else str(list(address))


def _asked(name: str | None, observation: ObservationRecord) -> str:
    tool = shortened(name or "look", 60)
    if observation.asked is None:
        return tool
    return f"{tool} [{', '.join(f'{edge:g}' for edge in observation.asked)}]"


def _where(observation: ObservationRecord) -> str:
    ref = observation.image
    if observation.box is None:
        return f"the whole of {ref.width} x {ref.height} px"
    left, top, right, bottom = (*observation.box, 0, 0, 0, 0)[:4]
    padding = f", {'/'.join(map(str, observation.padding))} px of it padding" if any(observation.padding) else ""
    return f"region {left},{top} to {right},{bottom} of {ref.width} x {ref.height} px{padding}"


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


def _answer(trajectory: Trajectory, desk: Desk) -> Markup:
    numbers = trajectory.answer or []
    fixed = repaired(trajectory)
    first = f" First is {desk.names.full(trajectory.ranking[0])}." if trajectory.ranking else None
    return joined(
        element("p", element("strong", "Answer"), f" [{listed(numbers)}].", first, class_="answer"),
        element("p", fixed, class_="problem") if fixed else None,
    )


def _verbatim(turn: Turn) -> Markup:
    replied = None if turn.reply is None else _reply(turn.reply)
    return element(
        "details",
        element("summary", "As written" if replied is None else "As written, and the reply"),
        element("pre", _cut(turn.text), dir="auto"),
        None if replied is None else element("pre", _cut(replied), class_="reply", dir="auto"),
        class_="more",
    )


def _reply(message: MessageRecord) -> str:
    return "".join(piece if isinstance(piece, str) else f"[picture {_address(piece)}]" for piece in message.pieces)


def _cut(text: str) -> str:
    if len(text) <= WORDS_CHARS:
        return text
    return f"{text[:WORDS_CHARS]} ... ({counted(len(text) - WORDS_CHARS, 'more character')} in the trace)"
