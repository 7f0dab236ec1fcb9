"""Which driver a policy belongs to: completions of two drivers could not be told apart."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

from ..errors import PolicyInUse
from .policy import Policy

if TYPE_CHECKING:
    from .driver import Driver

_LOCK = threading.RLock()
_OWNERS: weakref.WeakValueDictionary[int, Driver[Any]] = weakref.WeakValueDictionary()
"""Identity of the innermost policy -> its driver, which keeps it alive; a driver that is dropped owns nothing."""


def claim(policy: Policy, driver: Driver[Any]) -> None:
    """Give a policy, and the one it wraps, to a driver until it lets go; raises PolicyInUse when another has it."""
    with _LOCK:
        owner = _OWNERS.setdefault(_identity(policy), driver)
    if owner is not driver:
        raise PolicyInUse(
            f"the policy {policy.fingerprint} is in use by another driver; "
            "let that run end or close it, or open a second policy"
        )


def let_go(policy: Policy, driver: Driver[Any]) -> None:
    """Note that a policy belongs to its driver no more; one that belongs to another stays with it."""
    with _LOCK:
        if _OWNERS.get(_identity(policy)) is driver:
            del _OWNERS[_identity(policy)]


def _identity(policy: Any) -> int:
    """Return the identity of the policy that does the work; one that wraps another has it as `inner`."""
    while hasattr(inner := getattr(policy, "inner", None), "collect"):
        policy = inner
    return id(policy)
