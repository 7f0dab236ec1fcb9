"""The loop over one window: a running that asks for turns, carries their calls out elsewhere, and ends in a record.

Search, evaluation, synthesis, rejection sampling, reinforcement learning and the server all run this function. What
the model does wrong ends as data on the trajectory; exceptions are errors of the program. Pictures are opened and
tools run as `Do`, so that nothing is decoded on the driver's thread where it has a pool. One that hangs holds up
neither the deadline nor a cancel: the window ends there, and what the work comes to later is dropped.

One window, as a conversation (each line is a message or a turn):

    system     role, tools, form of the answer
    user       the query and the numbered candidates, pictures small
    assistant  <think>2 or 5: the clasp</think><tool_call>{... zoom_in 2 ...}</tool_call><tool_call>{... 5 ...}
    user       <tool_response> region of 2, region of 5 </tool_response>
    assistant  <think>5 has it</think><answer>[5, 2, 1, 3, 4]</answer>
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from ..images import Pictures
from .bench import Bench, Views
from .budget import Account, Budget
from .dialect import Dialect
from .effects import Await, Do, Running, Start, WorkAbandoned
from .events import TurnEnded, Watch, WindowBegan, WindowEnded, ignore
from .memo import agent_key
from .messages import Message
from .parsing import ParsedTurn
from .policy import FinishReason, PolicyLimits, Request, Sampling
from .prompt import Prompt, open_prompt
from .recording import ShownList
from .task import WindowTask
from .texts import TextProvider
from .trajectory import Trajectory
from .window import WindowState

Session = Running[Trajectory]
"""A running window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSetup:
    """What all sessions of a run share."""

    dialect: Dialect
    """Texts, tools and rules."""
    images: Pictures
    """Where pictures are read."""
    views: Views
    """Sizes of pictures."""
    sampling: Sampling
    """How completions are drawn."""
    policy: str
    """The policy's fingerprint."""
    policy_limits: PolicyLimits
    """What the policy can take."""
    config: str
    """Hash of the configuration."""
    texts: TextProvider | None = None
    """What reads the text of pictures; None where nothing does."""
    revision: int = 0
    """Revision of the policy's weights."""
    complete_answers: bool = False
    """Whether answers are constrained to naming every candidate once, by a policy that can constrain them."""
    score_tokens: tuple[str, ...] = ()
    """Texts of single tokens whose log-probability at each turn's first position is recorded."""
    clock: Callable[[], float] = time.monotonic
    """Seconds; a test may stop it."""

    @property
    def agent(self) -> str:
        """Hash of configuration, policy, weights, and what the policy can take."""
        return agent_key(self.config, self.policy, self.revision, self.policy_limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A window whose opening a session holds already, for others to start after."""

    session: str
    """The session that has read the opening and nothing else."""
    prompt: Prompt
    """The opening."""


def rank_window(
    task: WindowTask,
    setup: SessionSetup,
    *,
    account: Account | None = None,
    bench: Bench | None = None,
    opened: Opened | None = None,
    watch: Watch = ignore,
) -> Session:
    """Run one window to its end and return the record.

    Args:
        task: query and candidates.
        setup: what the run shares.
        account: what the query may still spend; None is no limit.
        bench: the window's pictures; None makes them.
        opened: the session to start after, where the opening was read already.
        watch: is told of turns as they end.
    """
    account = account or Account(Budget(), setup.clock)
    bench = bench or make_bench(task, setup)
    at_once = not account.open(task.session) and setup.dialect.forces_answer and opened is None
    try:
        prompt: Prompt = opened.prompt if opened else (yield opening(setup, bench, account, at_once=at_once))
        state = WindowState(task, setup, account, bench, prompt, at_once=at_once)
        watch(WindowBegan(task.session, task, prompt.messages))
        new, after = (prompt.messages, None) if opened is None else ((), opened.session)
        begun = state.may_begin(new)
        while begun:
            asked = setup.clock()
            completion = yield state.request(new, after=after)
            parsed = state.take(completion, setup.clock() - asked)
            new, after = (yield from _reply(state, parsed)), None
            begun = state.may_begin(new)
            watch(TurnEnded(task.session, len(state.turns) - 1, state.turns[-1]))
    except WorkAbandoned as abandoned:
        return unopened(task, setup, bench, account, abandoned.finish)
    finally:
        account.end(task.session)
    trajectory = state.trajectory()
    watch(WindowEnded(task.session, trajectory))
    return trajectory


def _reply(state: WindowState, parsed: ParsedTurn | None) -> Running[tuple[Message, ...]]:
    """Carry the calls of a turn out and return the messages that answer it; none when the session ends with it."""
    if parsed is None:
        return ()
    try:
        executed = yield Do(partial(state.execute, parsed), deadline=state.account.deadline)
    except WorkAbandoned as abandoned:
        state.abandon(abandoned.finish)
        return ()
    return state.reply(parsed, executed)


def opening(setup: SessionSetup, bench: Bench, account: Account, *, at_once: bool = False) -> Do:
    """Return the work that opens a window's pictures and lays its prompt out; `at_once` is that of `open_prompt`."""
    return Do(partial(open_prompt, setup.dialect, bench, at_once=at_once), deadline=account.deadline)


def unopened(
    task: WindowTask, setup: SessionSetup, bench: Bench, account: Account, finish: FinishReason
) -> Trajectory:
    """Return the record of a window that ended before anything was shown, its prompt empty.

    Args:
        task: query and candidates.
        setup: what the run shares.
        bench: the window's pictures.
        account: what the query may still spend.
        finish: CANCELLED or DEADLINE.
    """
    state = WindowState(task, setup, account, bench, Prompt(messages=(), shown=ShownList()))
    state.abandon(finish)
    return state.trajectory()


def rank_group(
    task: WindowTask,
    setup: SessionSetup,
    count: int,
    *,
    account: Account | None = None,
    watch: Watch = ignore,
) -> Running[tuple[Trajectory, ...]]:
    """Run `count` sessions over one window and return their records in order: rollouts of one query.

    The opening is read once, by a session of its own, and each rollout starts after it; what the opening showed is
    pinned for all of them. Rollout n, from 0, is named `{session}/{n}` and draws from the stream `{stream}/{n}`.

    Args:
        task: query and candidates.
        setup: what the run shares.
        count: rollouts, at least 1.
        account: what all of them may still spend; None is no limit.
        watch: is told of turns as they end.
    """
    account = account or Account(Budget(), setup.clock)
    bench = make_bench(task, setup)
    opened: Opened | None = None  # each rollout meets a failure or the end by itself, and records it
    try:
        prompt: Prompt = yield opening(setup, bench, account)
        read = yield Request(
            session=task.session,
            messages=prompt.messages,
            sampling=setup.sampling,
            deadline=account.deadline,
            read_only=True,
        )
        opened = Opened(session=task.session, prompt=prompt) if read.finish is FinishReason.STOP else None
    except WorkAbandoned:
        pass
    numbers: dict[int, int] = {}
    for index in range(count):
        stream = f"{task.stream or task.session}/{index}"
        rollout = replace(task, session=f"{task.session}/{index}", stream=stream)
        running = rank_window(rollout, setup, account=account, bench=bench, opened=opened, watch=watch)
        numbers[(yield Start(running))] = index
    done: dict[int, Trajectory] = {}
    while len(done) < count:
        number, trajectory = yield Await()
        done[numbers[number]] = trajectory
    return tuple(done[index] for index in range(count))


def make_bench(task: WindowTask, setup: SessionSetup) -> Bench:
    """Return a window's pictures; none is opened yet."""
    return Bench(task, setup.images, views=setup.views, boxes=setup.dialect.boxes, texts=setup.texts)
