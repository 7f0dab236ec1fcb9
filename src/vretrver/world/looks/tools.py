"""Replacements for `zoom_in`: one that always looks at the right place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from ...agent.bench import Bench
from ...agent.observations import Observation
from ...agent.tools import ZoomArguments, ZoomIn
from ...geometry import Box


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleZoom:
    """Shows the label of the picture that is asked for, wherever the box is."""

    labels: Mapping[str, Box] = field(repr=False)
    """Picture path -> the label's box in pixels of the upright original."""
    zoom: ZoomIn = ZoomIn()
    """The tool it replaces: the same name, words and cost."""

    @property
    def name(self) -> str:
        """The name in calls."""
        return self.zoom.name

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other accepted names."""
        return self.zoom.aliases

    @property
    def description(self) -> str:
        """One sentence for the prompt."""
        return self.zoom.description

    @property
    def arguments(self) -> type[BaseModel]:
        """The schema of a call."""
        return self.zoom.arguments

    def cost(self, arguments: ZoomArguments, bench: Bench) -> int:
        """Return the visual tokens of the region that was asked for."""
        return self.zoom.cost(arguments, bench)

    def run(self, arguments: ZoomArguments, bench: Bench) -> Sequence[Observation]:
        """Return the region around the label; a picture without one is shown where it was asked for."""
        ref = bench.pinned(arguments.target_image)
        label = self.labels.get(ref.path)
        if label is None:
            return self.zoom.run(arguments, bench)
        width, height = ref.width or 1, ref.height or 1
        x, y = (label.left + label.right) * 500 // width, (label.top + label.bottom) * 500 // height
        asked = [max(x - 50, 0), max(y - 50, 0), min(x + 50, 1000), min(y + 50, 1000)]
        return [bench.region(arguments.target_image, asked)]

    def blinded(self) -> ZoomIn:
        """Return the tool that cuts the enlarged thumbnail where it was asked to."""
        return self.zoom.blinded()
