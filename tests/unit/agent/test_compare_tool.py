"""Pins `compare`: two to four cuts in one picture, whose size follows from them; a report puts them together too."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import Played, answer, play, setup, window

from vretrver.agent.ablation import without_evidence
from vretrver.agent.composing import composed, composed_size, inner_sizes
from vretrver.agent.dialect import Dialect
from vretrver.agent.dialects import dialect_named
from vretrver.agent.dialects.vretrver import offering
from vretrver.agent.observations import Layout
from vretrver.agent.trajectory import PictureShown
from vretrver.geometry import PixelBudget
from vretrver.report.recut import cut_again

COMPARES = offering(dialect_named("vretrver"), ["compare"])


def compare(arguments: str) -> str:
    """Return a call; the arguments are the inside of a JSON object."""
    return f'<tool_call>{{"name": "compare", "arguments": {{{arguments}}}}}</tool_call>'


def played(drawn: DrawnFolder, call: str, *, dialect: Dialect = COMPARES) -> Played:
    """Play one call over a tall picture, a wide one and a square one."""
    for number, size in ((1, (300, 600)), (2, (600, 300)), (3, (400, 400))):
        drawn.ref(number, size)
    turns = [call, answer(1, 2, 3)]
    return play(window(drawn.candidates(3), drawn.query()), setup(drawn, dialect=dialect), turns)


def looked(session: Played) -> PictureShown:
    """Return the one picture that was brought back."""
    (shown,) = session.trajectory.observations(0)
    assert isinstance(shown, PictureShown)
    return shown


def test_whole_pictures_stand_side_by_side_and_are_named_in_order(drawn: DrawnFolder) -> None:
    session = played(drawn, compare('"target_images": [1, 3]'))
    shown = looked(session)
    assert session.replies == ["<tool_response>\nPictures 1 and 3, left to right: \n</tool_response>"]
    assert (shown.width, shown.height, shown.layout) == (832, 608, Layout.ROW)
    assert shown.tokens == 26 * 19
    assert [cut.did for cut in shown.cuts] == ["1:1", "1:3"]


def test_wide_regions_stand_one_below_the_other(drawn: DrawnFolder) -> None:
    boxes = '"bboxes_2d": [[0, 0, 500, 250], [0, 0, 1000, 500]]'
    session = played(drawn, compare(f'"target_images": [1, 2], {boxes}'))
    shown = looked(session)
    assert shown.layout is Layout.COLUMN
    assert [cut.box for cut in shown.cuts] == [(0, 0, 150, 150), (0, 0, 600, 150)]
    assert (
        "Pictures 1, region [0, 0, 500, 250] and 2, region [0, 0, 1000, 500], top to bottom: " in session.replies[0]
    )


def test_one_box_counts_for_all_and_other_numbers_of_boxes_are_refused(drawn: DrawnFolder) -> None:
    one = played(drawn, compare('"target_images": [1, 2, 3], "bboxes_2d": [[0, 0, 500, 500]]'))
    assert [cut.box for cut in looked(one).cuts] == [(0, 0, 150, 300), (0, 0, 300, 150), (0, 0, 200, 200)]
    two = played(drawn, compare('"target_images": [1, 2, 3], "bboxes_2d": [[0, 0, 9, 9], [0, 0, 9, 9]]'))
    assert "Refused: 3 pictures and 2 boxes do not go together: give 1 or a box each." in two.replies[0]
    alone = played(drawn, compare('"target_images": [1]'))
    assert "Refused: wrong arguments: target_images: List should have at least 2 items" in alone.replies[0]


@pytest.mark.parametrize("more", ["", ', "bboxes_2d": [[100, 100, 700, 700]]'])
def test_a_report_puts_it_together_again_to_the_same_bytes(drawn: DrawnFolder, more: str) -> None:
    shown = looked(played(drawn, compare(f'"target_images": [1, 2, 3]{more}')))
    assert cut_again(shown, drawn.store).problem is None
    moved = replace(shown, cuts=(replace(shown.cuts[0], box=(0, 0, 150, 300)), *shown.cuts[1:]))
    assert str(cut_again(moved, drawn.store).problem).startswith("Put together again, this look has other bytes")


def test_blinded_it_shows_the_thumbnails_at_the_same_size(drawn: DrawnFolder) -> None:
    call = compare('"target_images": [1, 2]')
    seen, blind = (looked(played(drawn, call, dialect=one)) for one in (COMPARES, without_evidence(COMPARES)))
    assert (seen.width, seen.height, seen.tokens) == (blind.width, blind.height, blind.tokens)
    assert seen.sha256 != blind.sha256


def test_cuts_keep_their_aspect_in_equal_tiles_with_a_line_around() -> None:
    size, layout = composed_size([(10, 20), (20, 20)], PixelBudget(cell=32, tokens=4))
    assert (size, layout) == ((128, 64), Layout.ROW)
    inner = inner_sizes([(10, 20), (20, 20)], size, layout)
    assert inner == [(31, 62), (62, 62)]
    whole = composed([Image.new("RGB", one, (255, 0, 0)) for one in inner], size, layout)
    row = [whole.getpixel((x, 32)) for x in (0, 1, 20, 62, 63, 64, 65, 127)]
    grey, white, red = (128, 128, 128), (255, 255, 255), (255, 0, 0)
    assert row == [grey, white, red, white, grey, grey, red, grey]
