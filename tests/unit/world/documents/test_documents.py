"""Pins the drawn documents: what they say, which twins differ in what, what is asked, and where the truth lies."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vretrver.errors import DataError
from vretrver.images import ImageStore
from vretrver.prng import Stream
from vretrver.records import ImageRef
from vretrver.world.documents.content import FACTS
from vretrver.world.documents.page import laid_out
from vretrver.world.documents.pdf import picture_pdf, text_pdf
from vretrver.world.documents.queries import queries_of
from vretrver.world.documents.write import plan_documents, write_documents


def test_a_third_are_twins_that_differ_in_one_fact_or_swap_two() -> None:
    documents, twins = plan_documents(300, 11)
    changed = [one.changed for one in documents if one.changed is not None]
    assert {change: changed.count(change) for change in changed} == dict.fromkeys((*FACTS, "swapped"), 20)
    for number in range(100):
        original, twin = documents[number], documents[twins[number]]
        differing = [fact for fact in FACTS if original.printed(fact) != twin.printed(fact)]
        assert differing == (["total"] if twin.changed == "swapped" else [twin.changed])
        if twin.changed == "swapped":
            assert (original.cents, original.paid) == (twin.paid, twin.cents)


def test_a_query_of_three_facts_fits_one_document_and_some_fit_none() -> None:
    documents, twins = plan_documents(300, 11)
    asked = queries_of(documents, twins, 11, unanswerable=100)
    assert [sum(one.sort == sort for one in asked) for sort in ("single", "twin", "swapped", "unanswerable")] == [
        100,
        160,
        40,
        100,
    ]
    assert asked[0].text == queries_of(documents[:1], {}, 11, unanswerable=0)[0].text or asked[0].sort == "twin"
    assert all((one.answer is None) == (one.sort == "unanswerable") for one in asked)


def test_words_and_places_are_the_same_for_a_seed() -> None:
    documents, _ = plan_documents(30, 7)
    pages = [laid_out(content, Stream(7, "page", number)) for number, content in enumerate(documents)]
    data = text_pdf(pages)
    assert hashlib.sha256(data).hexdigest() == hashlib.sha256(text_pdf(pages)).hexdigest()
    assert {run.fact for page in pages for run in page.runs} - {None} == set(FACTS)
    assert (documents[1].kind, documents[1].name, documents[1].code) == ("invoice", "Clara Almeida", "UY-2020-8982")


def test_a_pdf_of_a_picture_has_its_pixels_and_no_text(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    out = io.BytesIO()
    Image.new("L", (200, 100), 40).save(out, "JPEG")
    (tmp_path / "scan.pdf").write_bytes(picture_pdf(out.getvalue(), (200, 100), (72, 36)))
    store = ImageStore({"": tmp_path})
    image = store.original(ImageRef(path="scan.pdf"))
    assert (image.size, image.getpixel((100, 50))) == ((200, 100), (40, 40, 40))
    layer = store.layer(ImageRef(path="scan.pdf"))
    assert layer is not None
    assert layer.runs == ()


def test_the_truth_is_where_the_ink_is(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    folder = tmp_path / "drawn"
    write_documents(folder, 3, 7)
    truths = [json.loads(line) for line in (folder / "truth.jsonl").read_text("utf-8").splitlines()]
    assert [(one["file"], one["form"], one["twin"]) for one in truths] == [
        ("000.jpg", "jpeg", "002.pdf"),
        ("001.pdf", "text", None),
        ("002.pdf", "scan", "000.jpg"),
    ]
    store = ImageStore({"": folder / "documents"})
    for truth in truths:
        image = store.original(ImageRef(path=truth["file"]))
        assert list(image.size) == truth["size"]
        grey = np.asarray(image.convert("L")).astype(int)
        for left, top, right, bottom in truth["boxes"].values():
            assert grey[top:bottom, left:right].min() < np.median(grey) - 60, "the ink of a fact is in its box"
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text("utf-8").splitlines()]
    assert [one["answer"] for one in queries] == ["000.jpg", "001.pdf", "002.pdf", None]


def test_a_folder_of_other_documents_is_refused(tmp_path: Path) -> None:
    (tmp_path / "drawn.json").write_text('{"count": 3, "seed": 8}')
    with pytest.raises(DataError, match="it holds documents of another seed or number; name another folder"):
        write_documents(tmp_path, 3, 7)
