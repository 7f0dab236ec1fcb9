"""Pins models of a hub and servers of vectors in commands: named, recorded, never on a stranger's index's word."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.integration.commands import call, run, sentence_of
from tests.stub_hub import StubHub, files_of, use
from tests.stub_server import StubServer, embeddings, first, refusal
from tests.tiny_clip import clip_folder
from tests.tiny_models import folder_of

from vretrver.models import hub as hubs
from vretrver.trust import named_trusted, state_file


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for name, colour in {"red": (208, 40, 40), "blue": (43, 95, 201)}.items():
        Image.new("RGB", (64, 48), colour).save(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "list.csv").write_text("id,title\n1,a red cup\n2,a blue cup\n")
    return tmp_path


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubHub]:
    with StubHub() as stub:
        use(stub, tmp_path / "cache", monkeypatch)
        stub.model("acme/tiny", files_of(clip_folder("clip")))
        stub.model("acme/agent", files_of(folder_of("qwen3_vl")), licence="apache-2.0")
        yield stub


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubServer]:
    monkeypatch.setenv("VRETRVER_API_KEY", "key-of-mine")
    with StubServer(embeddings(dimension=8)) as stub:
        yield stub


def test_an_index_records_the_commit_and_keeps_to_it(
    place: Path, hub: StubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.models["acme/tiny"].refs["main"]
    done = call("index", "photos", "-o", "mine", "--encoder", "clip:acme/tiny", "--json", cwd=place)
    assert (done.code, json.loads(done.stdout)["encoded"]) == (0, 2), done.stderr
    assert f"of acme/tiny at {commit[:7]} (licence mit) into {place / 'cache'}" in done.stderr
    assert json.loads(call("info", "mine", "--json", cwd=place).stdout)["encoder"] == f"clip:acme/tiny@{commit}"
    hub.models["acme/tiny"].push({**files_of(clip_folder("clip")), "vocab.txt": b"newer"})
    monkeypatch.setattr(hubs, "_FOUND", {})
    asked = len(hub.seen)
    found = call("search", "mine", "--text", "red", "--json", cwd=place)
    assert found.code == 0, found.stderr
    assert (found.stderr, len(hub.seen)) == ("", asked), "the index's commit is in the cache"


def test_a_copy_of_the_same_files_is_the_same_encoder(place: Path, hub: StubHub) -> None:
    assert call("index", "photos", "-o", "mine", "--encoder", "clip:acme/tiny", cwd=place).code == 0
    shutil.copytree(clip_folder("clip"), place / "copy")
    found = call("search", "mine", "--text", "red", "--encoder", "clip:copy", "--json", cwd=place)
    assert found.code == 0, found.stderr


def test_an_index_from_elsewhere_downloads_nothing_before_the_user_says_so(
    place: Path, hub: StubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.models["acme/tiny"].refs["main"]
    call("index", "photos", "-o", "mine", "--encoder", "clip:acme/tiny", cwd=place)
    shutil.rmtree(place / "cache")
    state_file().unlink()
    monkeypatch.setattr(hubs, "_FOUND", {})
    asked = len(hub.seen)
    for command in (["search", "mine", "--text", "red"], ["index", "photos", "-o", "mine"]):
        assert sentence_of(call(*command, cwd=place)) == (
            f"vretrver: mine: names the encoder 'clip:acme/tiny@{commit}', a model of the hub that you have not "
            "named yourself; if you trust it, name it with --encoder, or give --trust once"
        )
    assert len(hub.seen) == asked
    assert call("search", "mine", "--text", "red", "--trust", cwd=place).code == 0
    assert named_trusted("hub", f"acme/tiny@{commit}")
    assert not named_trusted("hub", "acme/tiny"), "another commit, as of a proposed change, is another name"
    assert call("search", "mine", "--text", "red", cwd=place).code == 0


def test_an_agent_of_the_hub_is_run_and_its_commit_is_in_the_record(place: Path, hub: StubHub) -> None:
    commit = hub.models["acme/agent"].refs["main"]
    options = ["--policy", "local:acme/agent", "--dtype", "float32", "--turns", "1", "--device", "cpu"]
    done = call("rerank", "--text", "red", "photos/red.png", "photos/blue.png", *options, "--trace", "t", cwd=place)
    assert f"of acme/agent at {commit[:7]} (licence apache-2.0)" in done.stderr
    assert f"qwen3_vl acme/agent@{commit}@" in (place / "t").read_text()


def test_offline_is_one_sentence_in_a_process_of_its_own(
    place: Path, hub: StubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = run("index", "photos", "-o", "mine", "--encoder", "clip:acme/tiny", cwd=place)
    assert sentence_of(done) == (
        f"vretrver: acme/tiny is not in {place / 'cache'}, or not whole, and HF_HUB_OFFLINE forbids to ask the hub; "
        "unset it to download the model, or name a folder on this machine"
    )
    assert hub.seen == []
    assert not (place / "mine").exists()


@pytest.mark.parametrize("name", ["http:{url}#stub", "{url}#stub"])
def test_a_server_is_named_with_its_model(place: Path, server: StubServer, name: str) -> None:
    done = call("index", "photos", "-o", "mine", "--encoder", name.format(url=server.url), "--json", cwd=place)
    assert (done.code, json.loads(done.stdout)["encoded"]) == (0, 2), done.stderr
    shown = json.loads(call("info", "mine", "--json", cwd=place).stdout)
    assert shown["encoder"] == f"http:{server.url}#stub"
    assert "messages" in shown["fingerprint"]
    assert call("search", "mine", "--image", "photos/red.png", "--json", cwd=place).code == 0
    assert all(seen.headers["authorization"] == "Bearer key-of-mine" for seen in server.seen)
    assert "key-of-mine" not in json.dumps(shown) + done.stderr


def test_a_server_that_takes_texts_only_is_sent_texts(
    place: Path, server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VRETRVER_ENCODER_MODEL", "stub")
    served = server.script
    server.script = lambda seen: served(seen) if "input" in (seen.body or {}) else refusal(400, "input is required")
    columns = ["--id-column", "id", "--text-columns", "title"]
    done = call("index", "list.csv", "-o", "mine", "--encoder", server.url, *columns, "--json", cwd=place)
    assert (done.code, json.loads(done.stdout)["encoded"]) == (0, 2), done.stderr
    shown = json.loads(call("info", "mine", "--json", cwd=place).stdout)
    assert shown["encoder"] == f"http:{server.url}#stub"
    assert " stub texts " in shown["fingerprint"]
    monkeypatch.delenv("VRETRVER_ENCODER_MODEL")
    assert call("search", "mine", "--text", "red", "--json", cwd=place).code == 0


def test_what_cannot_be_asked_of_a_server_is_one_sentence(place: Path, server: StubServer) -> None:
    index = ["index", "photos", "-o", "mine", "--encoder"]
    assert "write http:URL#MODEL, or set VRETRVER_ENCODER_MODEL" in sentence_of(call(*index, server.url, cwd=place))
    assert "cannot be reached" in sentence_of(call(*index, "http:http://127.0.0.1:9/v1#m", cwd=place))
    assert "is not the address of a service" in sentence_of(call(*index, "http:nowhere#m", cwd=place))
    server.script = first([refusal(401, "no"), refusal(401, "no")], server.script)
    assert "refuses the key in VRETRVER_API_KEY (401)" in sentence_of(call(*index, f"{server.url}#m", cwd=place))


def test_an_index_from_elsewhere_sends_no_query_before_the_user_says_so(place: Path, server: StubServer) -> None:
    assert call("index", "photos", "-o", "mine", "--encoder", f"{server.url}#stub", cwd=place).code == 0
    state_file().unlink()
    asked = len(server.seen)
    assert sentence_of(call("search", "mine", "--text", "secret plans", cwd=place)) == (
        f"vretrver: mine: names the encoder 'http:{server.url}#stub', a server that would be sent what you ask, "
        "and your key, and that you have not named yourself; if you trust it, name it with --encoder, or "
        "give --trust once"
    )
    assert len(server.seen) == asked
    assert call("search", "mine", "--text", "red", "--trust", cwd=place).code == 0
    assert call("search", "mine", "--text", "red", cwd=place).code == 0
