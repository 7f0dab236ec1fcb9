"""What the local policy calls to do its work; a test puts a part of its own in place of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ...agent.policy import Sampling
from ...models.keyvalues import KeyValues
from ...models.language import logits_of, run_language
from .sampling import choose


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The functions of one policy."""

    forward: Callable[..., Tensor] = run_language
    """Hidden states of a pass; arguments as `run_language`."""
    logits: Callable[[Any, Tensor], Tensor] = logits_of
    """Logits of hidden states; arguments as `logits_of`."""
    choose: Callable[[Tensor, Sequence[Sampling], Sequence[float]], Tensor] = choose
    """The next id of every row; arguments as `sampling.choose`."""
    new_cache: Callable[..., KeyValues] = KeyValues
    """The KV cache of a batch; arguments as `KeyValues`."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, as deadlines and patience count them."""
