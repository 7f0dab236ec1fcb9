"""One window of a query: how it ended, its turns, the candidates as they were numbered, and the record's facts."""

from __future__ import annotations

from collections.abc import Mapping

from ..agent.answers import Verdict
from ..agent.policy import Sampling
from ..agent.trajectory import STOPS, PictureShown, Trajectory
from ..records import Candidate
from .markup import Markup, breakable, element
from .shorthand import is_shorthand, legend
from .tiles import PageContext, tile
from .turns import turn_section
from .words import counted, failure, nothing_fits, places


def window_section(
    trajectory: Trajectory,
    number: int,
    windows: int,
    candidates: Mapping[str, Candidate],
    page: PageContext,
    *,
    explained: bool,
    folded: bool = False,
) -> Markup:
    """Return window `number` (from 1) of `windows`; open when it is the only one, looked at something, or failed.

    Args:
        trajectory: its record.
        number: its number.
        windows: how many the query has.
        candidates: did -> candidate, of the query.
        page: what it is drawn with.
        explained: whether the legend of a shorthand is open.
        folded: whether it is closed unless it failed, where the page has said already what was found.
    """
    failed = trajectory.ranking is None
    refused = sum(call.outcome == "refused" for turn in trajectory.turns for call in turn.calls)
    title = "Looks" if windows == 1 else f"Window {number} of {windows}"
    none_fits = trajectory.verdict is Verdict.NOTHING_FITS
    stop = trajectory.stop.name.replace("_", " ").lower()
    return element(
        "details",
        element(
            "summary",
            element("h3", title),
            element("span", places(trajectory), class_="aside"),
            element("span", f"failed: {stop}" if failed else stop, class_="badge bad" if failed else "badge good"),
            element("span", "nothing fits", class_="badge plain") if none_fits else None,
            element("span", "forced", class_="badge plain") if trajectory.forced else None,
            element("span", counted(trajectory.looks, "look"), class_="aside"),
            element("span", f"{refused} refused", class_="aside") if refused else None,
        ),
        _failed(trajectory, number, windows) if failed else None,
        element("p", nothing_fits(trajectory, window=number, windows=windows), class_="problem")
        if none_fits
        else None,
        element("p", "The answer was given only when it was asked for.", class_="aside")
        if trajectory.forced
        else None,
        legend(unfolded=explained) if is_shorthand(trajectory) else None,
        [turn_section(trajectory, index, page) for index in range(len(trajectory.turns))],
        _numbering(trajectory, candidates, page),
        _record(trajectory),
        class_="window",
        open=failed or (not folded and (windows == 1 or trajectory.looks > 0)),
    )


def _failed(trajectory: Trajectory, number: int, windows: int) -> Markup:
    words = f" Cause: {trajectory.failure.words.rstrip('.')}." if trajectory.failure else ""
    text = f"{failure(trajectory, window=number, windows=windows)} {STOPS[trajectory.stop]}{words}"
    return element("p", text, class_="alert", dir="auto")


def _numbering(trajectory: Trajectory, candidates: Mapping[str, Candidate], page: PageContext) -> Markup:
    """Return the candidates under the numbers the model knew them by."""
    cells = [
        element(
            "li",
            element("span", str(number), class_="rank"),
            tile(candidates[did], page) if did in candidates else None,
            element("span", breakable(page.names.short(did)), class_="name", dir="auto"),
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
    step, failure_ = trajectory.step, trajectory.failure
    estimated = any(turn.usage.estimated for turn in trajectory.turns)
    seconds = sum(turn.seconds for turn in trajectory.turns)
    return [
        ("verdict", trajectory.verdict.value.replace("_", " ")),
        ("stop reason", f"{trajectory.stop.name}: {STOPS[trajectory.stop]}"),
        *([("failure", failure_.kind.value.replace("_", " "))] if failure_ else []),
        ("policy", f"{trajectory.policy}, revision {trajectory.revision}"),
        ("turns", str(len(trajectory.turns))),
        ("looks carried out", str(trajectory.looks)),
        ("tokens of the conversation", f"{trajectory.tokens:,}{' (estimated)' if estimated else ''}"),
        ("visual tokens", f"{trajectory.visual_tokens:,}"),
        *_shown(trajectory),
        ("seconds", f"{seconds:.2f}"),
        ("window", f"{places(trajectory)}, window {step.index + 1} of {step.plan}, round {step.round + 1}"),
        ("session", trajectory.session),
        *([("random stream", trajectory.stream)] if trajectory.stream else []),
        ("dialect", f"{trajectory.dialect}, answers of the form {trajectory.form}"),
        ("sampling", _sampling(trajectory.sampling)),
        ("prompt sha256", trajectory.prompt_sha256),
        ("configuration sha256", trajectory.config),
        ("schema", str(trajectory.schema)),
    ]


def _shown(trajectory: Trajectory) -> list[tuple[str, str]]:
    """Return how many pictures and texts the model was shown."""
    pictures = [shown for shown in trajectory.shown if isinstance(shown, PictureShown)]
    asked, texts = len(trajectory.pictures), len(trajectory.shown) - len(pictures)
    gone = sum(picture.refused is not None for picture in pictures)
    counts = f"{asked:,} in the prompt, {len(pictures) - asked:,} from looks"
    return [
        ("pictures shown", f"{counts}, {gone:,} not available" if gone else counts),
        ("pixels shown", f"{sum(picture.width * picture.height for picture in pictures):,}"),
        *([("texts read", f"{texts:,}")] if texts else []),
    ]


def _sampling(sampling: Sampling) -> str:
    drawn = (
        "greedy" if sampling.temperature == 0 else f"temperature {sampling.temperature:g}, top_p {sampling.top_p:g}"
    )
    return f"{drawn}, at most {sampling.max_tokens:,} tokens a turn, seed {sampling.seed}"
