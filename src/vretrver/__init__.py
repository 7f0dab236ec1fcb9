"""Multimodal retrieval with an agent that looks before it ranks, and shows the evidence.

Public names are loaded when they are first used; importing the package loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .agent.bench import Views
    from .agent.dialects import dialect_named
    from .agent.policy import Policy, Sampling
    from .agent.reranker import AgentConfig, Ranked, Reranked, Reranker
    from .agent.schedule import ReferenceSchedule
    from .agent.session import SessionLimits
    from .agent.trajectory import StopReason, Trajectory
    from .errors import VRetrverError
    from .geometry import Box, PixelBudget
    from .images import ImageLimits, ImageStore
    from .records import Address, Candidate, Hit, ImagePart, ImageRef, Query, TextPart, parts_of
    from .retrieval.retriever import Retriever
    from .traces import TraceWriter, read_traces

_HOMES = {
    "Address": "records",
    "AgentConfig": "agent.reranker",
    "Box": "geometry",
    "Candidate": "records",
    "Hit": "records",
    "ImageLimits": "images",
    "ImagePart": "records",
    "ImageRef": "records",
    "ImageStore": "images",
    "PixelBudget": "geometry",
    "Policy": "agent.policy",
    "Query": "records",
    "Ranked": "agent.reranker",
    "ReferenceSchedule": "agent.schedule",
    "Reranked": "agent.reranker",
    "Reranker": "agent.reranker",
    "Retriever": "retrieval.retriever",
    "Sampling": "agent.policy",
    "SessionLimits": "agent.session",
    "StopReason": "agent.trajectory",
    "TextPart": "records",
    "TraceWriter": "traces",
    "Trajectory": "agent.trajectory",
    "VRetrverError": "errors",
    "Views": "agent.bench",
    "dialect_named": "agent.dialects",
    "parts_of": "records",
    "read_traces": "traces",
}

__all__ = [
    "Address",
    "AgentConfig",
    "Box",
    "Candidate",
    "Hit",
    "ImageLimits",
    "ImagePart",
    "ImageRef",
    "ImageStore",
    "PixelBudget",
    "Policy",
    "Query",
    "Ranked",
    "ReferenceSchedule",
    "Reranked",
    "Reranker",
    "Retriever",
    "Sampling",
    "SessionLimits",
    "StopReason",
    "TextPart",
    "TraceWriter",
    "Trajectory",
    "VRetrverError",
    "Views",
    "__version__",
    "dialect_named",
    "parts_of",
    "read_traces",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
