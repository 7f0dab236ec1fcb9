"""The first half of the fuzz: mutated replies through parser, answer form and tools, one at a time."""

from __future__ import annotations

from dataclasses import replace

from measure.agent_world import VIEWS, World
from measure.fuzzed_tools import fuzzed_dialect
from measure.mutations import mutated_reply
from measure.tally import Tally
from vretrver.agent.answers import FORMS, Verdict
from vretrver.agent.bench import Bench
from vretrver.agent.budget import Account, Budget
from vretrver.agent.dialect import Dialect
from vretrver.agent.observations import Cut, Seen
from vretrver.agent.parsing import ParsedTurn, parse_turn
from vretrver.agent.tools import execute
from vretrver.geometry import Box
from vretrver.prng import Stream

DIALECTS = ("vretrver", "released")
"""Dialects that are fuzzed, each with every form of an answer."""


def fuzz_replies(world: World, count: int, *, seed: int) -> Tally:
    """Put mutated replies through parser, form and tools, and check every outcome.

    Args:
        world: what the calls look at.
        count: replies.
        seed: decides every reply.
    """
    tally = Tally()
    dialects = [replace(fuzzed_dialect(name), form=form) for form in FORMS.values() for name in DIALECTS]
    benches = [Bench(world.task("s"), world.store, views=VIEWS, boxes=dialect.boxes) for dialect in dialects]
    for number in range(count):
        stream = Stream(seed, "reply", number)
        dialect, bench = dialects[number % len(dialects)], benches[number % len(dialects)]
        text = mutated_reply(stream, len(world.candidates), or_none=dialect.form.name == "ranking-or-none")
        budget = Budget(look_tokens=None if stream.below(4) else stream.below(8))
        try:
            _check_reply(text, dialect, bench, budget, tally)
        except Exception as error:  # noqa: BLE001 - recorded: that none escapes is what is being shown
            tally.broken.append(f"reply {number}: {type(error).__name__}: {error}"[:500])
    return tally


def _check_reply(text: str, dialect: Dialect, bench: Bench, budget: Budget, tally: Tally) -> None:
    parsed = parse_turn(text, dialect.form)
    tally.promise(
        parsed.answer is not None or bool(parsed.calls) or bool(parsed.problem), f"said nothing about {text!r}"
    )
    tally.promise(parsed.problem is None or bool(parsed.problem.worded().strip()), f"an empty problem: {text!r}")
    for call in parsed.calls:
        outcome = execute(call, dialect.tools, bench, account=Account(budget, lambda: 0.0))
        refused = outcome.refusal is not None
        tally.seen["call unreadable" if call.problem else "call refused" if refused else "call executed"] += 1
        tally.promise(refused != bool(outcome.observations), f"neither looks nor a reason: {text!r}")
        tally.promise(not refused or bool((outcome.reason or "").strip()), f"an empty reason: {text!r}")
        tally.promise(budget.look_tokens is None or outcome.cost <= budget.look_tokens, f"too dear: {text!r}")
        tally.promise(outcome.cost >= sum(one.tokens for one in outcome.observations), f"a wrong cost: {text!r}")
        for observation in outcome.observations:
            tally.seen["picture seen" if isinstance(observation, Seen) else "text read"] += 1
            for cut in observation.cuts:
                _check_cut(cut, len(bench.task.candidates), text, tally)
    _check_answer(parsed, dialect, len(bench.task.candidates), text, tally)


def _check_cut(cut: Cut, count: int, text: str, tally: Tally) -> None:
    tally.promise(0 <= cut.address.item <= count, f"an item outside the list: {text!r}")
    whole = Box(left=0, top=0, right=cut.image_size[0], bottom=cut.image_size[1])
    tally.promise(cut.box is None or whole.covers(cut.box), f"a region outside its picture: {text!r}")


def _check_answer(parsed: ParsedTurn, dialect: Dialect, count: int, text: str, tally: Tally) -> None:
    if parsed.answer is None:
        tally.seen["reply without answer"] += 1
        return
    settled = dialect.form.settled(parsed.answer, count)
    if settled is None:
        tally.seen["answer without usable number"] += 1
        return
    tally.seen["answer usable"] += 1
    tally.seen["answer that nothing fits"] += settled.verdict is Verdict.NOTHING_FITS
    tally.promise(sorted(settled.order) == list(range(1, count + 1)), f"no permutation: {text!r}")
    tally.promise(settled.verdict is not Verdict.FAILED, f"a usable answer failed: {text!r}")
