"""Keys of remote services: read from the environment, sent in one header, shown nowhere."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .errors import ConfigError

KEY_VARIABLE = "VRETRVER_API_KEY"
"""Environment variable that holds the key, unless another is named."""


class Secret:
    """A key that stays hidden: `str` and `repr` leave it out, and it cannot be pickled.

    Args:
        variable: environment variable it is read from; unset or empty means that there is no key.

    Raises:
        ConfigError: the value cannot be sent in a header.
    """

    __slots__ = ("_value", "variable")

    def __init__(self, variable: str = KEY_VARIABLE, *, environment: Mapping[str, str] | None = None) -> None:
        value = (os.environ if environment is None else environment).get(variable, "").strip()
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise ConfigError(f"the key in {variable} holds characters that no HTTP header can carry; set it again")
        self.variable = variable
        self._value = value

    def __bool__(self) -> bool:
        """Return whether there is a key."""
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({self.variable!r}, {'set' if self else 'not set'})"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")

    def header(self) -> dict[str, str]:
        """Return the header that carries the key; empty when there is none."""
        return {"authorization": f"Bearer {self._value}"} if self._value else {}

    def removed(self, text: str) -> str:
        """Return a text with the key replaced by `[key]`."""
        return text.replace(self._value, "[key]") if self._value else text
