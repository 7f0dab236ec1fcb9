"""Pins the Qdrant index beyond the index contract: items, mirroring, addresses, keys, and errors in one sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("qdrant_client")
from qdrant_client import QdrantClient, models

from vretrver._secrets import Secret
from vretrver.errors import ConfigError, DataError, IndexMismatch, ServiceError
from vretrver.records import Candidate, ImageRef, parts_of
from vretrver.retrieval.qdrant.address import connect, is_qdrant, parse_address, speaking_to
from vretrver.retrieval.qdrant.index import QdrantIndex
from vretrver.retrieval.qdrant.mirror import MirrorReport, mirror


def item(did: str, text: str = "a mug", **metadata: str | int | float | bool | None) -> Candidate:
    picture = ImageRef(path=f"{did}.jpg", root="shop", page=2, sha256="00" * 32, width=4, height=3)
    return Candidate(did=did, parts=parts_of(text=text, images=[picture]), metadata=metadata)


def rows(*values: Sequence[float]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


@pytest.fixture
def client() -> QdrantClient:
    return QdrantClient(":memory:")


def make(client: QdrantClient) -> QdrantIndex:
    return QdrantIndex.create(client, "shop", dimension=2, fingerprint="hash-1", encoder="hash")


def test_items_come_back_as_they_were_written(client: QdrantClient):
    index = make(client)
    wanted = [item("a/\N{SNOWMAN}.jpg", price=3, colour="red", sold=True, note=None), item("b")]
    index.put(wanted, rows([1, 0], [0, 1]))
    index.add(["bare"], rows([1, 1]))
    assert index.candidates(["b", "a/\N{SNOWMAN}.jpg", "bare", "gone"]) == {one.did: one for one in wanted}
    assert len(index) == 3


def test_a_collection_is_opened_again_with_what_it_says_of_itself(client: QdrantClient):
    make(client).put([item("a", price=3), item("b", price=2.5, colour="red")], rows([1, 0], [0, 1]))
    again = QdrantIndex(client, "shop")
    assert (again.fingerprint, again.dimension, again.encoder) == ("hash-1", 2, "hash")
    assert again.fields == {"price": "number", "colour": "text"}
    assert make(client).fields == again.fields


def test_writing_an_item_again_replaces_it_and_keeps_its_place(client: QdrantClient):
    index = make(client)
    index.put([item("a"), item("b")], rows([1, 0], [1, 0]))
    index.put([item("c"), item("a", "another text")], rows([1, 0], [1, 0]))
    assert index.candidates(["a"])["a"].text == "another text"
    assert [did for did, _ in index.search(rows([1, 0]), 3)[0]] == ["a", "b", "c"]


def test_deleted_items_are_not_found(client: QdrantClient):
    index = make(client)
    index.put([item(name) for name in "abc"], rows([1, 0], [0.5, 0], [0.25, 0]))
    index.delete(["a", "unknown"])
    assert index.search(rows([1, 0]), 3) == [[("b", 0.5), ("c", 0.25)]]
    assert sorted(index.dids()) == ["b", "c"]


def test_the_last_place_among_equal_scores_goes_to_the_first_added(client: QdrantClient):
    index = make(client)
    index.add([f"d{n}" for n in range(100)], np.tile(rows([1, 0]), (100, 1)))
    assert [did for did, _ in index.search(rows([1, 0]), 3)[0]] == ["d0", "d1", "d2"]


def test_a_field_keeps_one_kind(client: QdrantClient):
    index = make(client)
    index.put([item("a", price=3)], rows([1, 0]))
    with pytest.raises(DataError, match="'b': metadata 'price' is 'three', but elsewhere in shop of kind number"):
        index.put([item("b", price="three")], rows([1, 0]))
    assert len(index) == 1


def test_put_refuses_what_add_refuses(client: QdrantClient):
    index = make(client)
    with pytest.raises(IndexMismatch, match="do not fit an index of dimension 2"):
        index.put([item("a")], rows([1, 0, 0]))
    with pytest.raises(DataError, match="'a' is in the index already"):
        index.put([item("a"), item("a")], rows([1, 0], [1, 0]))


def test_a_missing_collection_is_said_with_those_there_are(client: QdrantClient):
    make(client)
    with pytest.raises(DataError, match=r"qdrant://h:1/x: no collection 'x'; its collections: shop"):
        QdrantIndex(client, "x", name="qdrant://h:1/x")


def test_a_collection_of_another_encoder_is_refused(client: QdrantClient):
    make(client)
    with pytest.raises(IndexMismatch, match="shop: made by 'hash-1' with 2 numbers, the encoder is 'clip' with 512"):
        QdrantIndex.create(client, "shop", dimension=512, fingerprint="clip")


def test_a_collection_of_somebody_else_is_refused(client: QdrantClient):
    client.create_collection("theirs", vectors_config=models.VectorParams(size=2, distance=models.Distance.COSINE))
    with pytest.raises(IndexMismatch, match=r"theirs: the collection was not written by vretrver.*qdrant_hits\.py"):
        QdrantIndex(client, "theirs")


VECTORS: Mapping[str, NDArray[np.float32]] = {name: rows([n, 1])[0] for n, name in enumerate("abcd")}


def vectors_of(dids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
    return {did: VECTORS[did] for did in dids if did in VECTORS}


def test_mirroring_writes_what_is_new_or_changed_and_deletes_the_rest(client: QdrantClient):
    index = make(client)
    first = mirror([item("a"), item("b", price=1), item("c")], vectors_of, index)
    assert first == MirrorReport(written=3, unchanged=0, deleted=0)
    done: list[int] = []
    second = mirror(
        [item("a"), item("b", price=2), item("d"), item("no vector")], vectors_of, index, progress=done.append
    )
    assert second == MirrorReport(written=2, unchanged=1, deleted=1)
    assert sorted(index.dids()) == ["a", "b", "d"]
    assert index.search(rows([1, 0]), 1) == [[("d", 3.0)]]
    assert done == [4]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("qdrant://localhost/shop", "qdrant://localhost:6333/shop"),
        ("qdrants://search.example:443/my-items.v2", "qdrants://search.example:443/my-items.v2"),
        ("qdrant://[::1]:7000/shop", "qdrant://[::1]:7000/shop"),
    ],
)
def test_an_address_is_read(url: str, text: str):
    assert is_qdrant(url)
    assert str(parse_address(url)) == text


@pytest.mark.parametrize(
    "url",
    ["qdrant://localhost", "qdrant:///shop", "qdrant://h/a/b", "qdrant://h:99999/a", "http://h/a", "qdrant://h/a b"],
)
def test_another_form_of_address_is_refused(url: str):
    with pytest.raises(ConfigError, match="qdrant://HOST:PORT/COLLECTION"):
        parse_address(url)


@pytest.mark.parametrize("url", ["qdrant://me:hunter2@h/a", "qdrant://h/a?api_key=hunter2", "qdrant://h/a#hunter2"])
def test_a_key_in_an_address_is_refused_and_not_repeated(url: str):
    with pytest.raises(ConfigError, match="VRETRVER_QDRANT_API_KEY") as caught:
        parse_address(url)
    assert "hunter2" not in str(caught.value)


def secret(value: str) -> Secret:
    return Secret("K", environment={"K": value})


def test_a_key_is_not_sent_in_the_clear_to_another_machine():
    with pytest.raises(ConfigError, match="the key in K would be sent in the clear; write qdrants://") as caught:
        connect(parse_address("qdrant://search.example/shop"), key=secret("hunter2"))
    assert "hunter2" not in str(caught.value)
    connect(parse_address("qdrants://search.example/shop"), key=secret("hunter2"))
    connect(parse_address("qdrant://search.example/shop"), key=secret(""))


class Refusing(BaseHTTPRequestHandler):
    """Answers every request with the status in the server's `status`, and keeps the header that carries the key."""

    def do_GET(self) -> None:
        self.server.seen = self.headers["authorization"]  # type: ignore[attr-defined]
        status = self.server.status  # type: ignore[attr-defined]
        body = b'{"status":{"error":"no\\nway"}}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    stub = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield stub
    stub.shutdown()
    thread.join()
    stub.server_close()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "the server refused the key; set VRETRVER_QDRANT_API_KEY"),
        (403, "the server refused the key; set VRETRVER_QDRANT_API_KEY"),
        (404, "not found: .*; check the address and the collection's name"),
        (500, 'the server answered 500: {"status":{"error":'),
    ],
)
def test_an_error_of_the_server_is_one_sentence(server: HTTPServer, status: int, message: str):
    server.status = status  # type: ignore[attr-defined]
    address = parse_address(f"qdrant://127.0.0.1:{server.server_port}/shop")
    with pytest.raises(ServiceError, match=message) as caught:
        QdrantIndex(connect(address, key=secret("hunter2")), "shop", name=str(address))
    assert str(caught.value).startswith(f"{address}: ")
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.status == status
    assert server.seen == "Bearer hunter2"  # type: ignore[attr-defined]


def test_a_dead_endpoint_is_one_sentence():
    address = parse_address("qdrant://127.0.0.1:1/shop")
    with pytest.raises(
        ServiceError, match=r"^qdrant://127\.0\.0\.1:1/shop: cannot be reached \(.*refused\); is Qdrant"
    ):
        QdrantIndex(connect(address, key=secret("")), "shop", name=str(address))


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks://127.0.0.1:9", "http://127.0.0.1:9"])
def test_a_server_on_this_machine_needs_no_proxy(monkeypatch: pytest.MonkeyPatch, proxy: str):
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ServiceError, match="refused"), speaking_to("shop"):
        connect(parse_address("qdrant://127.0.0.1:1/shop")).get_collections()


def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALL_PROXY", "socks://user:secret@127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ConfigError, match=r"the proxy in ALL_PROXY \(socks://\.\.\.\) cannot be used"):
        connect(parse_address("qdrant://example.invalid/shop"))
