"""Pins what the driver promises while all goes well: complete results, a full policy, one release a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.agent.ledger import Asking, Choice, Ledger, asking, driven, everything

from vretrver.agent.policy import PolicyLimits
from vretrver.prng import Stream

LENGTHS = [number * 7 % 6 for number in range(50)]
"""Turns of fifty sessions, 0 to 5."""


def _shuffled() -> Choice:
    stream = Stream(5)
    return lambda waiting: [waiting[place] for place in stream.permutation(len(waiting))][: stream.between(1, 3)]


@pytest.mark.parametrize(
    "choose",
    [
        everything,
        lambda waiting: waiting[:1],
        lambda waiting: waiting[-1:],
        lambda waiting: waiting[::-1],
        _shuffled(),
    ],
    ids=["all", "oldest", "newest", "reversed", "shuffled"],
)
def test_results_are_complete_and_do_not_depend_on_the_order_of_completions(choose: Choice) -> None:
    policy = Ledger(choose=choose)
    sessions = [asking(f"s{number}", turns) for number, turns in enumerate(LENGTHS)]
    results = dict(driven(policy).run(sessions))
    assert results == {
        number: [f"s{number}:{turn}" for turn in range(1, turns + 1)] for number, turns in enumerate(LENGTHS)
    }
    assert policy.released == {f"s{number}": 1 for number, turns in enumerate(LENGTHS) if turns}


def test_the_policy_is_kept_full_while_there_are_sessions() -> None:
    policy = Ledger(in_flight=4, choose=lambda waiting: waiting[:1])
    list(driven(policy).run(asking(f"s{number}", 1 + number % 5) for number in range(50)))
    assert len(policy.outstanding) == sum(1 + number % 5 for number in range(50))
    last_begun = [request.session for request in policy.requests].index("s49")
    assert last_begun > 130
    assert policy.outstanding[: last_begun - 3] == [4] * (last_begun - 3)
    assert max(policy.outstanding) == 4


def test_a_place_that_becomes_free_is_taken_by_a_new_session_at_once() -> None:
    policy = Ledger(in_flight=2, choose=lambda waiting: [waiting[-1]])
    list(driven(policy).run([asking("long", 3), asking("a", 1), asking("b", 1), asking("c", 1)]))
    assert [request.session for request in policy.requests] == ["long", "a", "b", "c", "long", "long"]


def test_sessions_are_begun_only_when_there_is_room() -> None:
    begun: list[int] = []

    def sessions() -> Iterator[Asking]:
        for number in range(10):
            begun.append(number)
            yield asking(f"s{number}", 1)

    results = driven(Ledger(in_flight=3)).run(sessions())
    next(results)
    assert begun == [0, 1, 2, 3, 4, 5]


def test_a_session_that_asks_for_nothing_has_a_result_and_no_release() -> None:
    policy = Ledger()
    assert dict(driven(policy).run([asking("a", 0), asking("b", 1), asking("c", 0)])) == {0: [], 1: ["b:1"], 2: []}
    assert policy.released == {"b": 1}


def test_no_sessions_are_no_results() -> None:
    assert list(driven(Ledger()).run([])) == []


def test_windows_one_after_another_are_each_released_once_the_next_is_asked() -> None:
    policy = Ledger()

    def windows() -> Asking:
        first = yield from asking("q/w0", 2)
        assert policy.released == {}
        second = yield from asking("q/w1", 1)
        assert policy.released == {"q/w0": 1}
        return first + second

    assert dict(driven(policy).run([windows()])) == {0: ["q/w0:1", "q/w0:2", "q/w1:1"]}
    assert policy.released == {"q/w0": 1, "q/w1": 1}


def test_a_cancelled_running_ends_and_the_others_go_on() -> None:
    policy = Ledger(in_flight=3, choose=lambda waiting: waiting[:1])
    driver = driven(policy)
    results: dict[str, list[str]] = {}
    seats = {
        name: driver.start(asking(name, turns), lambda heard, name=name: results.update({name: heard}))
        for name, turns in (("a", 1), ("b", 9), ("c", 2))
    }
    driver.cancel(seats["b"])
    while driver.step():
        driver.cancel(seats["a"])
    assert results == {"a": ["a:1"], "b": ["cancelled"], "c": ["c:1", "c:2"]}
    assert policy.released == {"a": 1, "b": 1, "c": 1}


def test_a_policy_that_takes_no_request_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one request at once, got in_flight 0"):
        PolicyLimits(in_flight=0)
