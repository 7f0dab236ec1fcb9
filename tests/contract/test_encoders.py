"""Holds every encoder to the encoder contract."""

from __future__ import annotations

from tests.contract.encoder_contract import EncoderContract

from vretrver.images import ImageStore
from vretrver.retrieval.encoder import Encoder
from vretrver.retrieval.hash_encoder import HashEncoder


class TestHashEncoder(EncoderContract):
    def make(self, store: ImageStore) -> Encoder:
        return HashEncoder(store)
