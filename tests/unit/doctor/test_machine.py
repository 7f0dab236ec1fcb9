"""Pins what is said of devices, and that a picture goes through the code that every picture takes."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vretrver.doctor import machine
from vretrver.doctor.findings import Severity
from vretrver.doctor.machine import check_machine, devices_of


def torch_with(*devices: Any, cuda: str | None = "13.0", mps: bool = False) -> Any:
    """Return what stands in for torch."""
    return SimpleNamespace(
        __version__="2.13.0",
        version=SimpleNamespace(cuda=cuda),
        cuda=SimpleNamespace(
            is_available=lambda: bool(devices),
            device_count=lambda: len(devices),
            get_device_properties=lambda number: devices[number],
        ),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
        get_num_threads=lambda: 2,
    )


def device(name: str, gigabytes: int, major: int) -> Any:
    return SimpleNamespace(name=name, total_memory=gigabytes * 10**9, major=major)


def said(torch: Any, *, driver: bool = False) -> list[tuple[Severity, str]]:
    return [(finding.severity, finding.sentence) for finding in devices_of(torch, driver=driver)]


def test_every_accelerator_is_named_with_its_memory() -> None:
    assert said(torch_with(device("A100", 80, 8), device("T4", 16, 7)), driver=True) == [
        (Severity.OK, "cuda:0 is A100, 80.0 GB, with bfloat16"),
        (Severity.WARNING, "cuda:1 is T4, 16.0 GB, without bfloat16: use float16"),
    ]


def test_a_driver_that_torch_cannot_use_is_warned_of() -> None:
    remedy = "install torch for this driver's CUDA"
    assert said(torch_with(cuda=None), driver=True) == [
        (Severity.WARNING, f"there is an NVIDIA driver and torch 2.13.0 is a CPU build; {remedy}")
    ]
    assert said(torch_with(), driver=True) == [
        (Severity.WARNING, f"there is an NVIDIA driver and torch 2.13.0 cannot use it; {remedy}")
    ]


def test_a_machine_without_accelerator_is_no_fault() -> None:
    assert said(torch_with()) == [(Severity.NOTE, "torch 2.13.0 computes on the CPU only (2 threads)")]
    assert said(torch_with(mps=True)) == [(Severity.OK, "torch 2.13.0 computes on Apple's mps")]


def test_a_drawn_picture_is_read_reduced_and_encoded(tmp_path: Path) -> None:
    findings = {finding.subject: finding for finding in check_machine(tmp_path)}
    assert list(findings) == ["python", "machine", "pictures", "one picture"]
    assert findings["one picture"].severity is Severity.OK
    assert findings["one picture"].sentence.startswith("640 x 480 read, reduced to 288 x 224, encoded as ")


def test_a_disk_that_is_nearly_full_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(total=10**12, used=10**12, free=5 * 10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    finding = machine._check_disk(tmp_path)
    assert finding.severity is Severity.WARNING
    assert "0.5 GB free" in finding.sentence
    assert "make room" in finding.sentence
