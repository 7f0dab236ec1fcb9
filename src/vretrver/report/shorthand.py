"""The shorthand of the small agent that ships with the package, explained where it was written and nowhere else.

The agent repeats what the scripted expert taught it (`world/expert/speech.py`): a line of what is wanted, a line for
each candidate, then what the labels show, mark by mark.
"""

from __future__ import annotations

import re

from ..agent.trajectory import Trajectory
from .markup import Markup, element

_WANT = re.compile(r"^Want .+\.$", re.MULTILINE)
_CANDIDATE = re.compile(r"^[0-9]+ [a-z ]+ (?:yes|no)$", re.MULTILINE)

_MEANINGS = (
    ("Want ...", "what the query asks for: colour, pattern, thing, ground, and the marks on its label."),
    ("4 red striped mug wood yes", "candidate 4 has all of that, as far as its thumbnail shows."),
    ("6 brown no", "candidate 6 differs: the last word named is the one that does not fit."),
    ("Undecided 1, 2", "thumbnails cannot tell these apart, so their labels are looked at."),
    (
        "2 leaf leaf+ square ring-",
        "the label of candidate 2: each mark that is wanted, the mark seen, then + if they are the same, - if not.",
    ),
    ("code A= A+7=9-", "the same for a code: A was wanted and seen, 7 was wanted and 9 seen."),
    ("2 match", "candidate 2 agrees in every mark."),
)


def is_shorthand(trajectory: Trajectory) -> bool:
    """Say whether a model in this process wrote a window in the shipped agent's shorthand."""
    if not trajectory.turns or not trajectory.policy.startswith("local:"):
        return False
    first = trajectory.turns[0].text.replace("<think>", "", 1)
    return bool(_WANT.search(first) and _CANDIDATE.search(first))


def legend(*, unfolded: bool) -> Markup:
    """Return what the shorthand means, as a list that can be opened."""
    rows = [(element("dt", element("code", written)), element("dd", meaning)) for written, meaning in _MEANINGS]
    return element(
        "details",
        element("summary", "How to read the agent's shorthand"),
        element("dl", [part for row in rows for part in row], class_="facts"),
        class_="more legend",
        open=unfolded,
    )
