"""Plans as a configuration writes them: `plan: {name: blocks, depth: 50, size: 20}`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..agent.plans import BlocksPlanner, ReferencePlanner
from ..config import Section
from ..errors import ConfigError

STRIDE = 10
"""Places a window moves unless told otherwise; a window that is smaller moves by its size."""


class ReferencePlan(Section):
    """Windows moved over the order from back to front, one after another."""

    name: Literal["reference"] = "reference"
    """Which plan it is."""
    depth: int = 50
    """Candidates reranked; later ones keep their place."""
    size: int = 20
    """Candidates in a window."""
    stride: int | None = None
    """Places a window moves; None is `STRIDE`, or the window's size where that is less."""

    def planner(self) -> ReferencePlanner:
        """Return the planner."""
        stride = min(STRIDE, self.size) if self.stride is None else self.stride
        return ReferencePlanner(depth=self.depth, size=self.size, stride=stride)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        self.planner()
        return self


class BlocksPlan(Section):
    """Blocks ranked side by side, then one window in which the best of each meet."""

    name: Literal["blocks"] = "blocks"
    """Which plan it is."""
    depth: int = 50
    """Candidates reranked; later ones keep their place."""
    size: int = 20
    """Most candidates in a window."""
    keep: int | None = None
    """Candidates of each block that reach the last window; None takes as many as it holds."""
    turns: int | None = None
    """Most turns of a block before its answer is forced; 0 ranks it without a look, None is the dialect's."""

    def planner(self) -> BlocksPlanner:
        """Return the planner."""
        return BlocksPlanner(depth=self.depth, size=self.size, keep=self.keep, turns=self.turns)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        self.planner()
        return self


PlanSpec = Annotated[ReferencePlan | BlocksPlan, Field(discriminator="name")]
"""A plan, told apart by its name."""

PLANS: dict[str, type[ReferencePlan] | type[BlocksPlan]] = {"reference": ReferencePlan, "blocks": BlocksPlan}
"""The plans by name."""


def changed(
    plan: ReferencePlan | BlocksPlan,
    *,
    name: str | None = None,
    depth: int | None = None,
    size: int | None = None,
    stride: int | None = None,
    keep: int | None = None,
) -> dict[str, object]:
    """Return the values of a plan with some of them replaced; None leaves one as it is.

    Another plan than the one given takes over depth and size alone: stride and keep mean nothing to the other.

    Raises:
        ConfigError: the name is unknown, or a value belongs to the other plan.
    """
    name = name or plan.name
    if name not in PLANS:
        raise ConfigError(f"unknown plan {name!r}; plans are {', '.join(PLANS)}")
    if name == "blocks" and stride is not None:
        raise ConfigError("a stride belongs to the reference plan; blocks take --keep")
    if name == "reference" and keep is not None:
        raise ConfigError("--keep belongs to the blocks plan; the reference plan takes --stride")
    values = plan.model_dump() if name == plan.name else {"name": name, "depth": plan.depth, "size": plan.size}
    told = {"depth": depth, "size": size, "stride": stride, "keep": keep}
    return values | {key: value for key, value in told.items() if value is not None}
