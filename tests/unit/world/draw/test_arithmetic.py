"""Pins integer mathematics: exact square roots, the sine table, smooth noise without numbers of the machine."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vretrver.prng import Stream
from vretrver.world.draw.arithmetic import ONE, cosine, isqrt, ramp, sine, smooth_noise, triangle_wave


def test_square_roots_are_rounded_down_on_both_sides_of_every_square():
    roots = np.arange(1, 40_000, dtype=np.int64)
    assert (isqrt(roots * roots) == roots).all()
    assert (isqrt(roots * roots - 1) == roots - 1).all()


@pytest.mark.parametrize("degrees", [0, 1, 29, 30, 45, 90, 91, 135, 180, 225, 270, 359, 360, -1, -15, 720])
def test_sines_and_cosines_are_the_nearest_fixed_point_numbers(degrees: int):
    assert abs(sine(degrees) - ONE * math.sin(math.radians(degrees))) <= 0.5001
    assert abs(cosine(degrees) - ONE * math.cos(math.radians(degrees))) <= 0.5001


def test_a_ramp_is_smooth_and_cut():
    assert ramp(np.array([-5, 0, 5, 10, 15], dtype=np.int32), 0, 10).tolist() == [0, 0, 128, 256, 256]


def test_a_triangle_wave_is_the_distance_to_the_next_multiple():
    assert triangle_wave(np.array([-3, 0, 3, 5, 8, 10], dtype=np.int32), 10).tolist() == [3, 0, 3, 5, 2, 0]


def test_noise_is_literal_and_within_bytes():
    noise = smooth_noise(Stream(1, "n"), (4, 6), (2, 3))
    assert noise.shape == (4, 6)
    assert noise.min() >= 0
    assert noise.max() <= 255
    assert noise[0].tolist() == [239, 192, 103, 55, 77, 120]
