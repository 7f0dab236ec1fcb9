"""Writes replies a model might write, and damages them: the input of the fuzz, the same for a seed everywhere.

Valid replies come first, because noise alone never gets past the tags; most of what a parser gets wrong is one edit
away from right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from vretrver.prng import Stream

TOKENS = (
    *(
        "<think>",
        "</think>",
        "<tool_call>",
        "</tool_call>",
        "<answer>",
        "</answer>",
        "none ",
        "<|im_end|>",
        "<|image_pad|>",
    ),
    *("[", "]", "{", "}", ",", ":", '"', "\\", "\n", "\x00", "\ud800", "\udfff", "\u2028", "\u0663", "\U0001f600"),
    *("null", "true", "NaN", "-Infinity", "__import__('os')", "../../etc/passwd", '"name": "zoom_in"', "[1, 2]"),
)
"""What is put in somewhere."""

NUMBERS = (
    *("-1", "0", "1", "6", "7", "99", "1000", "1001", "-0", "007", "1.0", "0.5", "1e3", "1e308", "1e999", "-1e308"),
    *("9" * 20, "9" * 4000, "9" * 5000, "true", '"2"', "[2, 2]", "[2, 9]", "[]", "null", "\u0662"),
)
"""What a number is replaced by."""

CALLED = ("zoom_in", "zoom_in", "crop_image", "select_images", "select_images", "read_text", "side_by_side")
"""Tools that are called, each entry as likely; not every dialect has all of them."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def valid_reply(stream: Stream, count: int, *, or_none: bool = False) -> str:
    """Return a reply over `count` candidates that is well-formed: an answer, or one to five calls.

    Args:
        stream: decides everything.
        count: candidates.
        or_none: whether every second answer says that nothing fits.
    """
    think = stream.choice(("", "<think>2 and 5 look alike.</think>", "no opening tag</think>", "<think></think>\n"))
    if stream.below(2):
        numbers = [place + 1 for place in stream.permutation(count)][: stream.between(1, count)]
        none = "none " if or_none and stream.below(2) else ""
        return f"{think}<answer>{none}{numbers}</answer>"
    return think + "".join(_call(stream, count) for _ in range(stream.between(1, 5)))


def _call(stream: Stream, count: int) -> str:
    target = stream.below(count + 1)
    wire = f"[{target}, {stream.between(1, 2)}]" if stream.below(8) == 0 else str(target)
    half = stream.choice((500, 16))  # thousandths, or pixels of a picture of 48 x 32
    box = [stream.below(half), stream.below(half), half + stream.below(half), half + stream.below(half)]
    name = stream.choice(CALLED)
    if name in ("select_images", "side_by_side"):
        arguments = f'{{"target_images": [{wire}, {stream.below(count + 1)}]'
        arguments += f', "bbox_2d": {box}}}' if name == "side_by_side" else "}"
    else:
        arguments = f'{{"target_image": {wire}, "bbox_2d": {box}}}'
    return f'<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'


def mutated_reply(
    stream: Stream, count: int, *, damages: Sequence[int] = (1, 1, 1, 2, 3), or_none: bool = False
) -> str:
    """Return a reply over `count` candidates with one of the numbers of damages, each as likely.

    Damages that leave the text as it was, such as two equal numbers exchanged, are followed by another.
    """
    original = text = valid_reply(stream, count, or_none=or_none)
    wanted = stream.choice(damages)
    done = 0
    while done < wanted or (wanted and text == original):
        text = stream.choice(MUTATIONS)(text, stream) if text else stream.choice(TOKENS)
        done += 1
    return text


def _flip_bits(text: str, stream: Stream) -> str:
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(stream.between(1, 3)):
        data[stream.below(len(data))] ^= 1 << stream.below(8)
    return data.decode("utf-8", "surrogateescape")


def _span(text: str, stream: Stream) -> tuple[int, int]:
    start = stream.below(len(text))
    return start, min(len(text), start + stream.between(1, 30))


def _delete(text: str, stream: Stream) -> str:
    start, stop = _span(text, stream)
    return text[:start] + text[stop:]


def _duplicate(text: str, stream: Stream) -> str:
    start, stop = _span(text, stream)
    return text[:stop] + text[start:stop] * stream.between(1, 3) + text[stop:]


def _truncate(text: str, stream: Stream) -> str:
    return text[: stream.below(len(text))]


def _insert(text: str, stream: Stream) -> str:
    at = stream.below(len(text) + 1)
    return text[:at] + stream.choice(TOKENS) + text[at:]


def _splice(text: str, stream: Stream) -> str:
    other = valid_reply(stream, 6)
    return text[: stream.below(len(text))] + other[stream.below(len(other)) :]


def _nest(text: str, stream: Stream) -> str:
    """Wrap a number in brackets or objects, up to 3,000 deep; the JSON around it stays valid."""
    match = stream.choice(list(_NUMBER.finditer(text)) or [None])
    start, stop = (len(text), len(text)) if match is None else match.span()
    depth = stream.choice((1, 2, 20, 40, 250, 3000))
    opening, closing = stream.choice((("[", "]"), ('{"a":', "}")))
    return f"{text[:start]}{opening * depth}{text[start:stop]}{closing * depth}{text[stop:]}"


def _replace_number(text: str, stream: Stream) -> str:
    found = list(_NUMBER.finditer(text))
    if not found:
        return text + stream.choice(NUMBERS)
    match = stream.choice(found)
    return text[: match.start()] + stream.choice(NUMBERS) + text[match.end() :]


def _swap_numbers(text: str, stream: Stream) -> str:
    """Exchange two numbers: boxes are inverted, targets and edges trade places."""
    found = list(_NUMBER.finditer(text))
    if len(found) < 2:
        return text
    first, second = sorted((stream.choice(found), stream.choice(found)), key=lambda match: match.start())
    if first.start() == second.start():
        return text
    between = text[first.end() : second.start()]
    return text[: first.start()] + second.group() + between + first.group() + text[second.end() :]


MUTATIONS: tuple[Callable[[str, Stream], str], ...] = (
    _flip_bits,
    _delete,
    _duplicate,
    _truncate,
    _insert,
    _splice,
    _nest,
    _replace_number,
    _replace_number,
    _swap_numbers,
)
"""The damages, each as likely; numbers are where most rules are."""
