"""Encoders of servers by name: `http:URL#MODEL`, address and model in one text that an index can keep."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigError, ServiceError
from ..images import Pictures

if TYPE_CHECKING:
    from .http_encoder import HttpEncoder

MODEL_VARIABLE = "VRETRVER_ENCODER_MODEL"
"""Environment variable that names the model of a server whose name does not."""

_REFUSED = (401, 403)  # the key is wrong, whatever is sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server of vectors and one of its models."""

    url: str
    """Address of the API, as in `http://localhost:8000/v1`."""
    model: str
    """The model's name there; empty where nothing names it."""

    def __str__(self) -> str:
        """Return the name that an index keeps."""
        return f"http:{self.url}#{self.model}"


def is_server(spec: str) -> bool:
    """Say whether an encoder's name is that of a server."""
    return spec.partition(":")[0] in ("http", "https")


def server_of(spec: str) -> Server:
    """Return the server of a name: `http:URL#MODEL`, or the address alone, `http://...` or `https://...`."""
    _, _, rest = spec.partition(":")
    url, _, model = (spec if rest.startswith("//") else rest).partition("#")
    return Server(url=url, model=model or os.environ.get(MODEL_VARIABLE, ""))


def open_server(spec: str, images: Pictures) -> HttpEncoder:
    """Return the encoder of a server, asked once for a vector to see what it takes.

    A server that takes messages is sent pictures too; one that refuses them is sent lists of texts.

    Raises:
        ConfigError: the address cannot be used, or no model is named.
        ServiceError: it cannot be reached, or refuses both.
        MissingDependency: the extra `http` is not installed.
    """
    server = server_of(spec)
    if not server.model:
        raise ConfigError(
            f"{spec}: a server is asked for a model by its name; write http:URL#MODEL, or set {MODEL_VARIABLE}"
        )
    from .http_encoder import HttpEncoder

    encoder = HttpEncoder(images, server.url, model=server.model, keep=False)
    try:
        encoder.check()
    except ServiceError as error:
        if error.status is None or error.status in _REFUSED:
            raise
        encoder = HttpEncoder(images, server.url, model=server.model, form="texts", keep=False)
        encoder.check()
    return encoder
