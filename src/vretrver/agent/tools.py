"""Tools: one object each, with a name, an argument schema, a cost, a run, and a text for the prompt.

`select_images` shows whole pictures again, larger; `zoom_in` shows a region of an original. A third tool is another
object with the same attributes in a dialect's `tools`: neither loop nor parser nor rewards know any by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from ..geometry import visual_tokens
from ..records import Address
from .bench import Bench, Look, Refused
from .parsing import ParsedCall

MAX_REASON_CHARS = 300
"""A refusal repeats what was written, but no more of it than this."""

Target = Annotated[
    Address,
    BeforeValidator(Address.from_wire),
    WithJsonSchema({"type": ["integer", "array"], "items": {"type": "integer"}}),
]
"""A picture address in a call: `k`, or `[k, j]`."""


class Tool(Protocol):
    """Something the agent may ask for."""

    @property
    def name(self) -> str:
        """The name in calls."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names a checkpoint may use."""
        ...

    @property
    def description(self) -> str:
        """One sentence for the prompt."""
        ...

    @property
    def arguments(self) -> type[BaseModel]:
        """The schema a call's arguments are checked against."""
        ...

    def cost(self, arguments: Any, bench: Bench) -> int:
        """Return the visual tokens a call would add; raises Refused when the call cannot be carried out."""
        ...

    def run(self, arguments: Any, bench: Bench) -> Sequence[Look]:
        """Carry a checked call out; raises Refused with a reason for the model."""
        ...


class SelectArguments(BaseModel):
    """Arguments of `select_images`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    target_images: list[Target] = Field(min_length=1, max_length=4)


class ZoomArguments(BaseModel):
    """Arguments of `zoom_in`; the box is in thousandths of the picture's width and height."""

    model_config = ConfigDict(extra="forbid", strict=True)
    target_image: Target
    bbox_2d: list[int] = Field(min_length=4, max_length=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectImages:
    """Shows one to four whole pictures again, larger."""

    name: str = "select_images"
    """The name in calls."""
    aliases: tuple[str, ...] = ()
    """Other accepted names."""
    description: str = "Look at up to 4 whole pictures again, larger."
    """One sentence for the prompt."""
    arguments: type[BaseModel] = SelectArguments
    """The schema of a call."""

    def cost(self, arguments: SelectArguments, bench: Bench) -> int:
        """Return the visual tokens of all pictures asked for."""
        rule = bench.views.select
        refs = [bench.pinned(address) for address in arguments.target_images]
        return sum(visual_tokens(rule.fit(ref.width or 1, ref.height or 1), rule.cell) for ref in refs)

    def run(self, arguments: SelectArguments, bench: Bench) -> Sequence[Look]:
        """Return the pictures in the order asked, repeats included."""
        return [bench.whole(address, bench.views.select) for address in arguments.target_images]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomIn:
    """Shows a region of one original picture."""

    name: str = "zoom_in"
    """The name in calls."""
    aliases: tuple[str, ...] = ()
    """Other accepted names."""
    description: str = "Look at a region of one picture in full detail; bbox_2d is [x1, y1, x2, y2], 0 to 1000."
    """One sentence for the prompt."""
    arguments: type[BaseModel] = ZoomArguments
    """The schema of a call."""

    def cost(self, arguments: ZoomArguments, bench: Bench) -> int:
        """Return the visual tokens of the region."""
        _, size = bench.place(arguments.target_image, arguments.bbox_2d)
        return visual_tokens(size, bench.views.zoom.cell)

    def run(self, arguments: ZoomArguments, bench: Bench) -> Sequence[Look]:
        """Return the region."""
        return [bench.region(arguments.target_image, arguments.bbox_2d)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What became of one call."""

    name: str | None
    """The tool's own name, or what was written when there is no such tool."""
    looks: tuple[Look, ...] = ()
    """What was shown; empty when the call was refused."""
    reason: str | None = None
    """Why the call was refused; None when it was carried out."""


def execute(call: ParsedCall, tools: Sequence[Tool], bench: Bench, *, tokens_left: int | None = None) -> Executed:
    """Carry one call out, or refuse it with a reason. Never raises on anything a model can write.

    Args:
        call: the call as parsed.
        tools: the dialect's tools.
        bench: the session's pictures.
        tokens_left: visual tokens the session may still add; None is no limit.
    """
    tool = next((t for t in tools if call.name == t.name or call.name in t.aliases), None)
    name = tool.name if tool else call.name
    try:
        if call.problem is not None:
            raise Refused(call.problem)
        if tool is None:
            known = ", ".join(t.name for t in tools)
            raise Refused(
                f"there is no tool {str(call.name)[:60]!r}; "
                + (f"tools are {known}" if known else "no tools are given")
            )
        arguments = _checked(tool, call.arguments or {})
        if tokens_left is not None and tool.cost(arguments, bench) > tokens_left:
            raise Refused(f"the look would cost more than the {tokens_left} visual tokens that are left")
        looks = tuple(tool.run(arguments, bench))
        if not looks:
            raise Refused("there was nothing to show")
        return Executed(name=name, looks=looks)
    except Refused as refusal:
        return Executed(name=name, reason=str(refusal)[:MAX_REASON_CHARS] or "refused without a reason")


def _checked(tool: Tool, arguments: Mapping[str, object]) -> BaseModel:
    try:
        return tool.arguments.model_validate(arguments)
    except (ValidationError, RecursionError) as error:
        raise Refused(_first_problem(error)) from error


def _first_problem(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "the arguments are nested too deeply"
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(step)[:60] for step in first["loc"])
    return f"wrong arguments: {where}: {first['msg'][:160]}" if where else f"wrong arguments: {first['msg'][:160]}"


def signature(tool: Tool) -> str:
    """Return a tool's line in the prompt: name, description and parameters as one JSON object."""
    schema = _untitled(tool.arguments.model_json_schema())
    schema.pop("description", None)
    schema.pop("additionalProperties", None)
    return json.dumps({"name": tool.name, "description": tool.description, "parameters": schema})


def _untitled(node: Any) -> Any:
    """Drop the titles pydantic writes: they repeat the names and cost tokens."""
    if isinstance(node, dict):
        return {key: _untitled(value) for key, value in node.items() if key != "title" or not isinstance(value, str)}
    return [_untitled(value) for value in node] if isinstance(node, list) else node
