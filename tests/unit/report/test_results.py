"""Pins the page of results: cards, folds, lines with their boxes, links, and that no stranger's text is believed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.report.reranks import drawn
from tests.unit.report.test_html import ALLOWED, HOSTILE_TEXT, Outline

from vretrver.errors import DataError
from vretrver.geometry import Box
from vretrver.images import ImageStore
from vretrver.records import Candidate, Citation, Hit, ImageRef, Query, parts_of
from vretrver.report.results import write_results

QUERY = Query(qid="q1", parts=parts_of(text="a square"))


def hit(path: str, *, did: str | None = None, text: str = "", citation: Citation | None = None, **facts: str) -> Hit:
    parts = parts_of(text=text, images=[ImageRef(path=path)])
    return Hit(candidate=Candidate(did=did or path, parts=parts, metadata=facts), score=0.5, citation=citation)


def written(folder: Path, images: ImageStore, *hits: Hit, query: Query = QUERY, linked: bool = False) -> str:
    path = folder / "results.html"
    write_results(path, [(query, hits)], images, where={"": folder} if linked else None)
    return path.read_text(encoding="utf-8")


def test_a_card_has_picture_name_date_and_the_rest_folded(tmp_path: Path) -> None:
    text = written(tmp_path, drawn(tmp_path), hit("0.png", taken="2019-06-01T14:02:00", place="Ulm"))
    assert text[text.index('<li class="card">') : text.index("</ol></section>")] == (
        '<li class="card"><div class="frame">'
        '<span class="pic p1" role="img" aria-label="Picture of 0.png"></span></div>'
        '<div class="called"><span class="rank">1</span><h2 class="item" dir="auto">0.png</h2></div>'
        '<p class="facts-line"><time datetime="2019-06-01T14:02:00">1 June 2019, 14:02</time></p>'
        '<details class="more"><summary>Details</summary><dl class="facts">'
        '<dt dir="auto">id</dt><dd dir="auto">0.png</dd><dt dir="auto">score</dt><dd dir="auto">0.5</dd>'
        '<dt dir="auto">taken</dt><dd dir="auto">2019-06-01T14:02:00</dd>'
        '<dt dir="auto">place</dt><dd dir="auto">Ulm</dd></dl></details></li>'
    )


def test_copies_are_folded_below_the_best_and_keep_their_places(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    (tmp_path / "copy.png").write_bytes((tmp_path / "0.png").read_bytes())
    text = written(tmp_path, images, hit("0.png"), hit("3.png"), hit("copy.png"))
    assert text.count('<li class="card">') == 2
    assert "3 found, best first, 1 of them folded under pictures that look the same" in text
    assert "<summary>1 more like this</summary>" in text
    assert '<span class="rank">3</span><span dir="auto">copy.png</span>' in text


def test_items_with_a_text_or_a_line_of_their_own_are_not_folded(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    cited = Citation(text="red", source="metadata")
    hits = [hit("0.png"), hit("0.png", did="a", text="red"), hit("0.png", did="b", citation=cited)]
    assert written(tmp_path, images, *hits).count('<li class="card">') == 3


def test_copies_found_by_their_names_are_folded(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    hits = [hit("0.png", did=name, citation=Citation(text=name, source="name")) for name in ("mug.png", "mug 2.png")]
    assert written(tmp_path, images, *hits).count('<li class="card">') == 1


@pytest.mark.parametrize(("did", "shown"), [("mug.png", 0), ("mug.png#page=1", 0), ("SKU-9", 1)])
def test_a_name_that_matched_is_said_once(tmp_path: Path, did: str, shown: int) -> None:
    text = written(tmp_path, drawn(tmp_path), hit("0.png", did=did, citation=Citation(text="mug.png", source="name")))
    assert text.count("in its name") == shown  # of a row with an id of its own the picture's name is news
    assert text.count("<blockquote") == shown


def test_a_line_is_shown_cut_from_its_picture_with_its_box_on_both(tmp_path: Path) -> None:
    line = Citation(text="TOTAL <9>", source="picture", picture=1, box=Box(left=80, top=60, right=160, bottom=80))
    text = written(tmp_path, drawn(tmp_path), hit("0.png", citation=line))
    assert re.findall(r'<span class="box" style="(.*?)">', text) == [
        "left:25.00%;top:25.00%;width:25.00%;height:8.33%",  # of 320 x 240
        "left:25.00%;top:37.50%;width:50.00%;height:25.00%",  # of the 160 x 80 around it
    ]
    assert '<blockquote dir="auto">TOTAL &lt;9&gt;</blockquote><figcaption>on the picture</figcaption>' in text


@pytest.mark.parametrize("box", [Box(left=0, top=0, right=321, bottom=10), Box(left=-5, top=0, right=3, bottom=10)])
def test_a_box_that_is_not_on_the_picture_is_not_drawn(tmp_path: Path, box: Box) -> None:
    line = Citation(text="total", source="picture", picture=7, box=box)
    text = written(tmp_path, drawn(tmp_path), hit("0.png", citation=line))
    assert 'class="box"' not in text
    assert "total" in text


def test_names_are_links_where_the_folder_is_known_and_the_file_can_be_read(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    text = written(tmp_path, images, hit("0.png"), hit("gone.png"), linked=True)
    assert re.findall(r'href="([^"]*)"', text) == [(tmp_path / "0.png").as_uri()]
    assert "Not shown: picture gone.png: cannot be read: No such file or directory." in text
    assert "href" not in written(tmp_path, images, hit("0.png"))


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    query = Query(qid=HOSTILE_TEXT, parts=parts_of(text=HOSTILE_TEXT))
    line = Citation(text=HOSTILE_TEXT, source="metadata")
    found = hit("0.png", did=HOSTILE_TEXT, text=HOSTILE_TEXT, citation=line, **{HOSTILE_TEXT: HOSTILE_TEXT})
    text = written(tmp_path, drawn(tmp_path), found, query=query, linked=True)
    outline = Outline(text)
    assert outline.tags <= ALLOWED | {"time"}
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert text.count("</title>") == text.count("</style>") == 1
    assert "default-src &#x27;none&#x27;" in text


def test_several_searches_are_listed_with_their_pictures_and_nothing_found_is_said(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    pictured = Query(qid="q2", parts=parts_of(images=[ImageRef(path="1.png")]))
    path = tmp_path / "r.html"
    write_results(path, [(QUERY, [hit("0.png")]), (pictured, [])], images, notes=["No word of it is known."])
    text = path.read_text(encoding="utf-8")
    outline = Outline(text)
    assert re.findall(r'<a href="(#q\d)" dir="auto">(.*?)</a>', text) == [
        ("#q1", "a square"), ("#q2", "Like 1 picture"),
    ]  # fmt: skip
    assert '<p class="notice" dir="auto">No word of it is known.</p>' in text
    assert '<p class="aside">Nothing was found.</p>' in text
    assert outline.headings == [1, 2, 3, 2]


def test_the_same_results_give_the_same_bytes_and_only_the_page_is_left(tmp_path: Path) -> None:
    images, out = drawn(tmp_path), tmp_path / "out"
    out.mkdir()
    first = written(out, images, hit("0.png"))
    assert first == written(out, ImageStore({"": tmp_path}), hit("0.png"))
    assert [path.name for path in out.iterdir()] == ["results.html"]
    with pytest.raises(DataError, match=r"no/r.html: cannot be written"):
        write_results(tmp_path / "no" / "r.html", [], images)
