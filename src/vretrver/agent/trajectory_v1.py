"""Reading records of schema 1, which versions before the plans wrote. They are converted and never written.

What schema 1 did not know stays unsaid: refusals have no code, no id counts as held, the revision is 0. The limits a
query reached are told by the stops of its windows alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter

from ..records import Hit, ImageRef, Query
from .answers import RankingAnswer, Repairs, Verdict
from .budget import Limit
from .policy import Failure, FailureKind, FinishReason, Sampling, Usage
from .reranked import Ended, Ranked, Reranked
from .task import WindowStep
from .trajectory import (
    STORED,
    CallRecord,
    CutRecord,
    MessageRecord,
    PictureShown,
    StopReason,
    Trajectory,
    Turn,
    WireAddress,
)

_ENDED = {StopReason.DEADLINE: Ended.DEADLINE, StopReason.CANCELLED: Ended.CANCELLED}
"""Stops that ended the whole query: a session's token budget was its own, and the schedule went on after it."""

_REACHED = {StopReason.DEADLINE: Limit.SECONDS, StopReason.BUDGET: Limit.TOKENS}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """A picture of the prompt."""

    address: WireAddress
    did: str | None
    image: ImageRef
    width: int = 0
    height: int = 0
    tokens: int = 0
    sha256: str | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observation:
    """A picture that a call brought back."""

    call: int
    address: WireAddress
    did: str | None
    image: ImageRef
    asked: tuple[float, ...] | None
    box: tuple[int, int, int, int] | None
    padding: tuple[int, int]
    width: int
    height: int
    tokens: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """A message with the addresses of its pictures between its texts."""

    role: str
    pieces: tuple[str | WireAddress, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """A completion and what it caused."""

    text: str
    finish: FinishReason
    token_ids: tuple[int, ...] | None = None
    logprobs: tuple[float, ...] | None = None
    calls: tuple[CallRecord, ...] = ()
    observations: tuple[_Observation, ...] = ()
    reply: _Message | None = None
    problem: str | None = None
    forced: bool = False
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """The window's slice [start, stop) of the order."""

    schedule: str
    index: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trajectory:
    """A session."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    session: str
    qid: str
    dialect: str
    policy: str
    sampling: Sampling
    config: str
    step: _Step
    candidates: tuple[str, ...]
    prompt: tuple[_Message, ...]
    pictures: tuple[_Picture, ...]
    turns: tuple[_Turn, ...]
    stop: StopReason
    answer: tuple[int, ...] | None = None
    repairs: Repairs = field(default_factory=Repairs)
    ranking: tuple[str, ...] | None = None
    forced: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reranked:
    """A query's windows, one after another."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    query: Query
    hits: tuple[Hit, ...]
    ranking: tuple[Ranked, ...]
    trajectories: tuple[_Trajectory, ...]
    seconds: float = 0.0


_TRAJECTORY = TypeAdapter(_Trajectory)
_RERANKED = TypeAdapter(_Reranked)


def trajectory_from_v1(data: bytes | str) -> Trajectory:
    """Read a trajectory of schema 1; raises ValueError, pydantic's included, when it is not one."""
    return _converted(_TRAJECTORY.validate_json(data))


def reranked_from_v1(data: bytes | str) -> Reranked:
    """Read a reranked query whose trajectories are of schema 1; raises ValueError, pydantic's included."""
    old = _RERANKED.validate_json(data)
    stops = [trajectory.stop for trajectory in old.trajectories]
    reached = {_REACHED[stop] for stop in stops if stop in _REACHED}
    return Reranked(
        query=old.query,
        hits=old.hits,
        ranking=old.ranking,
        trajectories=tuple(map(_converted, old.trajectories)),
        seconds=old.seconds,
        ended=_ENDED.get(stops[-1], Ended.COMPLETE) if stops else Ended.COMPLETE,
        reached=tuple(limit for limit in Limit if limit in reached),
    )


def _converted(old: _Trajectory) -> Trajectory:
    shown = [_picture(picture) for picture in old.pictures]
    prompt = _prompt(old.prompt, shown)
    turns = tuple(_turn(turn, number, shown) for number, turn in enumerate(old.turns))
    return Trajectory(
        session=old.session,
        qid=old.qid,
        dialect=old.dialect,
        form="ranking",
        policy=old.policy,
        revision=0,
        sampling=old.sampling,
        config=old.config,
        step=_step(old),
        candidates=old.candidates,
        prompt=prompt,
        shown=tuple(shown),
        turns=turns,
        stop=old.stop,
        verdict=Verdict.FAILED if old.ranking is None else Verdict.RANKED,
        answer=None if old.answer is None else RankingAnswer(numbers=old.answer),
        repairs=old.repairs,
        ranking=old.ranking,
        forced=old.forced,
        failure=_failure(old),
    )


def _step(old: _Trajectory) -> WindowStep:
    """Return the window's places; windows of a schedule ran one after another, each in a round of its own."""
    step = old.step
    if step.stop - step.start != len(old.candidates) or step.start < 0:
        raise ValueError(f"places {step.start} to {step.stop} do not hold {len(old.candidates)} candidates")
    places = tuple(range(step.start, step.stop))
    return WindowStep(plan=step.schedule, index=step.index, round=step.index, places=places)


def _failure(old: _Trajectory) -> Failure | None:
    if old.error is None:
        return None
    overflow = old.stop is StopReason.CONTEXT_OVERFLOW
    return Failure(kind=FailureKind.CONTEXT if overflow else FailureKind.BROKEN, words=old.error)


def _picture(old: _Picture) -> PictureShown:
    return PictureShown(
        cuts=(CutRecord(address=old.address, did=old.did, image=old.image),),
        width=old.width,
        height=old.height,
        tokens=old.tokens,
        sha256=old.sha256,
        refused=old.refused,
    )


def _look(old: _Observation, turn: int) -> PictureShown:
    cut = CutRecord(
        address=old.address, did=old.did, image=old.image, asked=old.asked, box=old.box, padding=old.padding
    )
    return PictureShown(
        cuts=(cut,),
        turn=turn,
        call=old.call,
        width=old.width,
        height=old.height,
        tokens=old.tokens,
        sha256=old.sha256,
    )


def _prompt(messages: tuple[_Message, ...], shown: list[PictureShown]) -> tuple[MessageRecord, ...]:
    """Name the prompt's pictures by their places: each picture that could be shown is in the messages once."""
    places = iter([place for place, picture in enumerate(shown) if picture.refused is None])
    return tuple(_message(message, places, shown) for message in messages)


def _turn(old: _Turn, number: int, shown: list[PictureShown]) -> Turn:
    """Convert a turn, and add what its calls showed to `shown`."""
    first = len(shown)
    shown += [_look(observation, number) for observation in old.observations]
    reply = None if old.reply is None else _message(old.reply, iter(range(first, len(shown))), shown)
    return Turn(
        text=old.text,
        finish=old.finish,
        token_ids=old.token_ids,
        logprobs=old.logprobs,
        calls=old.calls,
        reply=reply,
        problem=old.problem,
        forced=old.forced,
        usage=old.usage,
        seconds=old.seconds,
    )


def _message(old: _Message, places: Iterator[int], shown: list[PictureShown]) -> MessageRecord:
    """Convert a message: its pictures are the next ones of `places`, under the addresses it names."""
    pieces: list[str | int] = []
    for piece in old.pieces:
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        place = next(places, None)
        if place is None or shown[place].cuts[0].address != piece:
            raise ValueError(f"a message shows picture {piece}, which the record does not have there")
        pieces.append(place)
    return MessageRecord(role=old.role, pieces=tuple(pieces))
