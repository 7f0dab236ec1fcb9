"""Pins the nuisance: it does not know the detail, the label stays level and in its zone, views change the ground."""

from __future__ import annotations

from dataclasses import replace

from vretrver.world.draw.pose import FRAME, draw_pose
from vretrver.world.draw.world import Detail, Shot, draw_family


def test_a_pose_is_the_same_whatever_is_printed():
    shot = Shot(family=draw_family(2, 5), twin=1)
    others = tuple(Detail(kind=shot.family.label, values=detail.values[::-1]) for detail in shot.family.details)
    shuffled = replace(shot.family, details=others)
    same = [
        replace(shot, detail=shot.family.details[4]),
        replace(shot, ink="plain"),
        replace(shot, grain=9),
        replace(shot, family=shuffled),
    ]
    assert all(draw_pose(one) == draw_pose(shot) for one in same)


def test_twins_and_views_have_poses_of_their_own():
    family = draw_family(2, 5)
    poses = {draw_pose(Shot(family=family, twin=twin, view=view)) for twin in range(5) for view in range(3)}
    assert len(poses) == 15


def test_the_catalogue_picture_is_on_the_familys_ground_and_other_views_are_not():
    for index in range(60):
        shot = Shot(family=draw_family(4, index), twin=index % 5)
        assert draw_pose(shot).ground == shot.family.ground
        assert draw_pose(replace(shot, view=1)).ground != shot.family.ground


def test_things_stay_where_they_should():
    for index in range(200):
        pose = draw_pose(Shot(family=draw_family(4, index), twin=index % 5, view=index % 2))
        assert abs(pose.label_rotation) <= 15
        assert all(0 <= place <= FRAME - pose.size for place in pose.corner)
        middle = [place + pose.size // 2 for place in pose.corner]
        for prop in pose.props:
            centre = [place + prop.size // 2 for place in prop.corner]
            assert sum((a - b) ** 2 for a, b in zip(centre, middle, strict=True)) >= 300**2
