"""What the machine offers: Python, processors, memory, disk, accelerators, and whether pictures can be read."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, features

from ..errors import PictureError
from ..geometry import PixelBudget
from ..images import THUMBNAIL_QUALITY, ImageStore
from ..records import ImageRef
from .findings import Finding, note, ok, warning, wrong

LEAST_DISK = 2**30
"""Free bytes below which an index or a trace may not fit."""

_CODECS = {"jpg": "JPEG", "zlib": "PNG", "webp": "WebP", "libtiff": "compressed TIFF"}


def check_machine(folder: Path) -> Iterator[Finding]:
    """Check Python, the machine, and that a picture can be read; results would be written below `folder`."""
    yield ok("python", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    yield _check_disk(folder)
    yield _check_codecs()
    yield _check_one_picture()


def _check_disk(folder: Path) -> Finding:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free = shutil.disk_usage(folder).free
    sentence = f"{cores} processors, {memory:.1f} GB of memory, {free / 1e9:.1f} GB free on the disk of {folder}"
    if free < LEAST_DISK:
        return warning("machine", f"{sentence}; a trace or an index may not fit, make room")
    return ok("machine", sentence)


def _check_codecs() -> Finding:
    missing = [name for codec, name in _CODECS.items() if not features.check(codec)]
    if missing:
        return warning(
            "pictures", f"Pillow was built without {', '.join(missing)}; install its wheel: pip install -U pillow"
        )
    return ok("pictures", f"Pillow reads {', '.join(_CODECS.values())}")


def _check_one_picture() -> Finding:
    """Send a drawn picture through the code that every picture takes."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        Image.linear_gradient("L").resize((640, 480)).convert("RGB").save(Path(folder) / "drawn.jpg")
        store = ImageStore({"": folder})
        try:
            picture = store.whole(store.pin(ImageRef(path="drawn.jpg")), PixelBudget(), quality=THUMBNAIL_QUALITY)
        except PictureError as error:
            return wrong("one picture", f"{error}; install Pillow's wheel: pip install -U pillow")
    spent = (time.perf_counter() - started) * 1000
    shown = f"{picture.width} x {picture.height}"
    return ok(
        "one picture", f"640 x 480 read, reduced to {shown}, encoded as {len(picture.data)} bytes: {spent:.0f} ms"
    )


def check_devices() -> Iterator[Finding]:
    """Check what torch, where it is installed, can compute on."""
    if importlib.util.find_spec("torch") is None:
        yield note("devices", "torch is not installed: no models in this process; scripted and remote ones need none")
        return
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        yield wrong("devices", f"torch is installed and does not load ({error}); install a build for this machine")
        return
    yield from devices_of(torch, driver=shutil.which("nvidia-smi") is not None)


def devices_of(torch: Any, *, driver: bool) -> Iterator[Finding]:
    """Say what a torch module can compute on.

    Args:
        torch: the module.
        driver: whether the machine has the driver of an NVIDIA accelerator.
    """
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            device = torch.cuda.get_device_properties(number)
            memory = f"{device.total_memory / 1e9:.1f} GB"
            if device.major < 8:
                yield warning("devices", f"cuda:{number} is {device.name}, {memory}, without bfloat16: use float16")
            else:
                yield ok("devices", f"cuda:{number} is {device.name}, {memory}, with bfloat16")
    elif driver:
        build = f"torch {torch.__version__} " + ("cannot use it" if torch.version.cuda else "is a CPU build")
        yield warning("devices", f"there is an NVIDIA driver and {build}; install torch for this driver's CUDA")
    elif torch.backends.mps.is_available():
        yield ok("devices", f"torch {torch.__version__} computes on Apple's mps")
    else:
        threads = torch.get_num_threads()
        yield note("devices", f"torch {torch.__version__} computes on the CPU only ({threads} threads)")
