"""Encoders by the names that commands and index manifests use: `hash`, `shipped`, a layout and a model, or a server.

A model is a folder or an id on the hub. A folder may be moved; its new path is then named. Vectors are compared by
fingerprint, which depends on the contents of the folder and not on its path.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from ..errors import ConfigError
from ..images import Thumbnails
from ..models.folder import open_folder
from ..models.hub import Fits, folder_at, lasting_place
from ..models.hub_id import hub_id_of, is_folder
from ..models.shipped import ENCODER, LAYOUT, SHIPPED, shipped_folder
from .encoder import Encoder
from .servers import is_server, open_server, server_of

LAYOUTS = ("lamra", "qwen3vl_embedding", "clip")
"""Layouts of models: two of Qwen-VL models, and CLIP, SigLIP and their kin."""

NAMES = ("hash", SHIPPED, *(f"{layout}:FOLDER" for layout in LAYOUTS), "http:URL#MODEL")
"""Names of the encoders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What an encoder opens outside of an index that names it."""

    kind: Literal["model", "hub", "server"]
    """A folder of a model, a model of the hub, or a server that is sent items and queries."""
    name: str
    """Its path, its id with the revision, or its address."""


def encoder_named(spec: str, images: Thumbnails, *, dtype: str = "float32", device: str = "auto") -> Encoder:
    """Return the encoder of a name.

    Args:
        spec: `hash`, which needs no model; `shipped`, the small model in the package, which knows the drawn catalogue
            only; `LAYOUT:FOLDER` with a layout of `LAYOUTS`; `LAYOUT:owner/name` or `LAYOUT:owner/name@revision`, a
            model of the hub, which is downloaded where it is not in the cache; or `http:URL#MODEL`, a server.
        images: reads the pictures.
        dtype: number format of a model's weights; `auto` keeps the stored one. Part of the fingerprint.
        device: device a model runs on, as torch names it; `auto` takes a GPU where there is one.

    Raises:
        ConfigError: there is no such encoder or folder, or the folder holds another kind of model.
        ServiceError: the hub or the server cannot be used, or a download broke off.
        StorageError: the disk has no room for the model.
        MissingDependency: the extra `models`, or for a server `http`, is not installed.
    """
    if spec == "hash":
        from .hash_encoder import HashEncoder

        return HashEncoder(images)
    if is_server(spec):
        return open_server(spec, images)
    layout, _, place = (LAYOUT, "", str(shipped_folder(ENCODER))) if spec == SHIPPED else spec.partition(":")
    if layout not in LAYOUTS or not place:
        raise ConfigError(
            f"no encoder is called {spec!r}; there are: {', '.join(NAMES)}; for FOLDER also owner/name of the hub"
        )
    if not is_folder(place) and hub_id_of(place) is None:
        raise ConfigError(
            f"{spec}: no such folder; name a model's folder on this machine, the new one if it was moved, with "
            f"--encoder {layout}:FOLDER, or a model of the hub with {layout}:owner/name"
        )
    _require_models()
    folder = folder_at(place, fits=_fits(layout))
    if layout == "clip":
        from .layouts.clip import ClipEncoder

        return ClipEncoder(folder, images, dtype=dtype, device=device)
    from .layouts.encoder import open_layout

    return open_layout(layout, folder, images, dtype=dtype, device=device)


def outside_of(spec: str) -> Outside | None:
    """Return what an encoder's name opens outside of an index, None where it opens nothing."""
    if is_server(spec):
        return Outside(kind="server", name=server_of(spec).url)
    layout, _, place = spec.partition(":")
    if layout not in LAYOUTS or not place:
        return None
    model = hub_id_of(place)
    return Outside(kind="model", name=place) if model is None else Outside(kind="hub", name=str(model))


def lasting_name(spec: str) -> str:
    """Return a name as an index stores it, so that it means the same from any directory and on any day.

    A folder is stored by its absolute path, a model of the hub with the commit that is in use, a server with its
    model. `shipped` stays as it is: another copy of the package finds its own; the fingerprint shows whether it is
    the same.

    Raises:
        ConfigError: a server has no model's name.
        ServiceError: the commit of a model is not known yet, and the hub does not say it.
    """
    if is_server(spec):
        return str(server_of(spec))
    layout, _, place = spec.partition(":")
    return f"{layout}:{lasting_place(place)}" if layout in LAYOUTS and place else spec


def _fits(layout: str) -> Fits:
    """Return what refuses the configuration of a model that a layout cannot open."""
    if layout != "clip":
        return open_folder
    from .layouts.clip import check_clip

    return check_clip


def _require_models() -> None:
    """Raise MissingDependency before anything is downloaded; the libraries are loaded when there is a model."""
    from .._optional import require

    for library in ("torch", "transformers", "tokenizers"):
        if find_spec(library) is None:
            require(library, extra="models")
