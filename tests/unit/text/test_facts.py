"""Pins what facts a text holds and in which forms, whatever way they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vretrver.text.facts import Fact, agree, facts_in


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("2024-03-12", ("2024-03-12",)),
        ("2024/3/12", ("2024-03-12",)),
        ("12.03.2024", ("2024-03-12",)),
        ("12.3.2024", ("2024-03-12",)),
        ("03.25.2024", ("2024-03-25",)),
        ("25/12/2024", ("2024-12-25",)),
        ("12/25/2024", ("2024-12-25",)),
        ("03/04/2024", ("2024-04-03", "2024-03-04")),
        ("12.03.24", ("2024-03-12",)),
        ("12.03.97", ("1997-03-12",)),
        ("12 March 2024", ("2024-03-12",)),
        ("12th of March 2024", ("2024-03-12",)),
        ("March 12, 2024", ("2024-03-12",)),
        ("12-Mar-2024", ("2024-03-12",)),
        ("12. März 2024", ("2024-03-12",)),
        ("12. Ma\u0308rz 2024", ("2024-03-12",)),
        ("1er août 2023", ("2023-08-01",)),
        ("12 de marzo de 2024", ("2024-03-12",)),
        ("12 Şubat 2024", ("2024-02-12",)),
        ("3 мая 2021", ("2021-05-03",)),
        ("2024年3月12日", ("2024-03-12",)),
        ("2024. 03. 12.", ("2024-03-12",)),
        ("March 2024", ("2024-03",)),
        ("٢٠٢٤-٠٣-١٢", ("2024-03-12",)),
    ],
)
def test_a_date_is_one_form_however_it_is_written(text: str, forms: tuple[str, ...]) -> None:
    (fact,) = facts_in(text)
    assert (fact.kind, fact.forms) == ("date", forms)


@pytest.mark.parametrize("text", ["31.02.2024", "13/13/2024", "12 Potatoes 2024", "192.168.10.2024"])
def test_what_is_no_day_is_no_date(text: str) -> None:
    assert "date" not in {fact.kind for fact in facts_in(text)}


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("1.234,50 EUR", ("1234.50",)),
        ("$1,234.50", ("1234.50",)),
        ("1 234,50 €", ("1234.50",)),
        ("1\u202f234,50 €", ("1234.50",)),
        ("CHF 1'234.50", ("1234.50",)),
        ("Rs. 1,23,456.00", ("123456.00",)),
        ("RM12.5", ("12.50",)),
        ("€ 12,-", ("12.00",)),
        ("45,– kr", ("45.00",)),
        ("合計 1,234円", ("1234.00", "1.234")),
        ("£5", ("5.00",)),
    ],
)
def test_an_amount_is_a_decimal_with_two_places(text: str, forms: tuple[str, ...]) -> None:
    (fact,) = facts_in(text)
    assert (fact.kind, fact.forms) == ("amount", forms)


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("7 chairs", ("7",)),
        ("3,5 %", ("3.5",)),
        ("20kg", ("20",)),
        ("1.234.567", ("1234567",)),
        ("1,234", ("1234", "1.234")),
        ("0.250", ("0.250",)),
        ("第12回", ("12",)),
    ],
)
def test_a_number_is_a_plain_decimal(text: str, forms: tuple[str, ...]) -> None:
    (fact,) = facts_in(text)
    assert (fact.kind, fact.forms) == ("number", forms)


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("INV-2024/0173", ("inv-2024/0173", "inv20240173")),
        ("Nr. 17/2024", ("17/2024", "172024")),
        ("0173", ("0173",)),
        ("v2.10.3", ("v2.10.3", "v2103")),
        ("14:05", ("14:05", "1405")),
        ("+49 (0)30 123 4567", ("49301234567",)),
        ("030/1234567", ("0301234567",)),
        ("DE89 3704 0044 0532 0130 00", ("de89370400440532013000",)),
        ("4111 1111 1111 1111", ("4111111111111111",)),
        ("Straße12", ("strasse12",)),
    ],
)
def test_a_code_is_kept_whole(text: str, forms: tuple[str, ...]) -> None:
    (fact,) = facts_in(text)
    assert (fact.kind, fact.forms) == ("code", forms)


def test_facts_of_a_line_come_in_order_with_their_places() -> None:
    text = "Invoice INV-2024/0173 of 12 March 2024: 1.234,50 EUR, 3 items"
    found = [(fact.kind, text[slice(*fact.span)]) for fact in facts_in(text)]
    assert found == [
        ("code", "INV-2024/0173"),
        ("date", "12 March 2024"),
        ("amount", "1.234,50 EUR"),
        ("number", "3"),
    ]


def test_a_date_in_the_name_of_a_file_is_found_beside_the_name() -> None:
    found = [(fact.kind, fact.forms[0]) for fact in facts_in("scan-2024-03-12.pdf")]
    assert found == [("code", "scan-2024-03-12.pdf"), ("date", "2024-03-12")]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("20", "20.00 EUR", True),
        ("1,234", "1.234 EUR", True),
        ("12.03.2024", "March 2024", True),
        ("03/04/2024", "4 March 2024", True),
        ("12.03.2024", "13.03.2024", False),
        ("$20", "$21", False),
        ("INV-2024/0173", "inv 2024", False),
        ("INV 0173", "0173", True),
        ("2024", "2024-03-12", False),
    ],
)
def test_facts_agree_by_what_they_mean(one: str, other: str, same: bool) -> None:
    assert agree(facts_in(one)[-1], facts_in(other)[-1]) is same


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_has_facts_with_places_and_forms(text: str) -> None:
    check(text, facts_in(text))


PIECES = ["0", "1", "12", "2024", ".", ",", "-", "/", ":", "EUR", "$", "Mar", "a", "²", "٣", "\u00a0", "(", "+", " "]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_run_of_digits_and_marks_has_facts(pieces: list[str]) -> None:
    check("".join(pieces), facts_in("".join(pieces)))


def check(text: str, facts: tuple[Fact, ...]) -> None:
    assert len(facts) <= len(text)
    for fact in facts:
        assert 0 <= fact.span[0] < fact.span[1] <= len(text)
        assert fact.forms
        assert all(fact.forms)
        assert agree(fact, fact)
