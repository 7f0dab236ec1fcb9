"""Pins how the text layer of PDF pages is read: lines in reading order, boxes in pixels of the page as shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.pictures.documents import one_page

from vretrver.errors import PictureError
from vretrver.images import ImageLimits, ImageStore
from vretrver.pictures.layer import PageLayer
from vretrver.records import ImageRef
from vretrver.text.layer import LayerReader, LayerText, clean, layer_text

FONT = (
    b"/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> >>"
)
FONT += b" >>"


def read(folder: Path, content: bytes, *, box: bytes = b"0 0 612 792", extra: bytes = b"", more=None) -> LayerText:
    """Return the layer of a page written byte by byte; 1 point is 2.78 pixels."""
    (folder / "a.pdf").write_bytes(one_page(content, box=box, extra=FONT + b" " + extra, more=more))
    found = LayerReader(ImageStore({"": folder})).page(ImageRef(path="a.pdf"))
    assert found is not None
    return found


def texts(layer: LayerText) -> list[str]:
    return [line.text for line in layer.lines]


def ink(folder: Path) -> tuple[int, int, int, int]:
    """Return the box around everything that the page shows."""
    page = ImageStore({"": folder}).original(ImageRef(path="a.pdf")).convert("L")
    found = page.point(lambda level: 255 if level < 128 else 0).getbbox()
    assert found is not None
    return found


def test_lines_have_boxes_and_stand_apart_where_a_gap_is_wide(tmp_path: Path) -> None:
    layer = read(tmp_path, b"BT /F 12 Tf 72 700 Td (Invoice 2041) Tj 0 -20 Td (Total) Tj 300 0 Td (12.50 EUR) Tj ET")
    assert layer.enough
    assert [(line.text, line.box.to_list(), line.confidence) for line in layer.lines] == [
        ("Invoice 2041", [203, 231, 383, 257], 1.0),
        ("Total", [200, 287, 272, 312], 1.0),
        ("12.50 EUR", [1036, 287, 1196, 312], 1.0),
    ]


@pytest.mark.parametrize(
    ("matrix", "extra"),
    [
        (b"1 0 0 1 100 400", b""),
        (b"0 1 -1 0 300 200", b"/Rotate 90"),
        (b"-1 0 0 -1 400 400", b"/Rotate 180"),
        (b"0 -1 1 0 300 400", b"/Rotate 270"),
        (b"1 0 0 1 100 400", b"/CropBox [50 300 500 500]"),
        (b"0 1 -1 0 300 200", b""),
    ],
)
def test_the_box_covers_the_ink_on_turned_and_cropped_pages(tmp_path: Path, matrix: bytes, extra: bytes) -> None:
    layer = read(tmp_path, b"BT /F 12 Tf %s Tm (Invoice 2041) Tj ET" % matrix, extra=extra)
    assert texts(layer) == ["Invoice 2041"]
    left, top, right, bottom = ink(tmp_path)
    found = layer.lines[0].box.to_list()
    assert all(abs(a - b) <= 3 for a, b in zip(found, (left, top, right, bottom), strict=True)), (
        found,
        ink(tmp_path),
    )


def test_text_outside_of_the_page_is_left_out(tmp_path: Path) -> None:
    content = b"BT /F 12 Tf 72 700 Td (Invoice 2041) Tj 300 0 Td (outside) Tj 0 -200 Td (below) Tj ET"
    assert texts(read(tmp_path, content, extra=b"/CropBox [50 600 300 792]")) == ["Invoice 2041"]


def test_the_invisible_text_of_a_scan_is_kept(tmp_path: Path) -> None:
    layer = read(tmp_path, b"BT 3 Tr /F 12 Tf 72 700 Td (scanned and read before) Tj ET")
    assert (texts(layer), layer.enough) == (["scanned and read before"], True)


def test_a_word_parted_between_lines_is_whole_and_a_code_keeps_its_hyphen(tmp_path: Path) -> None:
    content = (
        b"BT /F 12 Tf 72 700 Td (this is an exam-) Tj 0 -14 Td (ple of code INV-) Tj 0 -14 Td (2041 and more.) Tj ET"
    )
    assert texts(read(tmp_path, content)) == ["this is an example", "of code INV-2041", "and more."]


def test_columns_that_are_written_row_by_row_are_read_one_after_the_other(tmp_path: Path) -> None:
    rows = [(b"the left column has line %d" % n, b"and the right one line %d" % n) for n in range(3)]
    content = b"BT /F 10 Tf 72 700 Td " + b"".join(
        b"(%s) Tj 240 0 Td (%s) Tj -240 -12 Td " % (left, right) for left, right in rows
    )
    assert texts(read(tmp_path, content + b"ET")) == [
        *(left.decode() for left, _ in rows),
        *(right.decode() for _, right in rows),
    ]


def test_the_rows_of_a_table_stay_together(tmp_path: Path) -> None:
    content = b"BT /F 10 Tf 72 700 Td " + b"(mug) Tj 240 0 Td (12.50) Tj -240 -12 Td " * 3
    assert texts(read(tmp_path, content + b"ET")) == ["mug", "12.50"] * 3


def test_what_a_form_field_holds_is_text(tmp_path: Path) -> None:
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (filled in by hand) /Rect [72 100 200 120] /F 4 >>"
    data = one_page(b"", box=b"0 0 612 792", extra=FONT + b" /Annots [5 0 R]", more=[field])
    data = data.replace(b"/Catalog /Pages 2 0 R", b"/Catalog /AcroForm << /Fields [5 0 R] >> /Pages 2 0 R")
    (tmp_path / "a.pdf").write_bytes(data)
    layer = LayerReader(ImageStore({"": tmp_path})).page(ImageRef(path="a.pdf"))
    assert layer is not None
    assert [(line.text, line.box.to_list()) for line in layer.lines] == [
        ("filled in by hand", [200, 1866, 556, 1923])
    ]


def test_control_characters_are_no_text(tmp_path: Path) -> None:
    layer = read(tmp_path, b"BT /F 12 Tf 72 700 Td (a\\000b\\001c \\011 d\\240e) Tj ET")
    assert texts(layer) == ["abc d e"]


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("o\ufb03ce \ufb01le", "office file"),
        ("a\u200bb\u00adc\ufeffd", "abcd"),
        ("\u202eevil\u202c", "evil"),
        ("x\u00a0\u2003y\t z", "x y z"),
        ("\ue000\uffff\ufffd", ""),
        ("\u0628\u200c\u0627", "\u0628\u200c\u0627"),
        ("caf\u00e9 \u4e2d\u6587 \u20ac5 x\u00b2", "caf\u00e9 \u4e2d\u6587 \u20ac5 x\u00b2"),
        ("\ud800lone", "lone"),
    ],
)
def test_signs_without_a_shape_go_and_all_scripts_stay(raw: str, wanted: str) -> None:
    assert clean(raw) == wanted


def page(*words: str, covered: float = 0.0) -> LayerText:
    runs = tuple((word, 10.0, 10.0 + 20 * row, 90.0, 20.0 + 20 * row) for row, word in enumerate(words))
    return layer_text(PageLayer(runs=runs, size=(100, 1000), covered=covered))


@pytest.mark.parametrize(
    ("words", "covered", "enough"),
    [
        ([], 0.0, False),
        (["Page 3 of 12"], 0.0, False),
        (["Dear customer, thank you"], 0.0, True),
        (["Scanned with some scanner, page 3 of 12"], 0.9, False),
        (["the text of an earlier reading by OCR"] * 5, 0.9, True),
        (["\ue001\ue002\ue003\ue004 some of it is letters"], 0.0, True),
        (["\x01\x02\x03\x04\x05\x06\x07\x08 letters that remain here"], 0.0, False),
        (["." * 200], 0.0, False),
    ],
)
def test_what_decides_that_a_layer_is_all_of_the_text(words: list[str], covered: float, enough: bool) -> None:
    assert page(*words, covered=covered).enough is enough


def test_places_that_are_no_places_are_left_out() -> None:
    runs = (
        ("nowhere", float("nan"), 0.0, 1.0, 1.0),
        ("far", 0.0, float("inf"), 1.0, 1.0),
        ("thin", 5.0, 5.0, 5.0, 5.0),
    )
    layer = layer_text(PageLayer(runs=runs, size=(10, 10), covered=0.0))
    assert [(line.text, line.box.to_list()) for line in layer.lines] == [("thin", [5, 5, 6, 6])]


def test_a_page_with_too_much_text_gives_its_first_part_in_bounded_lines(tmp_path: Path) -> None:
    content = b"BT /F 1 Tf 5 700 Td " + b"(%s) Tj 0 -10 Td " % (b"word " * 2000) * 30 + b"ET"
    layer = read(tmp_path, content, box=b"0 0 10000 792")
    assert 100_000 < sum(len(text) for text in texts(layer)) <= 200_000
    assert max(len(text) for text in texts(layer)) <= 1_010


def test_a_page_that_takes_too_long_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "b.pdf").write_bytes(one_page(b"BT /F 1 Tf " + b"1 0 Td (a) Tj " * 1_000_000 + b"ET", extra=FONT))
    slow = LayerReader(ImageStore({"": tmp_path}, limits=ImageLimits(page_seconds=0.3)))
    with pytest.raises(PictureError, match=r"b\.pdf: it takes longer than 0\.3 s, the limit"):
        slow.read(ImageRef(path="b.pdf"))
    assert texts(read(tmp_path, b"BT /F 12 Tf 72 700 Td (after) Tj ET")) == ["after"]


def test_a_picture_has_no_layer(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    reader = LayerReader(ImageStore({"": tmp_path}))
    assert (reader.page(ImageRef(path="a.png")), reader.read(ImageRef(path="a.png"))) == (None, ())
