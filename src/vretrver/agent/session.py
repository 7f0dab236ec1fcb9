"""The loop: one window, one generator. It yields requests and is sent completions; it does no I/O but read pictures.

Search, evaluation, synthesis, rejection sampling, reinforcement learning and the server all run this function. What
the model does wrong ends as data on the trajectory; exceptions are errors of the program.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from ..images import ImageStore
from .bench import Bench, Views
from .dialect import Dialect
from .messages import Message, Piece
from .parsing import ParsedTurn, Repairs, parse_turn, repair
from .policy import Completion, FinishReason, PolicyLimits, Request, Sampling
from .prompt import Prompt, joined, open_prompt, recorded
from .task import WindowTask
from .tools import Executed, execute
from .trajectory import CallOutcome, CallRecord, ObservationRecord, StopReason, Trajectory, Turn
from .wire import estimate_tokens

Session = Generator[Request, Completion, Trajectory]
"""A running window."""

_FINAL = {
    FinishReason.ERROR: StopReason.POLICY_ERROR,
    FinishReason.OVERFLOW: StopReason.CONTEXT_OVERFLOW,
    FinishReason.DEADLINE: StopReason.DEADLINE,
    FinishReason.CANCELLED: StopReason.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """What one session may cost; None is no limit."""

    look_tokens: int | None = None
    """Visual tokens looks may add; a look that would exceed them is refused."""
    total_tokens: int | None = None
    """Tokens of the conversation after which no further turn is begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSetup:
    """What all sessions of a run share."""

    dialect: Dialect
    """Texts, tools and rules."""
    images: ImageStore
    """Where pictures are read."""
    views: Views
    """Sizes of pictures."""
    limits: SessionLimits
    """Caps of one session."""
    sampling: Sampling
    """How completions are drawn."""
    policy: str
    """The policy's fingerprint."""
    policy_limits: PolicyLimits
    """What the policy can take."""
    config: str
    """Hash of the configuration."""
    clock: Callable[[], float] = time.monotonic
    """Seconds; a test may stop it."""


def rank_window(task: WindowTask, setup: SessionSetup, *, deadline: float | None = None) -> Session:
    """Run one window to its end and return the record.

    Args:
        task: query and candidates.
        setup: what the run shares.
        deadline: `setup.clock()` seconds after which no turn is begun.
    """
    state = _State(task, setup, deadline)
    new = state.prompt.messages
    while state.stop is None:
        blocked = state.blocked(new)
        if blocked is not None:
            state.stop = blocked
            break
        asked = setup.clock()
        completion = yield state.request(new)
        new = state.take(completion, setup.clock() - asked)
    return state.trajectory()


class _State:
    """Everything a session has gathered so far."""

    def __init__(self, task: WindowTask, setup: SessionSetup, deadline: float | None) -> None:
        self.task, self.setup, self.deadline = task, setup, deadline
        self.bench = Bench(task, setup.images, views=setup.views, boxes=setup.dialect.boxes)
        self.prompt: Prompt = open_prompt(setup.dialect, self.bench)
        self.turns: list[Turn] = []
        self.stop: StopReason | None = None
        self.forcing = False
        self.answer: tuple[int, ...] | None = None
        self.order: tuple[int, ...] | None = None
        self.repairs = Repairs()
        self.error: str | None = None
        self.looked = 0
        self.pictures = sum(len(message.pictures) for message in self.prompt.messages)
        self.used = 0
        self.ahead = 0

    def blocked(self, new: tuple[Message, ...]) -> StopReason | None:
        """Say why no further turn may be begun, or None."""
        limits, policy = self.setup.limits, self.setup.policy_limits
        self.ahead = ahead = self.used + estimate_tokens(new)
        if self.deadline is not None and self.setup.clock() >= self.deadline:
            return StopReason.DEADLINE
        if policy.pictures is not None and self.pictures > policy.pictures:
            self.error = f"{self.pictures} pictures, the policy takes {policy.pictures}"
            return StopReason.CONTEXT_OVERFLOW
        if policy.context_tokens is not None and ahead > policy.context_tokens:
            self.error = f"about {ahead} tokens, the policy takes {policy.context_tokens}"
            return StopReason.CONTEXT_OVERFLOW
        if limits.total_tokens is not None and ahead > limits.total_tokens:
            return StopReason.BUDGET
        return None

    def request(self, new: tuple[Message, ...]) -> Request:
        """Ask for the next turn."""
        return Request(
            sessions=(self.task.session,),
            messages=new,
            sampling=self.setup.sampling,
            stop=() if self.forcing else self.setup.dialect.stop,
            deadline=self.deadline,
            answer_only=self.forcing,
            candidates=len(self.task.candidates),
            task=self.task,
        )

    def take(self, completion: Completion, seconds: float) -> tuple[Message, ...]:
        """Record a completion and return the messages that answer it; none when the session has ended."""
        reported = completion.usage.prompt_tokens + completion.usage.completion_tokens
        self.used = reported or self.ahead + -(-len(completion.text) // 4)
        self.error = None if completion.error is None else _storable(completion.error)
        text = _storable(completion.text)
        turn = Turn(
            text=text,
            finish=completion.finish,
            token_ids=None if completion.token_ids is None else list(completion.token_ids),
            logprobs=None if completion.logprobs is None else list(completion.logprobs),
            forced=self.forcing,
            usage=completion.usage,
            seconds=seconds,
        )
        self.turns.append(turn)
        if completion.finish in _FINAL:
            self.stop = _FINAL[completion.finish]
            return ()
        parsed = parse_turn(text)
        if parsed.answer is not None:
            return self._answered(parsed, parsed.answer)
        if self.forcing:
            self._note(replace(turn, calls=_untaken(parsed, "no looks are left"), problem=parsed.problem))
            return self._ended(parsed, completion)
        if parsed.calls:
            return self._looked(turn, parsed)
        return self._malformed(turn, parsed, completion)

    def _answered(self, parsed: ParsedTurn, answer: tuple[int, ...]) -> tuple[Message, ...]:
        ignored = _untaken(parsed, "the turn gave the answer", outcome="ignored")
        ranking = repair(answer, len(self.task.candidates))
        self.answer = answer
        if ranking is None:
            self._note(replace(self.turns[-1], calls=ignored, problem="no number of the answer is a candidate"))
            self.stop = StopReason.MALFORMED
            return ()
        self._note(replace(self.turns[-1], calls=ignored))
        self.order, self.repairs = ranking
        self.stop = StopReason.ANSWERED
        return ()

    def _looked(self, turn: Turn, parsed: ParsedTurn) -> tuple[Message, ...]:
        outcomes: list[tuple[Executed, list[Piece]]] = []
        calls: list[CallRecord] = []
        observations: list[ObservationRecord] = []
        wording = self.setup.dialect.wording
        for index, call in enumerate(parsed.calls):
            outcome = self._execute(index, parsed)
            outcomes.append((outcome, [piece for look in outcome.looks for piece in wording.look(look)]))
            verdict: CallOutcome = "executed" if outcome.reason is None else "refused"
            calls.append(
                CallRecord(name=outcome.name, arguments=call.arguments, outcome=verdict, reason=outcome.reason)
            )
            observations += _observations(index, outcome, self.bench)
        pieces = wording.reply(outcomes)
        return self._reply(replace(turn, calls=calls, observations=observations, problem=parsed.problem), pieces)

    def _execute(self, index: int, parsed: ParsedTurn) -> Executed:
        """Carry out one call of a turn, within the dialect's calls and the session's look budget."""
        call, dialect = parsed.calls[index], self.setup.dialect
        if index >= dialect.calls_per_turn:
            reason = f"a turn has at most {dialect.calls_per_turn} call{'s' * (dialect.calls_per_turn > 1)}"
            return Executed(name=call.name, reason=reason)
        budget = self.setup.limits.look_tokens
        left = None if budget is None else budget - self.looked
        outcome = execute(call, dialect.tools, self.bench, tokens_left=left)
        most = self.setup.policy_limits.pictures
        if outcome.looks and most is not None and self.pictures + len(outcome.looks) > most:
            reason = f"a conversation takes {most} pictures and {self.pictures} are shown"
            return Executed(name=outcome.name, reason=reason)
        self.looked += sum(look.shown.tokens for look in outcome.looks)
        self.pictures += len(outcome.looks)
        return outcome

    def _malformed(self, turn: Turn, parsed: ParsedTurn, completion: Completion) -> tuple[Message, ...]:
        problem = parsed.problem or "the turn holds no tool call and no answer"
        if completion.finish is FinishReason.LENGTH:
            problem = f"the turn was cut off at {self.setup.sampling.max_tokens} tokens"
        turn = replace(turn, problem=problem)
        self._note(turn)
        if not self.setup.dialect.forces_answer:
            return self._ended(parsed, completion)
        return self._reply(turn, [self.setup.dialect.wording.malformed(problem)])

    def _reply(self, turn: Turn, pieces: list[Piece]) -> tuple[Message, ...]:
        """Answer a turn; when it was the last, ask for the answer in the same message or end the session."""
        last = len(self.turns) >= self.setup.dialect.turns
        if last and not self.setup.dialect.forces_answer:
            message = Message(role="user", pieces=joined(pieces))
            self._note(replace(turn, reply=recorded(message)))
            self.stop = StopReason.MAX_TURNS
            return ()
        if last:
            self.forcing = True
            pieces = [*pieces, "\n", self.setup.dialect.wording.force(len(self.task.candidates))]
        message = Message(role="user", pieces=joined(pieces))
        self._note(replace(turn, reply=recorded(message)))
        return (message,)

    def _ended(self, parsed: ParsedTurn, completion: Completion) -> tuple[Message, ...]:
        """End without an answer."""
        otherwise = StopReason.MAX_TURNS if parsed.calls else StopReason.MALFORMED
        self.stop = StopReason.MAX_TOKENS if completion.finish is FinishReason.LENGTH else otherwise
        return ()

    def _note(self, turn: Turn) -> None:
        self.turns[-1] = turn

    def trajectory(self) -> Trajectory:
        """Return the record of the finished session."""
        dids = [candidate.did for candidate in self.task.candidates]
        return Trajectory(
            session=self.task.session,
            qid=self.task.query.qid,
            dialect=self.setup.dialect.name,
            policy=self.setup.policy,
            sampling=self.setup.sampling,
            config=self.setup.config,
            step=self.task.step,
            candidates=dids,
            prompt=[recorded(message) for message in self.prompt.messages],
            pictures=list(self.prompt.pictures),
            turns=self.turns,
            stop=self.stop or StopReason.MALFORMED,
            answer=None if self.answer is None else list(self.answer),
            repairs=self.repairs,
            ranking=None if self.order is None else [dids[number - 1] for number in self.order],
            forced=self.order is not None and self.forcing,
            error=self.error,
        )


def _storable(text: str) -> str:
    """Return text without lone surrogates: they have no UTF-8 form."""
    return text.encode("utf-8", "replace").decode()


def _untaken(parsed: ParsedTurn, reason: str, outcome: CallOutcome = "refused") -> list[CallRecord]:
    return [
        CallRecord(name=call.name, arguments=call.arguments, outcome=outcome, reason=call.problem or reason)
        for call in parsed.calls
    ]


def _observations(index: int, outcome: Executed, bench: Bench) -> list[ObservationRecord]:
    return [
        ObservationRecord(
            call=index,
            address=look.address.to_wire(),
            did=bench.did_of(look.address),
            image=look.image,
            asked=None if look.asked is None else list(look.asked),
            box=None if look.placed is None else look.placed.box.to_list(),
            padding=[0, 0] if look.placed is None else list(look.placed.padding),
            width=look.shown.picture.width,
            height=look.shown.picture.height,
            tokens=look.shown.tokens,
            sha256=look.shown.picture.sha256,
        )
        for look in outcome.looks
    ]
