"""Pins `vretrver train`: what each command leaves, and that what is wrong is one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.commands import call, sentence_of

from vretrver.errors import MissingDependency
from vretrver.models.vocabulary import Vocabulary
from vretrver.training import start
from vretrver.world.gallery import Gallery

COMMANDS = ("pictures", "tokenizer", "perception", "embed", "expert", "sft")


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_loads_nothing_heavy(tmp_path: Path, command: tuple[str, ...]) -> None:
    code = (
        "import sys; from vretrver.cli.main import app; "
        f"app(['train', *{command!r}, '--help'], standalone_mode=False); "
        "assert not {'torch', 'transformers', 'numpy', 'PIL'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("--out" in done.stdout) == bool(command)


def test_pictures_draws_a_gallery_and_goes_on_with_it(tmp_path: Path) -> None:
    for _ in range(2):
        done = call("train", "pictures", "--out", "a/b.gallery", "--seed", "3", "--items", "5", cwd=tmp_path)
        assert (done.code, done.stderr) == (0, "the views of 10 pictures are in a/b.gallery\n")
    assert Gallery(tmp_path / "a" / "b.gallery").items == 5
    other = call("train", "pictures", "--out", "a/b.gallery", "--seed", "4", "--items", "5", cwd=tmp_path)
    assert "holds another gallery" in sentence_of(other)
    assert "multiple of 5" in sentence_of(call("train", "pictures", "--out", "c", "--items", "6", cwd=tmp_path))


def test_tokenizer_writes_a_folder_that_loads(tmp_path: Path) -> None:
    assert call("train", "tokenizer", "--out", "made/tok", cwd=tmp_path).code == 0
    assert Vocabulary.of_folder(tmp_path / "made" / "tok").single(" striped") is not None


def test_expert_writes_shards(tmp_path: Path) -> None:
    call("train", "pictures", "--out", "g", "--seed", "3", "--items", "10", cwd=tmp_path)
    (tmp_path / "c.yaml").write_text("gallery: g\nstages: [{windows: 3, sizes: {2: 1}}]\nworkers: 1\n")
    done = call("train", "expert", "--config", "c.yaml", "--out", "run", "--set", "shard=2", cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "3 trajectories are in run; name it as trajectories of sft\n")
    assert [path.name for path in sorted((tmp_path / "run").glob("*.jsonl"))] == [
        "shard-000.jsonl",
        "shard-001.jsonl",
    ]
    again = call("train", "expert", "--config", "c.yaml", "--out", "run", "--set", "shard=3", cwd=tmp_path)
    assert "run: holds a run of another configuration; choose another folder" in sentence_of(again)


@pytest.mark.parametrize("command", ["perception", "embed", "expert", "sft"])
def test_a_wrong_key_is_one_sentence(tmp_path: Path, command: str) -> None:
    (tmp_path / "c.yaml").write_text("stepz: 3\n")
    done = call("train", command, "--config", "c.yaml", "--out", "run", cwd=tmp_path)
    assert sentence_of(done).startswith("vretrver: c.yaml: ")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("command", "sets", "said"),
    [
        ("perception", ["gallery=g", "held_out=g", "tokenizer=t"], "g: no such gallery; draw it first"),
        ("expert", ["gallery=g", "stages=[{windows: 1}]"], "g: no such gallery; draw it first"),
        ("sft", ["start.tokenizer=t", "trajectories=x"], "x: no trajectories with their pictures"),
        ("embed", ["start.tokenizer=t"], "tokenizer.json: the file is missing"),
    ],
)
def test_what_is_missing_is_one_sentence(tmp_path: Path, command: str, sets: list[str], said: str) -> None:
    options = [word for override in sets for word in ("--set", override)]
    assert said in sentence_of(call("train", command, "--out", "run", *options, cwd=tmp_path))


def test_a_missing_extra_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(name: str, *, extra: str) -> None:
        raise MissingDependency(f"{name} is not installed; run: pip install 'vretrver[{extra}]'")

    monkeypatch.setattr(start, "require", lacking)
    options = ("--set", "start.tokenizer=t", "--set", "trajectories=x")
    done = call("train", "sft", "--out", "run", *options, cwd=tmp_path)
    assert sentence_of(done) == "vretrver: torch is not installed; run: pip install 'vretrver[train]'"


@pytest.mark.parametrize(("set_before", "spins"), [(None, "20000"), ("0", "0")])
def test_threads_stay_awake_a_little_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, set_before: str | None, spins: str
) -> None:
    if set_before is None:
        monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    else:
        monkeypatch.setenv("GOMP_SPINCOUNT", set_before)
    code = (
        "import os; from vretrver.cli.main import app; "
        "app(['train', 'tokenizer', '--out', 'tok'], standalone_mode=False); print(os.environ['GOMP_SPINCOUNT'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == spins, done.stderr
