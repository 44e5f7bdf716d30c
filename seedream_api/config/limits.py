"""Limits of what a run, a day and a month may spend: ``40``, ``40 images`` or ``12.50 CNY``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from ..errors import ConfigurationError
from ..messages import Text

_LIMIT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(?: *(images?|[A-Za-z]{3}))?")
LIMIT_SETTINGS: Mapping[str, str] = MappingProxyType({
    "run": "SEEDREAM_LIMIT_RUN",
    "day": "SEEDREAM_LIMIT_DAY",
    "month": "SEEDREAM_LIMIT_MONTH",
})  # fmt: skip
"""The setting of each limit, by its window."""


@dataclass(frozen=True)
class Limit:
    """The most that may be spent: images, or money in a currency."""

    amount: Decimal
    currency: str = ""
    """Empty: the amount counts images."""

    def __str__(self) -> str:
        """The spelling that the setting has."""
        return f"{self.amount:f} {self.currency or 'images'}"


@dataclass(frozen=True)
class Limits:
    """The limits of a run (one ComfyUI prompt, one command), a local day and a local month."""

    run: Limit | None = None
    day: Limit | None = None
    month: Limit | None = None

    def __iter__(self) -> Iterator[tuple[str, Limit]]:
        """List the limits that are set, by window."""
        for window in LIMIT_SETTINGS:
            limit: Limit | None = getattr(self, window)
            if limit is not None:
                yield window, limit

    @property
    def are_set(self) -> bool:
        return any(True for _ in self)


def parse_limit(text: str) -> Limit | None:
    """Parse a limit; ``None`` for an empty text.

    Raises:
        ValueError: it is not a whole number of images or an amount with a currency.
    """
    if not text.strip():
        return None
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise ValueError(Text("not_a_limit"))
    amount, unit = Decimal(found[1]), found[2] or "images"
    if unit.startswith("image"):
        if "." in found[1]:
            raise ValueError(Text("not_a_limit"))
        return Limit(amount)
    return Limit(amount, unit.upper())


def to_limit_settings(given: Mapping[str, str | int]) -> dict[str, str]:
    """Convert limits by window to settings.

    Raises:
        ConfigurationError: there is no such window.
    """
    for window in given:
        if window not in LIMIT_SETTINGS:
            allowed = ", ".join(LIMIT_SETTINGS)
            raise ConfigurationError("limit_window_unknown", given=window, allowed=allowed)
    return {LIMIT_SETTINGS[window]: str(limit) for window, limit in given.items()}


def normalize_limit(name: str, text: str) -> str | ConfigurationError:
    """Normalize the text of a limit, or return the error."""
    try:
        return str(parse_limit(text) or "")
    except ValueError:
        return ConfigurationError("bad_limit", name=name, given=text)
