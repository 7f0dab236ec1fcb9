"""Pins `vretrver doctor`: a line a finding, JSON on demand, exit code 1 exactly when something is wrong."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import typer
from tests.stub_server import StubServer, say
from tests.unit.doctor.folders import write_model
from typer.testing import CliRunner, Result

from vretrver.assembly.live import open_live
from vretrver.cli.doctor import doctor
from vretrver.doctor import libraries
from vretrver.doctor.index_abilities import index_abilities
from vretrver.errors import ConfigError
from vretrver.records import Candidate, parts_of
from vretrver.retrieval.directory.manifest import Manifest

app = typer.Typer()
app.command()(doctor)


@pytest.fixture(autouse=True)
def _sound_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed where the tests run is not what they are about."""
    lines = ["numpy>=2.1", "surely-not-there; extra == 'http'"]
    monkeypatch.setattr(libraries.metadata, "requires", lambda _: lines)


def run(*arguments: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_an_installation_is_checked_a_line_a_finding() -> None:
    done = run("--run")
    assert done.exit_code == 0, done.output
    subjects = [line[10:26].strip() for line in done.stdout.splitlines()]
    assert subjects[:5] == ["python", "machine", "pictures", "one picture", "libraries"]
    assert subjects[-3:] == ["shipped models", "shipped agent", "devices"]
    assert all(line.split()[0] in ("ok", "note", "warning") for line in done.stdout.splitlines())


def test_what_can_be_searched_is_said_and_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(name: str) -> None:
        raise AssertionError(f"{name} was imported")

    monkeypatch.setattr(libraries.importlib, "import_module", loaded)
    done = run()
    assert done.exit_code == 0, done.output
    assert "ok        search          pictures by colours, texts by words: --encoder hash" in done.stdout
    assert "ok        search          words, dates, amounts and codes" in done.stdout
    assert "ok        rerank          by what is written, without a model: --policy reader" in done.stdout
    assert "shipped agent" not in done.stdout


def test_what_an_extra_would_bring_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "pypdfium2" else found(name, *rest)
    )
    assert "note      search          not yet PDF pages; run: pip install 'vretrver[sources]'" in run().stdout


def test_what_an_index_is_searched_by_is_told_without_opening_a_picture(tmp_path: Path) -> None:
    with open_live(tmp_path / "idx") as live:
        live.put([Candidate(did="a", parts=parts_of(text="a jar"))])
    told = index_abilities(tmp_path / "idx", Manifest(fingerprint="x", dimension=1, encoder="hash"))
    assert told["words"] == "yes, of 1 items"
    assert told["picture_text"] == "0 pages and pictures read"
    assert told["vectors"] == "yes: colours, without a model"
    assert told.keys() == {"words", "picture_text", "vectors", "text_layers", "ocr", "agent"}


def test_json_is_one_object(tmp_path: Path) -> None:
    done = run("--model-folder", write_model(tmp_path), "--json")
    assert done.exit_code == 0
    value = json.loads(done.stdout)
    assert value["wrong"] == 0
    assert value["findings"][0].keys() == {"subject", "severity", "sentence"}
    assert "weights" in [finding["subject"] for finding in value["findings"]]


def test_something_wrong_ends_with_exit_code_1(tmp_path: Path) -> None:
    done = run("--model-folder", tmp_path / "gone", "--index", tmp_path / "none")
    assert done.exit_code == 1
    assert f"{tmp_path / 'gone'}: no such folder; name the folder that holds config.json" in done.stdout
    assert "no index; make one with" in done.stdout


def test_an_endpoint_needs_a_model_and_is_checked_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VRETRVER_MODEL", raising=False)
    done = run("--endpoint", "http://127.0.0.1:9")
    assert isinstance(done.exception, ConfigError)
    assert "give --model or set VRETRVER_MODEL" in str(done.exception)
    monkeypatch.setenv("VRETRVER_MODEL", "stub")
    with StubServer(say("<answer>[2, 1]</answer>")) as server:
        done = run("--endpoint", server.url)
    assert done.exit_code == 0, done.output
    assert "ok        one window" in done.stdout


def test_an_unknown_dialect_is_said() -> None:
    assert isinstance(run("--dialect", "d").exception, ConfigError)
