"""Pins that the configuration's hash sees every text a model can be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vretrver.agent.answers import RankingOrNoneForm
from vretrver.agent.config import AgentConfig, told
from vretrver.agent.details import DetailCode
from vretrver.agent.dialects.released import released
from vretrver.agent.dialects.vretrver import VretrverWording, vretrver
from vretrver.agent.refusals import WORDS, RefusalCode
from vretrver.agent.text_tool import ReadText


class Changed:
    """A wording of which one method says something else."""

    def __init__(self, name: str) -> None:
        self._name, self._inner = name, VretrverWording()

    def __getattr__(self, name: str) -> Any:
        said = getattr(self._inner, name)
        if name != self._name:
            return said
        if not callable(said):
            return f"{said}!"

        def changed(*given: Any, **more: Any) -> Any:
            text = said(*given, **more)
            return f"{text}!" if isinstance(text, str) else [*text, "!"]

        return changed


@pytest.mark.parametrize(
    "method", ["unavailable", "text", "system", "item", "user", "observation", "reply", "malformed", "forced"]
)
def test_a_change_of_any_text_is_seen(method: str) -> None:
    dialect = vretrver()
    changed: Any = Changed(method)
    assert [*told(replace(dialect, wording=changed))] != [*told(dialect)]
    assert [*told(replace(dialect, wording=Changed("nothing")))] == [*told(dialect)]  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [*RefusalCode, *DetailCode])
def test_a_change_of_any_refusal_and_of_any_detail_is_seen(code: RefusalCode | DetailCode) -> None:
    wording = VretrverWording(refusals={**WORDS, code: "no"})
    assert AgentConfig(dialect=replace(vretrver(), wording=wording)).sha256 != AgentConfig().sha256


@pytest.mark.parametrize("name", ["taught", "described"])
def test_a_change_of_the_answers_form_is_seen(name: str) -> None:
    form = RankingOrNoneForm()
    before, after = (vretrver(form=one) for one in (form, replace(form, **{name: "another"})))
    assert [*told(before)] != [*told(after)]


def test_every_refusal_has_words_in_every_dialect() -> None:
    for dialect in (vretrver(), released()):
        assert set(dialect.wording.refusals) == {*RefusalCode, *DetailCode}


def test_what_a_tool_says_of_lines_it_left_out_is_seen() -> None:
    shorter = replace(vretrver(), tools=(ReadText(more="..."),))
    assert AgentConfig(dialect=shorter).sha256 != AgentConfig(dialect=replace(shorter, tools=(ReadText(),))).sha256
