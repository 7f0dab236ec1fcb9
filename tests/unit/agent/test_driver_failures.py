"""Pins how a run ends when something breaks: nothing finished is lost, and nothing that was begun stays held."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.agent.ledger import Asking, Ledger, ask, asking, driven

from vretrver.agent.effects import Await, Do, Start
from vretrver.agent.policy import Completion
from vretrver.policies.scripted import ScriptedPolicy


def _failing(session: str, after: int) -> Asking:
    yield from asking(session, after)
    raise ZeroDivisionError(session)


def test_a_consumer_that_stops_leaves_nothing_held() -> None:
    closed: list[str] = []
    policy = Ledger(in_flight=3, choose=lambda waiting: waiting[:1])
    results = driven(policy).run([asking("a", 1), asking("b", 5, closed=closed), asking("c", 5, closed=closed)])
    assert next(results) == (0, ["a:1"])
    results.close()
    assert policy.released == {"a": 1, "b": 1, "c": 1}
    assert sorted(closed) == ["b", "c"]
    assert policy.waiting == []


@pytest.mark.parametrize("after", [1, 2])
def test_an_exception_in_a_session_ends_the_run_and_releases_every_session_once(after: int) -> None:
    closed: list[str] = []
    policy = Ledger(in_flight=3)
    driver = driven(policy)
    with pytest.raises(ZeroDivisionError, match="broken"):
        list(driver.run([asking("a", 9, closed=closed), _failing("broken", after), asking("c", 9, closed=closed)]))
    assert policy.released == {"a": 1, "broken": 1, "c": 1}
    assert sorted(closed) == ["a", "c"]


def test_what_had_finished_is_handed_over_before_the_exception() -> None:
    """Also what comes with it and behind it in one batch."""
    results = driven(Ledger(in_flight=3)).run([asking("a", 1), _failing("broken", 1), asking("c", 1)])
    assert [next(results), next(results)] == [(0, ["a:1"]), (2, ["c:1"])]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_every_exception_is_raised_each_by_a_step_of_its_own() -> None:
    driver = driven(Ledger(in_flight=3))
    heard: list[list[str]] = []
    for running in (_failing("first", 1), _failing("second", 1), asking("c", 2)):
        driver.start(running, heard.append)
    with pytest.raises(ZeroDivisionError, match="first"):
        driver.step()
    with pytest.raises(ZeroDivisionError, match="second"):
        driver.step()
    assert heard == [["c:1", "c:2"]]


def test_a_turn_of_a_session_that_was_closed_meanwhile_is_dropped() -> None:
    """The parent ends with its first child, while the turn of the second has come in the same batch."""

    def parent() -> Asking:
        for name in ("a", "b"):
            yield Start(asking(name, 1))
        return (yield Await())[1]

    policy = Ledger()
    assert list(driven(policy).run([parent()])) == [(0, ["a:1"])]
    assert policy.released == {"a": 1, "b": 1}


def _refusing() -> ScriptedPolicy:
    return ScriptedPolicy(lambda moment: f"turn {len(moment.said) + 1}", name="refusing")


def test_a_session_may_start_after_the_one_its_running_leaves() -> None:
    def forking() -> Asking:
        yield ask("a", text="opening")
        return [(yield replace(ask("b"), after="a")).text]

    policy = _refusing()
    assert list(driven(policy).run([forking()])) == [(0, ["turn 2"])]
    assert policy._conversations == {}


def test_what_the_policy_refuses_is_thrown_into_the_running_that_asked() -> None:
    def mistaken() -> Asking:
        try:
            yield replace(ask("b"), after="never heard of")
        except ValueError as error:
            return [str(error)]
        return []

    def failing() -> Asking:
        yield replace(ask("c"), after="never heard of")
        return []

    policy = _refusing()
    driver = driven(policy)
    heard: list[list[str]] = []
    errors: list[Exception] = []
    for running in (mistaken(), failing(), asking("a", 2)):
        driver.start(running, heard.append, errors.append)
    while driver.step():
        pass
    assert heard == [
        ["session 'b' starts after 'never heard of', which is not known"],
        ["turn 1", "turn 2"],
    ]
    assert [str(error) for error in errors] == ["session 'c' starts after 'never heard of', which is not known"]
    assert policy._conversations == {}


@pytest.mark.parametrize("raises", [True, False], ids=["raises", "asks for more"])
def test_a_cleanup_that_breaks_leaves_nothing_held(raises: bool) -> None:
    closed: list[str] = []

    def unruly() -> Asking:
        try:
            return (yield from asking("unruly", 9))
        finally:
            if raises:
                raise ArithmeticError("cleanup")
            yield Do(lambda: None)

    policy = Ledger(in_flight=3)
    driver = driven(policy)
    for running in (asking("a", 9, closed=closed), unruly(), asking("c", 9, closed=closed)):
        driver.start(running, lambda _: None)
    with pytest.raises((ArithmeticError, RuntimeError), match=r"cleanup|ignored GeneratorExit"):
        driver.close()
    assert (driver.busy, closed) == (False, ["a", "c"])
    assert policy.released == {"a": 1, "unruly": 1, "c": 1}
    assert list(driven(policy).run([asking("d", 1)])) == [(0, ["d:1"])]


def test_what_had_finished_is_handed_over_when_a_new_session_fails_at_its_start() -> None:
    results = driven(Ledger(in_flight=1)).run([asking("a", 1), _failing("broken", 0)])
    assert next(results) == (0, ["a:1"])
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_an_exception_of_the_policy_ends_the_run_and_releases_every_session() -> None:
    def fail(waiting: list[str]) -> list[str]:
        raise ConnectionError("gone")

    policy = Ledger(choose=fail)
    with pytest.raises(ConnectionError):
        list(driven(policy).run([asking("a", 1), asking("b", 1)]))
    assert policy.released == {"a": 1, "b": 1}


def test_a_lost_session_is_an_error_that_names_it() -> None:
    policy = Ledger(choose=lambda waiting: [session for session in waiting if session != "lost"])
    with pytest.raises(RuntimeError, match="nothing pending, but these sessions wait: lost"):
        list(driven(policy).run([asking("a", 2), asking("lost", 1)]))
    assert policy.released == {"a": 1, "lost": 1}


@pytest.mark.parametrize("told", [["a", "stranger"], ["a", "a"]])
def test_an_answer_nobody_waits_for_is_an_error(told: list[str]) -> None:
    policy = Ledger(choose=lambda _: told)
    with pytest.raises(RuntimeError, match=f"answered session '{told[1]}', which is not waiting"):
        list(driven(policy).run([asking("a", 2), asking("b", 2)]))
    assert policy.released == {"a": 1, "b": 1}


@pytest.mark.parametrize("in_flight", [1, 2, 4])
def test_two_running_sessions_of_one_name_are_an_error_and_not_a_lost_session(in_flight: int) -> None:
    def renamed() -> Asking:
        yield from asking("other", 1)
        return (yield from asking("same", 1))

    policy = Ledger(in_flight=in_flight, choose=lambda waiting: waiting[:1])
    run = driven(policy).run([asking("first", 1), asking("same", 3), renamed(), asking("same", 3)])
    if in_flight == 1:
        assert len(list(run)) == 4
    else:
        with pytest.raises(RuntimeError, match="two running sessions are both named 'same'"):
            list(run)
        assert policy.released["same"] == 1


def test_a_name_may_be_used_again_once_its_session_has_ended() -> None:
    assert len(list(driven(Ledger(in_flight=1)).run([asking("same", 2), asking("same", 2)]))) == 2


def test_policy_and_driver_can_be_used_again_after_a_run_that_was_stopped() -> None:
    policy = ScriptedPolicy(lambda moment: f"turn {len(moment.said) + 1}", name="counting")
    driver = driven(policy)
    stopped = driver.run([asking("a", 1), asking("b", 3), asking("c", 3)])
    next(stopped)
    stopped.close()
    sessions = [asking("b", 2), asking("a", 1)]
    assert sorted(driver.run(sessions)) == [(0, ["turn 1", "turn 2"]), (1, ["turn 1"])]


def test_results_left_over_from_a_run_that_was_stopped_are_not_handed_to_the_next() -> None:
    driver = driven(Ledger())
    stopped = driver.run([asking("a", 1), asking("b", 1)])
    next(stopped)
    stopped.close()
    assert list(driver.run([])) == []


def test_completions_reach_the_session_they_name_and_no_other() -> None:
    def swapped(waiting: list[str]) -> list[str]:
        return sorted(waiting, reverse=True)

    heard: dict[str, list[Completion]] = {"a": [], "b": []}

    def listening(session: str) -> Asking:
        heard[session].append((yield ask(session)))
        return []

    list(driven(Ledger(choose=swapped)).run([listening("a"), listening("b")]))
    assert {name: [done.session for done in told] for name, told in heard.items()} == {"a": ["a"], "b": ["b"]}
