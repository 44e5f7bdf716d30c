"""Ask the relay what is left of the account; free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .free_requests import ask_free

if TYPE_CHECKING:
    from .client import SeedreamClient

BALANCE_PATH = "/api/usage/token"
STOCK_UNITS_PER_DOLLAR = 500_000
"""Quota units of a default new-api relay; an operator may have set another number."""


@dataclass(frozen=True)
class Balance:
    """What is left for a key, as far as the relay states it.

    Args:
        units: quota units of the relay; ``None`` if it does not state them.
        is_unlimited: whether the key has no quota; the account may still run empty.
        used: quota units that the key has used in all, which a top-up does not change.
    """

    units: float | None = None
    is_unlimited: bool = False
    used: float | None = None

    @property
    def dollars(self) -> float | None:
        """The units in US dollars at the default rate of new-api relays, which may differ here."""
        return None if self.units is None else self.units / STOCK_UNITS_PER_DOLLAR


async def get_balance(client: SeedreamClient) -> Balance:
    """Ask what is left for the key of a client; an empty :class:`Balance` if the relay is silent.

    Raises:
        ApiRefused: the service refused the key.
        ReadFailed: there was no usable response.
        NotSent: the service could not be reached.
    """
    response = await ask_free(client, BALANCE_PATH)
    if response.status in (401, 403) and response.refusal is not None:
        raise response.refusal
    data = response.body.get("data")
    if response.status != 200 or not isinstance(data, dict):
        return Balance()
    data = cast("dict[str, Any]", data)
    return Balance(
        units=_to_units(data.get("total_available")),
        is_unlimited=bool(data.get("unlimited_quota")),
        used=_to_units(data.get("total_used")),
    )


def _to_units(stated: Any) -> float | None:
    is_number = isinstance(stated, (int, float)) and not isinstance(stated, bool)
    return float(stated) if is_number else None
