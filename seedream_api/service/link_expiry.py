"""When a result link of the service expires, as far as it is documented or signed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

from ..catalog import Family

FAMILY_LIFE_S: Mapping[Family, float] = MappingProxyType({
    Family.PREFERENTIAL: 2 * 3600.0,  # Lingya's documentation, of its image models
    Family.EVOLINK: 24 * 3600.0,  # Evolink's documentation; Ark says the same
})  # fmt: skip
_EARLIEST_S = 1_000_000_000.0
"""A smaller number in ``expires`` is a duration in seconds, not a point in time."""
_SIGNED = re.compile(r"x-[a-z]+-(date|expires)")


def link_expiry(
    url: str, family: str | None, seen_at: float, learned_life_s: float | None = None
) -> float | None:
    """Return when a link expires, in wall-clock seconds; ``None`` if that is not known.

    A signed link states its expiry (in Amazon's form, which Volcengine and others follow, or as a
    plain ``Expires``). For another one counts what a probe learned about the service, else the
    documentation of the family. An expired link is still tried, and replaced if it fails.

    Args:
        family: a value of :class:`~.catalog.Family`.
        seen_at: when the service returned the link, in wall-clock seconds.
        learned_life_s: for how long signed links of this family and service last.
    """
    signed = _find_signed_expiry(url)
    if signed is not None:
        return signed
    documented = {each.value: life for each, life in FAMILY_LIFE_S.items()}
    life_s = learned_life_s or documented.get(family or "")
    return None if life_s is None else seen_at + life_s


def _find_signed_expiry(url: str) -> float | None:
    found: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(url).query):
        signed = _SIGNED.fullmatch(name.lower())
        found[signed.group(1) if signed else name.lower()] = value
    try:
        life = float(found["expires"])
        if life > _EARLIEST_S:
            return life
        signed_at = datetime.strptime(found["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except (KeyError, ValueError):
        return None
    return signed_at.timestamp() + life
