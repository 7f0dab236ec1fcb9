"""Pins signed distances: zero on the outline, right in sign, and right in length near it."""

from __future__ import annotations

import numpy as np
import pytest

from vretrver.world.draw.arithmetic import Plane
from vretrver.world.draw.shapes import SUB, box, capsule, circle, cut, ellipse, joined, polygon, ring, turned


def at(*places: tuple[int, int]) -> tuple[Plane, Plane]:
    """Return the coordinates of places given in units."""
    array = np.array(places, dtype=np.int32) * SUB
    return array[:, 0], array[:, 1]


def units(distances: Plane) -> list[float]:
    return [round(float(distance) / SUB, 1) for distance in distances]


def test_circle_and_ring():
    u, v = at((0, 0), (30, 40), (60, 0), (0, -100))
    assert units(circle(u, v, (0, 0), 50)) == [-50.0, 0.0, 10.0, 50.0]
    u, v = at((50, 0), (56, 0), (44, 0), (60, 0))
    assert units(ring(u, v, (0, 0), (50, 50), 6)) == pytest.approx([-6.0, 0.0, 0.0, 4.0], abs=0.3)


def test_a_box_measures_to_its_sides_and_round_its_corners():
    u, v = at((0, 0), (20, 0), (20, 10), (23, 14))
    assert units(box(u, v, (0, 0), (20, 10))) == [-10.0, 0.0, 0.0, 5.0]
    assert units(box(u, v, (0, 0), (20, 10), 5))[2] > 1.5


def test_an_ellipse_is_right_near_its_outline_along_both_axes():
    u, v = at((100, 0), (105, 0), (95, 0), (0, 20), (0, 25), (0, 15))
    assert units(ellipse(u, v, (0, 0), (100, 20))) == pytest.approx([0, 5, -5, 0, 5, -5], abs=0.3)


def test_a_capsule_measures_to_its_line():
    u, v = at((0, 0), (0, 7), (15, 0), (-8, 0))
    assert units(capsule(u, v, (0, 0), (10, 0), 3)) == pytest.approx([-3, 4, 2, 5], abs=0.1)


def test_a_polygon_knows_inside_from_outside_also_where_it_is_not_convex():
    arrow = [(0, -50), (50, 50), (0, 10), (-50, 50)]
    u, v = at((0, 0), (0, 30), (0, -60), (30, 30), (80, 0))
    assert [distance < 0 for distance in polygon(u, v, arrow)] == [True, False, False, True, False]


def test_a_turned_body_is_cut_at_top_and_bottom():
    v = np.array([[-30], [0], [30]], dtype=np.int32) * SUB
    u = np.array([[0, 12]], dtype=np.int32) * SUB
    widths = np.full((3, 1), 10 * SUB, dtype=np.int32)
    assert (turned(u, v, widths, -20, 20) < 0).tolist() == [[False, False], [True, False], [False, False]]


def test_joining_fills_the_corner_and_cutting_takes_away():
    u, v = at((0, 0), (30, 0))
    left, right = circle(u, v, (-10, 0), 8), circle(u, v, (10, 0), 8)
    assert joined(left, right)[0] > 0
    assert joined(left, right, 16)[0] < 0
    assert cut(circle(u, v, (0, 0), 50), circle(u, v, (0, 0), 20)).tolist() == [20 * SUB, -10 * SUB]
