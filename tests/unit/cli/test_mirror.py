"""Pins `vretrver mirror` and `vretrver search` over a Qdrant collection, with the client's in-process engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("qdrant_client")
import typer
from PIL import Image
from qdrant_client import QdrantClient
from typer.testing import CliRunner

from vretrver.cli.index import index
from vretrver.cli.mirror import mirror
from vretrver.cli.search import search
from vretrver.errors import ConfigError, IndexMismatch, ServiceError, VRetrverError
from vretrver.retrieval.qdrant.index import QdrantIndex

URL = "qdrant://localhost:6333/photos"
app = typer.Typer()
for command in (index, mirror, search):
    app.command()(command)


def ran(*arguments: str | Path) -> str:
    """Run a command and return what it printed to stdout."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> QdrantClient:
    """Every connection leads to this engine."""
    made = QdrantClient(":memory:")
    monkeypatch.setattr("vretrver.retrieval.qdrant.address.connect", lambda _: made)
    return made


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index directory over three photos, beside them, with a price each."""
    monkeypatch.chdir(tmp_path)
    rows = []
    for price, (name, colour) in enumerate(
        {"red": (200, 30, 30), "green": (40, 160, 60), "blue": (40, 60, 200)}.items()
    ):
        Image.new("RGB", (32, 24), colour).save(tmp_path / f"{name}.png")
        rows.append({"id": name, "photo": f"{name}.png", "price": price})
    (tmp_path / "photos.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = ("--id-column", "id", "--image-columns", "photo", "--metadata-columns", "price:float")
    ran("index", "photos.jsonl", "-o", "dir", *columns)
    return tmp_path


def found(*options: str) -> list[str]:
    return [
        hit["did"] for hit in json.loads(ran("search", URL, "--text", "something blue", "--json", *options))["hits"]
    ]


def test_an_index_is_mirrored_and_the_collection_searched_like_it(client: QdrantClient, photos: Path):
    told = json.loads(ran("mirror", "dir", URL, "--json"))
    assert told == {"collection": URL, "written": 3, "unchanged": 0, "deleted": 0}
    in_directory = json.loads(ran("search", "dir", "--text", "something blue", "--words", "never", "--json"))
    in_collection = json.loads(ran("search", URL, "--text", "something blue", "--json"))
    assert [hit["did"] for hit in in_collection["hits"]] == [hit["did"] for hit in in_directory["hits"]]
    scores = [hit["score"] for hit in in_directory["hits"]]
    assert [hit["score"] for hit in in_collection["hits"]] == pytest.approx(scores, abs=1e-6)
    assert found("--filter", "price < 2") == [did for did in found() if did != "blue"]


def test_mirroring_again_sends_nothing(client: QdrantClient, photos: Path):
    ran("mirror", "dir", URL)
    assert json.loads(ran("mirror", "dir", URL, "--json"))["unchanged"] == 3


def test_what_is_found_can_be_reranked_with_its_pictures(client: QdrantClient, photos: Path):
    ran("mirror", "dir", URL)
    reranked = json.loads(ran("search", URL, "--text", "blue", "--policy", "first-k", "--root", ".", "--json"))
    assert len(reranked["ranking"]) == 3
    assert reranked["failed_windows"] == 0


def refused(kind: type[VRetrverError], message: str, *arguments: str) -> None:
    with pytest.raises(kind, match=message):
        ran(*arguments)


def test_options_of_directories_are_refused(client: QdrantClient, photos: Path):
    refused(ConfigError, "--resident-mb and --approximate are for", "search", URL, "--text", "x", "--approximate")


def test_a_collection_without_an_encoder_name_asks_for_it(client: QdrantClient, photos: Path):
    QdrantIndex.create(client, "photos", dimension=2, fingerprint="elsewhere")
    refused(ConfigError, "its vectors were imported .elsewhere.; name their --encoder", "search", URL, "--text", "x")
    refused(IndexMismatch, "made by 'elsewhere', the encoder is", "search", URL, "--text", "x", "--encoder", "hash")
    refused(IndexMismatch, "made by 'elsewhere' with 2 numbers", "mirror", "dir", URL)


def test_a_dead_endpoint_is_one_sentence(photos: Path):
    dead = "qdrant://127.0.0.1:1/photos"
    refused(ServiceError, rf"^{dead}: cannot be reached", "search", dead, "--text", "x")
    refused(ServiceError, rf"^{dead}: cannot be reached", "mirror", "dir", dead)
