"""Checks a server of models: can it be reached, does it change what it is sent, does it rank three pictures."""

from __future__ import annotations

from collections.abc import Iterator

from .._http import Patience
from .._secrets import KEY_VARIABLE, Secret
from ..agent.dialect import Dialect
from ..agent.policy import PolicyLimits
from ..errors import VRetrverError
from ..geometry import SizeRule, visual_tokens
from ..policies.chat_api import ChatPolicy
from .findings import Finding, note, ok, warning, wrong
from .trial import check_thumbnails, try_window

PATIENCE = Patience(tries=2, answer=120.0)
"""Shorter than in a run: a check should not wait long."""


def check_endpoint(
    url: str, *, model: str, dialect: Dialect, patience: Patience = PATIENCE, key_variable: str = KEY_VARIABLE
) -> Iterator[Finding]:
    """Check an OpenAI-compatible endpoint; stops at the first thing without which the rest cannot work.

    Args:
        url: address of the API, as in `http://localhost:8000/v1`.
        model: the model's name, as the server lists it.
        dialect: what the model is to work with.
        patience: how long to wait for the server.
        key_variable: environment variable that holds the key.
    """
    try:
        if not Secret(key_variable):
            yield note("key", f"no key in {key_variable}; a server of your own needs none")
        policy = ChatPolicy(
            url, model=model, limits=PolicyLimits(in_flight=1), patience=patience, key_variable=key_variable
        )
        try:
            policy.check()
            yield ok("endpoint", f"{model} answers at {url}")
            yield from _probe(url, policy, dialect)
            yield try_window(policy, dialect)
        finally:
            policy.close()
    except VRetrverError as error:
        yield wrong("endpoint", str(error))


def _probe(url: str, policy: ChatPolicy, dialect: Dialect) -> Iterator[Finding]:
    findings = policy.probe(cell=dialect.views.candidate.cell)
    for sentence in findings.sentences:
        yield warning("endpoint", f"{url} {sentence}")
    if not findings.sentences:
        yield ok("endpoint", f"{url} keeps earlier turns and the size of pictures")
        yield check_thumbnails(policy, dialect)
    has, needs = policy.limits.context_tokens, window_tokens(dialect)
    if has is not None and has < needs:
        sentence = (
            f"the context is {has} tokens, a window of 20 pictures can need {needs}; start it with a longer one"
        )
        yield warning("context", sentence)
    elif has is not None:
        yield ok("context", f"{has} tokens; a window of 20 pictures can need {needs}")
    else:
        yield note("context", f"the server does not say its length; a window of 20 pictures can need {needs} tokens")


def window_tokens(dialect: Dialect, *, candidates: int = 20, max_tokens: int = 1024, text_tokens: int = 1000) -> int:
    """Return the tokens that a window of pictures of 640 x 480 pixels can need: every call of every turn is a zoom.

    A call may select up to four pictures and cost more; that every call does is not reckoned with.

    Args:
        dialect: sizes, turns and calls.
        candidates: pictures in the window, besides the query's.
        max_tokens: most tokens of one turn.
        text_tokens: for instructions, and what is written around pictures.
    """
    views, size = dialect.views, (640, 480)

    def cost(rule: SizeRule) -> int:
        return visual_tokens(rule.fit(*size), rule.cell)

    look = max(cost(views.select), cost(views.zoom)) if dialect.tools else 0
    shown = cost(views.query) + candidates * cost(views.candidate)
    return text_tokens + shown + dialect.turns * (max_tokens + dialect.calls_per_turn * look)
