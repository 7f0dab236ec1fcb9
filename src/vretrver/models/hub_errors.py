"""What a hub's failures mean for the user: one sentence with the remedy, the token left out."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .._optional import require
from .._secrets import Secret
from ..errors import ServiceError, StorageError, VRetrverError
from .hub_id import HubId

TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - the variable's name
"""Environment variable that holds the token; no other place is looked at."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Unreachable(ServiceError):
    """The hub could not be asked at all; what its cache holds may do."""


@contextmanager
def hub_errors(model: HubId, *, endpoint: str, cache: Path, secret: Secret) -> Iterator[None]:
    """Turn whatever the hub's library raises into one sentence.

    Args:
        model: what was asked for.
        endpoint: address of the hub.
        cache: where files are written.
        secret: the token; removed from what the hub says.

    Raises:
        Unreachable: nothing answered.
        ServiceError: the hub refused, or the download broke off.
        StorageError: the disk is full, or the cache cannot be written.
    """
    errors = require("huggingface_hub.errors", extra="models")
    try:
        yield
    except VRetrverError:
        raise
    except (OSError, ValueError, errors.HTTPError) as error:
        cause = error.__cause__ if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ else error
        if isinstance(cause, OSError) and cause.errno in _FULL:
            raise StorageError(
                f"{cache}: the disk is full; free space, or set HF_HUB_CACHE to another place"
            ) from error
        if isinstance(cause, PermissionError):
            raise StorageError(
                f"{cache}: cannot be written ({cause.strerror}); set HF_HUB_CACHE to a place that can be"
            ) from error
        raise _service_error(cause, errors, model, endpoint, secret) from error


def _service_error(cause: Any, errors: Any, model: HubId, endpoint: str, secret: Secret) -> ServiceError:
    status = getattr(getattr(cause, "response", None), "status_code", None)
    words = secret.removed(" ".join(str(cause).split()))[:300]
    if isinstance(cause, errors.GatedRepoError):
        why = f" and the token in {TOKEN_VARIABLE} may not read it" if secret else ""
        then = "" if secret else f", then set {TOKEN_VARIABLE} to a token of yours"
        return ServiceError(
            f"{model} is gated ({status}){why}: accept its conditions at {endpoint}/{model.name}{then}",
            status=status,
            words=words,
        )
    if isinstance(cause, errors.RevisionNotFoundError):
        return ServiceError(
            f"{model.name} has no revision {model.revision or 'main'!r} at {endpoint}; name a branch, a tag or a "
            "commit",
            status=status,
            words=words,
        )
    if status in (401, 404):
        token = f"correct {TOKEN_VARIABLE}" if secret else f"set {TOKEN_VARIABLE}"
        return ServiceError(
            f"{model} is no folder on this machine and no model that {endpoint} shows ({status}); correct the name, "
            f"or, where the model is private, {token}",
            status=status,
            words=words,
        )
    if status is not None:
        return ServiceError(
            f"{endpoint} answered {status} for {model}: {words}; try later", status=status, words=words
        )
    if isinstance(cause, errors.HTTPError | errors.OfflineModeIsEnabled):
        return Unreachable(
            f"{endpoint} cannot be reached for {model} ({type(cause).__name__}); try later, or name a folder on this "
            "machine",
            words=words,
        )
    return ServiceError(
        f"{model}: the download from {endpoint} broke off ({type(cause).__name__}: {words}); run again to go on: "
        "files that arrived whole are kept",
        words=words,
    )
