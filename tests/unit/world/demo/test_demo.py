"""Pins the demonstration: its arms, its figures with intervals, and that what a model has ranked is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tiny_models import folder_of

from vretrver.agent.tools import ZoomIn
from vretrver.errors import ConfigError
from vretrver.geometry import PixelBudget
from vretrver.policies.named import LocalOptions, policy_named
from vretrver.world.demo import arms
from vretrver.world.demo.arms import arms_of, run_arm, told_and_shown
from vretrver.world.demo.result import DemoResult
from vretrver.world.demo.run import run_demo
from vretrver.world.demo.world import DemoWorld, demo_world
from vretrver.world.tiny.views import VIEWS

LOCAL = LocalOptions(dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose catalogue is drawn once."""
    return tmp_path_factory.mktemp("demo")


def quiet(_done: int, _total: int) -> None:
    return None


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights never end a turn by themselves."""
    monkeypatch.setattr(arms, "MOST_TOKENS", 6)


def demo(out: Path, policy: str, **options: str | LocalOptions) -> DemoResult:
    notes: list[str] = []
    result = run_demo(
        out, items=25, queries=6, seed=3, workers=1, progress=lambda _: quiet, note=notes.append, policy=policy,
        **options,  # type: ignore[arg-type]
    )  # fmt: skip
    assert not notes
    return result


def world(out: Path) -> DemoWorld:
    return demo_world(
        out, items=25, queries=6, seed=3, workers=1, encoder="hash", progress=lambda _: quiet, note=lambda _: None
    )


def test_the_oracle_shows_what_looking_is_worth(out: Path) -> None:
    result = demo(out, "oracle")
    assert (result.queries, result.policy) == (6, "scripted:oracle")
    assert result.agent["hit@1"][0] > result.agent_without_evidence["hit@1"][0]
    assert result.agent["looks"] > result.agent_without_evidence["looks"] == 0
    assert result.oracle == result.agent
    for figures in (result.coarse, result.agent):
        for value, low, high in (figures["hit@1"], figures["mrr"]):
            assert 0 <= low <= value <= high <= 1
    page = result.report.read_text()
    assert page.startswith("<!doctype html>")
    assert "6 of 6 first places are right;" in page
    assert "and none that is wrong, as there is none" in page
    assert page.count('<p class="known right"') == 4, "those whose first place changed after looks"


@pytest.mark.usefixtures("short")
def test_a_model_goes_the_same_way_and_its_rankings_are_kept(out: Path) -> None:
    policy = f"local:{folder_of('qwen3_vl')}"
    first = demo(out, policy, encoder="hash", local=LOCAL)
    kept = {path.name: path.read_bytes() for path in (out / "rankings-3-25").iterdir()}
    assert sorted(name.rpartition("-")[0] for name in kept) == ["agent"] * 2 + ["without-evidence"] * 2
    assert (first.agent["failed"], first.agent["hit@1"]) == (6, first.coarse["hit@1"])
    assert first.oracle["hit@1"][0] > first.agent["hit@1"][0]
    again = demo(out, policy, encoder="hash", local=LOCAL)
    assert {path.name: path.read_bytes() for path in (out / "rankings-3-25").iterdir()} == kept
    assert replace(again, seconds=first.seconds, oracle=first.oracle).to_json() == first.to_json()


@pytest.mark.usefixtures("short")
def test_a_run_that_was_killed_goes_on_and_its_seconds_add_up(out: Path, tmp_path: Path) -> None:
    asked = world(out)
    policy = policy_named(f"local:{folder_of('qwen3_vl')}", local=LOCAL)
    arm, _ = arms_of(policy, *told_and_shown("oracle"))
    half = run_arm(arm, replace(asked, pairs=asked.pairs[:2]), tmp_path, quiet)
    (trace,) = tmp_path.glob("*.jsonl")
    before = trace.read_bytes()
    with trace.open("ab") as file:
        file.write(b'{"query": {"qid"')  # a line cut short by a kill
    whole = run_arm(arm, asked, tmp_path, quiet)
    assert trace.read_bytes().startswith(before)
    assert [done.query.qid for done in whole.reranked] == [query.qid for query, _ in asked.pairs]
    assert whole.seconds > half.seconds > 0
    assert json.loads(trace.with_suffix(".json").read_text())["seconds"] == pytest.approx(whole.seconds, abs=0.01)


@pytest.mark.usefixtures("short")
def test_rankings_of_other_candidates_are_not_taken(out: Path, tmp_path: Path) -> None:
    asked = world(out)
    policy = policy_named(f"local:{folder_of('qwen3_vl')}", local=LOCAL)
    arm, _ = arms_of(policy, *told_and_shown("oracle"))
    run_arm(arm, asked, tmp_path, quiet)
    turned = replace(asked, pairs=tuple((query, hits[::-1]) for query, hits in asked.pairs))
    other = run_arm(arm, turned, tmp_path, quiet)
    assert [done.hits for done in other.reranked] == [hits for _, hits in turned.pairs]


def test_a_model_is_told_and_shown_what_its_folder_says() -> None:
    dialect, views = told_and_shown("shipped")
    assert (dialect.name, views) == ("vretrver", VIEWS)
    _, other = told_and_shown(f"local:{folder_of('qwen2_5_vl')}")
    assert other.candidate == PixelBudget(cell=28, tokens=9)


def test_a_model_without_evidence_keeps_its_tools_and_a_script_has_none() -> None:
    model, views = policy_named(f"local:{folder_of('qwen3_vl')}", local=LOCAL), told_and_shown("oracle")
    _, blind = arms_of(model, *views)
    assert any(isinstance(tool, ZoomIn) and tool.blind for tool in blind.config.dialect.tools)
    _, script = arms_of(policy_named("first-k"), *views)
    assert script.config.dialect.tools == ()


def test_an_unknown_policy_is_said(out: Path) -> None:
    with pytest.raises(ConfigError, match="unknown policy 'gpt'"):
        demo(out, "gpt", encoder="hash")
