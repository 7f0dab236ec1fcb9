"""The evidence behind a ranking: what of each candidate was looked at, where that is, and what was read there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..agent.reranked import Reranked
from ..agent.trajectory import CutRecord, PictureShown, TextShown
from ..geometry import Box
from ..images import LOOK_QUALITY, Pictures, encode_picture
from ..records import ImageRef

_NOWHERE = ImageRef(path="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One look at a candidate."""

    box: tuple[int, int, int, int] | None
    """(left, top, right, bottom) in pixels of the upright original; None for the whole picture."""
    picture: int
    """The picture of the candidate, from 1."""
    text: str = ""
    """What was read there, a line each with its box in thousandths of the picture; empty where pixels were looked
    at."""
    image: ImageRef = field(default=_NOWHERE, compare=False)
    """The picture itself, with its size."""

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) as shares of the picture's width and height, from 0 to 1."""
        if self.box is None or not self.image.width or not self.image.height:
            return 0.0, 0.0, 1.0, 1.0
        (left, top, right, bottom), width, height = self.box, self.image.width, self.image.height
        return left / width, top / height, right / width, bottom / height

    def jpeg(self, images: Pictures, *, longest: int = 1024) -> bytes:
        """Return what was looked at as a JPEG, cut from the original.

        Args:
            images: where the picture is read: that of the corpus or of the agent.
            longest: pixels of the longer side, at most; nothing is enlarged.

        Raises:
            PictureError: the picture is gone, has changed, or cannot be read.
        """
        image = images.pin(self.image)
        left, top, right, bottom = self.box or (0, 0, image.width or 1, image.height or 1)
        box = Box(left=left, top=top, right=right, bottom=bottom)
        scale = min(1.0, longest / max(box.width, box.height))
        size = max(1, round(box.width * scale)), max(1, round(box.height * scale))
        return encode_picture(images.crop(image, box, size), quality=LOOK_QUALITY).data


def evidence_of(reranked: Reranked) -> dict[str, list[Evidence]]:
    """Return what calls looked at: did -> looks in order, the same region of a picture once; others are left out."""
    found: dict[str, dict[tuple[object, ...], Evidence]] = {}
    for trajectory in reranked.trajectories:
        for shown in trajectory.shown:
            refused = isinstance(shown, PictureShown) and shown.refused is not None
            if shown.turn is None or refused:
                continue
            text = shown.text.strip("\n") if isinstance(shown, TextShown) else ""
            for cut in shown.cuts:
                if cut.did is not None:
                    look = _look(cut, text)
                    looks = found.setdefault(cut.did, {})
                    before = looks.get((look.picture, look.box))
                    looks[look.picture, look.box] = (
                        look if before is None else replace(before, text=before.text or text)
                    )
    return {did: list(looks.values()) for did, looks in found.items()}


def _look(cut: CutRecord, text: str) -> Evidence:
    return Evidence(box=cut.box, picture=cut.picture, text=text, image=cut.image)
