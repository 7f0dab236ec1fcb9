"""Checks a model of the hub: its folder where it is in the cache, else what its first use would download."""

from __future__ import annotations

from collections.abc import Iterator

from ..agent.dialect import Dialect
from ..errors import VRetrverError
from ..models.hub import Hub, size_text
from ..models.hub_id import HubId, name_of
from .findings import Finding, note, ok, wrong
from .model_folder import check_model_folder


def check_hub_model(model: HubId, dialect: Dialect) -> Iterator[Finding]:
    """Check a model that is to work with a dialect; the hub is asked, and nothing is downloaded."""
    try:
        hub = Hub.of_environment()
        kept = hub.cached(model)
        if kept is None:
            listing = hub.listing(model)
            size = size_text(sum(file.size for file in hub.missing(model, listing)))
            yield note(
                "model",
                f"{model.name}@{listing.commit} (licence {listing.licence}) is not in the cache; its first use "
                f"downloads {size} into {hub.cache}, and its files can be checked then",
            )
            return
    except VRetrverError as error:
        yield wrong("model", str(error))
        return
    yield ok("model", f"{name_of(kept)} is in the cache {hub.cache}")
    yield from check_model_folder(kept, dialect)
