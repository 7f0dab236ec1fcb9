"""Pins where a region is drawn on its picture, and that text is shortened to a line."""

from __future__ import annotations

import pytest

from vretrver.records import ImageRef
from vretrver.report.embedded import EmbeddedPicture
from vretrver.report.tiles import picture, region, shortened

REF = ImageRef(path="a.png", width=400, height=200)


def test_a_region_is_placed_in_percent_of_the_picture() -> None:
    assert region((100, 50, 300, 100), REF) == (
        '<span class="box" style="left:25.00%;top:25.00%;width:50.00%;height:25.00%"></span>'
    )


@pytest.mark.parametrize("box", [(0, 0, 401, 10), (5, 0, 5, 10), (-1, 0, 5, 10), (0, 0, 5, 201)])
def test_a_region_off_the_picture_is_not_drawn(box: tuple[int, int, int, int]) -> None:
    assert region(box, REF) is None


def test_no_region_is_drawn_on_a_picture_of_unknown_size() -> None:
    assert region((0, 0, 1, 1), ImageRef(path="a.png")) is None


def test_a_missing_picture_is_replaced_by_the_reason() -> None:
    assert (
        picture(EmbeddedPicture(problem="Not <here>."), "a mug")
        == '<span class="gone"><span>Not &lt;here&gt;.</span></span>'
    )


def test_a_picture_carries_its_description() -> None:
    written = picture(EmbeddedPicture(name="p1"), 'a "mug"', kind="seen")
    assert written == '<span class="pic p1 seen" role="img" aria-label="a &quot;mug&quot;"></span>'


def test_text_is_shortened_to_one_line() -> None:
    assert shortened("a\n  b", 10) == "a b"
    assert shortened("a" * 20, 10) == "aaaaaa ..."
