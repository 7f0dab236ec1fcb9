"""Pins the report as a file: it needs nothing else, believes no text, hides no failure, and is the same each time."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from tests.unit.report.reranks import LOOKED, call, drawn, looks_of, page, pictured, reranked, with_look, zoom

from vretrver.agent.answers import RankingOrNoneForm
from vretrver.agent.budget import Budget
from vretrver.agent.observations import Layout
from vretrver.agent.trajectory import TextShown
from vretrver.errors import DataError
from vretrver.images import ImageStore
from vretrver.policies.scripted import HOSTILE
from vretrver.records import Candidate, ImageRef, Query, parts_of
from vretrver.report.html import write_report

HOSTILE_TEXT = "</script></title><script>alert(1)</script><img src=x onerror=alert(2)>\" onload='x' ]]>"
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "nav", "footer", "article", "section", "h1",
    "h2", "h3", "h4", "p", "a", "span", "strong", "code", "pre", "div", "ol", "ul", "li", "dl", "dt", "dd", "details",
    "summary", "figure", "figcaption", "blockquote", "svg", "path", "wbr",
}  # fmt: skip


class Outline(HTMLParser):
    """Collects a page's tags, attributes and headings, and checks that tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.headings: list[int] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in {"meta", "wbr"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    turns = [f"<think>{HOSTILE_TEXT}</think>" + call(HOSTILE_TEXT, url=HOSTILE_TEXT), "<answer>[1]</answer>"]
    query = Query(qid=HOSTILE_TEXT, parts=parts_of(text=HOSTILE_TEXT), instruction=HOSTILE_TEXT)
    candidate = Candidate(did="<b>", parts=parts_of(text=HOSTILE_TEXT))
    result = reranked(images, turns, query=query, candidates=[candidate, pictured(0)])
    text = page(tmp_path, images, result, names={"5:0": HOSTILE_TEXT})
    outline = Outline(text)
    assert outline.tags <= ALLOWED
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert text.count("</title>") == text.count("</style>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_all_hostile_turns_can_be_shown(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    results = [reranked(images, [turn] * 5) for turn in HOSTILE]
    assert Outline(page(tmp_path, images, *results)).tags <= ALLOWED


def test_the_page_refers_to_nothing_outside_itself(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    text = page(tmp_path, images, reranked(images, LOOKED), reranked(images, LOOKED))
    assert not re.search(r"https?://|file://|//[a-z]|@import|<script|<link|<img", re.sub(r"base64,[^)]*", "", text))
    assert all(source.startswith("data:image/jpeg;base64,") for source in re.findall(r"url\(([^)]*)\)", text))
    assert "default-src &#x27;none&#x27;; img-src data:; style-src &#x27;unsafe-inline&#x27;" in text
    assert str(tmp_path) not in text
    targets = {value for name, value in Outline(text).attributes if name == "href"}
    assert targets == {"#q1", "#q2"}


def test_the_same_traces_give_the_same_bytes(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    result = reranked(images, LOOKED)
    assert page(tmp_path, images, result) == page(tmp_path, ImageStore({"": tmp_path}), result)


def test_a_look_is_shown_with_its_region_and_its_bytes_confirmed(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    text = page(tmp_path, images, reranked(images, LOOKED))
    box = '<span class="box" style="left:0.00%;top:0.00%;width:50.00%;height:100.00%"></span>'
    assert text.count(box) == 3, "one of each look, and the winner's beside the headline"
    assert text.count("same bytes as the agent was shown") == 2
    assert "2 of 2 match the record" in text
    assert "Candidate 5:2 moved from 3 to 1 after 2 looks." in text
    assert "Answer</strong> [3, 1, 2, 4]. First is candidate 5:2." in text


def test_the_last_look_at_the_first_place_stands_beside_the_headline(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    text = page(tmp_path, images, reranked(images, LOOKED))
    head = text[text.index("<article") : text.index("<h3>Order")]
    assert re.sub(r'"pic p[0-9]+', '"pic p', head[head.index("<figure") :].partition("</header>")[0]) == (
        '<figure class="finding"><div class="panes">'
        '<span class="pic p" role="img" aria-label="Picture of candidate 5:2, the region of the last look marked">'
        '<span class="box" style="left:0.00%;top:0.00%;width:50.00%;height:100.00%"></span></span>'
        '<span class="pic p seen" role="img" aria-label="Close view of candidate 5:2"></span></div>'
        '<figcaption dir="auto">First place: candidate 5:2, and the last look at it.</figcaption></figure>'
    )
    assert "2 of 2 match the record" in text, "a look that is shown twice is counted once"


def test_a_first_place_without_a_look_is_shown_and_said_to_be_without(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    text = page(tmp_path, images, reranked(images, ["<answer>[4, 1, 2, 3]</answer>"]))
    assert "First place: candidate 5:3. It was not looked at more closely." in text
    words = [Candidate(did="5:t", parts=parts_of(text="a text about squares")), pictured(0)]
    text = page(tmp_path, images, reranked(images, ["<answer>[1, 2]</answer>"], candidates=words))
    assert '<figure class="finding"><blockquote dir="auto">a text about squares</blockquote>' in text


def test_what_is_right_is_marked_only_where_it_is_known(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    right, wrong, unknown = (
        reranked(images, {f"{qid}/w0": LOOKED}, query=Query(qid=qid, parts=parts_of(text=f"square {qid}")))
        for qid in ("a", "b", "c")
    )
    path = tmp_path / "report.html"
    wanted = {"a": ["5:2"], "b": ["5:3"]}
    write_report(path, [right, wrong, unknown], images, title="A report", wanted=wanted)
    text = path.read_text(encoding="utf-8")
    assert "3 queries: order changed in 3. 1 of the 2 that can be checked are right." in text
    assert '<p class="known right" dir="auto">Right: this is what was asked for.</p>' in text
    assert '<p class="known wrong" dir="auto">Wrong: candidate 5:3 was asked for; it is at place 4.</p>' in text
    assert text.count('<p class="known') == 2
    assert text.count('<span class="wanted">asked for</span>') == 4, "before and after, of two queries"
    assert re.findall(r'<span aria-hidden="true">(.)</span> (right|wrong)</span>', text) == [
        ("\N{CHECK MARK}", "right"), ("\N{MULTIPLICATION X}", "wrong"),
    ]  # fmt: skip


def test_the_lead_of_the_caller_stands_below_the_heading(tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", [], drawn(tmp_path), title="T", lead=["Shown: 2 of <9>."])
    expected = '<h1 dir="auto">T</h1><p class="lead" dir="auto">Shown: 2 of &lt;9&gt;.</p>'
    assert expected in (tmp_path / "r.html").read_text()


def test_links_tell_queries_of_pictures_apart(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    asked = [Query(qid=f"9:{number}", parts=parts_of(images=[ImageRef(path=f"{number}.png")])) for number in (0, 1)]
    text = page(tmp_path, images, *(reranked(images, {f"{q.qid}/w0": LOOKED}, query=q) for q in asked))
    rows = re.findall(
        r'<li><span class="number">(.)</span><span class="pic (p\d+)".*?<a href="(.+?)".*?>(.+?)</a>', text
    )
    assert [(number, link, title) for number, _, link, title in rows] == [
        ("1", "#q1", "Query 1: 1 picture"), ("2", "#q2", "Query 2: 1 picture"),
    ]  # fmt: skip
    assert rows[0][1] != rows[1][1], "each with its own picture"


def test_a_page_of_a_document_has_its_whole_name_and_its_whole_picture(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    paper = Candidate(did="2023/annual_report.pdf#page=2", parts=parts_of(images=[ImageRef(path="0.png")]))
    text = page(tmp_path, images, reranked(images, ["<answer>[1, 2]</answer>"], candidates=[paper, pictured(1)]))
    assert '<span class="name" dir="auto">2023/<wbr>annual_<wbr>report.pdf<wbr>#page=2</span>' in text
    assert re.search(
        r'<span class="tile"><span class="pic p\d+" role="img" aria-label="Picture of candidate 2023/', text
    )


def test_a_picture_that_changed_is_named_in_its_place(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    result = reranked(images, LOOKED)
    Image.new("RGB", (320, 240)).save(tmp_path / "1.png")
    text = page(tmp_path, images, result)
    assert "This look cannot be shown again: picture 1.png: the file has changed since it was recorded" in text
    assert "1 of 2 match the record" in text


def test_a_failed_window_is_marked_and_never_shown_as_success(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    text = page(tmp_path, images, reranked(images, ["nothing"] * 5))
    assert "This window failed (MALFORMED): its part of the order is the coarse one, not confirmed." in text
    assert text.count('<span class="doubt">not confirmed</span>') == 4
    assert '<span class="badge bad">failed</span>' in text
    assert '<span class="badge good">' not in text
    assert "1, 1 failed" in text
    assert '<p class="alert">1 of 1 window failed. The last turn held no usable answer (1).</p>' in text


def test_refusals_repairs_and_forcing_are_told(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    turns = [call("zoom_in", target_image=9, bbox_2d=[0, 0, 9, 9])] * 4 + ["<answer>[2, 9]</answer>"]
    text = page(tmp_path, images, reranked(images, turns))
    assert "<strong>zoom_in refused</strong>: there is no candidate 9; candidates are 1 to 4" in text
    assert "The answer was repaired: 9 dropped (no candidate has the number)" in text
    assert '<span class="badge plain">forced</span>' in text
    assert "asked for the answer only" in text
    assert "scripted:replay is a script that repeats recorded turns; no model wrote these turns." in text


def test_a_text_that_was_read_is_shown_as_text_with_where_it_was_read(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    result = reranked(images, LOOKED)
    (cut,) = looks_of(result)[0].cuts
    read = TextShown(cuts=(cut,), text=f"SALE {HOSTILE_TEXT}", made_by="ocr-9 <b>", turn=0, call=0)
    text = page(tmp_path, images, with_look(result, read))
    assert Outline(text).tags <= ALLOWED
    assert '<blockquote dir="auto">SALE &lt;/script&gt;' in text
    assert "read by ocr-9 &lt;b&gt;" in text
    assert text.count("region 0,0 to 160,240 of 320 x 240 px") == 3, "one more than the two looks"
    assert text.count('<span class="box"') == 4, "the winner's last look is beside the headline as well"
    assert "2 of 2 match the record" in text, "a text is no picture to check"
    assert "<dt>texts read</dt>" in text


def test_cuts_in_one_picture_are_named_and_checked(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    result = reranked(images, LOOKED)
    first, second = looks_of(result)
    both = replace(first, cuts=(*first.cuts, *second.cuts), layout=Layout.ROW)
    text = page(tmp_path, images, with_look(result, both))
    middle = "\N{MIDDLE DOT}"
    assert f"Pictures 2 and 3, side by side {middle} candidate 5:1 and candidate 5:2" in text
    assert "of 320 x 240 px of picture 3" in text
    assert "Put together again, this look has other bytes than the agent was shown" in text
    assert "2 of 3 match the record" in text


def test_nothing_fits_is_in_the_headline_and_at_its_window(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    text = page(tmp_path, images, reranked(images, ["<answer>none [1, 2, 3, 4]</answer>"], form=RankingOrNoneForm()))
    assert "No candidate fits, the agent says; the order is kept beside it." in text
    assert "This window: no candidate fits, the agent says; its order is kept beside it." in text
    assert text.count('<span class="badge plain">nothing fits</span>') == 2
    assert "Answer</strong> [1, 2, 3, 4]. No candidate fits. First is candidate 5:0." in text


def test_a_query_that_ended_early_is_marked_and_its_window_says_why(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    turns = {"9:1/w0": ["<answer>[2, 1]</answer>"], "9:1/w1": [zoom(1)]}
    result = reranked(images, turns, candidates=[pictured(n) for n in range(3)], size=2, budget=Budget(turns=1))
    text = page(tmp_path, images, result)
    assert '<p class="alert">Stopped at the budget (turns): the best order so far.</p>' in text
    assert '<span class="badge bad">stopped early</span>' in text
    assert "The query&#x27;s budget was used up." in text
    assert "window 2 of reference(50,2,1), round 2" in text


def test_what_failed_is_told_in_its_own_words(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    text = page(tmp_path, images, reranked(images, []))
    assert "The policy failed after its retries. Cause: the recording has 0 turns for session 9:1/w0." in text
    assert '<dt>failure</dt><dd dir="auto">refused</dd>' in text


def test_windows_without_looks_are_closed_and_the_others_open(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    turns = {"9:1/w0": ["<answer>[1, 2]</answer>"], "9:1/w1": [zoom(1), "<answer>[1, 2]</answer>"]}
    text = page(tmp_path, images, reranked(images, turns, candidates=[pictured(n) for n in range(3)], size=2))
    assert re.findall(r'<details class="window"( open)?>', text) == ["", " open"]


def test_texts_several_pictures_and_missing_ones_have_their_place(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    many = Candidate(did="5:m", parts=parts_of(images=[ImageRef(path="0.png"), ImageRef(path="1.png")]))
    gone = Candidate(did="5:g", parts=parts_of(images=[ImageRef(path="gone.png")]))
    words = Candidate(did="5:t", parts=parts_of(text="a text about squares"))
    query = Query(qid="9:1", parts=parts_of(images=[ImageRef(path="2.png"), ImageRef(path="gone.png")]))
    turns = [call("zoom_in", target_image=[1, 2], bbox_2d=[0, 0, 500, 500]), "<answer>[1, 2, 3]</answer>"]
    text = page(tmp_path, images, reranked(images, turns, query=query, candidates=[many, gone, words]))
    assert "Query 1: 2 pictures" in text
    assert '<span class="further">+1</span>' in text
    assert "Picture [1, 2]" in text
    assert "picture not available" in text
    assert "a text about squares" in text
    assert "Not shown: picture gone.png: cannot be read: No such file or directory." in text


def test_every_picture_is_described_and_headings_are_in_order(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    outline = Outline(page(tmp_path, images, reranked(images, LOOKED), reranked(images, LOOKED)))
    roles = sum(attribute == ("role", "img") for attribute in outline.attributes)
    labels = sum(name == "aria-label" and bool(value) for name, value in outline.attributes)
    assert roles + 1 == labels > 1, "the list of queries has a label as well"
    assert outline.headings[0] == outline.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(outline.headings, outline.headings[1:], strict=False))


def test_a_folder_that_is_missing_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    with pytest.raises(DataError, match=r"no/report.html: cannot be written: No such file or directory"):
        write_report(tmp_path / "no" / "report.html", [], images, title="A report")


def test_only_the_finished_file_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    write_report(folder / "r.html", [], drawn(tmp_path), title="Nothing", summary=[("depth", "50")])
    assert [path.name for path in folder.iterdir()] == ["r.html"]
    assert '<dt>depth</dt><dd dir="auto">50</dd>' in (folder / "r.html").read_text()
