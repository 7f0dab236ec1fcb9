"""Tools: one object each, with a name, an argument schema, a cost, a run, and a text for the prompt.

`select_images` shows whole pictures again, larger; `zoom_in` shows a region of an original. A third tool is another
object with the same attributes in a dialect's `tools`: neither loop nor parser nor rewards know any by name. What it
brings back may be pictures, each of one or several cuts, or texts. Tools run off the driver's thread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from ..geometry import visual_tokens
from ..records import Address, AddressError
from .argument_problems import argument_problem
from .bench import Bench
from .budget import Account
from .details import DetailCode, Words, WrongArgument, detail
from .observations import Observation, Seen
from .parsing import ParsedCall
from .refusals import WORDS, Refusal, RefusalCode, Refused, refusal


def read_address(value: Any) -> Address:
    """Return the address that a call wrote as a JSON value; raises WrongArgument for what is none."""
    try:
        return Address.from_wire(value)
    except AddressError as error:
        code = DetailCode.ADDRESS_RANGE if error.outside else DetailCode.ADDRESS_FORM
        raise WrongArgument(detail(code, value=error.value)) from error


Target = Annotated[
    Address,
    BeforeValidator(read_address),
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

    def run(self, arguments: Any, bench: Bench) -> Sequence[Observation]:
        """Carry a checked call out; raises Refused with a reason for the model."""
        ...

    def blinded(self) -> Tool:
        """Return a tool that takes the same calls at the same cost and brings back nothing new.

        Raises:
            ConfigError: this tool cannot be run without its evidence.
        """
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
    blind: bool = False
    """Whether it shows enlarged thumbnails in place of the originals."""

    def cost(self, arguments: SelectArguments, bench: Bench) -> int:
        """Return the visual tokens of all pictures asked for."""
        rule = bench.views.select
        refs = [bench.pinned(address) for address in arguments.target_images]
        return sum(visual_tokens(rule.fit(ref.width or 1, ref.height or 1), rule.cell) for ref in refs)

    def run(self, arguments: SelectArguments, bench: Bench) -> Sequence[Observation]:
        """Return the pictures in the order asked, repeats included."""
        show = bench.blinded_whole if self.blind else bench.whole
        return [show(address, bench.views.select) for address in arguments.target_images]

    def blinded(self) -> SelectImages:
        """Return the tool that shows enlarged thumbnails."""
        return replace(self, blind=True)


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
    blind: bool = False
    """Whether it cuts the enlarged thumbnail in place of the original."""

    def cost(self, arguments: ZoomArguments, bench: Bench) -> int:
        """Return the visual tokens of the region."""
        _, size = bench.place(arguments.target_image, arguments.bbox_2d)
        return visual_tokens(size, bench.views.zoom.cell)

    def run(self, arguments: ZoomArguments, bench: Bench) -> Sequence[Observation]:
        """Return the region."""
        show = bench.blinded_region if self.blind else bench.region
        return [show(arguments.target_image, arguments.bbox_2d)]

    def blinded(self) -> ZoomIn:
        """Return the tool that cuts the enlarged thumbnail."""
        return replace(self, blind=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What became of one call."""

    name: str | None
    """The tool's own name, or what was written when there is no such tool."""
    observations: tuple[Observation, ...] = ()
    """What it brought back; empty when the call was refused."""
    refusal: Refusal | None = None
    """Why the call was refused; None when it was carried out."""
    reason: str | None = None
    """The same in the dialect's words, as the model is told."""
    cost: int = 0
    """Visual tokens that were spent on it."""

    @property
    def pictures(self) -> int:
        """Pictures it brought back."""
        return sum(isinstance(observation, Seen) for observation in self.observations)


def execute(
    call: ParsedCall,
    tools: Sequence[Tool],
    bench: Bench,
    *,
    account: Account | None = None,
    words: Words = WORDS,
) -> Executed:
    """Carry one call out, or refuse it with a reason. Never raises on anything a model can write.

    Args:
        call: the call as parsed.
        tools: the dialect's tools.
        bench: the session's pictures.
        account: what the query may still spend; None is no limit.
        words: the dialect's words for refusals.
    """
    tool = next((t for t in tools if call.name == t.name or call.name in t.aliases), None)
    name = tool.name if tool else call.name
    try:
        if call.problem is not None:
            raise Refused(call.problem)
        if tool is None:
            raise Refused(_unknown(call.name, tools))
        arguments = _checked(tool, call.arguments or {})
        cost = tool.cost(arguments, bench)
        observations = _run(tool, arguments, bench, account, cost)
        return Executed(name=name, observations=observations, cost=cost)
    except Refused as error:
        return refused(name, error.refusal, words)


def refused(name: str | None, why: Refusal, words: Words = WORDS) -> Executed:
    """Return a call that is not carried out."""
    return Executed(name=name, refusal=why, reason=why.worded(words))


def _run(
    tool: Tool, arguments: BaseModel, bench: Bench, account: Account | None, cost: int
) -> tuple[Observation, ...]:
    """Run a tool within what may be spent: a look is counted before it is made, and taken back when it fails."""
    denied = account.spend_look(cost) if account is not None else None
    if denied is not None:
        raise Refused(denied)
    try:
        observations = tuple(tool.run(arguments, bench))
        if not observations:
            raise Refused(refusal(RefusalCode.NOTHING_SHOWN))
    except Refused:
        if account is not None:
            account.return_look(cost)
        raise
    return observations


def _unknown(name: str | None, tools: Sequence[Tool]) -> Refusal:
    written = str(name)[:60]
    if not tools:
        return refusal(RefusalCode.NO_TOOLS, name=written)
    return refusal(RefusalCode.UNKNOWN_TOOL, name=written, known=", ".join(tool.name for tool in tools))


def _checked(tool: Tool, arguments: Mapping[str, object]) -> BaseModel:
    try:
        return tool.arguments.model_validate(arguments)
    except (ValidationError, RecursionError) as error:
        raise Refused(refusal(RefusalCode.ARGUMENTS, detail=argument_problem(error))) from error


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
