"""How an agent works, and the hash of it that every trajectory carries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, is_dataclass

from ..errors import ConfigError
from ..geometry import Box
from ..images import Picture
from ..records import Address, Candidate, ImageRef, Query, parts_of
from .bench import Views
from .budget import Budget
from .details import DetailCode
from .dialect import Dialect
from .dialects import dialect_named
from .messages import Piece, ShownPicture
from .observations import Cut, Layout, Observation, Read, Seen
from .plans import Planner, ReferencePlanner, Window
from .policy import Sampling
from .refusals import RefusalCode, refusal
from .task import WindowStep, WindowTask
from .tools import Executed, signature

_MANY = 1000
"""Candidates that a plan is tried with when it is configured: more than plans rerank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """How a reranker works; `sha256` of it is in every trajectory."""

    dialect: Dialect = field(default_factory=lambda: dialect_named("vretrver"))
    """Texts, tools and rules."""
    views: Views | None = None
    """Sizes of pictures; None takes the dialect's."""
    planner: Planner = field(default_factory=ReferencePlanner)
    """Which windows there are."""
    sampling: Sampling = Sampling()
    """How completions are drawn."""
    complete_answers: bool = True
    """Constrain answers to naming every candidate once, where the policy can. Training, and measuring what a model
    writes by itself, want free answers."""
    score_tokens: tuple[str, ...] = ()
    """Texts of single tokens whose log-probability at each turn's first position is recorded."""
    budget: Budget = field(default_factory=Budget)
    """What one query may cost."""

    def __post_init__(self) -> None:
        """Refuse a plan whose first windows force answers with a dialect that never does, with ConfigError."""
        refuse_forcing(self.planner.plan(_MANY).due(), self.planner, self.dialect)

    @property
    def sha256(self) -> str:
        """Hash of everything here that decides what is asked and shown, each text a model can be told included."""
        dialect = self.dialect
        known: list[object] = [
            dialect.name,
            [*told(dialect)],
            _described(dialect.wording),
            [[signature(tool), *tool.aliases, _described(tool)] for tool in dialect.tools],
            [*dialect.stop],
            _described(dialect.boxes),
            repr(self.views or dialect.views),
            [dialect.turns, dialect.calls_per_turn, dialect.forces_answer],
            self.planner.name,
            repr(self.sampling),
            self.complete_answers,
            [*self.score_tokens],
            repr(self.budget),
        ]
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def refuse_forcing(windows: Iterable[Window], planner: Planner, dialect: Dialect) -> None:
    """Raise ConfigError when a window of a plan forces its answer and the dialect never does."""
    if not dialect.forces_answer and any(window.turns is not None for window in windows):
        raise ConfigError(
            f"the plan {planner.name} forces answers, which the dialect {dialect.name} never does; "
            "take a plan without turns, or another dialect"
        )


def told(dialect: Dialect) -> Iterator[str]:
    """Yield every text that a model can be told in a dialect, over one example of each kind of thing."""
    wording, form = dialect.wording, dialect.form
    yield form.name
    yield form.described
    for code in (*RefusalCode, *DetailCode):
        yield f"{code}: {wording.refusals[code]}"
    yield wording.unavailable
    yield wording.text("a text", limit=9, first=True)
    yield wording.text("a text", limit=3, first=False)
    yield wording.system(dialect.tools, form)
    yield wording.system((), form)
    picture = _example_picture()
    for count in (1, 2):
        items = [piece for number in range(1, count + 1) for piece in wording.item(number, [picture, " text"])]
        yield _flat(wording.user(_example_task(count), [picture, " text"], items))
        yield _flat(wording.forced([], count, form))
        yield _flat(wording.forced(["reply"], count, form))
    for observation in _example_observations():
        done = Executed(name="tool", observations=(observation,))
        yield _flat(wording.reply([(done, wording.observation(observation))]))
    no = refusal(RefusalCode.NOTHING_SHOWN)
    yield _flat(wording.reply([(Executed(name="tool", refusal=no, reason="a reason"), [])]))
    yield wording.malformed("a problem")


def _flat(pieces: list[Piece]) -> str:
    return "".join(piece if isinstance(piece, str) else "<picture>" for piece in pieces)


def _example_picture() -> ShownPicture:
    picture = Picture(data=b"", width=32, height=32, sha256="")
    return ShownPicture(address=Address(item=1), picture=picture, tokens=1)


def _example_task(count: int) -> WindowTask:
    query = Query(qid="q", parts=parts_of(text="text"), instruction="instruction")
    candidates = tuple(Candidate(did=str(number), parts=parts_of(text="text")) for number in range(count))
    step = WindowStep(plan="plan", index=0, round=0, places=tuple(range(count)))
    return WindowTask(session="s", query=query, candidates=candidates, step=step)


def _example_observations() -> Iterator[Observation]:
    image = ImageRef(path="p", width=100, height=100)
    whole = Cut(address=Address(item=1), image=image)
    box = Box(left=0, top=0, right=50, bottom=50)
    region = Cut(address=Address(item=2, picture=2), image=image, asked=(0, 0, 500, 500), box=box)
    shown = _example_picture()
    yield Seen(cuts=(whole,), shown=shown)
    yield Seen(cuts=(region,), shown=shown)
    yield Seen(cuts=(whole, region), shown=shown, layout=Layout.ROW)
    yield Seen(cuts=(whole, region), shown=shown, layout=Layout.COLUMN)
    yield Read(cuts=(region,), text="text", made_by="reader")


def _described(part: object) -> str:
    """Return what tells one part of a dialect from another, the same in every run.

    That is all fields of a dataclass; of anything else only its class, because a plain `repr` holds an address.
    """
    return repr(part) if is_dataclass(part) else f"{type(part).__module__}.{type(part).__qualname__}"
