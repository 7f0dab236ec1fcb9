"""Measures the local policy: against stock transformers, without its cache, alone; and queries a second on a model.

Run as `python -m measure local_policy [--model FOLDER]`; it writes measure/results/local_policy.json. The first
part runs a random-weight model of a hundred million parameters, the second the drawn catalogue over a model folder.
On a GPU add `--device cuda --at-once 16 --out FILE`: another result, not to be mixed with that of two cores.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from measure.envelope import RESULTS, envelope, write_result
from measure.local_policy_catalogue import queries_a_second
from measure.local_policy_world import FULL, HUNDRED, SMALL, Load, build_model, load_json, opening, reply
from vretrver.agent.messages import Message
from vretrver.agent.policy import Completion, Request, Sampling
from vretrver.models.conversation import encode
from vretrver.models.loading import LocalModel, load_model
from vretrver.models.patches import decoded
from vretrver.models.processor import open_processor
from vretrver.models.vision import Vision
from vretrver.policies.local.policy import LocalPolicy
from vretrver.world.tiny.config import TinySize

QUERIES = 4
"""Queries at once, unless told otherwise."""

Talk = tuple[str, tuple[Message, ...], tuple[Message, ...]]
"""Name, opening, and the observations that follow its turns."""


def distinct(load: Load, count: int) -> list[Talk]:
    """Return queries over pictures of their own: nothing is shared between them."""
    return [_talk(load, name, range(1000 * name + 1, 1000 * name + 1 + load.candidates)) for name in range(count)]


def pooled(load: Load, count: int) -> list[Talk]:
    """Return queries over the same candidates in another order, as queries about like things are."""
    numbers = list(range(1, load.candidates + 1))
    return [_talk(load, name, numbers[name:] + numbers[:name]) for name in range(count)]


def _talk(load: Load, name: int, candidates: Sequence[int]) -> Talk:
    looks = tuple(reply(load, 1000 * name + 900 + turn) for turn in range(len(load.turns) - 1))
    return str(name), opening(load, 1000 * name + 999, candidates), looks


def run_stock(model: LocalModel, talks: Sequence[Talk], load: Load) -> float:
    """Return seconds a query of stock transformers: one at a time, every turn reads the whole conversation again."""
    processor = open_processor(model.folder.path, model.folder.family).image_processor
    started = time.monotonic()
    for _, first, looks in talks:
        messages, sampled = list(first), dict[int, list[int]]()
        for turn, most in enumerate(load.turns):
            whole = encode(messages, model.vocabulary, model.folder.geometry, sampled=sampled)
            images = [Image.fromarray(decoded(picture.picture.data)) for picture in whole.pictures]
            ids = torch.tensor([whole.ids], device=model.device)
            marks = (ids == model.vocabulary.picture_pad).int()
            pixels = processor(images=images, return_tensors="pt")
            written = _generated(model, ids, marks, pixels, most)
            sampled[len(messages)] = written
            messages += [Message(role="assistant", pieces=("",)), *looks[turn : turn + 1]]
    return (time.monotonic() - started) / len(talks)


def _generated(model: LocalModel, ids: torch.Tensor, marks: torch.Tensor, pixels: Any, most: int) -> list[int]:
    out = model.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        mm_token_type_ids=marks,
        pixel_values=pixels["pixel_values"].to(model.device, model.dtype),
        image_grid_thw=pixels["image_grid_thw"].to(model.device),
        max_new_tokens=most,
        min_new_tokens=most,
        do_sample=False,
        suppress_tokens=model.vocabulary.never_written(model.outputs),
    )
    written: list[int] = out[0, ids.shape[1] :].tolist()
    return written


def run_cached(model: LocalModel, talks: Sequence[Talk], load: Load, *, at_once: bool = True) -> float:
    """Return seconds a query of the local policy, all at once or one after the other."""
    policy = LocalPolicy(_forgetful(model))
    started = time.monotonic()
    for group in [talks] if at_once else [[talk] for talk in talks]:
        for name, first, _ in group:
            policy.submit(_request(name, first, load, 0))
        for turn in range(len(load.turns)):
            _collect(policy, len(group), load.turns[turn])
            for name, _, looks in group:
                if turn < len(looks):
                    policy.submit(_request(name, (looks[turn],), load, turn + 1))
        for name, _, _ in group:
            policy.release(name)
    return (time.monotonic() - started) / len(talks)


def run_uncached(model: LocalModel, talks: Sequence[Talk], load: Load) -> float:
    """Return seconds a query of the local policy, all at once, when nothing is kept between turns.

    What was written is read again as text, which may be a few ids more or fewer than were sampled.
    """
    started = time.monotonic()
    texts: dict[str, list[Message]] = {name: list(first) for name, first, _ in talks}
    for turn in range(len(load.turns)):
        policy = LocalPolicy(_forgetful(model))
        for name, messages in texts.items():
            policy.submit(_request(name, messages, load, turn))
        done = {completion.session: completion for completion in _collect(policy, len(talks), load.turns[turn])}
        for name, _, looks in talks:
            written = Message(role="assistant", pieces=(done[name].text,))
            texts[name] += [written, *looks[turn : turn + 1]]
    return (time.monotonic() - started) / len(talks)


def run_samples(model: LocalModel, talk: Talk, load: Load, count: int) -> float:
    """Return seconds a session of several that start after one opening, as the rollouts of a group do."""
    policy = LocalPolicy(_forgetful(model))
    _, first, looks = talk
    names = tuple(str(number) for number in range(count))
    started = time.monotonic()
    policy.submit(Request(session="opening", messages=first, sampling=Sampling(), read_only=True))
    _collect(policy, 1, 0)
    for name in names:
        policy.submit(replace(_request(name, (), load, 0), after="opening"))
    for turn in range(len(load.turns)):
        _collect(policy, count, load.turns[turn])
        if turn < len(looks):
            for name in names:
                policy.submit(_request(name, (looks[turn],), load, turn + 1))
    return (time.monotonic() - started) / count


def _request(name: str, messages: Sequence[Message], load: Load, turn: int) -> Request:
    return Request(session=name, messages=tuple(messages), sampling=Sampling(max_tokens=load.turns[turn]))


def _collect(policy: LocalPolicy, count: int, tokens: int) -> list[Completion]:
    """Collect turns and see that each has the tokens that were meant: arms must do the same work."""
    done: list[Completion] = []
    while len(done) < count:
        done += policy.collect()
    for completion in done:
        if len(completion.token_ids or ()) != tokens:
            raise RuntimeError(
                f"a turn has {len(completion.token_ids or ())} tokens, not {tokens}: {completion.failure}"
            )
    return done


def _forgetful(model: LocalModel) -> LocalModel:
    """Return the model with a memory of pictures in which there is none yet."""
    return replace(model, vision=Vision(model.model.model.visual, model.folder.geometry))


def compare(size: TinySize, load: Load, *, queries: int = QUERIES, device: str = "cpu") -> dict[str, object]:
    """Run every arm and return seconds a query and their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        parameters = build_model(Path(folder), size)
        return {"parameters": parameters, **_compared(load_model(folder, device=device), load, queries)}


def _compared(model: LocalModel, load: Load, queries: int) -> dict[str, object]:
    own, pool = distinct(load, queries), pooled(load, queries)
    arms: dict[str, Callable[[], float]] = {
        "stock, one at a time": lambda: run_stock(model, own[:1], load),
        "own pictures, no cache, one at a time": lambda: run_uncached(model, own[:1], load),
        "own pictures, no cache between turns": lambda: run_uncached(model, own[: max(queries // 2, 1)], load),
        "own pictures, one at a time": lambda: run_cached(model, own[:2], load, at_once=False),
        "own pictures": lambda: run_cached(model, own, load),
        "one pool of candidates": lambda: run_cached(model, pool, load),
        "samples of one query": lambda: run_samples(model, own[0], load, queries),
    }
    warm = SMALL if model.device.type == "cpu" else load  # a GPU also sets itself up for shapes it has not met
    for arm in (run_stock, run_cached):  # so that no arm below pays for what is loaded once
        arm(model, distinct(warm, 1), warm)
    seconds = {name: round(arm(), 3) for name, arm in arms.items()}
    stock, mine = seconds["stock, one at a time"], seconds["own pictures"]
    return {
        "load": load_json(load),
        "queries_at_once": queries,
        "device": _device_name(model),
        "threads": torch.get_num_threads(),
        "seconds_a_query": seconds,
        "stock_over": {name: round(stock / spent, 2) for name, spent in seconds.items()},
        "no_cache_over_own_pictures": round(seconds["own pictures, no cache between turns"] / mine, 2),
        "one_at_a_time_over_own_pictures": round(seconds["own pictures, one at a time"] / mine, 2),
        "neither_over_own_pictures": round(seconds["own pictures, no cache, one at a time"] / mine, 2),
    }


def _device_name(model: LocalModel) -> str:
    return torch.cuda.get_device_name() if model.device.type == "cuda" else model.device.type


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS / "local_policy.json")
    parser.add_argument("--model", type=Path, help="a model folder for the second part")
    parser.add_argument(
        "--queries", type=int, default=128, help="queries of the second part, for each number at once"
    )
    parser.add_argument("--device", default="cpu", help="as torch names it; cuda for a GPU")
    parser.add_argument("--at-once", type=int, default=QUERIES, help="queries of the first part, all at once")
    parser.add_argument("--small", action="store_true", help="only try the benchmark out")
    arguments = parser.parse_args()
    size = TinySize() if arguments.small else HUNDRED
    load = SMALL if arguments.small else FULL
    compared = compare(size, load, queries=arguments.at_once, device=arguments.device)
    result: dict[str, object] = {"against_stock": compared}
    if arguments.model is not None:
        result["queries_a_second"] = queries_a_second(
            arguments.model, queries=arguments.queries, device=arguments.device
        )
    versions = {"torch": torch.__version__}
    write_result(arguments.out, envelope("local_policy") | {"libraries": versions} | result)
