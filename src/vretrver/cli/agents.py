"""Options of every command that reranks, and the agent they describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError

if TYPE_CHECKING:
    from ..assembly.spec import AgentSpec

AgentOption = Annotated[
    Path | None, typer.Option("--agent", help="Agent to start from, YAML; other options count over it.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value of the agent, as in sampling.seed=7; may be given several times."),
]
ModelOption = Annotated[str | None, typer.Option(help="The server's model, unless VRETRVER_MODEL names it.")]
JournalOption = Annotated[
    Path | None, typer.Option(help="Keep every turn here; a run that was killed pays for none of them twice.")
]
DialectOption = Annotated[
    str | None,
    typer.Option(help="vretrver, or released for the published checkpoints; default the model's, or vretrver."),
]
AnswersOption = Annotated[
    str | None, typer.Option(help="ranking, or ranking-or-none, by which the agent may say that nothing fits.")
]
PlanOption = Annotated[
    str | None, typer.Option(help="reference, one window after another (default), or blocks, side by side.")
]
DepthOption = Annotated[int | None, typer.Option(help="Candidates reranked per query; default 50.", min=1)]
WindowOption = Annotated[int | None, typer.Option(help="Candidates in a window; default 20.", min=1)]
StrideOption = Annotated[
    int | None, typer.Option(help="Of reference: places a window moves; default 10, or the window's size.", min=1)
]
KeepOption = Annotated[
    int | None,
    typer.Option(help="Of blocks: candidates of each that meet in the end; default as many as fit.", min=1),
]
TemperatureOption = Annotated[float | None, typer.Option(help="0 is greedy, the default.", min=0)]
SecondsOption = Annotated[
    float | None, typer.Option(help="Most seconds a query may take; then the best order so far counts.", min=0)
]
LooksOption = Annotated[int | None, typer.Option(help="Most looks a query may take.", min=0)]
TurnsOption = Annotated[int | None, typer.Option(help="Most turns a query may take.", min=0)]


def spec_of(
    agent: Path | None,
    sets: list[str] | None,
    *,
    plan: str | None = None,
    depth: int | None = None,
    window: int | None = None,
    stride: int | None = None,
    keep: int | None = None,
    device: str | None = None,
    values: dict[str, Any] | None = None,
) -> AgentSpec:
    """Return the agent that a file, the environment and the options of a command describe; later ones count.

    Args:
        agent: the file of `--agent`.
        sets: `--set`, several times.
        plan: as `--plan`.
        depth: as `--depth`.
        window: as `--window`.
        stride: as `--stride`.
        keep: as `--keep`.
        device: where a model in this process runs; it also counts for an encoder, so other policies ignore it.
        values: all other options: `key` or `section.key` -> value; None is an option that was not given.

    Raises:
        ConfigError: the file, a variable or an option is wrong.
    """
    from ..assembly.plans import changed
    from ..assembly.spec import agent_spec
    from .models import is_local

    given = {name: value for name, value in (values or {}).items() if value is not None}
    spec = agent_spec(agent, sets=sets or (), values=given)
    asked = (plan, depth, window, stride, keep)
    if any(one is not None for one in asked):
        new = changed(spec.plan, name=plan, depth=depth, size=window, stride=stride, keep=keep)
        spec = spec.with_values({"plan": new})
    if device is not None and is_local(spec.policy):
        spec = spec.with_values({"local.device": device})
    return spec


def check_no_agent(policy: str | None, agent: Path | None, options: dict[str, Any]) -> None:
    """Raise ConfigError when options of an agent are given and no agent is.

    Args:
        policy: as `--policy`.
        agent: as `--agent`.
        options: option, or `section.option`, -> what was given; None or empty where nothing was.
    """
    lost = [name.rpartition(".")[2] for name, value in options.items() if value is not None and value != []]
    if policy is None and agent is None and lost:
        raise ConfigError(f"--{lost[0]} is of a reranking; give --policy or --agent too")
