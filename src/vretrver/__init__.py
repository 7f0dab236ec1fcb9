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
    from .assembly.agent import Agent, open_agent
    from .assembly.corpus import Corpus, CorpusOptions, open_corpus
    from .assembly.evidence import Evidence, evidence_of
    from .assembly.indexing import IndexOptions, IndexReport, index_sources
    from .assembly.live import LiveIndex, open_live
    from .assembly.spec import AgentSpec
    from .data.sources.columns import columns_from
    from .errors import VRetrverError
    from .geometry import Box, PixelBudget
    from .images import ImageLimits, ImageStore
    from .records import Address, Candidate, Citation, Hit, ImagePart, ImageRef, Query, TextPart, parts_of
    from .retrieval.retriever import Retriever
    from .retrieval.searched import Searched
    from .traces import TraceWriter, read_traces

_HOMES = {
    "Address": "records",
    "Agent": "assembly.agent",
    "AgentConfig": "agent.config",
    "AgentSpec": "assembly.spec",
    "Ask": "agent.reranker",
    "BlocksPlanner": "agent.plans",
    "Box": "geometry",
    "Budget": "agent.budget",
    "Candidate": "records",
    "Citation": "records",
    "Corpus": "assembly.corpus",
    "CorpusOptions": "assembly.corpus",
    "Engine": "agent.engine",
    "Evidence": "assembly.evidence",
    "Hit": "records",
    "ImageLimits": "images",
    "ImagePart": "records",
    "ImageRef": "records",
    "ImageStore": "images",
    "IndexOptions": "assembly.indexing",
    "IndexReport": "assembly.indexing",
    "LiveIndex": "assembly.live",
    "PixelBudget": "geometry",
    "Policy": "agent.policy",
    "Query": "records",
    "Ranked": "agent.reranked",
    "ReferencePlanner": "agent.plans",
    "Reranked": "agent.reranked",
    "Reranker": "agent.reranker",
    "Retriever": "retrieval.retriever",
    "Sampling": "agent.policy",
    "Searched": "retrieval.searched",
    "StopReason": "agent.trajectory",
    "TextPart": "records",
    "TraceWriter": "traces",
    "Trajectory": "agent.trajectory",
    "VRetrverError": "errors",
    "Verdict": "agent.answers",
    "Views": "agent.bench",
    "columns_from": "data.sources.columns",
    "dialect_named": "agent.dialects",
    "evidence_of": "assembly.evidence",
    "index_sources": "assembly.indexing",
    "open_agent": "assembly.agent",
    "open_corpus": "assembly.corpus",
    "open_live": "assembly.live",
    "parts_of": "records",
    "read_traces": "traces",
}

__all__ = [
    "Address",
    "Agent",
    "AgentConfig",
    "AgentSpec",
    "Ask",
    "BlocksPlanner",
    "Box",
    "Budget",
    "Candidate",
    "Citation",
    "Corpus",
    "CorpusOptions",
    "Engine",
    "Evidence",
    "Hit",
    "ImageLimits",
    "ImagePart",
    "ImageRef",
    "ImageStore",
    "IndexOptions",
    "IndexReport",
    "LiveIndex",
    "PixelBudget",
    "Policy",
    "Query",
    "Ranked",
    "ReferencePlanner",
    "Reranked",
    "Reranker",
    "Retriever",
    "Sampling",
    "Searched",
    "StopReason",
    "TextPart",
    "TraceWriter",
    "Trajectory",
    "VRetrverError",
    "Verdict",
    "Views",
    "__version__",
    "columns_from",
    "dialect_named",
    "evidence_of",
    "index_sources",
    "open_agent",
    "open_corpus",
    "open_live",
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
