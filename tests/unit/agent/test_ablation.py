"""Pins the tools that take the evidence away: size, cost, place and words of a real look, and nothing new to see."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import select, window, zoom

from vretrver.agent.ablation import without_evidence
from vretrver.agent.answers import RankingForm
from vretrver.agent.bench import Bench, Views
from vretrver.agent.dialects import dialect_named
from vretrver.agent.observations import Seen
from vretrver.agent.parsing import parse_turn
from vretrver.agent.tools import SelectImages, Tool, ZoomIn, execute
from vretrver.errors import ConfigError
from vretrver.geometry import PixelBudget

SMALL = PixelBudget(tokens=9)
VIEWS = Views(query=SMALL, candidate=SMALL, select=PixelBudget(tokens=64), zoom=PixelBudget(tokens=16))
REAL: tuple[Tool, ...] = (SelectImages(), ZoomIn())
FALSE = tuple(tool.blinded() for tool in REAL)
LARGE = (768, 768)


@pytest.fixture
def bench(drawn: DrawnFolder) -> Bench:
    """Two candidates with noise that no thumbnail keeps."""
    for number in (1, 2):
        noise = np.random.default_rng(number).integers(0, 256, (*LARGE, 3), dtype=np.uint8)
        Image.fromarray(noise).save(drawn.path / f"{number}.png")
    candidates = [drawn.candidate(1), drawn.candidate(2)]
    return Bench(window(candidates, drawn.query()), drawn.store, views=VIEWS, boxes=dialect_named("vretrver").boxes)


def looks(text: str, tools: tuple[Tool, ...], bench: Bench) -> tuple[Seen, ...]:
    (call,) = parse_turn(text, RankingForm()).calls
    return tuple(one for one in execute(call, tools, bench).observations if isinstance(one, Seen))


def pixels(look: Seen) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(look.shown.picture.data)), dtype=np.float64)


@pytest.mark.parametrize("text", [zoom(1, "[400, 300, 500, 400]"), zoom(2, "[0, 0, 10, 10]"), select(2, 1, 2)])
def test_a_false_look_is_a_real_one_in_everything_but_its_pixels(text: str, bench: Bench) -> None:
    real, false = looks(text, REAL, bench), looks(text, FALSE, bench)
    assert len(real) == len(false) > 0
    for one, other in zip(real, false, strict=True):
        assert one.cuts == other.cuts
        assert one.shown.tokens == other.shown.tokens
        assert (one.shown.picture.width, one.shown.picture.height) == (
            other.shown.picture.width,
            other.shown.picture.height,
        )
        assert pixels(one).std() > 1.5 * pixels(other).std()


def test_a_false_look_shows_the_thumbnail_and_nothing_else(bench: Bench) -> None:
    (whole,) = looks(select(1), FALSE, bench)
    with Image.open(io.BytesIO(bench.thumbnail(whole.cuts[0].address).shown.picture.data)) as thumbnail:
        enlarged = np.asarray(thumbnail.resize((256, 256), Image.Resampling.BILINEAR), dtype=np.float64)
    assert np.abs(pixels(whole) - enlarged).mean() < 3
    (part,) = looks(zoom(1, "[500, 500, 1000, 1000]"), FALSE, bench)
    assert np.abs(pixels(part)[::2, ::2][:64, :64].mean() - enlarged[128:, 128:].mean()) < 3


def test_a_false_look_refuses_what_a_real_one_refuses(bench: Bench) -> None:
    for text in (zoom(7, "[0, 0, 10, 10]"), zoom(1, "[10, 10, 5, 5]"), select(0)):
        (call,) = parse_turn(text, RankingForm()).calls
        assert execute(call, FALSE, bench).reason == execute(call, REAL, bench).reason is not None


@pytest.mark.parametrize("name", ["vretrver", "released"])
def test_a_dialect_without_evidence_tells_the_model_the_same(name: str) -> None:
    dialect = dialect_named(name)
    blind = without_evidence(dialect)
    assert blind.wording.system(blind.tools, blind.form) == dialect.wording.system(dialect.tools, dialect.form)
    assert [(tool.name, tool.aliases) for tool in blind.tools] == [
        (tool.name, tool.aliases) for tool in dialect.tools
    ]
    assert blind.tools == tuple(tool.blinded() for tool in dialect.tools) != dialect.tools


def test_a_tool_that_cannot_be_blinded_is_an_error_and_does_not_keep_its_evidence() -> None:
    class Measure(ZoomIn):
        def blinded(self) -> ZoomIn:
            raise ConfigError("measure cannot be run without its evidence; leave it out of the comparison")

    dialect = dialect_named("vretrver")
    with pytest.raises(ConfigError, match="measure cannot be run without its evidence"):
        without_evidence(replace(dialect, tools=(*dialect.tools, Measure())))
