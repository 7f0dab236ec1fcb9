"""Pins that text becomes text and never markup, in elements and in attributes."""

from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st

from vretrver.report.markup import Markup, element, escaped, joined


def test_text_is_escaped_and_markup_is_kept() -> None:
    assert element("p", "</script><b>", element("i", "&")) == "<p>&lt;/script&gt;&lt;b&gt;<i>&amp;</i></p>"


def test_attribute_values_are_escaped() -> None:
    assert element("span", title='"><img onerror=x>') == '<span title="&quot;&gt;&lt;img onerror=x&gt;"></span>'


def test_attribute_names_are_spelt_as_in_html() -> None:
    written = element("details", class_="more", open=True, hidden=False, title=None, aria_label="a")
    assert written == '<details class="more" open aria-label="a"></details>'


def test_meta_has_no_end_tag() -> None:
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_control_characters_and_lone_surrogates_are_made_visible() -> None:
    assert escaped("a\x00\x1b[31m\ud800\tb\n") == "a\\x00\\x1b[31m\\xd800\tb\n"


def test_nothing_and_several_children_are_taken() -> None:
    assert joined("a", None, [Markup("<br>"), "<"]) == "a<br>&lt;"


@given(st.text())
def test_no_text_holds_a_tag_or_ends_an_attribute(text: str) -> None:
    written = escaped(text)
    assert not set(written) & set("<>\"'")
    assert html.unescape(written).isprintable() or not text.isprintable()
