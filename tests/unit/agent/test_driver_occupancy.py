"""Pins that fifty runnings of different lengths keep the batch full, and what rounds would make of it."""

from __future__ import annotations

from measure.driver_occupancy import measure
from measure.sliced_policy import sliced_policy

from vretrver.agent.policy import Request, Sampling

ARMS = [f"{kind}{pool}" for kind in ("sessions", "queries", "groups") for pool in ("", ", with a pool")]


def test_fifty_runnings_keep_every_place_busy_while_there_is_work_for_all() -> None:
    measured = measure(50, 8, seed=1)
    assert {name: measured[name].occupancy for name in ARMS} == dict.fromkeys(ARMS, 1.0)
    driver, rounds = measured["sessions"], measured["rounds"]
    assert rounds.occupancy is not None
    assert driver.full_work_slices > 500
    assert rounds.occupancy < 0.7
    assert driver.slices < 0.75 * rounds.slices


def test_fewer_sessions_than_places_are_still_all_driven_at_once() -> None:
    driver = measure(3, 8, seed=2)["sessions, with a pool"]
    assert (driver.full_work_slices, driver.occupancy) == (0, None)
    assert driver.occupancy_overall > 1.5 / 8


def test_the_sliced_policy_decodes_its_places_in_step() -> None:
    policy = sliced_policy(2, seed=1)
    lengths = {("a", 0): 3, ("b", 0): 1, ("c", 0): 2}
    policy.slices = lambda *turn: lengths[turn]
    for session in ("a", "b", "c"):
        policy.submit(Request(session=session, messages=(), sampling=Sampling()))
    assert [[done.session for done in policy.collect()] for _ in range(3)] == [["b"], ["a", "c"], []]
    assert policy.busy == [2, 2, 2]
