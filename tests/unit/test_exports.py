"""Pins the public names: each is in __all__, in order, loadable, and nothing else is."""

from __future__ import annotations

import pytest

import vretrver


def test_all_is_sorted_and_complete() -> None:
    assert vretrver.__all__ == sorted(vretrver.__all__)
    assert set(vretrver.__all__) == set(vretrver._HOMES) | {"__version__"}


@pytest.mark.parametrize("name", vretrver.__all__)
def test_a_public_name_can_be_used(name: str) -> None:
    assert getattr(vretrver, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Rankker'"):
        _ = vretrver.Rankker
