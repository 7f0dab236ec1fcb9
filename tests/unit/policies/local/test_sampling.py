"""Pins the draws: greedy, tempered, from a nucleus, and independent of the rest of the batch."""

from __future__ import annotations

import math

import pytest
import torch

from vretrver.agent.policy import Sampling
from vretrver.policies.local.sampling import choose, uniform

SCORES = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()


def _chosen(sampling: Sampling, draw: float) -> int:
    return int(choose(SCORES, [sampling], [draw])[0])


def test_temperature_0_takes_the_best() -> None:
    assert _chosen(Sampling(), 0.99) == 0


@pytest.mark.parametrize(
    ("draw", "number"), [(0.0, 0), (0.49, 0), (0.51, 1), (0.79, 1), (0.81, 2), (0.96, 3), (1 - 2**-53, 3)]
)
def test_a_draw_falls_into_the_share_of_an_id(draw: float, number: int) -> None:
    assert _chosen(Sampling(temperature=1.0), draw) == number


def test_a_nucleus_is_the_fewest_best_ids_that_reach_top_p() -> None:
    assert {_chosen(Sampling(temperature=1.0, top_p=0.6), draw / 100) for draw in range(100)} == {0, 1}
    assert {_chosen(Sampling(temperature=1.0, top_p=0.5), draw / 100) for draw in range(100)} == {0}


def test_temperature_flattens() -> None:
    rarest = [
        sum(_chosen(Sampling(temperature=heat), draw / 1000) == 3 for draw in range(1000)) for heat in (1.0, 2.0)
    ]
    assert rarest == [pytest.approx(50, abs=1), pytest.approx(120, abs=1)]  # 0.05; 0.05 ** 0.5 over the sum of roots


def test_a_temperature_next_to_nothing_is_greedy() -> None:
    assert _chosen(Sampling(temperature=1e-30), 0.999) == 0


def test_an_id_that_is_not_allowed_is_never_drawn() -> None:
    scores = SCORES.clone()
    scores[0, 0] = scores[0, 3] = -math.inf
    for draw in (0.0, 0.5, 1 - 2**-53):
        assert int(choose(scores, [Sampling(temperature=1.0)], [draw])[0]) in (1, 2)


def test_rows_do_not_influence_one_another() -> None:
    hows = [Sampling(), Sampling(temperature=1.0), Sampling(temperature=0.7, top_p=0.9), Sampling(temperature=1.3)]
    scores = torch.randn(4, 50, generator=torch.Generator().manual_seed(0))
    draws = [0.1, 0.4, 0.7, 0.95]
    together = choose(scores, hows, draws)
    alone = [choose(scores[row : row + 1], [hows[row]], [draws[row]]) for row in range(4)]
    assert together.tolist() == torch.cat(alone).tolist()


def test_draws_differ_by_seed_session_turn_and_place_and_repeat() -> None:
    names = [(0, "a", 0, 0), (1, "a", 0, 0), (0, "b", 0, 0), (0, "a", 1, 0), (0, "a", 0, 1)]
    draws = [uniform(*name) for name in names]
    assert len(set(draws)) == 5
    assert all(0 <= draw < 1 for draw in draws)
    assert draws == [uniform(*name) for name in names]
