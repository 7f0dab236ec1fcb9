"""Pins which line of an item is cited."""

from __future__ import annotations

import pytest

from vretrver.geometry import Box
from vretrver.records import Candidate, Citation, ImageRef, TextLine, parts_of
from vretrver.retrieval.lexical.citation import citation_of
from vretrver.retrieval.lexical.index import LexicalIndex
from vretrver.retrieval.lexical.lines import indexed_text

LINES = {
    "one.png": (
        TextLine(text="Invoice INV-2024/0173", box=Box(left=10, top=10, right=200, bottom=30), confidence=0.9),
        TextLine(text="Total 1.234,50 EUR", box=Box(left=10, top=400, right=180, bottom=420), confidence=0.8),
    ),
    "two.png": (TextLine(text="Paid on 12.03.2024", box=Box(left=5, top=5, right=90, bottom=20)),),
}
ITEM = Candidate(
    did="scans/2024/bill.pdf#page=3",
    parts=parts_of(text="Bought in Łódź.\nA red mug", images=[ImageRef(path="one.png"), ImageRef(path="two.png")]),
    metadata={"shop": "Müller", "taken": "2024-05-01T10:00:00", "price": 12.5, "gift": None},
)


class Kept:
    """Lines by the path of a picture."""

    def lines(self, image: ImageRef) -> tuple[TextLine, ...] | None:
        """Return the lines."""
        return LINES.get(image.path)


@pytest.fixture
def index():
    made = LexicalIndex()
    made.put([(ITEM.did, indexed_text(ITEM, Kept()), b""), *((str(n), "invoice total mug", b"") for n in range(9))])
    return made


@pytest.mark.parametrize(
    ("query", "citation"),
    [
        (
            "invoice of 1234.50",
            Citation(
                text="Total 1.234,50 EUR",
                source="picture",
                picture=1,
                box=Box(left=10, top=400, right=180, bottom=420),
                confidence=0.8,
            ),
        ),
        (
            "12 March 2024",
            Citation(
                text="Paid on 12.03.2024", source="picture", picture=2, box=Box(left=5, top=5, right=90, bottom=20)
            ),
        ),
        ("lodz", Citation(text="Bought in Łódź.", source="text")),
        ("muller", Citation(text="Müller", source="metadata")),
        ("May 2024", Citation(text="2024-05-01T10:00:00", source="metadata")),
        ("bill", Citation(text="scans/2024/bill.pdf", source="name")),
        ("red mug bill", Citation(text="A red mug", source="text")),
        ("unicorn", None),
    ],
)
def test_the_line_with_the_rarest_words_is_cited(index: LexicalIndex, query: str, citation: Citation | None):
    assert citation_of(ITEM, index.ask(query).weights, Kept()) == citation


def test_a_long_text_is_cited_by_a_sentence():
    text = f"{'Nothing of note happened here. ' * 20}The heron stood in the reeds. {'More of the same. ' * 20}"
    item = Candidate(did="a", parts=parts_of(text=text))
    assert citation_of(item, {"heron": 1.0}, Kept()) == Citation(text="The heron stood in the reeds.", source="text")


def test_an_item_is_indexed_by_all_its_lines():
    assert indexed_text(ITEM, Kept()).splitlines() == [
        "Invoice INV-2024/0173",
        "Total 1.234,50 EUR",
        "Paid on 12.03.2024",
        "Bought in Łódź.",
        "A red mug",
        "Müller",
        "2024-05-01T10:00:00",
        "scans / 2024 / bill pdf",
        "one png",
        "two png",
    ]
