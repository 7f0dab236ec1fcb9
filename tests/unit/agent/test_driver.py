"""Pins what the driver promises while all goes well: complete results, a full policy, one release a session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.agent.ledger import Asking, Choice, Ledger, ask, asking, driven, everything

from vretrver.agent.messages import Message
from vretrver.agent.policy import PolicyLimits, Request, Sampling
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
    last_begun = [request.sessions[0] for request in policy.requests].index("s49")
    assert last_begun > 130
    assert policy.outstanding[: last_begun - 3] == [4] * (last_begun - 3)
    assert max(policy.outstanding) == 4


def test_a_place_that_becomes_free_is_taken_by_a_new_session_at_once() -> None:
    policy = Ledger(in_flight=2, choose=lambda waiting: [waiting[-1]])
    list(driven(policy).run([asking("long", 3), asking("a", 1), asking("b", 1), asking("c", 1)]))
    assert [request.sessions[0] for request in policy.requests] == ["long", "a", "b", "c", "long", "long"]


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


def test_windows_one_after_another_are_each_released_before_the_next_is_asked() -> None:
    policy = Ledger()

    def windows() -> Asking:
        first = yield from asking("q/w0", 2)
        assert policy.released == {}
        second = yield from asking("q/w1", 1)
        assert policy.released == {"q/w0": 1}
        return first + second

    assert dict(driven(policy).run([windows()])) == {0: ["q/w0:1", "q/w0:2", "q/w1:1"]}
    assert policy.released == {"q/w0": 1, "q/w1": 1}


def test_a_cancelled_session_ends_and_the_others_go_on() -> None:
    policy = Ledger(in_flight=3, choose=lambda waiting: waiting[:1])
    driver = driven(policy)
    results: dict[int, list[str]] = {}
    for position, heard in driver.run([asking("a", 1), asking("b", 9), asking("c", 2)]):
        driver.cancel("b")
        driver.cancel("a")
        driver.cancel("never heard of")
        results[position] = heard
    assert results == {0: ["a:1"], 1: ["cancelled"], 2: ["c:1", "c:2"]}
    assert policy.released == {"a": 1, "b": 1, "c": 1}


def _opening(session: str, text: str = "You rank.", **changes: Any) -> Asking:
    request = ask(session, text=text)
    first = yield Request(**{**{name: getattr(request, name) for name in Request.__slots__}, **changes})
    second = yield ask(session)
    return [first.text, second.text]


def test_equal_openings_share_one_prefill_and_then_go_on_by_themselves() -> None:
    policy = Ledger(in_flight=8)
    results = dict(driven(policy, share_prefill=True).run([_opening(f"r{number}") for number in range(4)]))
    assert [request.sessions for request in policy.requests] == [
        ("r0", "r1", "r2", "r3"),
        *[(f"r{number}",) for number in range(4)],
    ]
    assert results == {number: [f"r{number}:1", f"r{number}:2"] for number in range(4)}
    assert policy.released == {f"r{number}": 1 for number in range(4)}


@pytest.mark.parametrize(
    "other",
    [{"text": "You look."}, {"sampling": Sampling(seed=1)}, {"deadline": 5.0}, {"stop": ("</tool_call>",)}],
)
def test_openings_that_differ_in_anything_are_not_joined(other: dict[str, Any]) -> None:
    policy = Ledger()
    list(driven(policy, share_prefill=True).run([_opening("a"), _opening("b", **other)]))
    assert [request.sessions for request in policy.requests[:2]] == [("a",), ("b",)]


def test_openings_are_joined_only_when_asked_for() -> None:
    policy = Ledger()
    list(driven(policy).run([_opening("a"), _opening("b")]))
    assert [request.sessions for request in policy.requests[:2]] == [("a",), ("b",)]


def test_later_turns_that_look_alike_are_never_joined() -> None:
    def later(session: str) -> Asking:
        heard = []
        for _ in range(2):
            message = Message(role="user", pieces=("Go on.",))
            heard.append((yield Request(sessions=(session,), messages=(message,), sampling=Sampling())).text)
        return heard

    policy = Ledger()
    list(driven(policy, share_prefill=True).run([later("a"), later("b")]))
    assert [request.sessions for request in policy.requests] == [("a",), ("b",)] * 2


def test_a_policy_that_takes_no_request_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one request at once, got in_flight 0"):
        PolicyLimits(in_flight=0)
