"""Multimodal retrieval with an agent that looks before it ranks, and shows the evidence.

Public names are loaded when they are first used; importing the package loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .agent.answers import Verdict
    from .agent.bench import Views
    from .agent.budget import Budget
    from .agent.config import AgentConfig
    from .agent.dialects import dialect_named
    from .agent.engine import Engine
    from .agent.plans import BlocksPlanner, ReferencePlanner
    from .agent.policy import Policy, Sampling
    from .agent.reranked import Ranked, Reranked
    from .agent.reranker import Ask, Reranker
    from .agent.trajectory import StopReason, Trajectory
    from .errors import VRetrverError
    from .geometry import Box, PixelBudget
    from .images import ImageLimits, ImageStore
    from .records import Address, Candidate, Hit, ImagePart, ImageRef, Query, TextPart, parts_of
    from .retrieval.retriever import Retriever
    from .traces import TraceWriter, read_traces

_HOMES = {
    "Address": "records",
    "AgentConfig": "agent.config",
    "Ask": "agent.reranker",
    "BlocksPlanner": "agent.plans",
    "Box": "geometry",
    "Budget": "agent.budget",
    "Candidate": "records",
    "Engine": "agent.engine",
    "Hit": "records",
    "ImageLimits": "images",
    "ImagePart": "records",
    "ImageRef": "records",
    "ImageStore": "images",
    "PixelBudget": "geometry",
    "Policy": "agent.policy",
    "Query": "records",
    "Ranked": "agent.reranked",
    "ReferencePlanner": "agent.plans",
    "Reranked": "agent.reranked",
    "Reranker": "agent.reranker",
    "Retriever": "retrieval.retriever",
    "Sampling": "agent.policy",
    "StopReason": "agent.trajectory",
    "TextPart": "records",
    "TraceWriter": "traces",
    "Trajectory": "agent.trajectory",
    "VRetrverError": "errors",
    "Verdict": "agent.answers",
    "Views": "agent.bench",
    "dialect_named": "agent.dialects",
    "parts_of": "records",
    "read_traces": "traces",
}

__all__ = [
    "Address",
    "AgentConfig",
    "Ask",
    "BlocksPlanner",
    "Box",
    "Budget",
    "Candidate",
    "Engine",
    "Hit",
    "ImageLimits",
    "ImagePart",
    "ImageRef",
    "ImageStore",
    "PixelBudget",
    "Policy",
    "Query",
    "Ranked",
    "ReferencePlanner",
    "Reranked",
    "Reranker",
    "Retriever",
    "Sampling",
    "StopReason",
    "TextPart",
    "TraceWriter",
    "Trajectory",
    "VRetrverError",
    "Verdict",
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
