"""Pins the tools that take the evidence away: size, cost, place and words of a real look, and nothing new to see."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import select, window, zoom

from vretrver.agent.ablation import ThumbnailSelect, ThumbnailZoom, without_evidence
from vretrver.agent.bench import Bench, Look, Views
from vretrver.agent.dialects import dialect_named
from vretrver.agent.parsing import parse_turn
from vretrver.agent.tools import SelectImages, Tool, ZoomIn, execute
from vretrver.geometry import PixelBudget

SMALL = PixelBudget(tokens=9)
VIEWS = Views(query=SMALL, candidate=SMALL, select=PixelBudget(tokens=64), zoom=PixelBudget(tokens=16))
REAL, FALSE = (SelectImages(), ZoomIn()), (ThumbnailSelect(), ThumbnailZoom())
LARGE = (768, 768)


@pytest.fixture
def bench(drawn: DrawnFolder) -> Bench:
    """Two candidates with noise that no thumbnail keeps."""
    for number in (1, 2):
        noise = np.random.default_rng(number).integers(0, 256, (*LARGE, 3), dtype=np.uint8)
        Image.fromarray(noise).save(drawn.path / f"{number}.png")
    candidates = [drawn.candidate(1), drawn.candidate(2)]
    return Bench(window(candidates, drawn.query()), drawn.store, views=VIEWS, boxes=dialect_named("vretrver").boxes)


def looks(text: str, tools: tuple[Tool, ...], bench: Bench) -> tuple[Look, ...]:
    (call,) = parse_turn(text).calls
    return execute(call, tools, bench).looks


def pixels(look: Look) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(look.shown.picture.data)), dtype=np.float64)


def told(look: Look) -> tuple[object, ...]:
    """Return everything a look says but its pixels."""
    picture = look.shown.picture
    return look.address, look.asked, look.placed, look.image, look.shown.tokens, picture.width, picture.height


@pytest.mark.parametrize("text", [zoom(1, "[400, 300, 500, 400]"), zoom(2, "[0, 0, 10, 10]"), select(2, 1, 2)])
def test_a_false_look_is_a_real_one_in_everything_but_its_pixels(text: str, bench: Bench) -> None:
    real, false = looks(text, REAL, bench), looks(text, FALSE, bench)
    assert len(real) == len(false) > 0
    for one, other in zip(real, false, strict=True):
        assert (one.address, one.asked, one.placed, one.image) == (
            other.address,
            other.asked,
            other.placed,
            other.image,
        )
        assert one.shown.tokens == other.shown.tokens
        assert (one.shown.picture.width, one.shown.picture.height) == (
            other.shown.picture.width,
            other.shown.picture.height,
        )
        assert pixels(one).std() > 1.5 * pixels(other).std()


def test_a_false_look_shows_the_thumbnail_and_nothing_else(bench: Bench) -> None:
    (whole,) = looks(select(1), FALSE, bench)
    with Image.open(io.BytesIO(bench.thumbnail(whole.address).shown.picture.data)) as thumbnail:
        enlarged = np.asarray(thumbnail.resize((256, 256), Image.Resampling.BILINEAR), dtype=np.float64)
    assert np.abs(pixels(whole) - enlarged).mean() < 3
    (part,) = looks(zoom(1, "[500, 500, 1000, 1000]"), FALSE, bench)
    assert np.abs(pixels(part)[::2, ::2][:64, :64].mean() - enlarged[128:, 128:].mean()) < 3


def test_a_false_look_refuses_what_a_real_one_refuses(bench: Bench) -> None:
    for text in (zoom(7, "[0, 0, 10, 10]"), zoom(1, "[10, 10, 5, 5]"), select(0)):
        (call,) = parse_turn(text).calls
        assert execute(call, FALSE, bench).reason == execute(call, REAL, bench).reason is not None


@pytest.mark.parametrize("name", ["vretrver", "released"])
def test_a_dialect_without_evidence_tells_the_model_the_same(name: str) -> None:
    dialect = dialect_named(name)
    blind = without_evidence(dialect)
    assert blind.wording.system(blind.tools) == dialect.wording.system(dialect.tools)
    assert [(tool.name, tool.aliases) for tool in blind.tools] == [
        (tool.name, tool.aliases) for tool in dialect.tools
    ]
    assert {type(tool) for tool in blind.tools} == {ThumbnailZoom, ThumbnailSelect}
