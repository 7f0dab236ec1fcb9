"""Everything a window has gathered so far, and what follows from a turn: the loop's state, without the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .._text import storable
from .answers import Answer, Repairs, Settled, Verdict
from .bench import Bench
from .budget import Account, Limit, Spent
from .grammar import Grammar
from .messages import Message, Piece
from .parsing import ParsedTurn, parse_turn
from .policy import Completion, Failure, FailureKind, FinishReason, Request
from .prompt import Prompt, joined
from .recording import ShownList, call_record, limits_met, untaken_record
from .refusals import Refusal, RefusalCode, refusal
from .task import WindowTask
from .tools import Executed, execute, refused
from .trajectory import CallOutcome, CallRecord, MessageRecord, StopReason, Trajectory, Turn
from .wire import estimate_tokens

if TYPE_CHECKING:
    from .session import SessionSetup

_FINAL = {
    FinishReason.ERROR: StopReason.POLICY_ERROR,
    FinishReason.OVERFLOW: StopReason.CONTEXT_OVERFLOW,
    FinishReason.DEADLINE: StopReason.DEADLINE,
    FinishReason.CANCELLED: StopReason.CANCELLED,
}


class WindowState:
    """The state of one window.

    Args:
        task: query and candidates.
        setup: what the run shares.
        account: what the query may still spend.
        bench: the window's pictures.
        prompt: the opening.
        at_once: whether the opening asks for the answer at once.
    """

    def __init__(
        self,
        task: WindowTask,
        setup: SessionSetup,
        account: Account,
        bench: Bench,
        prompt: Prompt,
        *,
        at_once: bool = False,
    ) -> None:
        self.task, self.setup, self.account, self.bench, self.prompt = task, setup, account, bench, prompt
        self.shown: ShownList = prompt.shown.copy()
        self.turns: list[Turn] = []
        self.stop: StopReason | None = None
        self.failure: Failure | None = None
        self._forcing = at_once or task.turns == 0
        self._answer: Answer | None = None
        self._settled: Settled | None = None
        self._used = self._ahead = self._tokens = self._looks = self._look_tokens = 0
        self._limit: Limit | None = None
        self._unsent: MessageRecord | None = None
        self._unmet: int | None = None

    def may_begin(self, new: Sequence[Message]) -> bool:
        """Say whether the next turn begins, and record what it carries to the model; where not, `stop` says why.

        Args:
            new: the messages that the turn would read anew.
        """
        if self.stop is None:
            self._check(new)
        if self._unsent is not None:
            if self.stop is None:
                self.turns[-1] = replace(self.turns[-1], reply=self._unsent)
            else:
                self._unmet = len(self.turns) - 1
            self._unsent = None
        return self.stop is None

    def _check(self, new: Sequence[Message]) -> None:
        """Count the next turn, or stop the window before it."""
        policy, cost = self.setup.policy_limits, estimate_tokens(new if self.turns else self.prompt.messages)
        self._ahead = self._used + cost
        if policy.pictures is not None and self.shown.pictures > policy.pictures:
            self._overflow(f"{self.shown.pictures} pictures, the policy takes {policy.pictures}")
        elif policy.context_tokens is not None and self._ahead > policy.context_tokens:
            self._overflow(f"about {self._ahead} tokens, the policy takes {policy.context_tokens}")
        else:
            self._limit = self.account.begin_turn(self.task.session, cost)
            if self._limit is not None:
                self.stop = StopReason.DEADLINE if self._limit is Limit.SECONDS else StopReason.BUDGET

    def _overflow(self, words: str) -> None:
        self.failure = Failure(kind=FailureKind.CONTEXT, words=words)
        self.stop = StopReason.CONTEXT_OVERFLOW

    def request(self, new: Sequence[Message], *, after: str | None) -> Request:
        """Return the request for the next turn."""
        setup = self.setup
        return Request(
            session=self.task.session,
            messages=tuple(new),
            sampling=setup.sampling,
            stop=() if self._forcing else setup.dialect.stop,
            deadline=self.account.deadline,
            after=after,
            grammar=self._grammar(),
            score_tokens=setup.score_tokens,
            stream="" if self.task.stream == self.task.session else self.task.stream,
        )

    def _grammar(self) -> Grammar | None:
        """Return the constraint on the next turn: the answer alone when it is forced, else where it is complete."""
        if not self._forcing and not self.setup.complete_answers:
            return None
        form, count = self.setup.dialect.form, len(self.task.candidates)
        return form.grammar(count, whole_turn=self._forcing, complete=self.setup.complete_answers)

    def take(self, completion: Completion, seconds: float) -> ParsedTurn | None:
        """Record a completion; return what it says when calls are to be carried out or a reply is due."""
        reported = completion.usage.prompt_tokens + completion.usage.completion_tokens
        used = reported or self._ahead + -(-len(completion.text) // 4)
        fresh = max(0, used - self._used)
        self.account.note_tokens(self.task.session, fresh)
        self._used, self._tokens = used, self._tokens + fresh
        failure = completion.failure
        self.failure = None if failure is None else replace(failure, words=storable(failure.words))
        turn = Turn(
            text=storable(completion.text),
            finish=completion.finish,
            token_ids=completion.token_ids,
            logprobs=completion.logprobs,
            held=completion.held,
            scores=dict(completion.scores),
            forced=self._forcing,
            usage=completion.usage,
            seconds=seconds,
        )
        self.turns.append(turn)
        if completion.finish in _FINAL:
            self.stop = _FINAL[completion.finish]
            if completion.finish is FinishReason.DEADLINE:
                self.account.note_deadline()
            return None
        parsed = parse_turn(turn.text, self.setup.dialect.form)
        if parsed.answer is not None:
            self._answered(parsed, parsed.answer)
            return None
        if self._forcing:
            self._note(calls=self._untaken(parsed, RefusalCode.LOOKS_ENDED, "refused"))
            self._end_without_answer(parsed)
            return None
        return parsed

    def execute(self, parsed: ParsedTurn) -> list[Executed]:
        """Carry the calls of a turn out; runs off the driver's thread."""
        return [self._execute(index, parsed) for index in range(len(parsed.calls))]

    def reply(self, parsed: ParsedTurn | None, executed: Sequence[Executed]) -> tuple[Message, ...]:
        """Record what calls brought back and return the messages that answer the turn; none when it was the last."""
        if parsed is None:
            return ()
        if parsed.calls:
            self._note(problem=parsed.problem)
            return self._reply(self._observed(parsed, executed))
        return self._malformed(parsed)

    def abandon(self, finish: FinishReason) -> None:
        """End the window in the middle of work nobody waits for: CANCELLED or DEADLINE.

        What the last turn's calls brought until then, or bring later on their thread, the model never met.
        """
        self.stop, self._unmet = _FINAL[finish], len(self.turns) - 1
        if finish is FinishReason.DEADLINE:
            self.account.note_deadline()

    def _answered(self, parsed: ParsedTurn, answer: Answer) -> None:
        self._note(calls=self._untaken(parsed, RefusalCode.ANSWER_GIVEN, "ignored"))
        self._answer = answer
        self._settled = self.setup.dialect.form.settled(answer, len(self.task.candidates))
        if self._settled is None:
            self._note(problem=refusal(RefusalCode.ANSWER_UNUSABLE))
        self.stop = StopReason.MALFORMED if self._settled is None else StopReason.ANSWERED

    def _execute(self, index: int, parsed: ParsedTurn) -> Executed:
        """Carry out one call of a turn, within the dialect's calls and the policy's pictures."""
        call, dialect = parsed.calls[index], self.setup.dialect
        words, most = dialect.wording.refusals, dialect.calls_per_turn
        if index >= most:
            return refused(call.name, refusal(RefusalCode.CALLS_PER_TURN, limit=most), words)
        done = execute(call, dialect.tools, self.bench, account=self.account, words=words)
        limit, shown = self.setup.policy_limits.pictures, self.shown.pictures
        if done.observations and limit is not None and shown + done.pictures > limit:
            self.account.return_look(done.cost)
            return refused(done.name, refusal(RefusalCode.PICTURE_LIMIT, limit=limit, shown=shown), words)
        if done.refusal is None:
            self._looks, self._look_tokens = self._looks + 1, self._look_tokens + done.cost
        for observation in done.observations:
            self.shown.note(observation, self.bench, turn=len(self.turns) - 1, call=index)
        return done

    def _observed(self, parsed: ParsedTurn, executed: Sequence[Executed]) -> list[Piece]:
        """Record the calls of a turn and return the pieces that answer them."""
        wording = self.setup.dialect.wording
        calls = tuple(call_record(done, call) for call, done in zip(parsed.calls, executed, strict=True))
        self._note(calls=calls)
        return wording.reply(
            [(done, [piece for one in done.observations for piece in wording.observation(one)]) for done in executed]
        )

    def _malformed(self, parsed: ParsedTurn) -> tuple[Message, ...]:
        problem = parsed.problem or refusal(RefusalCode.TURN_EMPTY)
        if self.turns[-1].finish is FinishReason.LENGTH:
            problem = refusal(RefusalCode.TURN_CUT, limit=self.setup.sampling.max_tokens)
        self._note(problem=problem)
        if not self.setup.dialect.forces_answer:
            self._end_without_answer(parsed)
            return ()
        wording = self.setup.dialect.wording
        return self._reply([wording.malformed(problem.worded(wording.refusals))])

    def _reply(self, pieces: list[Piece]) -> tuple[Message, ...]:
        """Answer a turn; when it was the last, ask for the answer in the same message or end the session."""
        dialect = self.setup.dialect
        most = dialect.turns if self.task.turns is None else min(self.task.turns, dialect.turns)
        last = len(self.turns) >= most
        forced = dialect.forces_answer and (last or self.account.last_turn(self.task.session))
        if forced:
            self._forcing = True
            pieces = dialect.wording.forced(pieces, len(self.task.candidates), dialect.form)
        message = Message(role="user", pieces=joined(pieces))
        self._unsent = self.shown.recorded(message)
        if last and not forced:
            self.stop = StopReason.MAX_TURNS
            return ()
        return (message,)

    def _end_without_answer(self, parsed: ParsedTurn) -> None:
        self._note(problem=parsed.problem if self._forcing else None)
        otherwise = StopReason.MAX_TURNS if parsed.calls else StopReason.MALFORMED
        self.stop = StopReason.MAX_TOKENS if self.turns[-1].finish is FinishReason.LENGTH else otherwise

    def _untaken(self, parsed: ParsedTurn, code: RefusalCode, outcome: CallOutcome) -> tuple[CallRecord, ...]:
        """Record calls that are not carried out."""
        words = self.setup.dialect.wording.refusals
        return tuple(untaken_record(call, code, outcome, words) for call in parsed.calls)

    def _note(self, *, calls: tuple[CallRecord, ...] | None = None, problem: Refusal | None = None) -> None:
        """Complete the record of the last turn."""
        turn = self.turns[-1]
        if calls is not None:
            turn = replace(turn, calls=calls)
        if problem is not None:
            words = problem.worded(self.setup.dialect.wording.refusals)
            turn = replace(turn, problem=words, problem_code=problem.code)
        self.turns[-1] = turn

    def trajectory(self) -> Trajectory:
        """Return the record of the finished session; raises RuntimeError when it has not stopped."""
        if self.stop is None:
            raise RuntimeError(f"session {self.task.session!r} has not ended")
        setup, settled, dids = self.setup, self._settled, tuple(one.did for one in self.task.candidates)
        return Trajectory(
            session=self.task.session,
            qid=self.task.query.qid,
            dialect=setup.dialect.name,
            form=setup.dialect.form.name,
            policy=setup.policy,
            revision=setup.revision,
            sampling=setup.sampling,
            config=setup.config,
            step=self.task.step,
            candidates=dids,
            prompt=tuple(self.shown.recorded(message) for message in self.prompt.messages),
            shown=tuple(one for one in [*self.shown.records] if one.turn is None or one.turn != self._unmet),
            turns=tuple(self.turns),
            stop=self.stop,
            verdict=Verdict.FAILED if settled is None else settled.verdict,
            answer=self._answer,
            repairs=Repairs() if settled is None else settled.repairs,
            ranking=None if settled is None else tuple(dids[number - 1] for number in settled.order),
            forced=settled is not None and self._forcing,
            failure=self.failure,
            stream="" if self.task.stream == self.task.session else self.task.stream,
            agent=setup.agent,
            spent=Spent(
                turns=len(self.turns),
                looks=self._looks,
                look_tokens=self._look_tokens,
                tokens=self._tokens,
                reached=limits_met(self.turns, self._limit),
            ),
        )
