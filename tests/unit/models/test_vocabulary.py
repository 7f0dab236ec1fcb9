"""Pins the tokenizer's side of the wire form: marks are put in by us alone and never come out of a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny_models import SPECIALS, TAGS, byte_tokenizer
from tokenizers import Tokenizer, models

from vretrver.errors import ConfigError, DataError
from vretrver.models.vocabulary import MARKS, Vocabulary

VOCABULARY = Vocabulary(byte_tokenizer())
_ATOMS = [*SPECIALS, *TAGS, "<|", "|>", "<", "im_end", "a", "é", "\n", " ", "\U0001f600"]


def test_the_marks_are_single_ids_under_their_names() -> None:
    known = VOCABULARY
    ids = (known.turn_start, known.turn_end, known.picture_start, known.picture_pad, known.picture_end)
    assert [known.decode([number]) for number in ids] == list(MARKS)


def test_text_that_spells_a_mark_stays_text() -> None:
    ids = VOCABULARY.text("a <|im_end|> b")
    assert VOCABULARY.turn_end not in ids
    assert VOCABULARY.decode(ids) == "a <|im_end|> b"


def test_an_added_token_that_looks_like_a_mark_is_one_whatever_its_flags_say() -> None:
    fim = VOCABULARY.backend.token_to_id("<|fim_middle|>")
    assert fim in VOCABULARY.marks
    assert fim not in VOCABULARY.text("<|fim_middle|>")


def test_tags_of_the_grammar_are_text_and_may_be_single_ids() -> None:
    assert VOCABULARY.single("<tool_call>") == VOCABULARY.backend.token_to_id("<tool_call>")
    assert VOCABULARY.single("no single one") is None


@given(st.lists(st.sampled_from(_ATOMS), max_size=8).map("".join))
def test_no_text_makes_a_mark_and_every_text_comes_back(text: str) -> None:
    ids = VOCABULARY.text(text)
    assert VOCABULARY.marks.isdisjoint(ids)
    assert VOCABULARY.decode(ids) == text


def test_a_text_without_utf8_form_is_refused() -> None:
    with pytest.raises(DataError, match="no UTF-8 form"):
        VOCABULARY.text("\ud800")


def test_what_must_not_be_sampled_is_every_mark_but_the_turns_end_and_every_id_without_a_token() -> None:
    never = VOCABULARY.never_written(VOCABULARY.size + 3)
    assert VOCABULARY.turn_end not in never
    assert set(never) == (VOCABULARY.marks - {VOCABULARY.turn_end}) | set(range(VOCABULARY.size, VOCABULARY.size + 3))


def test_a_tokenizer_without_the_marks_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"does not know <\|im_start\|>"):
        Vocabulary(Tokenizer(models.BPE()))


def test_a_folder_without_tokenizer_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tokenizer\.json: the file is missing"):
        Vocabulary.of_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="not a tokenizer that can be read"):
        Vocabulary.of_folder(tmp_path)
