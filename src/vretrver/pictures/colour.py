"""Colours as in sRGB, whatever space a picture was saved in, through its embedded profile (LittleCMS, in Pillow).

A picture without a profile is taken for sRGB, and one whose profile is damaged or does not fit its pixels likewise:
a profile says how colours look and never decides whether a picture is shown. Grey levels of 16 bits are left alone.
"""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

SAME = 2
"""Levels of 255 by which a profile may differ from sRGB and count as sRGB: its pixels are then left as they are."""

_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Colour space as a profile names it -> Pillow's mode of such pixels."""

_GREY = ("1", "L", "LA", "La")
_FITTING = {"RGB": (*_GREY, "P", "PA", "RGB", "RGBA", "RGBa", "RGBX"), "L": _GREY, "CMYK": ("CMYK",)}
"""Colours a profile describes -> modes of the pictures it can belong to."""

_STEPS = range(0, 256, 51)


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a decoded picture with its colours in sRGB; alpha is kept.

    Args:
        image: the picture; left alone.
        profile: the ICC profile embedded in its file.
    """
    transform = _transform(profile) if profile else None
    if transform is None or image.mode not in _FITTING[transform.input_mode]:
        return image
    try:
        return _converted(image, transform)
    except (ImageCms.PyCMSError, ValueError):
        return image


def _converted(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    """Convert the colours of a picture that may be transparent."""
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        colours = layer.convert("RGB").convert(transform.input_mode)
        shown = ImageCms.applyTransform(colours, transform) or colours.convert("RGB")
        shown.putalpha(layer.getchannel("A"))
        return shown
    colours = image.convert(transform.input_mode)
    return ImageCms.applyTransform(colours, transform) or colours


@lru_cache(maxsize=32)
def _transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """Return the way from a profile to sRGB; None where the profile cannot be used, or is that of sRGB."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _SPACES.get(source.profile.xcolor_space.strip())
        if mode is None:
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if _changes_nothing(transform) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Say whether colours spread over the whole space stay where they are."""
    if transform.input_mode == "CMYK":
        return False
    if transform.input_mode == "L":
        probe = Image.frombytes("L", (256, 1), bytes(range(256)))
    else:
        cube = bytes(level for r in _STEPS for g in _STEPS for b in _STEPS for level in (r, g, b))
        probe = Image.frombytes("RGB", (len(cube) // 3, 1), cube)
    shown = ImageCms.applyTransform(probe, transform)
    if shown is None:
        return False
    before, after = probe.convert("RGB").tobytes(), shown.tobytes()
    return all(abs(one - other) <= SAME for one, other in zip(before, after, strict=True))
