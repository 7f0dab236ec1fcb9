"""Pins verdicts: yes, no with what stands there instead, unseen, and when a reading is in doubt."""

from __future__ import annotations

import pytest

from vretrver.policies.reader.asked import KnownCandidate, Line
from vretrver.policies.reader.judging import FactVerdict, judge
from vretrver.policies.reader.near import distance, repaired, skeleton
from vretrver.policies.reader.sheet import Sheet
from vretrver.policies.reader.wanted import wanted_in

INVOICE = (
    "100,100,200,110 Invoice",
    "100,200,160,210 Number:",
    "300,200,400,210 QX-2024-0173",
    "100,230,160,240 Date:",
    "300,230,400,240 12 March 2024",
    "100,300,160,310 Desk lamp",
    "600,300,700,310 118.40",
    "100,330,160,340 Total",
    "600,330,700,340 1,204.00 EUR",
    "100,360,300,370 Payable until: 2 April 2024",
    "100,400,200,410 Anna Schmidt",
)


def sheet(*written: str, sure: float = 1.0, again: bool = False) -> Sheet:
    """Return the sheet of lines written as `left,top,right,bottom text`."""
    lines = []
    for one in written:
        place, _, text = one.partition(" ")
        left, top, right, bottom = (int(edge) for edge in place.split(","))
        lines.append(Line(text=text, picture=1, edges=(left, top, right, bottom), sure=sure, again=again))
    return Sheet(KnownCandidate(number=1, pictures=(1,), unread=(), refused=False, lines=tuple(lines)))


def verdict(query: str, page: Sheet) -> FactVerdict:
    """Return the verdict on the last thing that a query asks for."""
    return judge(wanted_in(query)[-1], page)


@pytest.mark.parametrize(
    ("query", "finding", "text"),
    [
        ("12.03.2024", "yes", "12 March 2024"),
        ("March 2024", "yes", "12 March 2024"),
        ("13 March 2024", "no", "12 March 2024"),
        ("date 2 April 2024", "no", "12 March 2024"),
        ("letters from 2024", "yes", "12 March 2024"),
        ("letters from 2023", "unseen", ""),
        ("total 2024", "no", "1,204.00 EUR"),
        ("1204.00", "yes", "1,204.00 EUR"),
        ("total 1.204,00 EUR", "yes", "1,204.00 EUR"),
        ("total 118.40", "no", "1,204.00 EUR"),
        ("118.40", "yes", "118.40"),
        ("999.95 EUR", "no", "118.40"),
        ("number QX-2024-0173", "yes", "QX-2024-0173"),
        ("QX-2024-0999", "no", "QX-2024-0173"),
        ("AB12345", "unseen", ""),
        ("42", "unseen", ""),
        ("by Anna Schmidt", "yes", "Anna Schmidt"),
        ("by Anna Novak", "unseen", ""),
        ('"desk LAMP"', "yes", "Desk lamp"),
        ("lamp", "yes", ""),
        ("chair", "unseen", ""),
    ],
)
def test_a_fact_on_a_page(query: str, finding: str, text: str) -> None:
    found = verdict(query, sheet(*INVOICE))
    assert (found.finding.value, found.text) == (finding, text)


def test_a_page_without_anything_of_the_kind_says_nothing() -> None:
    assert [
        verdict(query, sheet("0,0,9,9 Hello")).finding.value for query in ("12 March 2024", "118.40", "QX-1")
    ] == [
        "unseen",
        "unseen",
        "unseen",
    ]


def test_a_verdict_says_where() -> None:
    assert verdict("total 118.40", sheet(*INVOICE)).edges == (600, 330, 700, 340)


def test_one_sign_apart_is_in_doubt_until_it_was_read_again() -> None:
    query, page = "total 118.40", "600,330,700,340 118.10"
    assert verdict(query, sheet(page)).unsure
    assert not verdict(query, sheet(page, again=True)).unsure
    assert not verdict(query, sheet("600,330,700,340 204.00")).unsure


def test_what_was_read_badly_is_in_doubt() -> None:
    yes = verdict("118.40", sheet("0,0,9,9 118.40", sure=0.7))
    assert (yes.finding.value, yes.unsure) == ("yes", True)
    smeared = verdict("118.40", sheet("0,0,90,9 T0tal 11B4o", sure=0.6))
    assert (smeared.finding.value, smeared.unsure, smeared.edges) == ("unseen", True, (0, 0, 90, 9))


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("1084.43", "0,0,9,9 1,O84.43"),
        ("3 April 2024", "0,0,9,9 3 Apri1 2024"),
        ("by Ole Lindqvist", "0,0,9,9 O1e L1ndqvist"),
    ],
)
def test_letters_taken_for_digits_are_mended_and_read_again(query: str, page: str) -> None:
    found = verdict(query, sheet(page))
    assert (found.finding.value, found.unsure) == ("yes", True)
    assert not verdict(query, sheet(page, again=True)).unsure


@pytest.mark.parametrize("text", ["AnnaSchmidt", "Frau ANNA  SCHMIDT,", "Anna Schmídt"])
def test_names_are_found_however_they_are_spaced_and_accented(text: str) -> None:
    assert verdict("by Anna Schmidt", sheet(f"0,0,9,9 {text}")).finding.value == "yes"


def test_a_value_in_two_parts_of_a_row_is_one() -> None:
    assert verdict("12 March 2024", sheet("100,10,150,20 12 March", "160,10,200,20 2024")).finding.value == "yes"
    assert verdict("12 March 2024", sheet("100,10,150,20 12 March", "160,40,200,50 2024")).finding.value == "unseen"


@pytest.mark.parametrize("turned", [-24, 0, 24])
def test_the_value_beside_a_label_is_found_on_a_page_that_is_turned(turned: int) -> None:
    rows = [("Cable", "20.00"), ("Lamp", "31.00"), ("Deposit", "7.00"), ("Total", "51.00"), ("Date:", "2 May 2020")]
    tops = (300, 320, 345, 365, 410)
    lines = []
    for (left, right), top in zip(rows, tops, strict=True):
        lines += [f"100,{top},200,{top + 12} {left}", f"600,{top + turned // 2},700,{top + turned // 2 + 12} {right}"]
    assert verdict("total 51.00", sheet(*lines)).finding.value == "yes"
    swapped = verdict("total 7.00", sheet(*lines))
    assert (swapped.finding.value, swapped.text) == ("no", "51.00")


def test_what_looks_alike() -> None:
    assert skeleton("2O19-O3-l5") == "20190315"
    assert (repaired("1,O84.43 of 3 Apri1"), repaired("QX12 and C3PO")) == ("1,084.43 of 3 April", "QX12 and C3PO")
    assert [distance("118.40", other, 1) for other in ("118.40", "118.10", "18.40", "204.00")] == [0, 1, 1, 2]
