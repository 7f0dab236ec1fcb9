"""An agent put together from its spec: policy opened and probed, dialect, sizes, pictures, plan, budget."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..agent.answers import Verdict
from ..agent.bench import Views
from ..agent.config import AgentConfig
from ..agent.dialect import Dialect
from ..agent.engine import Engine
from ..agent.events import Watch, ignore
from ..agent.memo import Memo
from ..agent.policy import Policy
from ..agent.reranked import Ended, Reranked
from ..agent.reranker import WORKERS, Ask, Reranker
from ..agent.texts import TextProvider
from ..errors import PolicyError
from ..images import ImageStore, Pictures
from ..policies.named import model_folder, opened, policy_named
from ..records import Hit, Query
from .documents import Document, given
from .failures import why
from .ranking import Ranking, ranking_of
from .spec import AgentSpec
from .texts import texts_for
from .told import config_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Everything that reranks.

    Threads may share one: calls of `rank` take turns, `serve` works on the queries of all threads at once. Only one
    way at a time: while an engine or a generator of `rerank_many` works, the others raise PolicyInUse.
    """

    policy: Policy
    """What writes the turns."""
    images: Pictures
    """Where the pictures of queries and candidates are read."""
    config: AgentConfig
    """Dialect, sizes, plan, sampling, budget."""
    texts: TextProvider | None = None
    """What reads the text of those pictures; None where nothing does."""
    workers: int = WORKERS
    """Threads that open pictures and run tools."""
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def reranker(self, *, memo: Memo | None = None, watch: Watch = ignore) -> Reranker:
        """Return a reranker.

        Args:
            memo: windows that are known already, and where new ones are kept.
            watch: is told of windows and turns of all queries.
        """
        return Reranker(
            self.policy,
            self.images,
            self.config,
            texts=self.texts,
            memo=memo,
            watch=watch,
            workers=self.workers,
        )

    def rerank_many(self, requests: Iterable[Ask | tuple[Query, Sequence[Hit]]]) -> Generator[Reranked, None, None]:
        """Rerank many queries together and yield each as it finishes; see `Reranker.rerank_many`."""
        return self.reranker().rerank_many(requests)

    def serve(self, *, queue: int = 256, memo: Memo | None = None, watch: Watch = ignore) -> Engine:
        """Return an engine, which any number of threads give queries to; it works on all of them at once.

        Close it, or enter it with `with`, before the agent's policy is closed.

        Args:
            queue: queries that are worked on or wait at once; more are refused with Overloaded.
            memo: as of `reranker`.
            watch: as of `reranker`.
        """
        return Engine(self.reranker(memo=memo, watch=watch), queue=queue)

    def rank(
        self,
        query: Document,
        documents: Sequence[Document],
        *,
        top_k: int | None = None,
        return_documents: bool = False,
    ) -> Ranking:
        """Rank documents by how well they fit a query, as `CrossEncoder.rank` of sentence-transformers does.

        The query and each document is a text, a picture, or both. A plain string that ends like a picture file
        (`.jpg`, `.png`, ...) and names a file that exists is that picture; one that ends so and names none is
        refused, and so is a URL; every other string is a text. A `Path`, a PIL image, and a mapping with `text`,
        `image` or both, its `image` a path or a PIL image, say it themselves. Paths are absolute, or relative to the
        working directory; the agent's own roots play no part. Give texts that come from others as `{"text": ...}`, so
        that none of them names a file of yours.

        The order given is the coarse order: documents after the plan's depth keep their place. A call from another
        thread waits until this one has ended.

        Args:
            query: what is asked.
            documents: what is ranked; give the most promising first.
            top_k: rows returned; None is all. The agent stops once so many places are settled.
            return_documents: whether each row also holds the document, as given, under `text`.

        Returns:
            The rows, best first, in a sequence that also holds the verdict and the whole record.

        Raises:
            DataError: there are no documents, or one is of no known kind, empty, or no file.
            PolicyError: no window was answered, so that there is no order; one that a budget ended early is returned.
        """
        content = given(query, documents)
        texts = texts_for(self.config, content.images)
        agent = Reranker(self.policy, content.images, self.config, texts=texts, workers=self.workers)
        wanted = top_k if top_k is not None and top_k > 0 else None
        with self._turn:
            reranked = agent.rerank(content.query, content.hits, wanted=wanted)
        if reranked.verdict is Verdict.FAILED and reranked.ended is Ended.COMPLETE:
            raise PolicyError(f"nothing was ranked: {why(reranked.failed[0])}")
        return ranking_of(reranked, documents if return_documents else None, top_k=top_k)


@contextmanager
def open_agent(
    spec: AgentSpec,
    images: Pictures | None = None,
    *,
    texts: TextProvider | None = None,
    dialect: Dialect | None = None,
    views: Views | None = None,
) -> Iterator[Agent]:
    """Yield the agent that a spec describes, its policy ready to be used, and close the policy in the end.

    Args:
        spec: the agent.
        images: where pictures are read; None reads below the spec's roots.
        texts: what reads the text of pictures; None reads layers of documents and, with the extra `ocr`, the rest.
        dialect: as of `told.config_of`.
        views: as of `told.config_of`.

    Raises:
        ConfigError: a name or an option is wrong.
        DataError: a recording or the journal cannot be read.
        MissingDependency: the extra that the policy or a root needs is not installed.
        PolicyError: the server will not do.
    """
    config = config_of(spec, dialect=dialect, views=views)
    shown = None if config.views is None else config.views.candidate
    with opened(spec.policy, model=spec.model, journal=spec.journal, shown=shown, local=spec.local) as policy:
        yield assembled(spec, policy, images, texts=texts, config=config)


def assembled(
    spec: AgentSpec,
    policy: Policy,
    images: Pictures | None = None,
    *,
    texts: TextProvider | None = None,
    config: AgentConfig | None = None,
    dialect: Dialect | None = None,
    views: Views | None = None,
) -> Agent:
    """Return the agent that a spec describes around a policy that somebody else opened and will close.

    Args:
        spec: the agent; its policy's name still says which folder dialect and sizes are taken from.
        policy: what writes the turns.
        images: as of `open_agent`.
        texts: as of `open_agent`.
        config: the configuration, where it is made already.
        dialect: as of `told.config_of`.
        views: as of `told.config_of`.

    Raises:
        ConfigError: as of `open_agent`.
    """
    shown = images_of(spec) if images is None else images
    used = config or config_of(spec, dialect=dialect, views=views)
    return Agent(
        policy=policy,
        images=shown,
        config=used,
        texts=texts or texts_for(used, shown),
        workers=spec.workers,
    )


def check_agent(spec: AgentSpec) -> None:
    """Raise what is wrong with an agent before work is done for it; no model is loaded and no server of one asked.

    A model of the hub that is not in the cache is downloaded: its files decide what the agent is told and shown.

    Raises:
        ConfigError: a name or an option is wrong, or the model's folder cannot be used.
        DataError: a recording cannot be read.
        MissingDependency: the extra that a server's policy or a model of the hub needs is not installed.
        ServiceError: a model of the hub cannot be had.
    """
    if model_folder(spec.policy) is None:
        policy_named(spec.policy, model=spec.model, local=spec.local).close()
    config_of(spec)


def images_of(spec: AgentSpec) -> ImageStore:
    """Return the store over a spec's roots."""
    return ImageStore({"": Path(), **spec.roots})
