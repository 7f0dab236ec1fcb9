"""Pins names, dates and links of hits; a path that a stranger wrote leads nowhere outside its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from vretrver.records import Candidate, Citation, ImageRef, parts_of
from vretrver.report.result_words import date_of, link_of, name_of, where_it_stands


def item(did: str, **metadata: str | int | float | None) -> Candidate:
    return Candidate(did=did, parts=parts_of(text="a"), metadata=metadata)


@pytest.mark.parametrize(
    ("candidate", "name"),
    [
        (item("2019/a b.jpg"), ("2019/a b.jpg", None)),
        (item("r.pdf#page=2", page=2, pages=3), ("r.pdf", "page 2 of 3")),
        (item("r.pdf#page=2"), ("r.pdf", "page 2")),
        (item("r.pdf#page=two"), ("r.pdf#page=two", None)),
    ],
)
def test_names_are_whole_and_pages_are_named(candidate: Candidate, name: tuple[str, str | None]) -> None:
    assert name_of(candidate) == name


@pytest.mark.parametrize(
    ("metadata", "date"),
    [
        ({"taken": "2019-06-01T14:02:09"}, ("2019-06-01T14:02:09", "1 June 2019, 14:02")),
        ({"due": "2024-03-14", "taken": None}, ("2024-03-14", "14 March 2024")),
        ({"due": "2024-03-14", "taken": "2019-12-24"}, ("2019-12-24", "24 December 2019")),
        ({"sku": "20190601", "code": "1234-567", "year": 2019, "bad": "2019-13-01"}, None),
    ],
)
def test_dates_are_those_that_are_written_out(
    metadata: dict[str, str | int | float | None], date: tuple[str, str] | None
) -> None:
    assert date_of(item("a", **metadata)) == date


FOLDER = Path("/photos")


@pytest.mark.parametrize(
    ("ref", "link"),
    [
        (ImageRef(path="a b/ü#1?.jpg"), "file:///photos/a%20b/%C3%BC%231%3F.jpg"),
        (ImageRef(path="r.pdf", page=1), "file:///photos/r.pdf#page=2"),
        (ImageRef(path='"><script>.jpg'), "file:///photos/%22%3E%3Cscript%3E.jpg"),
        (ImageRef(path="../etc/passwd"), None),
        (ImageRef(path="/etc/passwd"), None),
        (ImageRef(path="a/../../b.jpg"), None),
        (ImageRef(path="a.jpg", root="other"), None),
        (ImageRef(path="a.jpg", root="here"), None),
        (ImageRef(path="\ud800.jpg"), None),
    ],
)
def test_links_stay_below_folders_of_this_machine(ref: ImageRef, link: str | None) -> None:
    assert link_of(ref, {"": FOLDER, "here": Path("relative")}) == link


def test_where_a_line_stands_is_said_with_how_sure_its_reader_was() -> None:
    assert where_it_stands(Citation(text="a", source="name"), page=False) == "in its name"
    assert where_it_stands(Citation(text="a", source="picture", picture=1), page=True) == "on the page"
    unsure = Citation(text="a", source="picture", picture=1, confidence=0.934)
    assert where_it_stands(unsure, page=False) == "on the picture, read with confidence 0.93"
