"""The models an OpenAI-compatible server lists, and why a server cannot be used, in one sentence with the remedy."""

from __future__ import annotations

from ._http import Service
from .errors import ServiceError


async def served(service: Service) -> dict[str, int | None] | None:
    """Return the models listed, each with its context length where the server gives one; None when none is listed."""
    try:
        value = await service.call("models", tries=1)
    except ServiceError:
        return None
    rows = value.get("data") if isinstance(value, dict) else None
    known: dict[str, int | None] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            length = row.get("max_model_len")
            known[row["id"]] = length if isinstance(length, int) and length > 0 else None
    return known or None


async def why_not(service: Service, model: str, error: ServiceError, *, what: str) -> str:
    """Return why a server cannot be used.

    Args:
        service: the server.
        model: the model that was requested.
        error: what the request ended in.
        what: the service that was requested, as in `chat completions`.
    """
    url, secret = service.url, service.secret
    if error.status in (401, 403):
        if secret:
            return f"{url} refuses the key in {secret.variable} ({error.status}); set the right one"
        return f"{url} asks for a key ({error.status}); set {secret.variable}"
    if error.status in (400, 404):
        known = await served(service)
        if known is not None and model not in known:
            return f"{url} does not serve {model!r}; it serves {', '.join(sorted(known)[:5])}"
        if known is None and error.status == 404:
            return f"{url} has no {what} (404); give the address of an OpenAI-compatible API, as in .../v1"
    if error.status is None:
        return f"{error}; start the server, or correct the address"
    return str(error)
