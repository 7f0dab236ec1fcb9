"""Holds the HTTP encoder to the encoder contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.contract.encoder_contract import EncoderContract
from tests.stub_server import StubServer, embeddings

from vretrver.images import ImageStore
from vretrver.retrieval.encoder import Encoder
from vretrver.retrieval.http_encoder import HttpEncoder


class TestHttpEncoder(EncoderContract):
    """Over a stub server."""

    @pytest.fixture(autouse=True)
    def _serve(self) -> Iterator[None]:
        self.made: list[HttpEncoder] = []
        with StubServer(embeddings(dimension=16)) as self.server:
            yield
            for encoder in self.made:
                encoder.close()

    def make(self, store: ImageStore) -> Encoder:
        self.made.append(HttpEncoder(store, self.server.url, model="stub"))
        return self.made[-1]
