"""Pins the synthesis: shards appear whole, a run that was stopped makes what is missing, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vretrver.agent.trajectory import PictureShown
from vretrver.errors import ConfigError, DataError
from vretrver.traces import trajectory_from_json
from vretrver.training.book import PictureBook
from vretrver.world.expert import synthesis
from vretrver.world.expert.config import SynthesisConfig
from vretrver.world.expert.synthesis import shard_path, synthesize


@pytest.fixture(autouse=True)
def _fresh_world() -> None:
    synthesis._world.cache_clear()


def config(gallery: Path, **changed: Any) -> SynthesisConfig:
    given = {"gallery": gallery, "stages": [{"windows": 5, "sizes": {2: 1, 4: 1}}], "shard": 2, "workers": 1}
    return SynthesisConfig.model_validate({**given, **changed})


def contents(out: Path) -> dict[str, Any]:
    """Return what a run's folder holds: trajectories byte by byte, pictures by hash."""
    found: dict[str, Any] = {}
    for path in sorted(out.iterdir()):
        found[path.name] = path.read_bytes() if path.suffix == ".jsonl" else None
        if path.suffix == ".pictures":
            book = PictureBook(path)
            rows = book._database.execute("select sha256, data from pictures order by sha256").fetchall()
            found[path.name] = rows
            book.close()
    return found


def test_a_run_that_was_killed_makes_the_shards_that_are_missing(
    gallery_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    assert synthesize(config(gallery_file), tmp_path / "whole", progress=lambda *at: told.append(at)) == 5
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    replace, done = synthesis.replace_file, 0

    def dies(path: Path, data: bytes) -> None:
        nonlocal done
        done += 1
        if done == 2:
            raise KeyboardInterrupt
        replace(path, data)

    monkeypatch.setattr(synthesis, "replace_file", dies)
    with pytest.raises(KeyboardInterrupt):
        synthesize(config(gallery_file), tmp_path / "cut", progress=lambda *_: None)
    monkeypatch.setattr(synthesis, "replace_file", replace)
    assert [path.name for path in sorted((tmp_path / "cut").glob("*.jsonl"))] == ["shard-000.jsonl"]
    (tmp_path / "cut" / "shard-002.pictures.123").write_bytes(b"of a process that was killed")
    before = shard_path(tmp_path / "cut", 0).stat().st_mtime_ns
    told.clear()
    synthesize(config(gallery_file), tmp_path / "cut", progress=lambda *at: told.append(at))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert shard_path(tmp_path / "cut", 0).stat().st_mtime_ns == before
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_every_picture_that_was_shown_lies_in_the_book_of_its_shard(gallery_file: Path, tmp_path: Path) -> None:
    synthesize(config(gallery_file), tmp_path / "run", progress=lambda *_: None)
    sessions = []
    for path in sorted((tmp_path / "run").glob("*.jsonl")):
        book = PictureBook(path.with_suffix(".pictures"))
        for line in path.read_bytes().splitlines():
            record = trajectory_from_json(line)
            sessions.append(record.session)
            shown = [one for one in record.shown if isinstance(one, PictureShown)]
            assert all(book.get(str(picture.sha256)) is not None for picture in shown)
            assert {turn.seconds for turn in record.turns} == {0.0}
        book.close()
    assert sessions == [f"practice-{number}" for number in range(5)]


def test_without_tools_the_prompt_offers_none(gallery_file: Path, tmp_path: Path) -> None:
    synthesize(config(gallery_file, tools=False), tmp_path / "run", progress=lambda *_: None)
    record = trajectory_from_json(shard_path(tmp_path / "run", 0).read_bytes().splitlines()[0])
    assert record.dialect == "vretrver/no-tools"
    assert "<tools>" not in str(record.prompt[0].pieces)
    assert len(record.turns) == 1


def test_a_folder_of_another_run_and_a_missing_gallery_are_refused(gallery_file: Path, tmp_path: Path) -> None:
    synthesize(config(gallery_file, shard=3), tmp_path / "run", progress=lambda *_: None)
    with pytest.raises(ConfigError, match="holds a run of another configuration"):
        synthesize(config(gallery_file), tmp_path / "run", progress=lambda *_: None)
    with pytest.raises(DataError, match="no such gallery"):
        synthesize(config(tmp_path / "none"), tmp_path / "other", progress=lambda *_: None)
    assert not (tmp_path / "other").exists()
    unknown, large = [{"windows": 1, "shapes": {5: 1}}], [{"windows": 1, "sizes": {20: 1}}]
    with pytest.raises(DataError, match="the catalogue has no task shape 5"):
        synthesize(config(gallery_file, stages=unknown), tmp_path / "third", progress=lambda *_: None)
    with pytest.raises(DataError, match="a catalogue of 4 families is too small for the windows"):
        synthesize(config(gallery_file, stages=large), tmp_path / "fourth", progress=lambda *_: None)


def test_in_a_hurry_the_answer_is_forced_and_still_ranks_all(gallery_file: Path, tmp_path: Path) -> None:
    stages = [{"windows": 12, "sizes": {4: 1}, "shapes": {4: 1}}]
    for hurried, forced in ((0, 0), (100, 3)):
        out = tmp_path / str(hurried)
        synthesize(config(gallery_file, stages=stages, shard=12, hurried=hurried), out, progress=lambda *_: None)
        records = [trajectory_from_json(line) for line in shard_path(out, 0).read_bytes().splitlines()]
        assert sum(record.forced for record in records) == forced
        assert all(record.answer is not None and sorted(record.answer.numbers) == [1, 2, 3, 4] for record in records)
