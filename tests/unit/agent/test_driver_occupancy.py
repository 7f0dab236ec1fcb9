"""Pins that fifty sessions of different lengths keep the batch full, and what rounds would make of it."""

from __future__ import annotations

from measure.driver_occupancy import measure, sliced_policy

from vretrver.agent.policy import Request, Sampling


def test_fifty_sessions_keep_every_place_busy_while_there_is_work_for_all() -> None:
    measured = measure(50, 8, seed=1)
    driver, rounds = measured["driver"], measured["rounds"]
    assert driver.occupancy == 1.0
    assert rounds.occupancy is not None
    assert driver.full_work_slices > 500
    assert rounds.occupancy < 0.7
    assert driver.slices < 0.75 * rounds.slices


def test_fewer_sessions_than_places_are_still_all_driven_at_once() -> None:
    driver = measure(3, 8, seed=2)["driver"]
    assert (driver.full_work_slices, driver.occupancy) == (0, None)
    assert driver.occupancy_overall > 1.5 / 8


def test_the_sliced_policy_decodes_its_places_in_step() -> None:
    policy = sliced_policy(2, seed=1)
    lengths = {("a", 0): 3, ("b", 0): 1, ("c", 0): 2}
    policy.slices = lambda *turn: lengths[turn]
    for session in ("a", "b", "c"):
        policy.submit(Request(sessions=(session,), messages=(), sampling=Sampling()))
    assert [[done.session for done in policy.collect()] for _ in range(3)] == [["b"], ["a", "c"], []]
    assert policy.busy == [2, 2, 2]
