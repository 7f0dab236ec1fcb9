"""From what was shown to the record of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..records import Address
from .bench import Bench
from .budget import Limit
from .messages import Message, ShownPicture
from .observations import Cut, Observation, Read
from .parsing import ParsedCall
from .refusals import RefusalCode, refusal
from .tools import Executed
from .trajectory import CallOutcome, CallRecord, CutRecord, MessageRecord, PictureShown, TextShown, Turn, WireAddress

_LIMITS = {RefusalCode.LOOKS_SPENT: Limit.LOOKS, RefusalCode.LOOK_BUDGET: Limit.LOOK_TOKENS}


class ShownList:
    """Everything a session has shown, in order, and where each picture is in it."""

    def __init__(self) -> None:
        self.records: list[PictureShown | TextShown] = []
        self._places: dict[int, int] = {}
        self._pictures: list[ShownPicture] = []  # kept, so that no other object takes the identity of one of them

    def copy(self) -> ShownList:
        """Return a list that goes on by itself."""
        other = ShownList()
        other.records, other._places, other._pictures = [*self.records], dict(self._places), [*self._pictures]
        return other

    @property
    def pictures(self) -> int:
        """Pictures shown so far."""
        return len(self._pictures)

    def note(
        self, observation: Observation, bench: Bench, *, turn: int | None = None, call: int | None = None
    ) -> None:
        """Add what the prompt shows, or a call of a turn brought back."""
        cuts = tuple(cut_record(cut, bench) for cut in observation.cuts)
        if isinstance(observation, Read):
            text, made_by = observation.text, observation.made_by
            self.records.append(TextShown(cuts=cuts, text=text, made_by=made_by, turn=turn or 0, call=call or 0))
            return
        shown = observation.shown
        self._places[id(shown)] = len(self.records)
        self._pictures.append(shown)
        self.records.append(
            PictureShown(
                cuts=cuts,
                layout=observation.layout,
                turn=turn,
                call=call,
                width=shown.picture.width,
                height=shown.picture.height,
                tokens=shown.tokens,
                sha256=shown.picture.sha256,
            )
        )

    def note_refused(self, cut: CutRecord, reason: str) -> None:
        """Add a picture of the prompt that could not be shown."""
        self.records.append(PictureShown(cuts=(cut,), refused=reason))

    def recorded(self, message: Message) -> MessageRecord:
        """Return a message with its pictures replaced by their places; every one must have been noted."""
        pieces = tuple(piece if isinstance(piece, str) else self._places[id(piece)] for piece in message.pieces)
        return MessageRecord(role=message.role, pieces=pieces)


def call_record(done: Executed, call: ParsedCall) -> CallRecord:
    """Return the record of a call that was carried out, or was refused when it was tried."""
    return CallRecord(
        name=done.name,
        arguments=call.arguments,
        outcome="executed" if done.refusal is None else "refused",
        code=None if done.refusal is None else done.refusal.code,
        reason=done.reason,
    )


def untaken_record(call: ParsedCall, code: RefusalCode, outcome: CallOutcome, words: Mapping[str, str]) -> CallRecord:
    """Return the record of a call that was not tried.

    Args:
        call: the call as parsed; its own problem counts over `code`.
        code: why it was not tried.
        outcome: what became of it.
        words: the dialect's words for refusals.
    """
    why = call.problem or refusal(code)
    return CallRecord(
        name=call.name, arguments=call.arguments, outcome=outcome, code=why.code, reason=why.worded(words)
    )


def limits_met(turns: Sequence[Turn], limit: Limit | None) -> tuple[Limit, ...]:
    """Return the limits of a budget that a session met: those its calls were refused for, and what ended it."""
    met = {_LIMITS[call.code] for turn in turns for call in turn.calls if call.code in _LIMITS} | {limit}
    return tuple(one for one in Limit if one in met)


def cut_record(cut: Cut, bench: Bench) -> CutRecord:
    """Return the record of a cut."""
    box = cut.box
    return CutRecord(
        address=wire(cut.address),
        did=bench.did_of(cut.address),
        image=cut.image,
        asked=cut.asked,
        box=None if box is None else (box.left, box.top, box.right, box.bottom),
        padding=cut.padding,
    )


def wire(address: Address) -> WireAddress:
    """Return an address as it is recorded."""
    return address.item if address.picture == 1 else (address.item, address.picture)
