"""How long a result link of the service lives, as far as anybody says."""

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
"""A smaller number in an ``expires`` is a life and no moment."""
_SIGNED = re.compile(r"x-[a-z]+-(date|expires)")


def link_expiry(url: str, family: str | None, seen_at: float) -> float | None:
    """The wall-clock second at which a link is said to die; ``None`` where nobody says so.

    A signed link says it itself (Amazon's form, which Volcengine's and others' follow, or a plain
    ``Expires``); else the family's documentation does. Only ever shown: a link is tried all the
    same, and asked for anew when it is found dead.

    Args:
        family: a value of :class:`~.catalog.Family`.
        seen_at: when the service gave it out.
    """
    signed = _signed_until(url)
    if signed is not None:
        return signed
    known = {each.value: life for each, life in FAMILY_LIFE_S.items()}
    return seen_at + known[family] if family in known else None


def _signed_until(url: str) -> float | None:
    found: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(url).query):
        signed = _SIGNED.fullmatch(name.lower())
        found[signed.group(1) if signed else name.lower()] = value
    try:
        life = float(found["expires"])
        if life > _EARLIEST_S:
            return life
        begun = datetime.strptime(found["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except (KeyError, ValueError):
        return None
    return begun.timestamp() + life
