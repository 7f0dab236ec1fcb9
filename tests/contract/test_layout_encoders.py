"""Holds the encoders of model folders to the encoder contract, on random weights of every family."""

from __future__ import annotations

from tests.contract.encoder_contract import EncoderContract
from tests.tiny_clip import clip_folder
from tests.tiny_models import folder_of

from vretrver.images import ImageStore
from vretrver.retrieval.encoder import Encoder
from vretrver.retrieval.encoders import encoder_named


class TestLamraOverQwen3(EncoderContract):
    def make(self, store: ImageStore) -> Encoder:
        return encoder_named(f"lamra:{folder_of('qwen3_vl')}", store, device="cpu")


class TestLamraOverQwen25(EncoderContract):
    def make(self, store: ImageStore) -> Encoder:
        return encoder_named(f"lamra:{folder_of('qwen2_5_vl')}", store, device="cpu")


class TestQwen3VLEmbedding(EncoderContract):
    def make(self, store: ImageStore) -> Encoder:
        return encoder_named(f"qwen3vl_embedding:{folder_of('qwen3_vl')}", store, device="cpu")


class TestClip(EncoderContract):
    def make(self, store: ImageStore) -> Encoder:
        return encoder_named(f"clip:{clip_folder('clip')}", store, device="cpu")


class TestMetaClip2(EncoderContract):
    def make(self, store: ImageStore) -> Encoder:
        return encoder_named(f"clip:{clip_folder('metaclip_2')}", store, device="cpu")


class TestSiglip2(EncoderContract):
    def make(self, store: ImageStore) -> Encoder:
        return encoder_named(f"clip:{clip_folder('siglip2')}", store, device="cpu")


class TestSiglip(EncoderContract):
    def make(self, store: ImageStore) -> Encoder:
        return encoder_named(f"clip:{clip_folder('siglip')}", store, device="cpu")
