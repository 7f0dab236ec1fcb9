"""Pins how the report shows a reader's verdicts: the line that decided, cut out, and all facts as a table."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tests.unit.report.reranks import drawn, page, pictured, reranked

from vretrver.agent.answers import RankingOrNoneForm
from vretrver.agent.reranked import Reranked
from vretrver.images import ImageStore
from vretrver.records import ImageRef
from vretrver.report.facts import FactsByDid, FactShown, deciding_fact, facts_that_count
from vretrver.report.html import write_report

DAY = {"yes": "12 March", "no": "10 March", "unseen": ""}
BOX = (20, 40, 80, 60)


def row(images: ImageStore, number: int, word: str, day: str, total: str, *, unsure: bool = False) -> list[FactShown]:
    """Return what became of a word, a day and a total on picture `number`."""
    seen = images.pin(ImageRef(path=f"{number}.png"))
    shown = {"image": seen, "box": BOX}
    return [
        FactShown(kind="word", wanted="invoice", finding=word),  # type: ignore[arg-type]
        FactShown(kind="date", wanted="12.03.", finding=day, text=DAY[day], **shown),  # type: ignore[arg-type]
        FactShown(kind="number", wanted="7.00", finding=total, text=f"EUR {number}.00", unsure=unsure, **shown),  # type: ignore[arg-type]
    ]


def facts(images: ImageStore) -> FactsByDid:
    """Return a table in which the second candidate shows both facts; the word stands everywhere."""
    return {
        "5:0": row(images, 0, "yes", "yes", "no"),
        "5:1": row(images, 1, "yes", "yes", "yes", unsure=True),
        "5:2": row(images, 2, "yes", "no", "unseen"),
    }


def ranked(images: ImageStore, answer: str = "[2, 1, 3]") -> Reranked:
    candidates = tuple(map(pictured, range(3)))
    return reranked(images, [f"<answer>{answer}</answer>"], candidates=candidates, form=RankingOrNoneForm())


def text_of(html: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", html.partition("<body>")[2]).split())


def test_the_fact_that_most_others_lack_decides(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    found = deciding_fact(ranked(images), facts(images))
    assert found is not None
    assert (found.did, found.fact.wanted, found.fact.text) == ("5:1", "7.00", "EUR 1.00")
    assert found.instead is not None
    assert (found.other, found.instead.finding, found.instead.text) == ("5:0", "no", "EUR 0.00")


def test_where_nothing_fits_it_is_what_stands_in_the_place_of_a_fact(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    result = ranked(images, "none [1, 2, 3]")
    assert result.verdict == "nothing_fits"
    found = deciding_fact(result, facts(images))
    assert found is not None
    assert (found.did, found.fact.text, found.other) == ("5:0", "EUR 0.00", None)


def test_without_a_fact_at_the_first_place_nothing_decides(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    known = facts(images)
    assert deciding_fact(ranked(images, "[3, 1, 2]"), {"5:2": known["5:2"]}) is None
    assert deciding_fact(ranked(images), {}) is None


def test_mere_words_count_only_where_nothing_else_is_asked(tmp_path: Path) -> None:
    known = facts(drawn(tmp_path))
    assert facts_that_count(known) == [1, 2]
    assert facts_that_count({did: shown[:1] for did, shown in known.items()}) == [0]
    assert facts_that_count({}) == []


def test_the_page_shows_cut_and_table_in_place_of_raw_lines(tmp_path: Path) -> None:
    images, result = drawn(tmp_path), ranked(drawn(tmp_path))
    write_report(tmp_path / "r.html", [result], images, title="t", facts={"9:1": facts(images)})
    html = (tmp_path / "r.html").read_text()
    told = text_of(html)
    assert "First place: candidate 5:1. 7.00 stands here. The reading is in doubt." in told
    assert "On candidate 5:0 this stands in its place." in told
    assert 'aria-label="The line: EUR 1.00"><span class="box"' in html
    assert (
        "Facts Candidate 12.03. date 7.00 number "
        "1 5:1 yes 12 March yes EUR 1.00 in doubt 2 5:0 yes 12 March no EUR 0.00 3 5:2 no 10 March unseen Order"
    ) in told
    assert '<details class="window">' in html, "what was read is folded"


def test_a_hostile_box_or_text_harms_nothing(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    known = {did: list(shown) for did, shown in facts(images).items()}
    for box in ((50, 40, 20, 60), (0, 0, 9999, 9999), (-5, 0, 10, 10)):
        known["5:1"][2] = replace(known["5:1"][2], box=box, text="<script>alert(1)</script>")
        write_report(tmp_path / "r.html", [ranked(images)], images, title="t", facts={"9:1": known})
        assert "<script" not in (tmp_path / "r.html").read_text()


def test_a_picture_that_changed_since_is_not_shown(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    known, result = facts(images), ranked(images)
    (tmp_path / "1.png").write_bytes((tmp_path / "2.png").read_bytes())
    write_report(tmp_path / "r.html", [result], ImageStore({"": tmp_path}), title="t", facts={"9:1": known})
    assert "Not shown: picture 1.png" in (tmp_path / "r.html").read_text()


def test_without_facts_the_report_is_what_it_was(tmp_path: Path) -> None:
    images = drawn(tmp_path)
    assert "Facts" not in text_of(page(tmp_path, images, ranked(images)))
