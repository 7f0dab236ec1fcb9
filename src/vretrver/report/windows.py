"""One window of a query: how it ended, its turns, the candidates as they were numbered, and the record's facts."""

from __future__ import annotations

from collections.abc import Mapping

from ..agent.policy import Sampling
from ..agent.trajectory import Trajectory
from ..records import Candidate
from .markup import Markup, element
from .tiles import Desk, tile
from .turns import turn_section
from .words import STOPS, counted, failure, places


def window_section(
    trajectory: Trajectory, number: int, windows: int, candidates: Mapping[str, Candidate], desk: Desk
) -> Markup:
    """Return window `number` (from 1) of `windows`; open when it is the only one, looked at something, or failed."""
    failed = trajectory.ranking is None
    refused = sum(call.outcome == "refused" for turn in trajectory.turns for call in turn.calls)
    title = "Looks" if windows == 1 else f"Window {number} of {windows}"
    verdict = trajectory.stop.name.replace("_", " ").lower()
    return element(
        "details",
        element(
            "summary",
            element("h3", title),
            element("span", places(trajectory), class_="aside"),
            element(
                "span", f"failed: {verdict}" if failed else verdict, class_="badge bad" if failed else "badge good"
            ),
            element("span", "forced", class_="badge plain") if trajectory.forced else None,
            element("span", counted(trajectory.looks, "look"), class_="aside"),
            element("span", f"{refused} refused", class_="aside") if refused else None,
        ),
        _failed(trajectory, number, windows) if failed else None,
        element("p", "The answer was given only when it was asked for.", class_="aside")
        if trajectory.forced
        else None,
        [turn_section(trajectory, index, desk) for index in range(len(trajectory.turns))],
        _numbering(trajectory, candidates, desk),
        _record(trajectory),
        class_="window",
        open=failed or windows == 1 or trajectory.looks > 0,
    )


def _failed(trajectory: Trajectory, number: int, windows: int) -> Markup:
    error = f" {trajectory.error}." if trajectory.error else ""
    text = f"{failure(trajectory, window=number, windows=windows)} {STOPS[trajectory.stop]}{error}"
    return element("p", text, class_="alert", dir="auto")


def _numbering(trajectory: Trajectory, candidates: Mapping[str, Candidate], desk: Desk) -> Markup:
    """Return the candidates under the numbers the model knew them by."""
    cells = [
        element(
            "li",
            element("span", str(number), class_="rank"),
            tile(candidates[did], desk) if did in candidates else None,
            element("span", desk.names.short(did), class_="name", dir="auto"),
        )
        for number, did in enumerate(trajectory.candidates, start=1)
    ]
    return element(
        "details",
        element("summary", "Candidates as the agent saw them numbered"),
        element("ol", cells, class_="strip small"),
        class_="more",
    )


def _record(trajectory: Trajectory) -> Markup:
    rows = [(element("dt", name), element("dd", value, dir="auto")) for name, value in _facts(trajectory)]
    return element(
        "details",
        element("summary", "Record"),
        element("dl", [part for row in rows for part in row], class_="facts"),
        class_="more",
    )


def _facts(trajectory: Trajectory) -> list[tuple[str, str]]:
    step = trajectory.step
    estimated = any(turn.usage.estimated for turn in trajectory.turns)
    looked = [observation for turn in trajectory.turns for observation in turn.observations]
    pixels = sum(record.width * record.height for record in trajectory.pictures)
    pixels += sum(observation.width * observation.height for observation in looked)
    seconds = sum(turn.seconds for turn in trajectory.turns)
    gone = sum(record.refused is not None for record in trajectory.pictures)
    pictures = f"{len(trajectory.pictures):,} in the prompt, {len(looked):,} from looks"
    return [
        ("stop reason", f"{trajectory.stop.name}: {STOPS[trajectory.stop]}"),
        ("policy", trajectory.policy),
        ("turns", str(len(trajectory.turns))),
        ("looks carried out", str(trajectory.looks)),
        ("tokens of the conversation", f"{trajectory.tokens:,}{' (estimated)' if estimated else ''}"),
        ("visual tokens", f"{trajectory.visual_tokens:,}"),
        ("pictures shown", f"{pictures}, {gone:,} not available" if gone else pictures),
        ("pixels shown", f"{pixels:,}"),
        ("seconds", f"{seconds:.2f}"),
        ("window", f"{places(trajectory)}, step {step.index} of {step.schedule}"),
        ("session", trajectory.session),
        ("dialect", trajectory.dialect),
        ("sampling", _sampling(trajectory.sampling)),
        ("prompt sha256", trajectory.prompt_sha256),
        ("configuration sha256", trajectory.config),
        ("schema", str(trajectory.schema)),
    ]


def _sampling(sampling: Sampling) -> str:
    drawn = (
        "greedy" if sampling.temperature == 0 else f"temperature {sampling.temperature:g}, top_p {sampling.top_p:g}"
    )
    return f"{drawn}, at most {sampling.max_tokens:,} tokens a turn, seed {sampling.seed}"
