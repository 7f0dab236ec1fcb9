"""What the fuzz checks of a query's record, and of the record of each of its windows."""

from __future__ import annotations

from measure.agent_world import World
from measure.tally import Tally
from vretrver.agent.answers import Verdict
from vretrver.agent.budget import Budget
from vretrver.agent.observations import Layout
from vretrver.agent.plans import Planner
from vretrver.agent.reranked import Ended, Reranked, outcome_of
from vretrver.agent.trajectory import MessageRecord, StopReason, TextShown, Trajectory, Turn
from vretrver.traces import trajectory_from_json, trajectory_to_json

ENDING = {
    StopReason.BUDGET: Ended.BUDGET,
    StopReason.DEADLINE: Ended.DEADLINE,
    StopReason.CANCELLED: Ended.CANCELLED,
}
"""Ways in which a window ends the query it belongs to."""


def check_query(reranked: Reranked, planner: Planner, budget: Budget, world: World, tally: Tally) -> None:
    """Check that a query's order is whole, that it ended as its windows did, and that it kept to its budget."""
    where = f"{planner.name} {reranked.query.qid}"
    windows = reranked.trajectories
    dids = sorted(candidate.did for candidate in world.candidates)
    tally.seen[f"query {reranked.ended}"] += 1
    tally.seen[f"verdict {reranked.verdict}"] += 1
    tally.promise(sorted(ranked.did for ranked in reranked.ranking) == dids, f"{where}: no permutation")
    endings = {ENDING[window.stop] for window in windows if window.stop in ENDING}
    wanted = endings or {Ended.COMPLETE}
    tally.promise(reranked.ended in wanted, f"{where}: ended {reranked.ended}, its windows {sorted(wanted)}")
    whole = reranked.ended is not Ended.COMPLETE or _is_whole(reranked, planner)
    tally.promise(whole, f"{where}: complete, but a window is missing")
    for trajectory in windows:
        check_trajectory(trajectory, tally)
    looks = sum(window.looks for window in windows)
    tokens = sum(window.spent.look_tokens for window in windows)
    turns = sum(len(window.turns) for window in windows)
    tally.promise(budget.looks is None or looks <= budget.looks, f"{where}: {looks} looks")
    tally.promise(budget.look_tokens is None or tokens <= budget.look_tokens, f"{where}: {tokens} tokens of looks")
    tally.promise(budget.turns is None or turns <= budget.turns, f"{where}: {turns} turns")
    refused = any(window.stop is StopReason.BUDGET for window in windows)
    tally.promise(bool(reranked.reached) or not refused, f"{where}: no limit is named that ended it")


def _is_whole(reranked: Reranked, planner: Planner) -> bool:
    """Say whether all windows of the plan ran."""
    windows = {window.step.index: window for window in reranked.trajectories}
    plan = planner.plan(len(reranked.hits))
    while due := plan.due():
        for window in due:
            if window.index not in windows:
                return False
            plan.told(window, outcome_of(windows[window.index]))
    return True


def check_trajectory(trajectory: Trajectory, tally: Tally) -> None:
    """Check that a window's record agrees with itself and reads back to the byte."""
    where = f"{trajectory.dialect} {trajectory.form} {trajectory.session}"
    tally.seen[f"stop {trajectory.stop}"] += 1
    tally.seen["answer forced"] += trajectory.forced
    ranking, verdict = trajectory.ranking, trajectory.verdict
    tally.promise(ranking is None or sorted(ranking) == sorted(trajectory.candidates), f"{where}: no permutation")
    tally.promise((ranking is not None) == (trajectory.stop == "answered"), f"{where}: stop and ranking disagree")
    none_fits = getattr(trajectory.answer, "none_fits", False)
    tally.promise(none_fits or verdict is not Verdict.NOTHING_FITS, f"{where}: nobody said that nothing fits")
    for number, turn in enumerate(trajectory.turns):
        _check_turn(trajectory, number, turn, where, tally)
    for message in (*trajectory.prompt, *(turn.reply for turn in trajectory.turns if turn.reply is not None)):
        tally.promise(not _spells_special(message), f"{where}: a special token was spelt")
    line = trajectory_to_json(trajectory)
    back = trajectory_from_json(line)
    tally.promise(back == trajectory and trajectory_to_json(back) == line, f"{where}: reads back changed")


def _check_turn(trajectory: Trajectory, number: int, turn: Turn, where: str, tally: Tally) -> None:
    observed = trajectory.observations(number)
    unsent = number == len(trajectory.turns) - 1 and turn.reply is None  # no request carried what it brought back
    tally.promise(not unsent or not observed, f"{where}: something is shown that was never sent")
    for place, call in enumerate(turn.calls):
        tally.seen[f"call {call.outcome}"] += 1
        tally.promise(call.outcome == "executed" or bool(call.reason), f"{where}: {call.outcome} without reason")
        brought = any(one.call == place for one in observed)
        expected = call.outcome == "executed" and not unsent
        tally.promise(brought == expected, f"{where}: {call.outcome}, showed something: {brought}")
    for one in observed:
        known = all(cut.did is None or cut.did in trajectory.candidates for cut in one.cuts)
        tally.promise(known, f"{where}: a foreign id")
        if isinstance(one, TextShown):
            tally.seen["text read"] += 1
        else:
            tally.seen[f"picture {one.layout}"] += 1
            alone = one.layout is Layout.ALONE
            tally.promise(alone == (len(one.cuts) == 1), f"{where}: {len(one.cuts)} cuts, {one.layout}")


def _spells_special(message: MessageRecord) -> bool:
    return any("<|" in piece for piece in message.pieces if isinstance(piece, str))
