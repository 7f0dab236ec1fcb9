"""The base of policies that wrap another one: every call is handed on, and a subclass changes what it must."""

from __future__ import annotations

from ..agent.policy import Completion, Policy, PolicyLimits, Request


class DelegatingPolicy:
    """A policy that hands every call to another.

    Threads: as of the inner policy; `wake` and `cancel` may be called by any thread.

    Args:
        inner: the policy that is asked; closed with this one.
    """

    def __init__(self, inner: Policy) -> None:
        self.inner = inner

    @property
    def fingerprint(self) -> str:
        """The inner policy's: it decides what is written."""
        return self.inner.fingerprint

    @property
    def revision(self) -> int:
        """The inner policy's."""
        return self.inner.revision

    @property
    def scripted(self) -> bool:
        """The inner policy's."""
        return self.inner.scripted

    @property
    def limits(self) -> PolicyLimits:
        """The inner policy's."""
        return self.inner.limits

    def submit(self, request: Request) -> None:
        """Hand a request on; see `Policy.submit`."""
        self.inner.submit(request)

    def collect(self, *, patience: float | None = None) -> list[Completion]:
        """Return what the inner policy finished; see `Policy.collect`."""
        return self.inner.collect(patience=patience)

    def wake(self) -> None:
        """Wake the inner policy; any thread may call it."""
        self.inner.wake()

    def cancel(self, session: str) -> None:
        """Cancel with the inner policy; any thread may call it."""
        self.inner.cancel(session)

    def release(self, session: str) -> None:
        """Release with the inner policy."""
        self.inner.release(session)

    def close(self) -> None:
        """Close the inner policy."""
        self.inner.close()
